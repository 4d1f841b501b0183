//! What guards say and do not say is in the log, and a verdict that comes too late to count is told from one
//! about nothing.

use ferry_layout::config::Mapping;
use ferry_layout::{AuditKind, AuditRecord, Delivery, Descriptor, Status};
use ferry_testbed::Topology;

use crate::stage::{GUARD, RECEIVER, SENDER, Stage};
use crate::{guarded, news, records, refused, started};

/// A second guard.
const OTHER: u16 = 3;

#[test]
fn what_guards_say_is_in_the_log_and_what_they_do_not_say() {
    let mut stage = guarded(false);
    let before = records(&stage).len();
    stage.post_everywhere(4);
    for buffer in 0..3 {
        stage.sender().send(RECEIVER, buffer, b"hello");
    }
    stage.run();
    let inspections = stage.guard().inspections();
    stage.guard().answer(&inspections[0], true);
    stage.guard().answer(&inspections[1], false);
    stage.run();
    for _ in 0..50 {
        stage.bed.tick();
    }
    let message = |kind, buffer: u64| AuditRecord {
        source: SENDER,
        target: RECEIVER,
        tag: 100 + buffer,
        length: 5,
        guard: GUARD,
        ..AuditRecord::of(kind)
    };
    let said = |kind, number: usize| AuditRecord {
        number: inspections[number].sequence,
        detail: 7,
        ..message(kind, number as u64)
    };
    assert_eq!(
        news(&stage, before),
        [
            said(AuditKind::GuardPassed, 0),
            said(AuditKind::GuardRefused, 1),
            refused(SENDER, RECEIVER, 101, 5, Status::Refused),
            message(AuditKind::GuardLate, 2),
            refused(SENDER, RECEIVER, 102, 5, Status::Refused),
        ]
    );
}

/// Also if it takes the ordinary path, as one that may expire does.
#[test]
fn a_message_that_is_passed_is_in_the_log_if_all_of_its_flow_are() {
    for audits_all in [false, true] {
        let mut stage = guarded(audits_all);
        let before = records(&stage).len();
        stage.post_everywhere(1);
        let hello = Descriptor { length: 5, target: RECEIVER, time_to_live: 100, ..Descriptor::default() };
        stage.sender().publish(hello);
        stage.pass_everything();
        assert_eq!(stage.receiver().take().len(), 1);
        let of_message = usize::from(audits_all);
        assert_eq!(news(&stage, before).len(), 1 + of_message, "the verdict, and the message: {audits_all}");
    }
}

#[test]
fn a_guard_that_is_late_with_a_one_way_message_is_named() {
    let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 3);
    (topology.flows[0].one_way, topology.flows[0].max_message) = (1, 64);
    let mut stage = started(&topology.audited(4, |_| false));
    let before = records(&stage).len();
    stage.post_everywhere(1);
    stage.sender().send(RECEIVER, 0, b"hello");
    stage.bed.run();
    assert_eq!(stage.guard().inspections().len(), 1);
    for _ in 0..3 {
        stage.bed.tick();
    }
    let late = AuditRecord {
        source: SENDER,
        target: RECEIVER,
        tag: 100,
        length: 5,
        guard: GUARD,
        ..AuditRecord::of(AuditKind::GuardLate)
    };
    assert_eq!(news(&stage, before), [late]);
}

/// The verdict of a guard over a message of five bytes with this tag.
fn said(inspection: &Delivery, guard: u16, passes: bool, counts: bool) -> AuditRecord {
    let kind = if passes { AuditKind::GuardPassed } else { AuditKind::GuardRefused };
    AuditRecord {
        source: SENDER,
        target: RECEIVER,
        tag: inspection.tag,
        length: 5,
        guard,
        number: inspection.sequence,
        detail: 7,
        status: if counts { 0 } else { Status::NoInspection as u8 },
        ..AuditRecord::of(kind)
    }
}

/// A flow whose first stage needs one of two guards, or one-way: the log of the first message, whose bytes
/// are `hello`, and then of what the second guard says when it is over.
fn quorum_of_one(one_way: bool) -> (Stage, Delivery) {
    let mut topology = Topology::guarded(&[(&[GUARD, OTHER], 1)], Mapping::Each, 50);
    topology.flows[0].one_way = one_way.into();
    let mut stage = started(&topology.audited(4, |_| false));
    let before = records(&stage).len();
    stage.post_everywhere(4);
    stage.sender().send(RECEIVER, 0, b"hello");
    stage.run();
    let first = stage.guard().inspections()[0];
    let second = stage.actor(OTHER).inspections()[0];
    stage.guard().answer(&first, true);
    stage.run();
    assert_eq!(stage.receiver().take().len(), 1, "one is enough");
    assert_eq!(news(&stage, before), [said(&first, GUARD, true, true)]);
    (stage, second)
}

