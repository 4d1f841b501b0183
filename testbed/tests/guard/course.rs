//! How messages go through their guards when everybody is honest.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_layout::config::Mapping;
use ferry_layout::geometry::MAX_INSPECTED;
use ferry_layout::{DeliveryKind, Descriptor, Post, PostKind, Status, flags};
use ferry_testbed::Topology;

use crate::stage::{GUARD, RECEIVER, SENDER, STRIDE, Stage, at, chained};

#[test]
fn a_message_arrives_when_its_guard_has_passed_it() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.post_everywhere(2);
    let sent = stage.sender().send(RECEIVER, 3, b"temperature 21");
    stage.run();
    assert_eq!(stage.sender().status(sent), Some(Status::Queued));
    assert!(stage.receiver().take().is_empty());

    let [inspection] = stage.guard().inspections()[..] else { panic!("one message to inspect") };
    assert_eq!((inspection.tag, inspection.source, inspection.detail), (103, SENDER, 1));
    assert_eq!(stage.guard().bytes(&inspection), b"temperature 21");
    let verdict = stage.guard().answer(&inspection, true);
    stage.run();
    assert_eq!(stage.sender().status(sent), Some(Status::Done));
    assert_eq!(stage.guard().status(verdict), Some(Status::Done), "the place is the guard's again");
    let [delivery] = stage.receiver().take()[..] else { panic!("one message") };
    assert_eq!((delivery.kind, delivery.source, delivery.tag), (DeliveryKind::Message as u8, SENDER, 103));
    assert_eq!((delivery.sequence, delivery.detail), (0, 1), "one stage has passed it");
    assert_eq!(stage.receiver().bytes(&delivery), b"temperature 21");
}

#[test]
fn a_message_that_its_guard_refuses_ends_with_refused() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.post_everywhere(2);
    let sent = stage.sender().send(RECEIVER, 0, b"temperature 2100");
    stage.run();
    let inspection = stage.guard().inspections()[0];
    let verdict = stage.guard().answer(&inspection, false);
    stage.run();
    assert_eq!(stage.sender().status(sent), Some(Status::Refused));
    assert_eq!(stage.guard().status(verdict), Some(Status::Done));
    assert!(stage.receiver().take().is_empty());
    // The flow goes on, and its numbers count what was delivered.
    stage.sender().send(RECEIVER, 1, b"temperature 22");
    stage.pass_everything();
    assert_eq!(stage.receiver().take()[0].sequence, 0);
}

#[test]
fn a_message_is_urgent_only_if_its_flow_grants_that() {
    for urgent in [0, 1] {
        let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
        topology.flows[0].urgent = urgent;
        let mut stage = Stage::of(&topology);
        stage.post_everywhere(1);
        let hasty = Descriptor { length: 5, target: RECEIVER, flags: flags::URGENT, ..Descriptor::default() };
        let sent = stage.sender().publish(hasty);
        stage.pass_everything();
        let expected = if urgent == 0 { Status::Denied } else { Status::Done };
        assert_eq!(stage.sender().status(sent), Some(expected));
    }
}

#[test]
fn stages_come_one_after_the_other_and_see_the_same_bytes() {
    let mut stage = Stage::new(&[(&[GUARD], 1), (&[GUARD + 1], 1), (&[GUARD + 2], 1)]);
    stage.post_everywhere(2);
    stage.sender().send(RECEIVER, 0, b"harmless");
    for number in 0..3 {
        stage.run();
        // Whatever the sender writes now, nobody sees it.
        stage.sender().rewrite(0, b"harmful!");
        for later in number + 1..3 {
            assert!(stage.actor(GUARD + later).inspections().is_empty(), "not before guard {number}");
        }
        let inspection = stage.actor(GUARD + number).inspections()[0];
        assert_eq!(stage.actor(GUARD + number).bytes(&inspection), b"harmless");
        stage.actor(GUARD + number).answer(&inspection, true);
    }
    stage.run();
    let delivery = stage.receiver().take()[0];
    assert_eq!((stage.receiver().bytes(&delivery).as_slice(), delivery.detail), (b"harmless".as_slice(), 3));
}

/// The guard has posted more buffers, which are shorter. A message that may expire takes the ordinary path.
#[test]
fn as_many_messages_are_with_a_guard_as_it_has_room_for_long_ones() {
    for time_to_live in [0, 100] {
        let mut stage = Stage::new(&[(&[GUARD], 1)]);
        (0..100).for_each(|buffer| _ = stage.guard().post(buffer));
        let short = Descriptor { length: 8, target: RECEIVER, time_to_live, ..Descriptor::default() };
        (0..100).for_each(|_| _ = stage.sender().publish(short));
        stage.run();
        assert_eq!(stage.guard().inspections().len(), 64, "time to live: {time_to_live}");
    }
}

