//! What a sender and a receiver of a one-way flow see.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_central::ClientSet;
use ferry_client::{Event, Gaps, Message};
use ferry_layout::config::Mapping;
use ferry_layout::geometry::{MAX_ONE_WAY, TRANSMIT_SLOTS};
use ferry_layout::{Address, Descriptor, Kind, SEQUENCE_RANGE, Standing, Status, flags};
use ferry_testbed::{Action, Testbed, Topology};

use crate::stage::{NEIGHBOUR, RECEIVER, SENDER, STRIDE, Stage, one_way, topology};

#[test]
fn a_send_is_done_at_the_next_tick_with_and_without_a_buffer() {
    let mut stage = Stage::new();
    stage.receiver().post(0, STRIDE);
    stage.sender().memory.transmit.write(0, b"over");
    for tag in 0..3 {
        stage.sender().send(RECEIVER, tag, 4);
    }
    stage.bed.run_for(SENDER);
    assert_eq!(stage.sender().statuses(0..3), [Status::Queued; 3], "before the tick");
    assert_eq!(stage.receiver().take(), [(0, 0)], "at once, what there is a buffer for");
    assert_eq!(stage.receiver().memory.receive.read(0, 4), b"over");
    stage.bed.tick();
    assert_eq!(stage.sender().statuses(0..3), [Status::Done; 3]);
    let counters = &stage.sender().memory.to_client.counters;
    let counted = (counters.sent_messages.get(), counters.sent_bytes.get(), counters.refused.get());
    assert_eq!(counted, (3, 12, 0));
    assert_eq!(stage.sender().memory.to_client.ended_late.observe(), 3);

    stage.receiver().post(1, STRIDE);
    stage.sender().send(RECEIVER, 3, 4);
    stage.bed.run_for(SENDER);
    assert_eq!(stage.receiver().take(), [(3, 3)], "the numbers of what was dropped are missing");
    let to_receiver = stage.receiver().memory.to_client;
    assert_eq!(to_receiver.dropped.get(), 2);
    assert_eq!(
        (to_receiver.counters.received_messages.get(), to_receiver.counters.received_bytes.get()),
        (2, 8)
    );
    assert_eq!(stage.bed.machine.mapped(), 0);
}

#[test]
fn a_send_that_nobody_signals_is_taken_at_a_tick_and_done_at_the_next() {
    let mut stage = Stage::new();
    stage.receiver().post(0, STRIDE);
    stage.sender().send(RECEIVER, 1, 4);
    // Central runs, but not for the sender or for one that may learn of it.
    for _ in 0..3 {
        stage.bed.run_for(RECEIVER);
    }
    assert_eq!((stage.sender().status(0), stage.receiver().take()), (None, vec![]));
    stage.bed.tick();
    assert_eq!((stage.sender().status(0), stage.receiver().take()), (Some(Status::Queued), vec![(0, 1)]));
    stage.bed.tick();
    assert_eq!(stage.sender().status(0), Some(Status::Done));
}

/// Brings a receiver into some state.
type Prepare = fn(&mut Stage);

/// Whatever the receiver is like, the sender's statuses, counters and signals are the same.
#[test]
fn nothing_about_the_receiver_comes_back() {
    let states: [(&str, Prepare); 7] = [
        ("ready", |stage| (0..4).for_each(|buffer| stage.receiver().post(buffer, STRIDE))),
        ("silent", |_| {}),
        ("with short buffers", |stage| (0..4).for_each(|buffer| stage.receiver().post(buffer, 3))),
        ("in quarantine", |stage| {
            stage.receiver().break_protocol();
            stage.bed.run_for(RECEIVER);
            let standing = stage.receiver().memory.to_client.standing();
            assert_eq!(standing, Standing::Quarantined);
        }),
        ("about to break the protocol", |stage| stage.receiver().break_protocol()),
        ("restarted", |stage| stage.open(RECEIVER)),
        ("gone", |stage| stage.receiver().memory.from_client.clear_magic()),
    ];
    let mut views = Vec::new();
    for (name, prepare) in states {
        let mut stage = Stage::new();
        prepare(&mut stage);
        stage.bed.machine.actions.clear();
        let mut view = Vec::new();
        for tag in 0..6 {
            stage.sender().send(RECEIVER, tag, 4);
            stage.bed.run_for(SENDER);
            if tag == 3 {
                stage.bed.tick();
            }
            let page = ferry_testbed::Memory::of(stage.sender().memory.to_client);
            view.push((page.read(0, page.bytes()), stage.bed.machine.signals(SENDER)));
        }
        stage.bed.tick();
        assert_eq!(stage.sender().statuses(0..6), [Status::Done; 6], "{name}");
        assert_eq!(stage.bed.machine.signals(SENDER), 2, "one for each tick: {name}");
        views.push((name, view));
    }
    let (_, first) = &views[0];
    for (name, view) in &views {
        assert!(view == first, "a receiver that is {name} shows");
    }
}

