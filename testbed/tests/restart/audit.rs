//! The audit log when central is stopped at any store: it goes on, and nothing is missing in it that a client
//! has seen. Something may be in it twice, because the next central does it again.

use ferry_audit::{Anchors, verify};
use ferry_client::Status;
use ferry_layout::config::Mapping;
use ferry_layout::{AuditKind, AuditRecord};
use ferry_testbed::Topology;

use super::Scenario;
use super::guarded::{self, Case};
use super::stops::{Meanwhile, Stops};
use super::world::World;

/// The records of the log, which has kept all of them and is right by itself.
fn log_of(world: &World, when: &str) -> Vec<AuditRecord> {
    let log = world.bed.audit_log().unwrap();
    let records: Vec<AuditRecord> = (0..log.count()).map(|number| log.load(number)).collect();
    assert!(log.count() < log.capacity(), "the ring has kept everything");
    assert_eq!(verify(&records, Anchors::default()).findings, [], "{when}");
    records
}

/// Plays a scenario with a log, and compares the log with the books of the clients. Returns central's steps.
fn play(scenario: Scenario, stops: Stops) -> u32 {
    let topology = Topology::mesh(3, 20 * 18, Mapping::Each);
    let mut topology = topology.audited(64, |flow| flow.target == 1);
    for flow in &mut topology.flows {
        if (flow.source, flow.target) == (2, 0) {
            flow.max_message = 100;
        }
    }
    topology.messages_per_round = 128;
    let mut world = World::new(&topology, super::LARGE, stops);
    scenario(&mut world);
    let records = log_of(&world, &format!("{stops:?}"));
    let of = |kind| records.iter().filter(move |record| record.kind() == Some(kind));
    // A central that was stopped before it had written its first record has not started, as far as anybody
    // can see.
    let starts: Vec<u32> = of(AuditKind::CentralStarted).map(|record| record.start).collect();
    let unseen = usize::from(stops.second.is_some());
    assert!((1 + world.stopped as usize).abs_diff(starts.len()) <= unseen, "{starts:?}");
    assert!(starts.is_sorted_by(|before, after| before < after), "{starts:?}");
    for (number, book) in (0..).zip(world.books()) {
        for (tag, statuses) in &book.reaped {
            let is_it = |record: &AuditRecord, status: Status| {
                (record.source, record.tag, record.status) == (number, *tag, status as u8)
            };
            for status in statuses.iter().filter(|status| **status != Status::Done) {
                assert!(
                    of(AuditKind::SendRefused).any(|record| is_it(record, *status)),
                    "{status:?} of {tag:#x} is not in the log; {stops:?}"
                );
            }
        }
        for (source, received) in book.received.iter().filter(|_| number == 1) {
            for (sequence, tag) in received {
                let is_it = |record: &AuditRecord| {
                    (record.source, record.number, record.tag) == (*source, *sequence, *tag)
                };
                assert!(of(AuditKind::Delivered).any(is_it), "{sequence} from {source} is not in the log");
            }
        }
    }
    world.outcome().steps
}

#[track_caller]
fn goes_on_after_every_stop(scenario: Scenario) {
    let steps = play(scenario, Stops::NONE);
    assert!(steps > 20, "the scenario does something");
    for step in 1..=steps {
        play(scenario, Stops::after(step, Meanwhile::Wait));
    }
    for step in (1..=steps).step_by(7) {
        play(scenario, Stops::after(step, Meanwhile::Wait).and_after(1 + step % 41));
    }
}

#[test]
fn refusals_are_in_the_log_wherever_central_is_stopped() {
    goes_on_after_every_stop(super::every_way_to_be_refused);
}

#[test]
fn deliveries_are_in_the_log_wherever_central_is_stopped() {
    goes_on_after_every_stop(super::messages_in_and_out_of_order);
}

/// Plays a case with guards. Every verdict is in the log, and every refusal; and if the flow has all its
/// messages there, each delivery after enough verdicts of the same central.
fn play_with_guards(case: &Case, mapping: Mapping, audits_all: bool, stops: Stops) -> u32 {
    let topology = case.topology(mapping).audited(64, |flow| audits_all && flow.stages != 0);
    let mut world = World::new(&topology, case.buffer, stops);
    case.play(&mut world);
    world.finish();
    let when = format!("{stops:?}, {mapping:?}, all: {audits_all}");
    let records = log_of(&world, &when);
    for (guard, ticket, tag, passes) in world.watch.borrow().answers() {
        let kind = if passes { AuditKind::GuardPassed } else { AuditKind::GuardRefused };
        let is_it = |record: &AuditRecord| {
            (record.kind(), record.guard, record.number, record.tag) == (Some(kind), guard, ticket, tag)
        };
        assert!(records.iter().any(is_it), "{guard} has said {passes} of {tag:#x}; {when}");
    }
    let (sender, receiver) = (0, 1);
    for (number, book) in (0..).zip(world.books()) {
        let refused = book.reaped.iter().filter(|(_, ends)| ends.contains(&Status::Refused));
        for (tag, _) in refused {
            let is_it = |record: &AuditRecord| {
                let refused = Some(AuditKind::SendRefused);
                (record.kind(), record.source, record.tag) == (refused, number, *tag)
            };
            assert!(records.iter().any(is_it), "{tag:#x} is refused, and not in the log; {when}");
        }
        let arrived = book.received.get(&sender).filter(|_| audits_all && number == receiver);
        for (sequence, tag) in arrived.into_iter().flatten() {
            let is_it = |record: &AuditRecord| {
                let delivered = Some(AuditKind::Delivered);
                (record.kind(), record.source, record.number, record.tag)
                    == (delivered, sender, *sequence, *tag)
            };
            let at = records.iter().position(is_it);
            let at = at.unwrap_or_else(|| panic!("{tag:#x} has arrived, and is not in the log; {when}"));
            let of_this_central = records[..at].iter().filter(|record| record.start == records[at].start);
            let passes = of_this_central.filter(|record| {
                record.kind() == Some(AuditKind::GuardPassed) && record.tag == *tag && record.status == 0
            });
            let guards = passes.fold(0_u32, |guards, record| guards | 1 << record.guard);
            for stage in &topology.stages {
                let passed = (guards & stage.members).count_ones();
                assert!(passed >= stage.quorum, "{tag:#x} has arrived without {stage:?} in the log; {when}");
            }
        }
    }
    world.outcome().steps
}

#[test]
fn verdicts_are_in_the_log_wherever_central_is_stopped() {
    for case in [&guarded::EVERYWHERE, &guarded::DISAGREEMENT, &guarded::MANY] {
        for mapping in [Mapping::Each, Mapping::Keep] {
            for audits_all in [false, true] {
                let steps = play_with_guards(case, mapping, audits_all, Stops::NONE);
                for step in 1..=steps {
                    let stops = Stops::after(step, Meanwhile::in_turn(step));
                    play_with_guards(case, mapping, audits_all, stops);
                }
            }
        }
    }
}