#[test]
fn what_goes_on_to_the_next_guard_counts_for_the_share_of_its_sender() {
    let mut topology = Topology::guarded(&[(&[GUARD], 1), (&[GUARD + 1], 1)], Mapping::Each, 50);
    topology.bytes_per_round = 1000;
    let mut stage = Stage::of(&topology);
    stage.post_everywhere(8);
    for buffer in 0..8 {
        stage.sender().send(RECEIVER, buffer, &[1; 500]);
    }
    stage.run();
    assert_eq!(stage.guard().pass_all(), 8);
    stage.bed.machine.rounds = 0;
    stage.run();
    assert_eq!(stage.actor(GUARD + 1).inspections().len(), 8);
    assert!(stage.bed.machine.rounds >= 3, "two in a round");
}

/// All members of a quorum look at the same bytes, even if the sender writes between two copies. A message
/// that may expire takes the ordinary path, and another one the express lane.
#[test]
fn a_quorum_decides_over_identical_snapshots() {
    let members = [GUARD, GUARD + 1, GUARD + 2];
    for (answers, time_to_live) in (0..8_u32).flat_map(|answers| [(answers, 0), (answers, 100)]) {
        let mut stage = Stage::new(&[(&members, 2)]);
        stage.post_everywhere(2);
        stage.sender().rewrite(0, b"harmless");
        let harmless = Descriptor { length: 8, target: RECEIVER, time_to_live, ..Descriptor::default() };
        let sent = stage.sender().publish(harmless);
        let memory = stage.bed.clients[usize::from(SENDER)].transmit;
        stage.bed.machine.interposer = Some(Box::new(move |action| {
            if matches!(action, ferry_testbed::Action::Copy(_)) {
                memory.write(0, b"harmful!");
            }
        }));
        stage.run();
        for (number, guard) in (0..).zip(members) {
            let inspection = stage.actor(guard).inspections()[0];
            assert_eq!(stage.actor(guard).bytes(&inspection), b"harmless");
            stage.actor(guard).answer(&inspection, answers >> number & 1 != 0);
            stage.run();
        }
        let passed = answers.count_ones() >= 2;
        let expected = if passed { Status::Done } else { Status::Refused };
        assert_eq!(stage.sender().status(sent), Some(expected), "answers {answers:b}");
        let deliveries = stage.receiver().take();
        assert_eq!(deliveries.len(), usize::from(passed), "answers {answers:b}");
        for delivery in deliveries {
            assert_eq!(stage.receiver().bytes(&delivery), b"harmless");
        }
    }
}

#[test]
fn messages_keep_their_order_whatever_the_order_of_verdicts() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.post_everywhere(8);
    let sent: Vec<u32> = (0..8).map(|buffer| stage.sender().send(RECEIVER, buffer, &[b'a'; 9])).collect();
    stage.run();
    let mut inspections = stage.guard().inspections();
    assert_eq!(inspections.len(), 8, "all at a time");
    inspections.reverse();
    let mut arrived = Vec::new();
    for inspection in inspections {
        // The third one is refused.
        stage.guard().answer(&inspection, inspection.tag != 102);
        stage.run();
        arrived.extend(stage.receiver().take().iter().map(|delivery| delivery.tag));
    }
    assert_eq!(arrived, [100, 101, 103, 104, 105, 106, 107]);
    let ends: Vec<_> = sent.iter().map(|index| stage.sender().status(*index).unwrap()).collect();
    let expected = |number| if number == 2 { Status::Refused } else { Status::Done };
    assert_eq!(ends, (0..8).map(expected).collect::<Vec<_>>());
}