#[test]
fn a_receiver_that_was_never_there_does_not_show() {
    let mut stage = Stage::closed(&topology());
    stage.open(SENDER);
    stage.sender().send(RECEIVER, 0, 4);
    stage.bed.run_for(SENDER);
    stage.bed.tick();
    assert_eq!(stage.sender().status(0), Some(Status::Done));
    stage.open(RECEIVER);
    stage.receiver().post(0, STRIDE);
    stage.sender().send(RECEIVER, 1, 4);
    stage.bed.run_for(SENDER);
    assert_eq!(stage.receiver().take(), [(1, 1)]);
}

/// Whether or not there is a buffer for what is right.
#[test]
fn the_senders_own_mistakes_are_answered_at_once() {
    for buffers in [1, 0] {
        mistakes_with(buffers);
    }
}

fn mistakes_with(buffers: u32) {
    let mut stage = Stage::new();
    (0..buffers).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
    let good = Descriptor { target: RECEIVER, length: 4, ..Descriptor::default() };
    let cases = [
        (Descriptor { length: MAX_ONE_WAY + 1, ..good }, Status::BadLength),
        (Descriptor { source: Address { frame: 32, offset: 0 }, ..good }, Status::BadSource),
        (Descriptor { kind: Kind::Placed as u8, ..good }, Status::Denied),
        (Descriptor { flags: flags::URGENT, ..good }, Status::Denied),
        (Descriptor { kind: 9, ..good }, Status::Malformed),
        (Descriptor { flags: 64, ..good }, Status::Malformed),
        (Descriptor { target: 30, ..good }, Status::NoTarget),
    ];
    for (descriptor, status) in cases {
        let index = stage.sender().publish(descriptor);
        stage.bed.run_for(SENDER);
        assert_eq!(stage.sender().status(index), Some(status), "{descriptor:?}");
    }
    let first = stage.sender().publish(Descriptor { flags: flags::CHAINED, ..good });
    let second = stage.sender().publish(good);
    stage.bed.run_for(SENDER);
    assert_eq!(stage.sender().statuses(first..second + 1), [Status::Denied; 2], "a chain");
    let index = stage.sender().send(RECEIVER, 5, 4);
    stage.bed.run_for(SENDER);
    assert_eq!(stage.sender().status(index), Some(Status::Queued));
    let (arrived, dropped) = (stage.receiver().take(), stage.receiver().memory.to_client.dropped.get());
    if buffers == 0 {
        assert_eq!((arrived.len(), dropped), (0, 1), "what is refused is not dropped");
    } else {
        assert_eq!((arrived, dropped), (vec![(0, 5)], 0), "what is refused has no number");
    }
    // The longest one is no mistake, on either path.
    for flags in [0, flags::NO_SIGNAL] {
        let index = stage.sender().publish(Descriptor { length: MAX_ONE_WAY, flags, ..good });
        stage.bed.run_for(SENDER);
        assert_eq!(stage.sender().status(index), Some(Status::Queued), "flags {flags}");
    }
}

/// A message that asks for no signal brings none. An empty one takes the ordinary path.
#[test]
fn a_message_may_ask_for_no_signal() {
    for (flags, length, signals) in [(0, 4, 1), (0, 0, 1), (flags::NO_SIGNAL, 4, 0)] {
        let mut stage = Stage::new();
        stage.receiver().post(0, STRIDE);
        stage.bed.run();
        stage.bed.machine.actions.clear();
        stage.sender().publish(Descriptor { target: RECEIVER, length, flags, ..Descriptor::default() });
        stage.bed.run_for(SENDER);
        assert_eq!(stage.receiver().take().len(), 1);
        assert_eq!(stage.bed.machine.signals(RECEIVER), signals, "flags {flags}");
    }
}

