//! What goes into the audit log, that nothing else does, and that it costs nothing where nothing is refused.

#[path = "../guard/stage.rs"]
#[allow(dead_code, reason = "the guards' tests use the rest")]
mod stage;
mod verdicts;

use ferry_audit::{Anchors, AuditReader, Missed, verify};
use ferry_layout::config::Mapping;
use ferry_layout::{AuditKind, AuditRecord, Descriptor, Offence, Status, Verdict, flags};
use ferry_testbed::{Action, Topology};
use stage::{GUARD, RECEIVER, SENDER, Stage, at};

/// Two clients with flows in both directions, and a log of refusals.
fn plain() -> Stage {
    started(&Topology::mesh(2, 64, Mapping::Each).audited(4, |_| false))
}

/// The same, but the log gets all messages from the sender to the receiver.
fn audited() -> Stage {
    started(&Topology::mesh(2, 64, Mapping::Each).audited(4, |flow| flow.source == SENDER))
}

/// A flow with one guard.
fn guarded(audits_all: bool) -> Stage {
    let topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
    started(&topology.audited(4, |_| audits_all))
}

fn started(topology: &Topology) -> Stage {
    let stage = Stage::of(topology);
    let clients = topology.clients.len();
    let kinds: Vec<Option<AuditKind>> = records(&stage).iter().map(AuditRecord::kind).collect();
    let mut expected = vec![Some(AuditKind::ClientStarted); clients + 1];
    expected[0] = Some(AuditKind::CentralStarted);
    assert_eq!(kinds, expected);
    stage
}

/// Everything in the log, which is intact.
fn records(stage: &Stage) -> Vec<AuditRecord> {
    let mut reader = AuditReader::new(stage.bed.audit_log().unwrap(), 0);
    let records: Vec<AuditRecord> = std::iter::from_fn(|| reader.next()).map(Result::unwrap).collect();
    assert_eq!(verify(&records, Anchors::default()).findings, []);
    records
}

/// What is new in the log since it had `before` records. Only what the tests compare.
fn news(stage: &Stage, before: usize) -> Vec<AuditRecord> {
    let bare = |record: &AuditRecord| AuditRecord {
        sequence: 0,
        tick: 0,
        start: 0,
        previous: [0; 32],
        hash: [0; 32],
        ..*record
    };
    records(stage)[before..].iter().map(bare).collect()
}

fn refused(source: u16, target: u16, tag: u64, length: u32, status: Status) -> AuditRecord {
    AuditRecord {
        source,
        target,
        tag,
        length,
        status: status as u8,
        ..AuditRecord::of(AuditKind::SendRefused)
    }
}

#[test]
fn what_a_descriptor_claims_is_in_the_log_when_it_is_refused() {
    let mut stage = plain();
    let before = records(&stage).len();
    let claim = Descriptor { target: RECEIVER, length: 9, tag: 5, ..Descriptor::default() };
    let denied = stage.sender().publish(Descriptor { flags: flags::URGENT, ..claim });
    stage.sender().publish(Descriptor { target: 999, tag: 6, ..claim });
    stage.sender().publish(Descriptor { kind: 77, tag: 7, ..claim });
    stage.sender().publish(Descriptor { length: u32::MAX, tag: 8, ..claim });
    stage.sender().publish(Verdict { ticket: 3, passes: true, reason: 1 }.descriptor());
    stage.run();
    assert_eq!(stage.sender().status(denied), Some(Status::Denied));
    assert_eq!(
        news(&stage, before),
        [
            refused(SENDER, RECEIVER, 5, 9, Status::Denied),
            refused(SENDER, 999, 6, 9, Status::NoTarget),
            refused(SENDER, RECEIVER, 7, 9, Status::Malformed),
            refused(SENDER, RECEIVER, 8, u32::MAX, Status::BadSource),
            refused(SENDER, 0, 3, 0, Status::NoInspection),
        ]
    );
}

#[test]
fn a_chain_that_is_refused_is_one_record_with_all_its_bytes() {
    let mut stage = plain();
    let before = records(&stage).len();
    let part = Descriptor { target: RECEIVER, length: 100, tag: 5, ..Descriptor::default() };
    stage.sender().publish(Descriptor { flags: flags::CHAINED, ..part });
    stage.sender().publish(Descriptor { target: 0, ..part });
    stage.run();
    assert_eq!(news(&stage, before), [refused(SENDER, RECEIVER, 5, 200, Status::BadLength)]);
}

