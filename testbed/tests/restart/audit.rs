//! The audit log when central is stopped at any store: it goes on, and nothing is missing in it that a client
//! has seen. Something may be in it twice, because the next central does it again.

use ferry_audit::{Anchors, verify};
use ferry_client::Status;
use ferry_layout::config::Mapping;
use ferry_layout::{AuditKind, AuditRecord};
use ferry_testbed::Topology;

use super::Scenario;
use super::world::{Fuse, World};

/// Plays a scenario with a log, and compares the log with the books of the clients. Returns central's steps.
fn play(scenario: Scenario, first: Option<u32>, second: Option<u32>) -> u32 {
    let topology = Topology::mesh(3, 20 * 18, Mapping::Each);
    let mut topology = topology.audited(64, |flow| flow.target == 1);
    for flow in &mut topology.flows {
        if (flow.source, flow.target) == (2, 0) {
            flow.max_message = 100;
        }
    }
    topology.messages_per_round = 128;
    let fuse = Fuse::after(first);
    let mut world = World::new(&topology, super::LARGE, fuse.clone(), second);
    scenario(&mut world);
    let log = world.bed.audit_log().unwrap();
    let records: Vec<AuditRecord> = (0..log.count()).map(|number| log.load(number)).collect();
    assert!(log.count() < log.capacity(), "the ring has kept everything");
    assert_eq!(verify(&records, Anchors::default()).findings, [], "stopped after {first:?} and {second:?}");
    let of = |kind| records.iter().filter(move |record| record.kind() == Some(kind));
    // A central that was stopped before it had written its first record has not started, as far as anybody
    // can see.
    let starts: Vec<u32> = of(AuditKind::CentralStarted).map(|record| record.start).collect();
    let unseen = usize::from(second.is_some());
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
                    "{status:?} of {tag:#x} is not in the log; stopped after {first:?} and {second:?}"
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
    world.outcome();
    fuse.passed()
}

#[track_caller]
fn goes_on_after_every_stop(scenario: Scenario) {
    let steps = play(scenario, None, None);
    assert!(steps > 20, "the scenario does something");
    for step in 1..=steps {
        play(scenario, Some(step), None);
    }
    for step in (1..=steps).step_by(7) {
        play(scenario, Some(step), Some(1 + step % 41));
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