/// A message that the express lane leaves to the ordinary path is carried before those that come after it.
#[test]
fn a_message_of_the_ordinary_path_is_carried_in_its_turn() {
    let mut stage = Stage::new();
    stage.receiver().post(0, STRIDE);
    stage.actor(NEIGHBOUR).post(0, STRIDE);
    let first = Descriptor { target: RECEIVER, length: 4, flags: flags::NO_SIGNAL, ..Descriptor::default() };
    stage.sender().publish(first);
    stage.sender().send(NEIGHBOUR, 1, 5);
    stage.bed.run_for(SENDER);
    let copies: Vec<_> =
        stage.bed.machine.actions.iter().filter(|action| matches!(action, Action::Copy(_))).collect();
    assert_eq!(copies, [&Action::Copy(4), &Action::Copy(5)]);
}

/// Nothing is copied to a receiver that cannot take it: one in quarantine, or one with a full queue.
#[test]
fn nothing_is_copied_to_a_receiver_that_cannot_take_it() {
    let prepare: [Prepare; 2] = [
        |stage| {
            (0..8).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
            stage.bed.run();
            stage.receiver().break_protocol();
            stage.bed.run_for(RECEIVER);
        },
        |stage| {
            for number in 0..128 {
                stage.receiver().post(number, STRIDE);
                stage.sender().send(RECEIVER, number.into(), 4);
            }
            stage.bed.run();
            stage.bed.tick();
            (0..8).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
            stage.bed.run();
        },
    ];
    for (number, prepare) in prepare.into_iter().enumerate() {
        for flags in [0, flags::NO_SIGNAL] {
            let mut stage = Stage::new();
            prepare(&mut stage);
            stage.bed.machine.actions.clear();
            for _ in 0..2 {
                let message = Descriptor { target: RECEIVER, length: 4, flags, ..Descriptor::default() };
                stage.sender().publish(message);
            }
            stage.bed.run_for(SENDER);
            let touched = stage.bed.machine.actions.iter();
            let touched: Vec<_> =
                touched.filter(|it| matches!(it, Action::Map(..) | Action::Copy(_))).collect();
            assert!(touched.is_empty(), "case {number}, flags {flags}: {touched:?}");
            assert_eq!(stage.receiver().memory.to_client.dropped.get(), 2, "case {number}");
        }
    }
}

/// What waits for its sender's share goes with its sender, and not more of it in a round than the share has.
#[test]
fn what_waits_for_a_share_is_dropped_with_its_sender() {
    for is_expelled in [false, true] {
        let mut topology = topology();
        (topology.bytes_per_round, topology.messages_per_round) = (128, 1);
        let mut stage = Stage::of(&topology);
        (0..16).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
        for tag in 0..8 {
            // Left to the ordinary path, which takes it out of the ring.
            let length = 4 * 64;
            let message = Descriptor {
                target: RECEIVER,
                tag,
                length,
                flags: flags::NO_SIGNAL,
                ..Descriptor::default()
            };
            stage.sender().publish(message);
        }
        let (sender, to_receiver) = (*stage.sender(), stage.receiver().memory.to_client);
        let arrived = Rc::new(RefCell::new(vec![0]));
        let seen = Rc::clone(&arrived);
        stage.bed.machine.between_rounds = Some(Box::new(move || {
            let tail = to_receiver.delivery_tail.observe();
            if is_expelled && tail == 2 {
                sender.break_protocol();
            }
            seen.borrow_mut().push(tail);
            false
        }));
        stage.bed.run_for(SENDER);
        stage.bed.machine.between_rounds = None;
        let arrived = arrived.borrow();
        assert!(arrived.is_sorted_by(|one, other| other - one <= 1), "{arrived:?}");
        let carried = stage.receiver().take();
        if is_expelled {
            assert_eq!(carried, [(0, 0), (1, 1)]);
            stage.open(SENDER);
            stage.sender().send(RECEIVER, 20, 4);
            stage.bed.run_for(SENDER);
            assert_eq!(stage.receiver().take(), [(2, 20)]);
        } else {
            assert_eq!(carried.len(), 8);
        }
    }
}

