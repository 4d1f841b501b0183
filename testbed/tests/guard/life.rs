//! What starts, restarts, breaks the protocol or expires while messages are with their guards. Everything
//! that a guard cannot say any more is a refusal, and nothing is left behind.

use ferry_layout::{Delivery, Descriptor, Status};

use crate::stage::{GUARD, RECEIVER, SENDER, Stage};

/// How far a message has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    /// The first guard has it.
    Inspected,
    /// The first guard has passed it, and the second one has it.
    Second,
    /// Both have passed it, and the target has no buffer.
    Waiting,
}

const MOMENTS: [Moment; 3] = [Moment::Inspected, Moment::Second, Moment::Waiting];

/// A message that has come so far, through two guards.
fn at_moment(moment: Moment) -> (Stage, u32, Vec<Delivery>) {
    let mut stage = Stage::new(&[(&[GUARD], 1), (&[GUARD + 1], 1)]);
    for guard in [GUARD, GUARD + 1] {
        for buffer in 0..4 {
            stage.actor(guard).post(buffer);
        }
    }
    let sent = stage.sender().send(RECEIVER, 0, b"payload");
    stage.run();
    let mut seen = Vec::new();
    let steps = match moment {
        Moment::Inspected => 0,
        Moment::Second => 1,
        Moment::Waiting => 2,
    };
    for guard in [GUARD, GUARD + 1] {
        seen.extend(stage.actor(guard).inspections());
        if usize::from(guard - GUARD) < steps {
            let inspection = seen[usize::from(guard - GUARD)];
            stage.actor(guard).answer(&inspection, true);
            stage.run();
        }
    }
    (stage, sent, seen)
}

/// After what has happened, another message goes through as if nothing had.
fn goes_on(stage: &mut Stage, what: &str) {
    stage.receiver().post(5);
    for guard in [GUARD, GUARD + 1] {
        stage.actor(guard).post(5);
    }
    stage.receiver().take();
    let sent = stage.sender().send(RECEIVER, 6, b"another");
    stage.pass_everything();
    assert_eq!(stage.sender().status(sent), Some(Status::Done), "{what}");
    let last = *stage.receiver().take().last().unwrap();
    assert_eq!(stage.receiver().bytes(&last), b"another", "{what}");
}

/// A guard that restarts has passed nothing that still needs it. What has gone on from it is not touched.
#[test]
fn a_guard_restarts() {
    for moment in MOMENTS {
        for guard in [GUARD, GUARD + 1] {
            let (mut stage, sent, seen) = at_moment(moment);
            stage.reopen(guard);
            stage.run();
            let needs_it = moment == Moment::Inspected && guard == GUARD
                || moment == Moment::Second && guard == GUARD + 1;
            let expected = if needs_it { Status::Refused } else { Status::Queued };
            let what = format!("{moment:?}, guard {guard}");
            assert_eq!(stage.sender().status(sent), Some(expected), "{what}");
            // A verdict of its last life is about nothing.
            for inspection in &seen {
                let verdict = stage.actor(guard).answer(inspection, true);
                stage.run();
                assert_eq!(stage.actor(guard).status(verdict), Some(Status::NoInspection), "{what}");
            }
            for (other, inspection) in (GUARD..).zip(&seen).filter(|(other, _)| *other != guard) {
                stage.actor(other).answer(inspection, true);
            }
            // What still waits for the target takes the first buffer.
            stage.receiver().post(4);
            stage.actor(guard).post(4);
            stage.pass_everything();
            goes_on(&mut stage, &what);
        }
    }
}

#[test]
fn a_guard_breaks_the_protocol() {
    for moment in MOMENTS {
        let (mut stage, sent, seen) = at_moment(moment);
        stage.actor(GUARD + 1).break_protocol();
        stage.run();
        // The second guard is in quarantine. Only what has passed it arrives.
        stage.receiver().post(0);
        stage.run();
        if moment == Moment::Inspected {
            stage.guard().answer(&seen[0], true);
            stage.run();
        }
        let expected = if moment == Moment::Waiting { Status::Done } else { Status::Refused };
        assert_eq!(stage.sender().status(sent), Some(expected), "{moment:?}");
        let later = stage.sender().send(RECEIVER, 1, b"later");
        stage.pass_everything();
        assert_eq!(stage.sender().status(later), Some(Status::Refused), "{moment:?}");
        stage.reopen(GUARD + 1);
        goes_on(&mut stage, &format!("{moment:?}"));
    }
}