/// A guard that is slower than its quorum is no liar. What it says tells an operator more than anything else
/// if the others have passed the message.
#[test]
fn a_verdict_after_the_quorum_has_decided_is_in_the_log_as_what_it_is() {
    for one_way in [false, true] {
        let (mut stage, inspection) = quorum_of_one(one_way);
        let before = records(&stage).len();
        let verdict = stage.actor(OTHER).answer(&inspection, false);
        stage.run();
        assert_eq!(stage.actor(OTHER).status(verdict), Some(Status::NoInspection));
        assert_eq!(news(&stage, before), [said(&inspection, OTHER, false, false)]);
        // To say it again is a mistake of the guard's.
        let before = records(&stage).len();
        stage.actor(OTHER).answer(&inspection, true);
        stage.run();
        assert_eq!(news(&stage, before), [refused(OTHER, 0, inspection.sequence, 0, Status::NoInspection)]);
    }
}

#[test]
fn a_late_verdict_is_told_from_a_ticket_that_the_guard_has_not_got() {
    let (mut stage, inspection) = quorum_of_one(false);
    let before = records(&stage).len();
    let ticket = inspection.sequence;
    let wrong = [ticket ^ 1, ticket + 256, ticket ^ 1 << 40, 0];
    for ticket in wrong {
        stage.actor(OTHER).answer_ticket(ticket, true);
    }
    stage.run();
    // The other guard has answered for its own, which has the same number.
    stage.guard().answer_ticket(ticket, true);
    stage.run();
    let mut expected = wrong.map(|ticket| refused(OTHER, 0, ticket, 0, Status::NoInspection)).to_vec();
    expected.push(refused(GUARD, 0, ticket, 0, Status::NoInspection));
    assert_eq!(news(&stage, before), expected);
    // None of them has used up the ticket.
    let before = records(&stage).len();
    stage.actor(OTHER).answer(&inspection, true);
    stage.run();
    assert_eq!(news(&stage, before), [said(&inspection, OTHER, true, false)]);
}

/// Whether it refuses, or passes a message that goes on or waits for others: whoever has answered cannot be
/// late.
#[test]
fn a_second_answer_is_a_mistake_and_not_late() {
    let one_of_two: &[(&[u16], u32)] = &[(&[GUARD, OTHER], 1)];
    let two_of_two: &[(&[u16], u32)] = &[(&[GUARD, OTHER], 2)];
    let one_by_one: &[(&[u16], u32)] = &[(&[GUARD], 1), (&[OTHER], 1)];
    for (stages, passes) in [(one_of_two, false), (two_of_two, true), (one_by_one, true)] {
        let mut stage = started(&Topology::guarded(stages, Mapping::Each, 50).audited(4, |_| false));
        stage.post_everywhere(4);
        stage.sender().send(RECEIVER, 0, b"hello");
        stage.run();
        let inspection = stage.guard().inspections()[0];
        let before = records(&stage).len();
        stage.guard().answer(&inspection, passes);
        stage.run();
        assert_eq!(news(&stage, before), [said(&inspection, GUARD, passes, true)], "{stages:?}");
        let before = records(&stage).len();
        stage.guard().answer(&inspection, true);
        stage.run();
        let mistake = refused(GUARD, 0, inspection.sequence, 0, Status::NoInspection);
        assert_eq!(news(&stage, before), [mistake], "{stages:?}");
    }
}

/// A ticket of an earlier life of the guard is none of its own, although the delivery may still be there.
#[test]
fn a_guard_that_has_started_anew_cannot_be_late_with_what_it_had_before() {
    for restarts in [false, true] {
        let (mut stage, inspection) = quorum_of_one(false);
        stage.reopen(OTHER);
        if restarts {
            stage.bed.restart();
        }
        let before = records(&stage).len();
        stage.actor(OTHER).answer(&inspection, true);
        stage.run();
        let ticket = inspection.sequence;
        assert_eq!(news(&stage, before), [refused(OTHER, 0, ticket, 0, Status::NoInspection)]);
    }
}

