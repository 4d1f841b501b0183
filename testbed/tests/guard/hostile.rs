//! Guards that lie, are late, answer for others, or reuse what is not theirs; and senders that help them.

use ferry_layout::config::Mapping;
use ferry_layout::{DeliveryKind, Descriptor, Status, Verdict, flags};
use ferry_testbed::Topology;

use crate::stage::{GUARD, RECEIVER, STRIDE, Stage};

/// A message under inspection at the only guard, and the ticket.
fn one_to_inspect() -> (Stage, u32, u64) {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.post_everywhere(4);
    let sent = stage.sender().send(RECEIVER, 0, b"payload");
    stage.run();
    let ticket = stage.guard().inspections()[0].sequence;
    (stage, sent, ticket)
}

#[test]
fn a_verdict_counts_only_for_its_own_ticket() {
    let (mut stage, sent, ticket) = one_to_inspect();
    for wrong in [0, u64::MAX, ticket + 1, ticket ^ 1 << 8, ticket ^ 1 << 40, ticket ^ 0xff] {
        let verdict = stage.guard().answer_ticket(wrong, true);
        stage.run();
        assert_eq!(stage.guard().status(verdict), Some(Status::NoInspection), "{wrong:#x}");
    }
    assert_eq!(stage.sender().status(sent), Some(Status::Queued));
    assert!(stage.receiver().take().is_empty());
}

#[test]
fn the_first_verdict_counts_and_no_other() {
    let (mut stage, sent, ticket) = one_to_inspect();
    let first = stage.guard().answer_ticket(ticket, false);
    let second = stage.guard().answer_ticket(ticket, true);
    stage.run();
    assert_eq!(stage.sender().status(sent), Some(Status::Refused));
    assert_eq!(stage.guard().status(first), Some(Status::Done));
    assert_eq!(stage.guard().status(second), Some(Status::NoInspection));
    assert!(stage.receiver().take().is_empty());
    // And not after the end either.
    let third = stage.guard().answer_ticket(ticket, true);
    stage.run();
    assert_eq!(stage.guard().status(third), Some(Status::NoInspection));
}

#[test]
fn nobody_answers_for_a_guard() {
    let mut stage = Stage::new(&[(&[GUARD], 1), (&[GUARD + 1], 1)]);
    stage.post_everywhere(4);
    let sent = stage.sender().send(RECEIVER, 0, b"payload");
    stage.run();
    let ticket = stage.guard().inspections()[0].sequence;
    for liar in [0, RECEIVER, GUARD + 1] {
        let verdict = stage.actor(liar).answer_ticket(ticket, true);
        stage.run();
        assert_eq!(stage.actor(liar).status(verdict), Some(Status::NoInspection), "{liar}");
    }
    assert_eq!(stage.sender().status(sent), Some(Status::Queued));
}

#[test]
fn a_verdict_has_no_flags_and_a_guard_has_no_flow() {
    let (mut stage, sent, ticket) = one_to_inspect();
    let verdict = Verdict { ticket, passes: true, reason: 0 }.descriptor();
    for flag in [flags::URGENT, flags::NO_SIGNAL] {
        let index = stage.guard().publish(Descriptor { flags: flag, ..verdict });
        stage.run();
        assert_eq!(stage.guard().status(index), Some(Status::Malformed));
    }
    for target in [0, RECEIVER, GUARD] {
        let index = stage.guard().publish(Descriptor { target, length: 4, ..Descriptor::default() });
        stage.run();
        assert_eq!(stage.guard().status(index), Some(Status::Denied), "{target}");
    }
    let chain = stage.guard().publish(Descriptor { flags: flags::CHAINED, ..verdict });
    stage.guard().publish(verdict);
    stage.run();
    assert_eq!(stage.guard().status(chain), Some(Status::Malformed));
    assert_eq!(stage.sender().status(sent), Some(Status::Queued));
}