/// Another member can still decide for a quorum.
#[test]
fn a_quorum_goes_on_without_a_member_that_restarts() {
    let members = [GUARD, GUARD + 1, GUARD + 2];
    for lost in members {
        let mut stage = Stage::new(&[(&members, 2)]);
        stage.post_everywhere(2);
        let sent = stage.sender().send(RECEIVER, 0, b"payload");
        stage.run();
        let inspections = members.map(|member| stage.actor(member).inspections()[0]);
        stage.reopen(lost);
        stage.run();
        for (member, inspection) in members.iter().zip(inspections).filter(|(member, _)| **member != lost) {
            assert_eq!(stage.sender().status(sent), Some(Status::Queued));
            stage.actor(*member).answer(&inspection, true);
            stage.run();
        }
        assert_eq!(stage.sender().status(sent), Some(Status::Done), "without {lost}");
        let delivery = stage.receiver().take()[0];
        assert_eq!(stage.receiver().bytes(&delivery), b"payload");
    }
}

/// A member that has passed a message and restarts has passed nothing: the others have to.
#[test]
fn a_pass_ends_with_the_life_of_its_member() {
    let members = [GUARD, GUARD + 1, GUARD + 2];
    for third_passes in [false, true] {
        let mut stage = Stage::new(&[(&members, 2)]);
        stage.post_everywhere(2);
        let sent = stage.sender().send(RECEIVER, 0, b"payload");
        stage.run();
        let inspections = members.map(|member| stage.actor(member).inspections()[0]);
        stage.actor(GUARD).answer(&inspections[0], true);
        stage.run();
        stage.reopen(GUARD);
        stage.run();
        stage.actor(GUARD + 1).answer(&inspections[1], true);
        stage.run();
        assert_eq!(stage.sender().status(sent), Some(Status::Queued));
        stage.actor(GUARD + 2).answer(&inspections[2], third_passes);
        stage.run();
        let expected = if third_passes { Status::Done } else { Status::Refused };
        assert_eq!(stage.sender().status(sent), Some(expected));
    }
}

#[test]
fn the_target_restarts() {
    for moment in MOMENTS {
        let (mut stage, sent, _) = at_moment(moment);
        stage.reopen(RECEIVER);
        stage.run();
        assert_eq!(stage.sender().status(sent), Some(Status::PeerReset), "{moment:?}");
        goes_on(&mut stage, &format!("{moment:?}"));
    }
}

#[test]
fn the_sender_restarts() {
    for moment in MOMENTS {
        let (mut stage, _, seen) = at_moment(moment);
        stage.reopen(SENDER);
        stage.receiver().post(0);
        stage.run();
        assert!(stage.receiver().take().is_empty(), "{moment:?}");
        // Whatever the guards say now is about nothing.
        for (guard, inspection) in (GUARD..).zip(&seen) {
            let verdict = stage.actor(guard).answer(inspection, true);
            stage.run();
            assert_eq!(stage.actor(guard).status(verdict), Some(Status::NoInspection), "{moment:?}");
        }
        goes_on(&mut stage, &format!("{moment:?}"));
    }
}

/// A verdict tells the guard that the message has ended, however it has ended.
#[test]
fn a_verdict_ends_with_its_message() {
    // The express lane takes what the first guard says. The second one's verdict is left to the ordinary
    // path, because the target has no buffer.
    for (moment, guard) in [(Moment::Inspected, GUARD), (Moment::Second, GUARD + 1)] {
        let (mut stage, _, seen) = at_moment(moment);
        let verdict = stage.actor(guard).answer(seen.last().unwrap(), true);
        stage.run();
        let status = stage.actor(guard).status(verdict);
        assert_eq!(status, Some(Status::Queued), "{moment:?}: the message is not over");
        stage.reopen(SENDER);
        stage.run();
        assert_eq!(stage.actor(guard).status(verdict), Some(Status::Done), "{moment:?}");
    }
}

#[test]
fn a_message_expires_while_it_is_with_its_guards() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.post_everywhere(1);
    let descriptor = Descriptor { target: RECEIVER, length: 4, time_to_live: 3, ..Descriptor::default() };
    let sent = stage.sender().publish(descriptor);
    stage.run();
    let inspection = stage.guard().inspections()[0];
    for _ in 0..3 {
        assert_eq!(stage.sender().status(sent), Some(Status::Queued));
        stage.bed.tick();
    }
    assert_eq!(stage.sender().status(sent), Some(Status::Expired));
    let verdict = stage.guard().answer(&inspection, true);
    stage.run();
    assert_eq!(stage.guard().status(verdict), Some(Status::NoInspection));
    assert!(stage.receiver().take().is_empty());
}