#[test]
fn chains_empty_messages_and_the_longest_ones_pass_too() {
    let mut topology = Topology::guarded(&[(&[GUARD], 1), (&[GUARD + 1], 1)], Mapping::Keep, 50);
    topology.clients.iter_mut().for_each(|bytes| *bytes = 64 * 4096);
    topology.flows[0].max_message = MAX_INSPECTED;
    let mut stage = Stage::of(&topology);
    for actor in &mut stage.actors[1..] {
        for buffer in 0..3 {
            actor.post_at(buffer * MAX_INSPECTED, MAX_INSPECTED);
        }
    }
    let longest: Vec<u8> = (0..=255)
        .cycle()
        .zip((0..=250).cycle())
        .map(|(a, b): (u8, u8)| a ^ b)
        .take(MAX_INSPECTED as usize)
        .collect();
    let sender = stage.sender();
    let chain: Vec<u32> = (0..3)
        .map(|part| {
            sender.rewrite(part, &[b'0' + u8::try_from(part).unwrap(); 10]);
            let flags = chained(part == 2);
            let source = at(part * STRIDE);
            sender.publish(Descriptor {
                source,
                length: 10,
                target: RECEIVER,
                flags,
                ..Descriptor::default()
            })
        })
        .collect();
    let empty = sender.publish(Descriptor { target: RECEIVER, ..Descriptor::default() });
    sender.rewrite(8, &longest);
    let long = sender.publish(Descriptor {
        source: at(8 * STRIDE),
        length: MAX_INSPECTED,
        target: RECEIVER,
        ..Descriptor::default()
    });
    let too_long =
        sender.publish(Descriptor { length: MAX_INSPECTED + 1, target: RECEIVER, ..Descriptor::default() });
    for _ in 0..8 {
        stage.bed.run();
        stage.actor(GUARD).pass_all();
        stage.actor(GUARD + 1).pass_all();
    }
    let arrived: Vec<Vec<u8>> = {
        let deliveries = stage.receiver().take();
        deliveries.iter().map(|delivery| stage.receiver().bytes(delivery)).collect()
    };
    assert_eq!(arrived, [b"000000000011111111112222222222".to_vec(), Vec::new(), longest]);
    for index in chain.into_iter().chain([empty, long]) {
        assert_eq!(stage.sender().status(index), Some(Status::Done));
    }
    assert_eq!(stage.sender().status(too_long), Some(Status::BadLength));
}

#[test]
fn a_placed_message_goes_into_a_window_after_its_guard_has_passed_it() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.guard().post(0);
    let window = Post { place: at(0), length: 4096, from: SENDER, kind: PostKind::Window as u8, marks: 0 };
    let memory = stage.bed.clients[usize::from(RECEIVER)];
    memory.from_client.posts.store(0, window);
    memory.from_client.post_tail.publish(1);
    stage.sender().rewrite(0, b"placed");
    let placed =
        Descriptor { destination: at(100), length: 6, target: RECEIVER, kind: 1, ..Descriptor::default() };
    let inside = stage.sender().publish(placed);
    stage.pass_everything();
    assert_eq!(stage.sender().status(inside), Some(Status::Done));
    let [delivery] = stage.receiver().take()[..] else { panic!("one message") };
    assert_eq!((delivery.kind, delivery.position), (DeliveryKind::Placed as u8, 100));
    assert_eq!(stage.receiver().bytes(&delivery), b"placed");
    stage.guard().post(1);
    let outside = stage.sender().publish(Descriptor { destination: at(4095), ..placed });
    stage.pass_everything();
    assert_eq!(stage.sender().status(outside), Some(Status::BadDestination));
}

/// A flow whose target takes nothing fills its own part of the guard, and no more. A message that may expire
/// takes the ordinary path, and another one the express lane.
#[test]
fn a_flow_that_stands_still_stops_no_other_flow_of_its_guard() {
    for time_to_live in [0, 1000] {
        let guard = GUARD + 1;
        let mut topology = Topology::guarded(&[(&[guard], 1)], Mapping::Each, 50);
        topology.add_guarded(SENDER, GUARD, &[(&[guard], 1)], Mapping::Each, 50);
        let mut stage = Stage::of(&topology);
        for buffer in 0..100 {
            stage.actor(guard).post(buffer);
        }
        let still = Descriptor { target: RECEIVER, length: 8, time_to_live, ..Descriptor::default() };
        for _ in 0..100 {
            stage.sender().publish(still);
        }
        stage.pass_everything();
        // The other target takes what it gets.
        let mut arrived = 0;
        for round in 0..20 {
            stage.actor(GUARD).post(round % 8);
            stage.sender().send(GUARD, 9, b"this one goes on");
            stage.pass_everything();
            arrived += stage.actor(GUARD).take().len();
            // The guard posts again what is its own again: the place that the last message had.
            stage.actor(guard).post_at((100 + round) * STRIDE, STRIDE);
        }
        assert_eq!(arrived, 20);
    }
}

