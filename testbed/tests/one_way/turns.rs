//! Turns and rounds where one-way flows make a system several components.

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, DeliveryKind, Descriptor, Post, PostKind, Status, flags};
use ferry_testbed::Topology;

use crate::stage::{NEIGHBOUR, RECEIVER, SENDER, STRIDE, Stage, one_way, topology};

/// The messages behind an urgent one are not carried with it.
#[test]
fn an_urgent_pass_carries_nothing_else() {
    let mut topology = topology();
    topology.flows.iter_mut().for_each(|flow| flow.urgent = 1);
    for [hasty, other] in [[SENDER, NEIGHBOUR], [NEIGHBOUR, SENDER]] {
        let mut stage = Stage::of(&topology);
        (0..3).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
        let urgent =
            Descriptor { target: RECEIVER, length: 4, flags: flags::URGENT, ..Descriptor::default() };
        stage.actor(hasty).publish(Descriptor { tag: 1, ..urgent });
        stage.actor(hasty).send(RECEIVER, 3, 4);
        stage.actor(other).publish(Descriptor { tag: 2, ..urgent });
        stage.bed.run();
        let mut tags: Vec<u64> = stage.receiver().take().iter().map(|(_, tag)| *tag).collect();
        tags[..2].sort_unstable();
        assert_eq!(tags, [1, 2, 3], "client {hasty} sends more");
    }
}

/// Also on the ordinary path, which takes messages that ask for no signal.
#[test]
fn a_turn_goes_on_until_the_share_is_used_up_and_no_further() {
    let mut topology = topology();
    for (bytes_per_round, rounds, queued) in [(1000, 0, 8), (200, 3, 3)] {
        topology.bytes_per_round = bytes_per_round;
        let mut stage = Stage::of(&topology);
        let quiet =
            Descriptor { target: RECEIVER, length: 100, flags: flags::NO_SIGNAL, ..Descriptor::default() };
        (0..8).for_each(|_| _ = stage.sender().publish(quiet));
        let to_sender = stage.sender().memory.to_client;
        let seen = std::rc::Rc::new(std::cell::RefCell::new(None));
        let look = seen.clone();
        stage.bed.machine.rounds = 0;
        stage.bed.machine.between_rounds = Some(Box::new(move || {
            let count =
                (0..8).filter(|index| to_sender.status(*index).get(*index) == Some(Status::Queued)).count();
            look.borrow_mut().get_or_insert(count);
            false
        }));
        stage.bed.run_for(SENDER);
        let first = seen.borrow().unwrap_or(8);
        assert_eq!((stage.bed.machine.rounds, first), (rounds, queued), "{bytes_per_round} bytes a round");
        assert_eq!(stage.receiver().memory.to_client.dropped.get(), 8);
    }
}

/// Each round of a component begins with another of its members, as where all clients are one component.
#[test]
fn members_of_a_component_come_first_in_turn() {
    const OTHER: u16 = 3;
    let mut topology = Topology::mesh(4, 32, Mapping::Each);
    topology.flows = vec![
        Topology::flow(SENDER, RECEIVER, Mapping::Each),
        Topology::flow(NEIGHBOUR, RECEIVER, Mapping::Each),
        one_way(OTHER, RECEIVER, Mapping::Each),
    ];
    let mut stage = Stage::of(&topology);
    let mut firsts = Vec::new();
    for round in 0..4 {
        (0..2).for_each(|buffer| stage.receiver().post(round * 2 + buffer, STRIDE));
        for sender in [SENDER, NEIGHBOUR] {
            stage.actor(sender).send(RECEIVER, sender.into(), 4);
        }
        stage.bed.run();
        firsts.push(stage.receiver().take()[0].1);
    }
    let count = |sender: u16| firsts.iter().filter(|first| **first == u64::from(sender)).count();
    assert_eq!((count(SENDER), count(NEIGHBOUR)), (2, 2), "{firsts:?}");
}

/// Central finds a request of a receiver that has not signalled. If it has to be answered, that comes in the
/// next round, and else there is none.
#[test]
fn a_request_that_a_message_finds_causes_another_round_only_if_it_needs_an_answer() {
    let buffer = Post { length: 64, from: Post::ANYONE, kind: PostKind::Buffer as u8, ..Post::default() };
    let withdrawn = Post { from: NEIGHBOUR, marks: Post::WITHDRAWN, ..buffer };
    // A message that asks for no signal takes the ordinary path.
    for (post, flags, rounds, expected) in [
        (buffer, 0, 0, DeliveryKind::Message),
        (buffer, flags::NO_SIGNAL, 0, DeliveryKind::Message),
        (Post { from: 40, ..buffer }, 0, 1, DeliveryKind::Refused),
        (withdrawn, 0, 1, DeliveryKind::Withdrawn),
    ] {
        let mut stage = Stage::new();
        let receiver = stage.receiver().memory;
        receiver.from_client.posts.store(0, post);
        receiver.from_client.post_tail.publish(1);
        if post == withdrawn {
            receiver.from_client.withdrawals.publish(1);
        }
        let message = Descriptor { length: 4, target: RECEIVER, flags, ..Descriptor::default() };
        stage.sender().publish(message);
        stage.bed.machine.rounds = 0;
        stage.bed.run_for(SENDER);
        let first: Delivery = receiver.to_client.deliveries.load(0);
        assert_eq!(receiver.to_client.delivery_tail.observe(), 1, "{expected:?}");
        assert_eq!((first.kind, stage.bed.machine.rounds), (expected as u8, rounds), "{expected:?}");
    }
}