/// What a guard says about the snapshots that an earlier central gave it.
#[test]
fn a_verdict_over_a_restart_of_central_is_a_late_one() {
    let mut stage = guarded(false);
    stage.post_everywhere(4);
    stage.sender().send(RECEIVER, 0, b"hello");
    stage.run();
    let inspection = stage.guard().inspections()[0];
    stage.bed.restart();
    stage.run();
    let before = records(&stage).len();
    stage.guard().answer(&inspection, true);
    stage.run();
    assert_eq!(news(&stage, before), [said(&inspection, GUARD, true, false)]);
    stage.pass_everything();
    assert_eq!(stage.receiver().take().len(), 1, "the message begins anew");
}

/// A message that is refused already waits for its turn to end: the one before it has not ended.
#[test]
fn a_verdict_about_a_message_that_is_refused_already_does_not_count() {
    for one_way in [false, true] {
        let mut topology = Topology::guarded(&[(&[GUARD, OTHER], 2)], Mapping::Each, 50);
        topology.flows[0].one_way = one_way.into();
        let mut stage = started(&topology.audited(4, |_| false));
        stage.post_everywhere(4);
        stage.sender().send(RECEIVER, 0, b"first");
        stage.sender().send(RECEIVER, 1, b"hello");
        stage.run();
        let (refuses, other) = (stage.guard().inspections(), stage.actor(OTHER).inspections());
        stage.guard().answer(&refuses[1], false);
        stage.run();
        let before = records(&stage).len();
        stage.actor(OTHER).answer(&other[1], true);
        stage.actor(OTHER).answer(&other[0], true);
        stage.run();
        let expected = [said(&other[1], OTHER, true, false), said(&other[0], OTHER, true, true)];
        assert_eq!(news(&stage, before), expected, "one way: {one_way}");
    }
}

/// The same for a guard whose time is over.
#[test]
fn a_verdict_after_its_time_does_not_count_and_the_log_says_so() {
    for one_way in [false, true] {
        let mut topology = Topology::guarded(&[(&[GUARD], 1), (&[OTHER], 1)], Mapping::Each, 3);
        topology.flows[0].one_way = one_way.into();
        let mut stage = started(&topology.audited(4, |_| false));
        stage.post_everywhere(4);
        stage.sender().send(RECEIVER, 0, b"first");
        stage.sender().send(RECEIVER, 1, b"hello");
        stage.run();
        let inspections = stage.guard().inspections();
        stage.bed.tick();
        stage.bed.tick();
        // The first message has new time, at the second guard.
        stage.guard().answer(&inspections[0], true);
        stage.run();
        stage.bed.tick();
        let before = records(&stage).len();
        stage.guard().answer(&inspections[1], true);
        stage.run();
        let expected = [said(&inspections[1], GUARD, true, false)];
        assert_eq!(news(&stage, before), expected, "one way: {one_way}");
    }
}

/// A message that is refused, or that all guards have passed, waits for what is before it. Nobody is late
/// with it.
#[test]
fn nobody_is_late_with_a_message_that_only_waits() {
    for passes in [false, true] {
        let mut topology = Topology::guarded(&[(&[GUARD, OTHER], 2)], Mapping::Each, 3);
        // The next stage of the configuration is another flow's.
        topology.clients.extend([topology.clients[0]; 2]);
        topology.add_guarded(4, 5, &[(&[OTHER], 1)], Mapping::Each, 3);
        let mut stage = started(&topology.audited(4, |_| false));
        for guard in [GUARD, OTHER] {
            (0..4).for_each(|buffer| _ = stage.actor(guard).post(buffer));
        }
        stage.sender().send(RECEIVER, 0, b"hello");
        stage.sender().send(RECEIVER, 1, b"hello");
        stage.run();
        // The first message waits for the target, which has no buffer.
        for guard in [GUARD, OTHER] {
            for inspection in stage.actor(guard).inspections() {
                if inspection.tag == 100 || passes {
                    stage.actor(guard).answer(&inspection, true);
                } else if guard == GUARD {
                    stage.actor(guard).answer(&inspection, false);
                }
            }
            stage.run();
        }
        let before = records(&stage).len();
        for _ in 0..9 {
            stage.bed.tick();
        }
        assert_eq!(news(&stage, before), [], "passed: {passes}");
    }
}