/// Central is stopped when it has noted messages as carried, and not yet how far it has come. They were
/// dropped, so no delivery tells their numbers. The next central goes on after them, and counts them. A note
/// has only the lower part of a number.
#[test]
fn numbers_and_counts_go_on_after_a_stop() {
    for carried in [0, 3 * SEQUENCE_RANGE - 2, 3 * SEQUENCE_RANGE + 5] {
        let mut stage = Stage::new();
        let (to_sender, receiver) = (stage.sender().memory.to_client, ferry_testbed::id(RECEIVER));
        to_sender.journal.acknowledge(receiver, carried);
        stage.bed.restart();
        for tag in 0..3 {
            stage.sender().send(RECEIVER, tag, 4);
        }
        stage.bed.run_for(SENDER);
        assert_eq!(stage.receiver().memory.to_client.dropped.get(), 3);
        to_sender.journal.acknowledge(receiver, carried);
        stage.bed.restart();
        stage.bed.tick();
        stage.bed.tick();
        assert_eq!(stage.sender().statuses(0..3), [Status::Done; 3]);
        assert_eq!(to_sender.counters.sent_messages.get(), 3);
        stage.receiver().post(0, STRIDE);
        stage.sender().send(RECEIVER, 9, 4);
        stage.bed.run_for(SENDER);
        assert_eq!(stage.receiver().take(), [(carried + 3, 9)]);
    }
}

#[test]
fn a_sender_can_have_as_many_under_way_as_its_ring_has_slots() {
    let mut stage = Stage::new();
    let slots = u32::try_from(TRANSMIT_SLOTS).unwrap();
    for lap in 0..3 {
        for number in 0..slots {
            stage.sender().send(RECEIVER, number.into(), 0);
        }
        stage.bed.run_for(SENDER);
        let lap = lap * slots..(lap + 1) * slots;
        assert_eq!(stage.sender().statuses(lap.clone()), [Status::Queued; TRANSMIT_SLOTS]);
        stage.bed.tick();
        assert_eq!(stage.sender().statuses(lap), [Status::Done; TRANSMIT_SLOTS]);
    }
    assert_eq!(stage.receiver().memory.to_client.dropped.get(), 3 * u64::from(slots));
}

/// Messages that cost more than a round's share wait for it, in their order, and are not dropped.
#[test]
fn a_small_share_delays_and_drops_nothing() {
    let mut topology = topology();
    (topology.bytes_per_round, topology.messages_per_round) = (100, 2);
    let mut stage = Stage::of(&topology);
    for buffer in 0..10 {
        stage.receiver().post(buffer, STRIDE);
    }
    for tag in 0..10 {
        stage.sender().send(RECEIVER, tag, if tag % 3 == 0 { STRIDE } else { 1 });
    }
    stage.bed.run_for(SENDER);
    assert_eq!(stage.receiver().take(), (0..10).map(|tag| (tag, tag)).collect::<Vec<_>>());
    stage.bed.tick();
    assert_eq!(stage.sender().statuses(0..10), [Status::Done; 10]);
}

#[test]
fn an_urgent_message_goes_before_others_and_others_wait_for_their_pass() {
    let mut topology = topology();
    for flow in &mut topology.flows {
        flow.urgent = 1;
    }
    let mut stage = Stage::of(&topology);
    for buffer in 0..3 {
        stage.receiver().post(buffer, STRIDE);
    }
    stage.sender().send(RECEIVER, 1, 4);
    let urgent =
        Descriptor { target: RECEIVER, tag: 2, length: 4, flags: flags::URGENT, ..Descriptor::default() };
    stage.actor(NEIGHBOUR).publish(urgent);
    stage.bed.run();
    let arrived: Vec<u64> = stage.receiver().take().iter().map(|(_, tag)| *tag).collect();
    assert_eq!(arrived, [2, 1]);
    stage.bed.tick();
    assert_eq!(
        (stage.sender().status(0), stage.actor(NEIGHBOUR).status(0)),
        (Some(Status::Done), Some(Status::Done))
    );
}