/// The new central knows nothing of what the guards have said. It asks them again.
#[test]
fn central_restarts() {
    for moment in MOMENTS {
        let (mut stage, sent, seen) = at_moment(moment);
        stage.bed.restart();
        stage.receiver().post(0);
        stage.run();
        assert!(stage.receiver().take().is_empty(), "{moment:?}: nothing was passed since the restart");
        for inspection in &seen {
            let verdict = stage.guard().answer(inspection, true);
            stage.run();
            assert_eq!(
                stage.guard().status(verdict),
                Some(Status::NoInspection),
                "{moment:?}: an old ticket"
            );
        }
        stage.pass_everything();
        assert_eq!(stage.sender().status(sent), Some(Status::Done), "{moment:?}");
        let [delivery] = stage.receiver().take()[..] else { panic!("{moment:?}: once") };
        assert_eq!(stage.receiver().bytes(&delivery), b"payload");
        goes_on(&mut stage, &format!("{moment:?}"));
    }
}

/// A message waits for a guard that has no buffer, and for one that has not started.
#[test]
fn a_message_waits_for_its_guard() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.receiver().post(0);
    let sent = stage.sender().send(RECEIVER, 0, b"payload");
    for _ in 0..100 {
        stage.bed.tick();
    }
    assert_eq!(stage.sender().status(sent), Some(Status::Queued));
    stage.guard().post(0);
    // The guard signals, because central asks for it.
    stage.bed.run_for(GUARD);
    stage.pass_everything();
    assert_eq!(stage.sender().status(sent), Some(Status::Done));
}

/// A quorum begins when as many members as it needs can take a message, and waits for no others.
#[test]
fn a_message_waits_until_enough_members_can_take_it() {
    let members = [GUARD, GUARD + 1, GUARD + 2];
    for quorum in [2, 3] {
        let mut stage = Stage::new(&[(&members, quorum)]);
        stage.receiver().post(0);
        let (last, first) = members[..quorum as usize].split_last().unwrap();
        for member in first {
            stage.actor(*member).post(0);
        }
        let sent = stage.sender().send(RECEIVER, 0, b"payload");
        for _ in 0..100 {
            stage.bed.tick();
        }
        for member in members {
            let inspections = stage.actor(member).inspections();
            assert!(inspections.is_empty(), "a member that can decide nothing holds nothing");
        }
        assert_eq!(stage.sender().status(sent), Some(Status::Queued));
        stage.actor(*last).post(0);
        stage.bed.run_for(*last);
        stage.pass_everything();
        assert_eq!(stage.sender().status(sent), Some(Status::Done));
    }
}

/// A message waits for members that can take nothing now, but not for those in quarantine: if too few others
/// are left, it is refused.
#[test]
fn a_message_waits_for_no_member_in_quarantine() {
    let members = [GUARD, GUARD + 1, GUARD + 2];
    for (expelled, expected) in [(1, Status::Queued), (2, Status::Refused)] {
        let mut stage = Stage::new(&[(&members, 2)]);
        stage.receiver().post(0);
        stage.guard().post(0);
        for member in members.iter().rev().take(expelled) {
            stage.actor(*member).break_protocol();
        }
        stage.run();
        let sent = stage.sender().send(RECEIVER, 0, b"payload");
        stage.run();
        assert_eq!(stage.sender().status(sent), Some(expected), "{expelled} in quarantine");
        let has_begun = !stage.guard().inspections().is_empty();
        assert_eq!(has_begun, expected == Status::Refused, "{expelled} in quarantine");
    }
}

/// A member of a later stage that has no buffer is late like one that is silent. So nothing of the stages
/// before it stays pinned for ever.
#[test]
fn a_guard_without_a_buffer_is_late() {
    let mut stage = Stage::new(&[(&[GUARD], 1), (&[GUARD + 1], 1)]);
    stage.receiver().post(0);
    stage.guard().post(0);
    let sent = stage.sender().send(RECEIVER, 0, b"payload");
    stage.run();
    for _ in 0..30 {
        stage.bed.tick();
    }
    assert_eq!(stage.guard().pass_all(), 1);
    stage.run();
    // The second stage has its own time, from the moment that the first has passed the message.
    for _ in 0..49 {
        stage.bed.tick();
        assert_eq!(stage.sender().status(sent), Some(Status::Queued));
    }
    stage.bed.tick();
    assert_eq!(stage.sender().status(sent), Some(Status::Refused));
    assert_eq!(stage.guard().status(0), Some(Status::Done), "the place is the guard's own again");
}
