//! One-way flows with guards: nothing of their verdicts comes back, and nothing reaches the receiver that
//! they have not passed.

use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::{Delivery, Descriptor, Status, Verdict, flags};
use ferry_testbed::{Memory, Topology};

use crate::stage::{Actor, RECEIVER, SENDER, STRIDE, Stage};

const GUARD: u16 = 2;

/// A one-way flow from the sender to the receiver through these stages.
fn stage(stages: &[(&[u16], u32)]) -> Stage {
    let mut topology = Topology::guarded(stages, Mapping::Each, 3);
    topology.flows = vec![FlowRecord { one_way: 1, ..topology.flows[0] }];
    Stage::of(&topology)
}

fn answer(guard: &mut Actor, inspection: &Delivery, passes: bool) -> u32 {
    guard.publish(Verdict { ticket: inspection.sequence, passes, reason: 1 }.descriptor())
}

#[test]
fn what_its_guards_pass_arrives_and_the_rest_is_a_gap() {
    let mut stage = stage(&[(&[GUARD], 1)]);
    stage.sender().memory.transmit.write(0, b"good");
    for buffer in 0..4 {
        stage.actor(GUARD).post(buffer, STRIDE);
        stage.receiver().post(buffer, STRIDE);
    }
    for tag in 0..3 {
        stage.sender().send(RECEIVER, tag, 4);
    }
    stage.bed.run_for(SENDER);
    stage.sender().memory.transmit.write(0, b"evil");
    let inspections = stage.actor(GUARD).deliveries();
    assert_eq!(inspections.len(), 3);
    assert!(stage.receiver().take().is_empty(), "nothing before a verdict");
    stage.bed.tick();
    assert_eq!(stage.sender().statuses(0..3), [Status::Done; 3], "whatever the guard will say");
    // In another order, with one refusal.
    let verdicts: Vec<u32> = [(2, true), (1, false), (0, true)]
        .map(|(number, passes)| {
            let verdict = answer(stage.actor(GUARD), &inspections[number], passes);
            stage.bed.run_for(GUARD);
            verdict
        })
        .to_vec();
    assert_eq!(
        stage.receiver().deliveries().iter().map(|it| (it.sequence, it.tag, it.detail)).collect::<Vec<_>>(),
        [(0, 0, 1), (2, 2, 1)]
    );
    assert_eq!(stage.receiver().memory.receive.read(0, 4), b"good", "the bytes that the guard has seen");
    assert_eq!(stage.receiver().memory.to_client.dropped.get(), 1);
    let guard = stage.actor(GUARD);
    assert!(
        verdicts.iter().all(|verdict| guard.status(*verdict) == Some(Status::Done)),
        "places are given back"
    );
    assert_eq!(stage.bed.machine.mapped(), 0);
}

#[test]
fn a_quorum_and_two_stages_decide_as_in_other_flows() {
    let mut stage = stage(&[(&[2, 3, 4], 2), (&[5], 1)]);
    for guard in 2..6 {
        (0..4).for_each(|buffer| stage.actor(guard).post(buffer, STRIDE));
    }
    (0..4).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
    stage.sender().send(RECEIVER, 7, 4);
    stage.sender().send(RECEIVER, 8, 4);
    stage.bed.run_for(SENDER);
    for (guard, passes) in [(2, [true, false]), (3, [false, true]), (4, [true, false])] {
        assert!(stage.actor(5).deliveries().is_empty(), "the second stage waits for the first");
        let inspections = stage.actor(guard).deliveries();
        for (inspection, passes) in inspections.iter().zip(passes) {
            answer(stage.actor(guard), inspection, passes);
        }
        stage.bed.run_for(guard);
    }
    let inspections = stage.actor(5).deliveries();
    assert_eq!(inspections.iter().map(|it| it.tag).collect::<Vec<_>>(), [7], "one has two passes");
    answer(stage.actor(5), &inspections[0], true);
    stage.bed.run_for(5);
    let arrived = stage.receiver().deliveries();
    let arrived: Vec<_> = arrived.iter().map(|it| (it.sequence, it.tag, it.detail)).collect();
    assert_eq!(arrived, [(0, 7, 2)], "two stages have passed it");
}

#[test]
fn what_no_guard_can_take_is_dropped() {
    let mut stage = stage(&[(&[GUARD], 1)]);
    stage.receiver().post(0, STRIDE);
    stage.sender().send(RECEIVER, 1, 4);
    stage.bed.run_for(SENDER);
    stage.actor(GUARD).post(0, 3);
    stage.sender().send(RECEIVER, 2, 4);
    stage.bed.run_for(SENDER);
    assert!(stage.actor(GUARD).deliveries().is_empty());
    assert_eq!(stage.receiver().memory.to_client.dropped.get(), 2);
    stage.bed.tick();
    assert_eq!(stage.sender().statuses(0..2), [Status::Done; 2]);
}