/// The two kinds of flows of one sender do not hold each other up.
#[test]
fn other_flows_of_the_sender_go_on_as_ever() {
    let mut stage = Stage::new();
    stage.actor(NEIGHBOUR).post(0, STRIDE);
    stage.sender().send(RECEIVER, 0, 4);
    stage.sender().send(NEIGHBOUR, 1, 4);
    stage.sender().send(RECEIVER, 2, 4);
    stage.bed.run_for(SENDER);
    assert_eq!(stage.sender().statuses(0..3), [Status::Queued, Status::Done, Status::Queued]);
    assert_eq!(stage.actor(NEIGHBOUR).take(), [(0, 1)]);
    let counters = &stage.sender().memory.to_client.counters;
    assert_eq!((counters.maps.get(), counters.unmaps.get()), (0, 0), "not counted for a sender");
}

/// A sender for which others wait gets no more of a receiver's buffers than its part.
#[test]
fn a_flood_leaves_others_their_part_of_the_buffers() {
    let mut topology = Topology::mesh(3, 32, Mapping::Each);
    topology.flows =
        vec![one_way(SENDER, RECEIVER, Mapping::Each), Topology::flow(NEIGHBOUR, RECEIVER, Mapping::Each)];
    let mut stage = Stage::of(&topology);
    let mut arrived = Vec::new();
    for round in 0..40 {
        for tag in 0..8 {
            stage.sender().send(RECEIVER, tag, 64);
        }
        stage.actor(NEIGHBOUR).send(RECEIVER, 100, 64);
        stage.actor(NEIGHBOUR).send(RECEIVER, 100, 64);
        for buffer in 0..4 {
            stage.receiver().post(round * 4 % 32 + buffer, STRIDE);
        }
        stage.bed.tick();
        arrived.extend(stage.receiver().take());
    }
    let flood = arrived.iter().filter(|(_, tag)| *tag < 100).count();
    let others = arrived.len() - flood;
    assert_eq!(arrived.len(), 160, "every buffer is used");
    assert!(others >= 72, "{others} of {}", arrived.len());
}

/// A sender that starts anew finds nothing of its earlier life.
#[test]
fn a_sender_restarts_before_the_tick() {
    let mut stage = Stage::new();
    for tag in 0..3 {
        stage.sender().send(RECEIVER, tag, 4);
    }
    stage.bed.run_for(SENDER);
    stage.open(SENDER);
    stage.bed.tick();
    assert_eq!(stage.sender().statuses(0..3), []);
    assert_eq!(stage.sender().memory.to_client.ended_late.observe(), 0);
    stage.receiver().post(0, STRIDE);
    stage.sender().send(RECEIVER, 9, 4);
    stage.bed.run_for(SENDER);
    assert_eq!(stage.receiver().take(), [(3, 9)], "numbers go on");
    stage.bed.tick();
    assert_eq!(stage.sender().status(0), Some(Status::Done));
}

/// The wake hint of a sender says nothing about central's work for others: it is armed again when central has
/// no more work for the sender.
#[test]
fn the_senders_hint_is_armed_while_central_works_for_others() {
    const OTHER: u16 = 3;
    let mut topology = Topology::mesh(4, 32, Mapping::Each);
    topology.flows =
        vec![one_way(SENDER, RECEIVER, Mapping::Each), Topology::flow(OTHER, RECEIVER, Mapping::Each)];
    topology.messages_per_round = 1;
    for others in [0, 8] {
        let mut stage = Stage::of(&topology);
        (0..16).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
        for tag in 0..3 {
            stage.sender().send(RECEIVER, tag, 4);
        }
        for tag in 0..others {
            stage.actor(OTHER).send(RECEIVER, tag, 4);
        }
        let to_sender = stage.sender().memory.to_client;
        let armed = Rc::new(RefCell::new(Vec::new()));
        let seen = armed.clone();
        stage.bed.machine.between_rounds = Some(Box::new(move || {
            seen.borrow_mut().push(to_sender.wake.asks_for_signal());
            false
        }));
        stage.bed.run();
        // Of its own work, the third message is left until the third round.
        let rounds = if others == 0 { 2 } else { 7 };
        let expected: Vec<bool> = (0..rounds).map(|round| round >= 2).collect();
        assert_eq!(*armed.borrow(), expected, "{others} messages of others");
        assert!(to_sender.wake.asks_for_signal());
    }
}