#[test]
fn messages_that_were_taken_and_then_end_are_in_the_log() {
    let mut stage = plain();
    let before = records(&stage).len();
    // One is too long for the buffer, one waits too long, and one waits for a client that starts anew.
    stage.receiver().post_at(0, 3);
    stage.sender().send(RECEIVER, 0, b"four");
    stage.run();
    stage.receiver().take();
    stage.sender().send(RECEIVER, 1, b"abc");
    stage.run();
    stage.sender().publish(Descriptor {
        target: RECEIVER,
        tag: 2,
        length: 1,
        time_to_live: 1,
        ..Descriptor::default()
    });
    stage.run();
    stage.bed.tick();
    stage.sender().send(RECEIVER, 3, b"ab");
    stage.run();
    stage.reopen(RECEIVER);
    let started = AuditRecord { source: RECEIVER, detail: 2, ..AuditRecord::of(AuditKind::ClientStarted) };
    assert_eq!(
        news(&stage, before),
        [
            refused(SENDER, RECEIVER, 100, 4, Status::TooLong),
            refused(SENDER, RECEIVER, 2, 1, Status::Expired),
            started,
            refused(SENDER, RECEIVER, 103, 2, Status::PeerReset),
        ]
    );
}

#[test]
fn receive_requests_and_breaches_of_the_protocol_are_in_the_log() {
    let mut stage = plain();
    let before = records(&stage).len();
    stage.receiver().post(0);
    let request = stage.receiver().post_at(0, u32::MAX);
    stage.run();
    stage.receiver().break_protocol();
    stage.run();
    let about = |kind, detail| AuditRecord { source: RECEIVER, detail, ..AuditRecord::of(kind) };
    assert_eq!(
        news(&stage, before),
        [about(AuditKind::RequestRefused, request), about(AuditKind::Quarantined, Offence::PostTail as u32),]
    );
}

#[test]
fn the_offence_is_the_index_that_was_impossible() {
    for offence in Offence::ALL {
        let mut stage = plain();
        let from_client = stage.bed.clients[usize::from(RECEIVER)].from_client;
        let index = match offence {
            Offence::TransmitTail => &from_client.transmit_tail,
            Offence::PostTail => &from_client.post_tail,
            Offence::DeliveryHead => &from_client.delivery_head,
        };
        index.publish(5000);
        stage.run();
        let last = *records(&stage).last().unwrap();
        assert_eq!((last.kind(), last.source), (Some(AuditKind::Quarantined), RECEIVER));
        assert_eq!(last.detail, offence as u32);
    }
}

/// Sends messages of every form that is delivered. Returns how many.
fn send_every_form(stage: &mut Stage) -> usize {
    for buffer in 0..6 {
        stage.receiver().post(buffer);
    }
    stage.receiver().post_at(8192, 30 * 4096);
    stage.sender().send(RECEIVER, 0, b"plain");
    stage.sender().send(RECEIVER, 1, b"plain too");
    stage.sender().send(RECEIVER, 2, b"");
    let part = Descriptor { target: RECEIVER, length: 10, tag: 103, ..Descriptor::default() };
    stage.sender().publish(Descriptor { flags: flags::CHAINED, ..part });
    stage.sender().publish(Descriptor { source: at(20), ..part });
    stage.sender().publish(Descriptor { tag: 104, flags: flags::NO_SIGNAL, ..part });
    stage.run();
    stage.sender().publish(Descriptor { tag: 105, ..part });
    stage.run();
    // Longer than one step carries.
    stage.sender().publish(Descriptor { tag: 106, length: 20 * 4096, ..part });
    stage.run();
    7
}

#[test]
fn a_flow_with_all_messages_in_the_log_has_each_of_them_once() {
    let mut stage = audited();
    let before = records(&stage).len();
    let count = send_every_form(&mut stage);
    let deliveries = stage.receiver().take();
    assert_eq!(deliveries.len(), count);
    let expected: Vec<AuditRecord> = deliveries
        .iter()
        .map(|delivery| AuditRecord {
            source: delivery.source,
            target: RECEIVER,
            tag: delivery.tag,
            number: delivery.sequence,
            length: delivery.length,
            status: Status::Done as u8,
            ..AuditRecord::of(AuditKind::Delivered)
        })
        .collect();
    assert_eq!(news(&stage, before), expected);
    assert_eq!(stage.sender().status(0), Some(Status::Done));
}

#[test]
fn a_guarded_flow_can_have_all_messages_in_the_log() {
    let mut stage = guarded(true);
    stage.post_everywhere(4);
    stage.sender().send(RECEIVER, 0, b"hello");
    stage.pass_everything();
    let kinds: Vec<_> = records(&stage).iter().filter_map(AuditRecord::kind).skip(4).collect();
    assert_eq!(kinds, [AuditKind::GuardPassed, AuditKind::Delivered]);
    let last = *records(&stage).last().unwrap();
    assert_eq!((last.tag, last.length, last.target), (100, 5, RECEIVER));
}

