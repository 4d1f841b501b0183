//! The express lane for one-way flows: which messages take it, and what it must not do for them.

use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::{Address, Descriptor, Post, Status};
use ferry_testbed::{Action, Topology};

use crate::stage::{RECEIVER, SENDER, STRIDE, Stage, one_way};
use crate::whole::read_whole;

/// The target of a second flow of the sender.
const OTHER: u16 = 2;

fn stage(mapping: Mapping) -> Stage {
    let mut topology = Topology::mesh(3, 32, mapping);
    topology.flows = vec![one_way(SENDER, RECEIVER, mapping), one_way(SENDER, OTHER, mapping)];
    Stage::of(&topology)
}

/// Messages to two targets are delivered, and may fill all buffers, or are dropped. Each buffer lies in a
/// frame of its own.
#[test]
fn plain_messages_take_the_lane_whether_or_not_there_are_buffers() {
    for mapping in [Mapping::Keep, Mapping::Each] {
        for (buffers, left) in [(6, 0), (6, 1), (0, 0)] {
            let mut stage = stage(mapping);
            let targets = [RECEIVER, RECEIVER, OTHER, OTHER, OTHER, OTHER];
            for (tag, target) in (0..).zip(targets) {
                if tag < buffers {
                    stage.actor(target).post_at(u32::try_from(tag).unwrap() * 4096, STRIDE);
                }
                stage.sender().send(target, tag, 64);
            }
            for target in [RECEIVER, OTHER] {
                for _ in 0..left {
                    stage.actor(target).post_at(7 * 4096, STRIDE);
                }
            }
            let from_client = stage.sender().memory.from_client;
            let read = read_whole(from_client, || stage.bed.run_for(SENDER));
            assert!(read.is_empty(), "the ordinary path takes {read:?}, {buffers} buffers");
            let arrived = [RECEIVER, OTHER].map(|target| stage.actor(target).take());
            let expected = [vec![(0, 0), (1, 1)], vec![(0, 2), (1, 3), (2, 4), (3, 5)]];
            assert_eq!(arrived, if buffers == 0 { Default::default() } else { expected });
            let dropped = [RECEIVER, OTHER].map(|it| stage.actor(it).memory.to_client.dropped.get());
            assert_eq!(dropped, if buffers == 0 { [2, 4] } else { [0, 0] });
            stage.bed.tick();
            let counters = &stage.sender().memory.to_client.counters;
            assert_eq!((counters.sent_messages.get(), counters.sent_bytes.get()), (6, 6 * 64));
        }
    }
}

/// What is not published yet has no effect, although it is written.
#[test]
fn nothing_is_mapped_for_what_is_not_published() {
    let mut stage = stage(Mapping::Each);
    (0..2).for_each(|buffer| stage.receiver().post(buffer, STRIDE));
    let source = Address { frame: 5, offset: 0 };
    let next = Descriptor { source, length: 4, target: RECEIVER, ..Descriptor::default() };
    stage.sender().memory.from_client.descriptors.store(1, next);
    stage.sender().send(RECEIVER, 1, 4);
    stage.bed.machine.actions.clear();
    stage.bed.run_for(SENDER);
    assert_eq!(stage.receiver().take(), [(0, 1)]);
    let maps = stage.bed.machine.actions.iter().filter(|action| matches!(action, Action::Map(..)));
    assert_eq!(maps.count(), 2, "a frame of the sender, and one of the receiver");
}

/// Nobody sees a delivery while frames are mapped for it, unless the flow keeps them.
#[test]
fn nothing_shows_while_frames_are_mapped_for_it() {
    let mut stage = stage(Mapping::Each);
    for number in 0..4 {
        stage.receiver().post_at(number * 4096, STRIDE);
        stage.sender().send(RECEIVER, number.into(), 4);
    }
    let (to_sender, to_receiver) = (stage.sender().memory.to_client, stage.receiver().memory.to_client);
    stage.bed.machine.interposer = Some(Box::new(move |action| {
        if matches!(action, Action::Unmap(..)) {
            let seen = (to_receiver.delivery_tail.observe(), to_sender.status(0).get(0));
            assert_eq!(seen, (0, None));
        }
    }));
    stage.bed.run_for(SENDER);
    stage.bed.machine.interposer = None;
    assert_eq!((stage.receiver().take().len(), stage.bed.machine.mapped()), (4, 0));
}

/// Also what keeps its frames waits for what the sender has sent before it.
#[test]
fn nothing_of_a_flow_that_keeps_its_frames_shows_before_what_was_sent_earlier() {
    let mut topology = Topology::mesh(3, 32, Mapping::Each);
    topology.flows =
        vec![Topology::flow(SENDER, OTHER, Mapping::Each), one_way(SENDER, RECEIVER, Mapping::Keep)];
    let mut stage = Stage::of(&topology);
    stage.actor(OTHER).post(0, STRIDE);
    stage.receiver().post(0, STRIDE);
    stage.sender().send(OTHER, 1, 4);
    stage.sender().send(RECEIVER, 2, 4);
    let to_receiver = stage.receiver().memory.to_client;
    let unmaps = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = unmaps.clone();
    stage.bed.machine.interposer = Some(Box::new(move |action| {
        if matches!(action, Action::Unmap(..)) {
            count.set(count.get() + 1);
            assert_eq!(to_receiver.delivery_tail.observe(), 0);
        }
    }));
    stage.bed.run_for(SENDER);
    stage.bed.machine.interposer = None;
    assert_eq!((unmaps.get(), stage.receiver().take().len()), (2, 1));
}

/// What a receiver that is served posts stays in its ring until the second tick, unless it has to be
/// answered.
#[test]
fn requests_of_a_receiver_that_is_served_stay_in_their_ring_for_a_tick() {
    for is_withdrawn in [false, true] {
        let mut stage = stage(Mapping::Each);
        stage.receiver().post(0, STRIDE);
        stage.sender().send(RECEIVER, 1, 4);
        stage.bed.run_for(SENDER);
        assert_eq!(stage.receiver().take(), [(0, 1)]);
        let receiver = stage.receiver().memory;
        stage.receiver().post(1, STRIDE);
        if is_withdrawn {
            let post: Post = receiver.from_client.posts.load(1);
            receiver.from_client.posts.store(1, Post { marks: Post::WITHDRAWN, ..post });
            receiver.from_client.withdrawals.publish(1);
        }
        let taken = [(); 2].map(|()| {
            stage.bed.tick();
            receiver.to_client.post_head.observe()
        });
        assert_eq!(taken, [if is_withdrawn { 2 } else { 1 }, 2], "withdrawn: {is_withdrawn}");
    }
}

/// Nobody has a buffer. So the first message is dropped, and the second one is refused as it would be with
/// buffers.
#[test]
fn what_is_too_long_is_refused_and_not_dropped() {
    let mut topology = Topology::mesh(2, 32, Mapping::Each);
    topology.flows = vec![FlowRecord { max_message: 64, ..one_way(SENDER, RECEIVER, Mapping::Each) }];
    let mut stage = Stage::of(&topology);
    stage.sender().send(RECEIVER, 0, 64);
    let refused = stage.sender().send(RECEIVER, 1, 65);
    stage.bed.run_for(SENDER);
    stage.bed.tick();
    assert_eq!(stage.receiver().memory.to_client.dropped.get(), 1);
    assert_eq!(stage.sender().status(refused), Some(Status::BadLength));
}