/// What has been refused, or was with a guard that restarts, leaves its room to other messages.
#[test]
fn a_message_that_has_ended_leaves_its_room() {
    for restarts in [false, true] {
        let mut stage = Stage::new(&[(&[GUARD], 1)]);
        for _ in 0..3 {
            // As many as can be under way at a time.
            for number in 0..64 {
                stage.guard().post(number);
                stage.sender().send(RECEIVER, number, b"payload");
            }
            stage.run();
            let inspections = stage.guard().inspections();
            assert_eq!(inspections.len(), 64);
            if restarts {
                stage.reopen(GUARD);
            } else {
                for inspection in &inspections {
                    stage.guard().answer(inspection, false);
                }
            }
            stage.run();
        }
        assert!((64..192).all(|index| stage.sender().status(index) == Some(Status::Refused)));
    }
}

/// A flow may have urgent messages or not. In the urgent pass, an urgent message goes to the guard before one
/// that is not, which another sender has sent before.
#[test]
fn an_urgent_message_goes_to_the_guard_first_if_its_flow_may_have_some() {
    const OTHER: u16 = GUARD + 1;
    let urgent = Descriptor { target: RECEIVER, tag: 2, flags: flags::URGENT, ..Descriptor::default() };
    for [hurries, other] in [[SENDER, OTHER], [OTHER, SENDER]] {
        let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
        topology.clients.push(topology.clients[0]);
        topology.add_guarded(OTHER, RECEIVER, &[(&[GUARD], 1)], Mapping::Each, 50);
        for may_hurry in [0, 1] {
            topology.flows.iter_mut().for_each(|flow| flow.urgent = may_hurry);
            let mut stage = Stage::of(&topology);
            (0..2).for_each(|buffer| _ = stage.guard().post(buffer));
            let in_turn = Descriptor { tag: 1, flags: 0, ..urgent };
            stage.actor(other).publish(in_turn);
            let index = stage.actor(hurries).publish(urgent);
            stage.run();
            let tags: Vec<u64> = stage.guard().inspections().iter().map(|it| it.tag).collect();
            let (expected, status) =
                if may_hurry == 0 { (&[1][..], Status::Denied) } else { (&[2, 1][..], Status::Queued) };
            assert_eq!((tags.as_slice(), stage.actor(hurries).status(index)), (expected, Some(status)));
        }
    }
}

/// Messages that end when their turn comes count for their sender's share of a round, like others.
#[test]
fn no_more_messages_end_in_a_round_than_the_share_has() {
    let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
    topology.messages_per_round = 2;
    let mut stage = Stage::of(&topology);
    stage.post_everywhere(8);
    for buffer in 0..8 {
        stage.sender().send(RECEIVER, buffer, b"payload");
    }
    stage.run();
    // The first one is refused last, and holds up the others.
    let mut inspections = stage.guard().inspections();
    inspections.reverse();
    for inspection in &inspections {
        stage.guard().answer(inspection, false);
    }
    let to_sender = stage.sender().memory.to_client;
    let ended = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&ended);
    stage.bed.machine.between_rounds = Some(Box::new(move || {
        let is_refused = |index: &u32| to_sender.status(*index).get(*index) == Some(Status::Refused);
        seen.borrow_mut().push((0..8).filter(is_refused).count());
        false
    }));
    stage.run();
    let ended = ended.borrow();
    assert!(ended.is_sorted_by(|one, other| other - one <= 2), "{ended:?}");
    assert!((0..8).all(|index| stage.sender().status(index) == Some(Status::Refused)));
}

/// Two flows of one sender, which can pay for one message in a round, take turns.
#[test]
fn flows_of_one_sender_take_turns() {
    const OTHER: u16 = GUARD + 1;
    let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
    topology.clients.push(topology.clients[0]);
    topology.add_guarded(SENDER, OTHER, &[(&[GUARD], 1)], Mapping::Each, 50);
    topology.bytes_per_round = 64;
    let mut stage = Stage::of(&topology);
    for target in [RECEIVER, OTHER] {
        for _ in 0..4 {
            // The express lane leaves it to the ordinary path.
            let message = Descriptor { target, length: 8, time_to_live: 40, ..Descriptor::default() };
            stage.sender().publish(message);
        }
    }
    // All of them wait, and then there are buffers.
    stage.run();
    (0..8).for_each(|buffer| _ = stage.guard().post(buffer));
    stage.bed.run_for(GUARD);
    let targets: Vec<u8> = stage.guard().inspections().iter().map(|it| it.detail).collect();
    assert_eq!(targets.len(), 8);
    assert!(targets.windows(3).all(|three| three.iter().any(|it| *it != three[0])), "{targets:?}");
}
