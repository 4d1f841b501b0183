//! The express lane for plain messages: which of them take it, and what it leaves alone.

use ferry_client::Message;
use ferry_layout::config::Mapping;
use ferry_layout::{Address, Descriptor, Status};
use ferry_testbed::{Action, Topology};

use crate::pair::Pair;
use crate::whole::read_whole;

/// Messages for one target follow those for another one, which has buffers left, or has not. All runs take
/// the lane.
#[test]
fn messages_to_two_targets_take_the_lane() {
    for mapping in [Mapping::Keep, Mapping::Each] {
        for (fresh, left) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut pair = Pair::new(&Topology::mesh(3, 16, mapping), 4096);
            if left {
                pair.post(1, None);
                pair.post(2, None);
            }
            let targets = [1, 1, 2, 2, 2, 1, 2];
            for (tag, target) in (0..).zip(targets) {
                pair.post(target, None);
                pair.send(0, target, b"payload", Message::tagged(tag));
            }
            let from_client = pair.bed.clients[0].from_client;
            let bed = &mut pair.bed;
            let read = read_whole(from_client, || if fresh { bed.run_for(0) } else { bed.run() });
            assert!(read.is_empty(), "the ordinary path takes {read:?}");
            for (tag, target) in (0..).zip(targets) {
                assert_eq!(pair.receive(target), Some((0, tag, b"payload".to_vec())));
                assert_eq!(pair.reap(0), Some(Status::Done));
            }
        }
    }
}

/// A buffer that was just posted for another client is left alone, although its frame is mapped.
#[test]
fn a_buffer_that_was_just_posted_for_somebody_else_is_not_filled() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Keep), 512);
    for number in 0..2 {
        if number == 1 {
            pair.post(1, Some(2));
        }
        pair.post(1, None);
        pair.send(0, 1, b"payload", Message::tagged(number));
        pair.bed.run_for(0);
        assert_eq!(pair.receive(1), Some((0, number, b"payload".to_vec())));
    }
    // The buffer is still there, for the other client alone.
    pair.send(0, 1, b"payload", Message::tagged(2));
    pair.bed.run();
    assert_eq!(pair.receive(1), None);
    pair.send(2, 1, b"for me", Message::tagged(7));
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((2, 7, b"for me".to_vec())));
}

/// A message that is one byte too long costs no mapping.
#[test]
fn nothing_is_mapped_for_a_message_that_is_too_long() {
    let mut topology = Topology::mesh(2, 16, Mapping::Each);
    topology.flows.iter_mut().for_each(|flow| flow.max_message = 1000);
    for (length, status, maps) in [(1000, Status::Done, 2), (1001, Status::BadLength, 0)] {
        let mut pair = Pair::new(&topology, 4096);
        pair.post(1, None);
        pair.send(0, 1, &vec![1; length], Message::default());
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(status));
        let mapped = pair.bed.machine.actions.iter().filter(|action| matches!(action, Action::Map(..)));
        assert_eq!(mapped.count(), maps, "{length} bytes");
    }
}

/// What is not published yet has no effect, although it is written: no frame is mapped for it, and central
/// rests.
#[test]
fn what_is_not_published_has_no_effect() {
    for no_signal in [false, true] {
        let mut topology = Topology::mesh(2, 16, Mapping::Each);
        topology.bytes_per_round = 200;
        let mut pair = Pair::new(&topology, 4096);
        pair.post(1, None);
        pair.post(1, None);
        let source = Address { frame: 1, offset: 0 };
        let next = Descriptor { source, length: 512, target: 1, ..Descriptor::default() };
        pair.bed.clients[0].from_client.descriptors.store(1, next);
        let before = pair.bed.machine.rounds;
        pair.send(0, 1, b"payload", Message { no_signal, ..Message::default() });
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(Status::Done));
        let mapped = pair.bed.machine.actions.iter().filter(|action| matches!(action, Action::Map(..)));
        assert_eq!((mapped.count(), pair.bed.machine.rounds - before), (2, 0), "no signal: {no_signal}");
    }
}