/// What a guard looks at is not written again before the message has ended: not by a buffer posted after it,
/// and not by one that overlaps it from the beginning.
#[test]
fn a_pinned_place_cannot_be_posted_again() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.guard().post_at(0, 64);
    // This one overlaps the first.
    stage.guard().post_at(32, 64);
    let first = stage.sender().send(RECEIVER, 0, &[b'a'; 64]);
    stage.sender().send(RECEIVER, 1, &[b'b'; 64]);
    stage.run();
    let [refused, inspection] = stage.guard().take()[..] else { panic!("a refusal and an inspection") };
    assert_eq!((refused.kind, refused.request), (DeliveryKind::Refused as u8, 1));
    for (start, length) in [(0, 64), (63, 1), (0, 4096), (16, 8)] {
        stage.guard().post_at(start, length);
        stage.run();
        let [refused] = stage.guard().take()[..] else { panic!("{start} {length} is pinned") };
        assert_eq!(refused.kind, DeliveryKind::Refused as u8);
    }
    assert_eq!(stage.guard().bytes(&inspection), [b'a'; 64]);
    // Even after the verdict the place stays, because the target has no buffer.
    stage.guard().answer(&inspection, true);
    stage.run();
    stage.guard().post_at(0, 64);
    stage.run();
    assert_eq!(stage.guard().take()[0].kind, DeliveryKind::Refused as u8);
    assert_eq!(stage.sender().status(first), Some(Status::Queued));
    // Now the message ends, and the place is the guard's.
    stage.receiver().post(0);
    stage.run();
    assert_eq!(stage.sender().status(first), Some(Status::Done));
    stage.guard().post_at(0, 64);
    stage.run();
    let second = stage.guard().inspections()[0];
    assert_eq!(stage.guard().bytes(&second), [b'b'; 64]);
    let delivery = stage.receiver().take()[0];
    assert_eq!(stage.receiver().bytes(&delivery), [b'a'; 64]);
}

/// What a guard posts stays in its ring until a message needs it. At a tick at the latest, a request that
/// must be refused is refused.
#[test]
fn what_a_guard_posts_is_taken_at_a_tick_at_the_latest() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.guard().post_at(0, 64);
    stage.run();
    let first = stage.sender().send(RECEIVER, 0, &[b'a'; 64]);
    stage.run();
    let inspection = stage.guard().inspections()[0];
    // Pinned already.
    let refused = stage.guard().post_at(0, 64);
    stage.run();
    let head = |stage: &mut Stage| stage.guard().memory.to_client.post_head.observe();
    assert_eq!((head(&mut stage), stage.guard().take().len()), (refused, 0));
    stage.bed.tick();
    let [answer] = stage.guard().take()[..] else { panic!("an answer") };
    assert_eq!((answer.kind, answer.request), (DeliveryKind::Refused as u8, refused));
    assert_eq!(head(&mut stage), refused + 1);
    assert_eq!(stage.guard().bytes(&inspection), [b'a'; 64]);
    assert_eq!(stage.sender().status(first), Some(Status::Queued));
}

#[test]
fn a_guard_that_is_late_has_refused() {
    let (mut stage, sent, ticket) = one_to_inspect();
    for _ in 0..49 {
        stage.bed.tick();
    }
    assert_eq!(stage.sender().status(sent), Some(Status::Queued));
    stage.bed.tick();
    assert_eq!(stage.sender().status(sent), Some(Status::Refused));
    let verdict = stage.guard().answer_ticket(ticket, true);
    stage.run();
    assert_eq!(stage.guard().status(verdict), Some(Status::NoInspection));
    assert!(stage.receiver().take().is_empty());
}

/// What is late stays late while other members can still decide.
#[test]
fn a_member_of_a_quorum_that_is_late_has_refused() {
    let mut stage = Stage::new(&[(&[GUARD, GUARD + 1], 1)]);
    stage.receiver().post(0);
    stage.guard().post(0);
    let sent = stage.sender().send(RECEIVER, 0, b"payload");
    stage.run();
    let inspection = stage.guard().inspections()[0];
    for _ in 0..50 {
        stage.bed.tick();
    }
    stage.guard().answer(&inspection, true);
    // The other member is late too, although it was not asked: it had no buffer.
    stage.actor(GUARD + 1).post(0);
    stage.run();
    assert!(stage.receiver().take().is_empty() && stage.actor(GUARD + 1).inspections().is_empty());
    assert_eq!(stage.sender().status(sent), Some(Status::Refused));
}