#[test]
fn the_client_library_reaps_what_was_dropped_and_counts_what_it_missed() {
    let mut bed = Testbed::new(&topology());
    let (mut sender, transmit, _) = bed.open(SENDER);
    let (mut receiver, _, receive) = bed.open(RECEIVER);
    let peer = sender.peer("client1").unwrap();
    let mut transmit: Vec<_> = transmit.split::<32>(STRIDE).into_iter().collect();
    let mut receive: Vec<_> = receive.split::<32>(STRIDE).into_iter().collect();
    let (mut gaps, mut received, mut done) = (Gaps::new(), 0, 0);
    for round in 0..200 {
        let buffer = transmit.pop().expect("ten messages are under way at most");
        sender.send(peer, buffer, 8, Message::tagged(round)).unwrap();
        sender.publish();
        if round % 3 == 0 {
            receiver.post(receive.pop().unwrap(), None).unwrap();
            receiver.publish();
        }
        bed.run_for(SENDER);
        if round % 10 == 9 {
            bed.tick();
        }
        while let Some(completion) = sender.reap() {
            assert_eq!(completion.status, Status::Done);
            transmit.push(completion.buffer);
            done += 1;
        }
        while let Some(event) = receiver.receive() {
            assert_eq!(gaps.missed(&event), if round == 0 { 0 } else { 2 });
            let Event::Message { buffer, .. } = event else { panic!("{event:?}") };
            receive.push(buffer);
            received += 1;
        }
    }
    assert_eq!((done, received, gaps.total()), (200, 67, 132));
    assert_eq!(receiver.dropped(), 133, "one after the newest");
}

/// Central is kept awake by others. It looks at a sender that signals meanwhile, and at no other.
#[test]
fn a_sender_that_signals_is_looked_at_although_central_is_awake() {
    let mut topology = Topology::mesh(4, 32, Mapping::Each);
    topology.flows.retain(|flow| flow.source != SENDER && flow.target != SENDER);
    topology.flows.push(one_way(SENDER, RECEIVER, Mapping::Each));
    topology.messages_per_round = 1;
    for signals in [false, true] {
        let mut stage = Stage::of(&topology);
        (0..8).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
        (0..6).for_each(|tag| {
            stage.actor(NEIGHBOUR).send(RECEIVER, 50 + tag, 4);
        });
        let mut sender = *stage.sender();
        let mut has_sent = false;
        stage.bed.machine.woken = Some(Box::new(move || {
            let mut woken = ClientSet::EMPTY;
            if !core::mem::replace(&mut has_sent, true) {
                sender.send(RECEIVER, 7, 4);
                if signals {
                    woken.insert(ferry_testbed::id(SENDER));
                }
            }
            woken
        }));
        stage.bed.run_for(NEIGHBOUR);
        let arrived = stage.receiver().take();
        assert_eq!(arrived.iter().any(|(_, tag)| *tag == 7), signals);
        assert_eq!(arrived.iter().filter(|(_, tag)| *tag >= 50).count(), 6);
    }
}

/// A round carries no more messages of a sender than its share has, however many wait for their pass.
#[test]
fn no_more_messages_are_carried_in_a_round_than_the_share_has() {
    let mut topology = topology();
    topology.messages_per_round = 1;
    for flow in &mut topology.flows {
        flow.urgent = 1;
    }
    let mut stage = Stage::of(&topology);
    for number in 0..4 {
        stage.receiver().post(number, STRIDE);
        // In the urgent pass, all of them are taken and wait.
        stage.sender().send(RECEIVER, number.into(), 4);
    }
    let to_receiver = stage.receiver().memory.to_client;
    let arrived = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&arrived);
    stage.bed.machine.between_rounds = Some(Box::new(move || {
        seen.borrow_mut().push(to_receiver.delivery_tail.observe());
        false
    }));
    stage.bed.run_for(SENDER);
    assert_eq!(*arrived.borrow(), [1, 2, 3]);
    assert_eq!(stage.receiver().take().len(), 4);
}