/// All messages in the log change nothing else: central does the same to the machine, and the receiver gets
/// the same.
#[test]
fn the_log_changes_nothing_that_a_client_sees() {
    let run = |topology: &Topology| {
        let mut stage = Stage::of(topology);
        stage.bed.machine.actions.clear();
        send_every_form(&mut stage);
        let copied = |action: &Action| if let Action::Copy(bytes) = action { *bytes } else { 0 };
        let copied: u32 = stage.bed.machine.actions.iter().map(copied).sum();
        (stage.receiver().take(), copied, stage.bed.machine.signals(RECEIVER))
    };
    let mesh = Topology::mesh(2, 64, Mapping::Each);
    let (without, refusals) = (run(&mesh), run(&mesh.clone().audited(1, |_| false)));
    assert_eq!(without, refusals);
    assert_eq!(without, run(&mesh.audited(1, |_| true)));
}

#[test]
fn messages_that_are_delivered_leave_no_record_otherwise() {
    let mut stage = plain();
    let before = records(&stage).len();
    send_every_form(&mut stage);
    assert_eq!(news(&stage, before), []);
}

/// A client that has everything refused makes central write as many records in a round as it may send
/// messages, and no more.
#[test]
fn a_flood_of_refusals_is_bounded_by_the_share() {
    let mut topology = Topology::mesh(2, 4, Mapping::Each).audited(8, |_| false);
    topology.messages_per_round = 3;
    let mut stage = started(&topology);
    let log = stage.bed.audit_log().unwrap();
    let mut before = log.count();
    for _ in 0..100 {
        stage.sender().publish(Descriptor { target: 50, ..Descriptor::default() });
    }
    let most = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&most);
    stage.bed.machine.between_rounds = Some(Box::new(move || {
        seen.set(seen.get().max(log.count() - before));
        before = log.count();
        false
    }));
    stage.run();
    assert_eq!(most.get(), 3);
    assert_eq!(records(&stage).len(), 103);
}

#[test]
fn the_reader_is_signalled_once_in_a_tick_and_only_for_news() {
    let mut stage = plain();
    let signals = |stage: &Stage| {
        let is_signal = |action: &&Action| **action == Action::SignalAuditReader;
        stage.bed.machine.actions.iter().filter(is_signal).count()
    };
    stage.bed.tick();
    assert_eq!(signals(&stage), 1, "central has started");
    stage.bed.tick();
    assert_eq!(signals(&stage), 1);
    for _ in 0..10 {
        stage.sender().publish(Descriptor { target: 50, ..Descriptor::default() });
        stage.run();
    }
    assert_eq!(signals(&stage), 1);
    stage.bed.tick();
    stage.bed.tick();
    assert_eq!(signals(&stage), 2);
}

#[test]
fn a_late_reader_learns_what_it_has_missed() {
    let mut stage = started(&Topology::mesh(2, 4, Mapping::Each).audited(1, |_| false));
    let log = stage.bed.audit_log().unwrap();
    let mut reader = AuditReader::new(log, 0);
    for _ in 0..97 {
        stage.sender().publish(Descriptor { target: 50, ..Descriptor::default() });
    }
    stage.run();
    // 100 records, of which the ring keeps 31 and may be writing over one.
    assert_eq!(log.count(), 100);
    assert_eq!(reader.next(), Some(Err(Missed { first: 0, count: 70 })));
    let rest: Vec<AuditRecord> = std::iter::from_fn(|| reader.next()).map(Result::unwrap).collect();
    assert_eq!(rest.len(), 30);
    assert_eq!(verify(&rest, Anchors::default()).findings, []);
}

#[test]
fn ticks_and_starts_are_counted() {
    let mut stage = plain();
    stage.bed.tick();
    stage.bed.tick();
    stage.sender().publish(Descriptor { target: 50, ..Descriptor::default() });
    stage.run();
    let last = *records(&stage).last().unwrap();
    assert_eq!((last.start, last.tick), (1, 2));
    stage.bed.restart();
    let last = *records(&stage).last().unwrap();
    assert_eq!((last.kind(), last.start, last.tick), (Some(AuditKind::CentralStarted), 2, 0));
}

/// A client whose messages to one target are all in the log has guards before another target. Each flow goes
/// its own way.
#[test]
fn a_flow_in_the_log_and_a_flow_with_guards_have_one_sender() {
    const OTHER: u16 = GUARD + 1;
    let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
    topology.clients.push(topology.clients[0]);
    topology.flows.push(Topology::flow(SENDER, OTHER, Mapping::Each));
    let mut stage = started(&topology.audited(4, |flow| flow.target == OTHER));
    stage.post_everywhere(2);
    let before = records(&stage).len();
    let sent = [OTHER, RECEIVER].map(|target| stage.sender().send(target, 0, b"hello"));
    stage.run();
    assert_eq!(sent.map(|index| stage.sender().status(index)), [Some(Status::Done), Some(Status::Queued)]);
    assert_eq!(stage.actor(OTHER).take().len(), 1);
    let kinds: Vec<Option<AuditKind>> = news(&stage, before).iter().map(AuditRecord::kind).collect();
    assert_eq!(kinds, [Some(AuditKind::Delivered)]);
}