/// Two guards with room for two messages each, and two flows that go through them in opposite orders.
/// Neither guard fills up with what waits for the other.
#[test]
fn messages_do_not_wait_for_each_other_for_ever() {
    let guards: [u16; 2] = [3, 4];
    let mut topology = Topology::mesh(5, 16, Mapping::Each);
    topology.flows.clear();
    for (source, [first, second]) in [(0, [3, 4]), (2, [4, 3])] {
        let stages: [(&[u16], u32); 2] = [(&[first], 1), (&[second], 1)];
        topology.add_guarded(source, RECEIVER, &stages, Mapping::Each, 1_000_000);
    }
    for guard in guards {
        topology.clients[usize::from(guard)] = 4096;
    }
    topology.flows.iter_mut().for_each(|flow| flow.max_message = 2048);
    let mut stage = Stage::of(&topology);
    let sent: Vec<u32> = (0..4).map(|buffer| stage.actor(0).send(RECEIVER, buffer, b"first")).collect();
    let other: Vec<u32> = (0..4).map(|buffer| stage.actor(2).send(RECEIVER, buffer, b"other")).collect();
    for buffer in 0..8 {
        stage.receiver().post(buffer);
    }
    // Each guard has two places, and posts a place again when its verdict has ended.
    let mut held: Vec<(u16, u32, u32)> = Vec::new();
    for (guard, buffer) in [(3, 0), (3, 1), (4, 0), (4, 1)] {
        stage.actor(guard).post(buffer);
    }
    for _ in 0..40 {
        stage.run();
        for guard in guards {
            for inspection in stage.actor(guard).inspections() {
                let verdict = stage.actor(guard).answer(&inspection, true);
                held.push((guard, verdict, inspection.position / STRIDE));
            }
        }
        held.retain(|(guard, verdict, buffer)| {
            let is_held = stage.actor(*guard).status(*verdict) != Some(Status::Done);
            if !is_held {
                stage.actor(*guard).post(*buffer);
            }
            is_held
        });
    }
    for (sender, sent) in [(0, sent), (2, other)] {
        for sent in sent {
            assert_eq!(stage.actor(sender).status(sent), Some(Status::Done), "{sender}, {sent}");
        }
    }
}

#[test]
fn a_guard_whose_buffers_are_too_short_has_refused() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.guard().post_at(0, 8);
    stage.receiver().post(0);
    let long = stage.sender().send(RECEIVER, 0, b"nine byte");
    stage.run();
    assert_eq!(stage.sender().status(long), Some(Status::Refused));
    // The buffer is still there for one that fits.
    let short = stage.sender().send(RECEIVER, 0, b"8 bytes.");
    stage.pass_everything();
    assert_eq!(stage.sender().status(short), Some(Status::Done));
}

/// Of three, one lies in every way, and two are honest.
#[test]
fn a_minority_of_a_quorum_decides_nothing() {
    let members = [GUARD, GUARD + 1, GUARD + 2];
    for honest_pass in [false, true] {
        for liar_passes in [false, true] {
            let mut stage = Stage::new(&[(&members, 2)]);
            stage.post_everywhere(4);
            let sent = stage.sender().send(RECEIVER, 0, b"payload");
            stage.run();
            let lie = stage.guard().inspections()[0];
            for _ in 0..3 {
                stage.guard().answer(&lie, liar_passes);
            }
            stage.run();
            assert_eq!(stage.sender().status(sent), Some(Status::Queued));
            for member in &members[1..] {
                let inspection = stage.actor(*member).inspections()[0];
                stage.actor(*member).answer(&inspection, honest_pass);
            }
            stage.run();
            let expected = if honest_pass { Status::Done } else { Status::Refused };
            assert_eq!(stage.sender().status(sent), Some(expected));
        }
    }
}

/// A flood of verdicts costs the guard its own share and nobody else anything.
#[test]
fn a_flood_of_verdicts_stops_nobody() {
    let (mut stage, sent, ticket) = one_to_inspect();
    for _ in 0..20 {
        for _ in 0..100 {
            stage.guard().answer_ticket(ticket + 1, true);
        }
        stage.run();
    }
    stage.guard().answer_ticket(ticket, true);
    stage.run();
    assert_eq!(stage.sender().status(sent), Some(Status::Done));
}

/// The slots of verdicts whose messages have not ended are passed over, as those of sends that wait.
#[test]
fn the_ring_goes_on_past_verdicts_that_wait() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    for buffer in 0..8 {
        stage.guard().post(buffer);
    }
    for number in 0..8 {
        stage.sender().send(RECEIVER, number, b"payload");
    }
    stage.run();
    let waiting: Vec<u32> = {
        let inspections = stage.guard().inspections();
        inspections.iter().map(|inspection| stage.guard().answer(inspection, true)).collect()
    };
    stage.run();
    assert!(waiting.iter().all(|index| stage.guard().status(*index) == Some(Status::Queued)));
    for number in 0..8 {
        stage.receiver().post(number);
    }
    stage.run();
    assert!(waiting.iter().all(|index| stage.guard().status(*index) == Some(Status::Done)));
    assert_eq!(stage.receiver().take().len(), 8);
    assert!(
        stage
            .receiver()
            .bytes(&ferry_layout::Delivery { length: STRIDE, ..Default::default() })
            .starts_with(b"payload")
    );
}