/// What is passed when the receiver has no buffer is dropped, and the guard's place is its own again.
#[test]
fn a_receiver_that_is_not_ready_holds_up_no_guard() {
    let mut stage = stage(&[(&[GUARD], 1)]);
    stage.actor(GUARD).post(0, STRIDE);
    stage.sender().send(RECEIVER, 1, 4);
    stage.bed.run_for(SENDER);
    let inspections = stage.actor(GUARD).deliveries();
    let verdict = answer(stage.actor(GUARD), &inspections[0], true);
    stage.bed.run_for(GUARD);
    assert_eq!(stage.actor(GUARD).status(verdict), Some(Status::Done));
    stage.receiver().post(0, STRIDE);
    stage.bed.run();
    assert!(stage.receiver().take().is_empty());
    assert_eq!(stage.receiver().memory.to_client.dropped.get(), 1);
}

#[test]
fn a_guard_that_is_late_restarts_or_breaks_the_protocol_passes_nothing() {
    let ends: [fn(&mut Stage); 3] = [
        |stage| (0..3).for_each(|_| stage.bed.tick()),
        |stage| stage.open(GUARD),
        |stage| {
            stage.actor(GUARD).break_protocol();
            stage.bed.run_for(GUARD);
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut stage = stage(&[(&[GUARD], 1)]);
        (0..2).for_each(|buffer| stage.actor(GUARD).post(buffer, STRIDE));
        stage.receiver().post(0, STRIDE);
        stage.sender().send(RECEIVER, 1, 4);
        stage.sender().send(RECEIVER, 2, 4);
        stage.bed.run_for(SENDER);
        let inspections = stage.actor(GUARD).deliveries();
        end(&mut stage);
        for inspection in &inspections {
            answer(stage.actor(GUARD), inspection, true);
        }
        stage.bed.run();
        assert!(stage.receiver().take().is_empty(), "case {number}");
        assert_eq!(stage.receiver().memory.to_client.dropped.get(), 2, "case {number}");
        stage.bed.tick();
        assert_eq!(stage.sender().statuses(0..2), [Status::Done; 2], "case {number}");
    }
}

/// A sender that starts anew takes nothing back of what its guards have.
#[test]
fn a_sender_restarts_while_guards_look() {
    let mut stage = stage(&[(&[GUARD], 1)]);
    stage.actor(GUARD).post(0, STRIDE);
    stage.receiver().post(0, STRIDE);
    stage.sender().send(RECEIVER, 1, 4);
    stage.bed.run_for(SENDER);
    let inspections = stage.actor(GUARD).deliveries();
    stage.open(SENDER);
    answer(stage.actor(GUARD), &inspections[0], true);
    stage.bed.run_for(GUARD);
    assert_eq!(stage.receiver().take(), [(0, 1)]);
}

/// A guard's share pays for what its verdicts move, so it cannot move more than that in a round.
#[test]
fn a_guards_share_bounds_what_its_verdicts_move() {
    let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
    topology.flows = vec![FlowRecord { one_way: 1, ..topology.flows[0] }];
    topology.bytes_per_round = STRIDE;
    let mut stage = Stage::of(&topology);
    for buffer in 0..16 {
        stage.actor(GUARD).post(buffer, STRIDE);
        stage.receiver().post(buffer, STRIDE);
        stage.sender().send(RECEIVER, buffer.into(), STRIDE);
    }
    stage.bed.run_for(SENDER);
    for inspection in stage.actor(GUARD).deliveries() {
        answer(stage.actor(GUARD), &inspection, true);
    }
    let before = stage.bed.machine.rounds;
    stage.bed.run_for(GUARD);
    assert!(stage.bed.machine.rounds - before >= 15, "one message a round");
    assert_eq!(stage.receiver().take().len(), 16);
}

/// Flows that no chain of flows connects take nothing from each other, however many messages are with guards.
#[test]
fn strangers_leave_a_flow_its_room_at_guards() {
    let mut topology = Topology::mesh(12, 16, Mapping::Each);
    topology.flows.clear();
    for first in [0, 3, 6, 9] {
        topology.add_guarded(first, first + 1, &[(&[first + 2], 1)], Mapping::Each, 100);
    }
    for flow in &mut topology.flows {
        flow.one_way = 1;
    }
    let mut stage = Stage::of(&topology);
    for (first, count) in [(0, 64), (3, 64), (6, 64), (9, 1)] {
        for number in 0..count {
            stage.actor(first + 2).post(number, STRIDE);
            stage.actor(first).send(first + 1, number.into(), 4);
        }
        stage.bed.run_for(first);
        assert_eq!(stage.actor(first + 2).deliveries().len(), count as usize, "those of {first}");
    }
}

/// Central restarts after each store. What arrives was passed, arrives once, and in order; every buffer that
/// is handed out is handed out once.
#[test]
fn central_restarts_after_every_store() {
    use ferry_layout::observe::{AccessKind, set_hook};
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    struct Stopped;
    let play = |stop: Option<u32>| {
        let mut stage = stage(&[(&[GUARD], 1)]);
        stage.bed.machine.records = false;
        let (mut left, mut stores) = (stop, 0);
        let mut passed = Vec::new();
        let mut arrived: Vec<Delivery> = Vec::new();
        for lap in 0..3 {
            stage.actor(GUARD).post(2 * lap, STRIDE);
            stage.actor(GUARD).post(2 * lap + 1, STRIDE);
            stage.receiver().post(2 * lap, STRIDE);
            stage.receiver().post(2 * lap + 1, STRIDE);
            for step in 0..3 {
                if step == 0 {
                    stage.sender().send(RECEIVER, (2 * lap).into(), 4);
                    stage.sender().send(RECEIVER, (2 * lap + 1).into(), 4);
                } else {
                    for inspection in stage.actor(GUARD).deliveries() {
                        answer(stage.actor(GUARD), &inspection, true);
                        passed.push(inspection.tag);
                    }
                }
                let counter = std::rc::Rc::new(std::cell::Cell::new(0));
                let counted = counter.clone();
                set_hook(Some(Box::new(move |access| {
                    if access.kind == AccessKind::Store {
                        counted.set(counted.get() + 1);
                        if left == Some(counted.get()) {
                            resume_unwind(Box::new(Stopped));
                        }
                    }
                })));
                let bed = &mut stage.bed;
                let ended = catch_unwind(AssertUnwindSafe(|| if step == 2 { bed.tick() } else { bed.run() }));
                set_hook(None);
                stores += counter.get();
                left = left.and_then(|left| left.checked_sub(counter.get())).filter(|left| *left != 0);
                match ended {
                    Ok(()) => {}
                    Err(reason) if reason.is::<Stopped>() => {
                        left = None;
                        stage.bed.restart();
                        stage.bed.run();
                    }
                    Err(reason) => resume_unwind(reason),
                }
                arrived.extend(stage.receiver().deliveries());
            }
        }
        (0..3).for_each(|_| stage.bed.tick());
        arrived.extend(stage.receiver().deliveries());
        assert_eq!(stage.sender().statuses(0..6), [Status::Done; 6], "stopped after {stop:?}");
        let numbers: Vec<u64> = arrived.iter().map(|delivery| delivery.sequence).collect();
        assert!(numbers.is_sorted_by(|one, other| one < other), "{numbers:?}, stopped after {stop:?}");
        assert!(arrived.iter().all(|it| it.sequence == it.tag && passed.contains(&it.tag)), "{arrived:?}");
        let mut places: Vec<u32> = arrived.iter().map(|delivery| delivery.position).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), arrived.len(), "each buffer is filled once, stopped after {stop:?}");
        (stores, arrived.len())
    };
    let (stores, arrived) = play(None);
    assert!(arrived == 6 && stores > 60, "{arrived} {stores}");
    for stop in 1..=stores {
        let (_, arrived) = play(Some(stop));
        assert!(arrived >= 4, "at most what the guard had is lost, stopped after {stop}");
    }
}

/// Nothing that a guard does shows in its sender's page.
#[test]
fn nothing_of_the_guards_comes_back() {
    let behaviours: [fn(&mut Stage); 4] = [
        |_| {},
        |stage| {
            for inspection in stage.actor(GUARD).deliveries() {
                answer(stage.actor(GUARD), &inspection, true);
            }
        },
        |stage| {
            for inspection in stage.actor(GUARD).deliveries() {
                answer(stage.actor(GUARD), &inspection, false);
            }
        },
        |stage| stage.actor(GUARD).break_protocol(),
    ];
    let pages = behaviours.map(|behave| {
        let mut stage = stage(&[(&[GUARD], 1)]);
        (0..8).for_each(|buffer| stage.actor(GUARD).post(buffer, STRIDE));
        stage.receiver().post(0, STRIDE);
        let mut pages = Vec::new();
        for tag in 0..6 {
            stage.sender().send(RECEIVER, tag, 4);
            stage.bed.run_for(SENDER);
            behave(&mut stage);
            stage.bed.run_for(GUARD);
            stage.bed.tick();
            let page = Memory::of(stage.sender().memory.to_client);
            pages.push(page.read(0, page.bytes()));
        }
        pages
    });
    assert!(pages.iter().all(|page| *page == pages[0]));
}

/// A message that asks for no signal brings none, with guards too.
#[test]
fn a_message_may_ask_for_no_signal() {
    for (flags, signals) in [(0, 1), (flags::NO_SIGNAL, 0)] {
        let mut stage = stage(&[(&[GUARD], 1)]);
        stage.actor(GUARD).post(0, STRIDE);
        stage.receiver().post(0, STRIDE);
        let message = Descriptor { target: RECEIVER, length: 4, flags, ..Descriptor::default() };
        stage.sender().publish(message);
        stage.bed.run_for(SENDER);
        let inspections = stage.actor(GUARD).deliveries();
        answer(stage.actor(GUARD), &inspections[0], true);
        stage.bed.machine.actions.clear();
        stage.bed.run_for(GUARD);
        assert_eq!(stage.receiver().take().len(), 1);
        assert_eq!(stage.bed.machine.signals(RECEIVER), signals, "flags {flags}");
    }
}
