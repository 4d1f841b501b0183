//! Which frames central maps for a message, and when it unmaps them.

use ferry_central::Side;
use ferry_client::{Event, Message, Status};
use ferry_layout::Post;
use ferry_layout::config::Mapping;
use ferry_testbed::{Action, Topology};

use crate::pair::Pair;

#[test]
fn a_message_is_mapped_copied_unmapped_and_delivered() {
    let mut pair = Pair::two(Mapping::Each);
    pair.post(1, None);
    pair.send(0, 1, b"across", Message::tagged(9));
    pair.bed.run();
    assert_eq!(pair.reap(0), Some(Status::Done));
    assert_eq!(pair.receive(1), Some((0, 9, b"across".to_vec())));
    assert_eq!(
        pair.bed.machine.actions,
        [
            Action::Map(0, Side::Transmit, 15),
            Action::Map(1, Side::Receive, 15),
            Action::Copy(6),
            Action::Unmap(0, Side::Transmit, 15),
            Action::Unmap(1, Side::Receive, 15),
            Action::Signal(0),
            Action::Signal(1),
        ]
    );
}

#[test]
fn kept_frames_stay_mapped_until_a_tick_without_traffic() {
    let mut pair = Pair::two(Mapping::Keep);
    for _ in 0..2 {
        pair.post(1, None);
        pair.send(0, 1, b"kept", Message::default());
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(Status::Done));
        assert!(pair.receive(1).is_some());
    }
    let maps = pair.bed.machine.actions.iter().filter(|action| matches!(action, Action::Map(..))).count();
    assert_eq!((maps, pair.bed.machine.mapped()), (2, 2));
    pair.bed.tick();
    assert_eq!(pair.bed.machine.mapped(), 2, "there was traffic since the last tick");
    pair.bed.tick();
    assert_eq!(pair.bed.machine.mapped(), 0);
}

#[test]
#[cfg_attr(miri, ignore = "megabytes are too much to interpret")]
fn a_frame_of_2_mib_is_mapped_once_for_all_that_lies_in_it() {
    let mut topology = Topology::mesh(2, 1024, Mapping::Each);
    topology.frame_bits = 21;
    topology.bytes_per_round = 256 * 1024;
    let mut pair = Pair::new(&topology, 64 * 1024);
    let bytes: Vec<u8> = (0..65_536_u32).map(|i| (i % 241) as u8).collect();
    for _ in 0..2 {
        pair.post(1, None);
        pair.send(0, 1, &bytes, Message::default());
    }
    pair.bed.run();
    let number =
        |wanted: fn(&Action) -> bool| pair.bed.machine.actions.iter().filter(|action| wanted(action)).count();
    assert_eq!(number(|action| matches!(action, Action::Map(..))), 2, "one on each side");
    assert_eq!(number(|action| matches!(action, Action::Unmap(..))), 2);
    assert_eq!((pair.receive(1), pair.receive(1)), (Some((0, 0, bytes.clone())), Some((0, 0, bytes))));
}

#[test]
fn an_empty_message_is_delivered_and_maps_nothing() {
    let mut pair = Pair::two(Mapping::Each);
    pair.post(1, None);
    pair.send(0, 1, b"", Message::tagged(4));
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((0, 4, Vec::new())));
    assert!(!pair.bed.machine.actions.iter().any(|action| matches!(action, Action::Map(..))));
}

#[test]
fn messages_of_one_round_share_mappings() {
    // Plain messages take another path than quiet ones.
    for no_signal in [false, true] {
        let mut pair = Pair::new(&Topology::mesh(2, 16, Mapping::Each), 256);
        for _ in 0..8 {
            pair.post(1, None);
        }
        for tag in 0..8 {
            pair.send(0, 1, b"batched", Message { no_signal, ..Message::tagged(tag) });
        }
        pair.bed.run();
        let count = |wanted: fn(&Action) -> bool| {
            pair.bed.machine.actions.iter().filter(|action| wanted(action)).count()
        };
        assert_eq!(count(|action| matches!(action, Action::Map(..))), 2, "quiet: {no_signal}");
        assert_eq!(count(|action| matches!(action, Action::Unmap(..))), 2);
        assert_eq!(count(|action| matches!(action, Action::Copy(7))), 8);
        let signals = [0, 1].map(|client| pair.bed.machine.signals(client));
        assert_eq!(signals, [1, usize::from(!no_signal)]);
    }
}

/// A round that does not carry a message maps nothing for it. Nor does anything that is refused.
#[test]
fn frames_are_mapped_for_what_is_carried_and_only_once() {
    let mut topology = Topology::mesh(2, 16, Mapping::Each);
    // Less than a message of 1000 bytes costs, so it is not carried in the first round.
    topology.bytes_per_round = 400;
    for flow in &mut topology.flows {
        flow.max_message = 1000;
    }
    for (length, buffer, status, mapped) in
        [(1000, 1000, Status::Done, 2), (1001, 1024, Status::BadLength, 0), (1000, 999, Status::TooLong, 0)]
    {
        let mut pair = Pair::new(&topology, 1024);
        let post = Post { length: buffer, from: Post::ANYONE, ..Post::default() };
        pair.bed.clients[1].from_client.posts.store(0, post);
        pair.bed.clients[1].from_client.post_tail.publish(1);
        pair.send(0, 1, &[3; 1024][..length], Message::default());
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(status));
        let maps = pair.bed.machine.actions.iter().filter(|action| matches!(action, Action::Map(..)));
        assert_eq!(maps.count(), mapped, "{status:?}");
    }
    // Each round carries one message, from one frame to another, and maps nothing for the next round.
    topology.messages_per_round = 1;
    let mut pair = Pair::new(&topology, 4096);
    for _ in 0..3 {
        pair.post(1, None);
        pair.send(0, 1, b"in turn", Message::default());
    }
    pair.bed.run();
    let maps = pair.bed.machine.actions.iter().filter(|action| matches!(action, Action::Map(..)));
    assert_eq!(maps.count(), 6);
}

/// Sends messages from buffers of this size, which are taken from the end of the region. Returns how many
/// frames of the source are mapped, and then how many messages copied, in turns. `gap` is a buffer of the
/// source or of the target that is left out.
#[cfg(feature = "express")]
fn mapped_and_copied(
    topology: &Topology,
    bytes: u32,
    messages: usize,
    gap: Option<(usize, usize)>,
) -> Vec<usize> {
    let mut pair = Pair::new(topology, bytes);
    match gap {
        Some((0, buffer)) => drop(pair.transmit[0].remove(buffer)),
        Some((_, buffer)) => drop(pair.receive[1].remove(buffer)),
        None => {}
    }
    for _ in 0..messages {
        pair.post(1, None);
        pair.send(0, 1, b"side by side", Message::default());
    }
    pair.bed.run();
    assert_eq!(pair.bed.machine.mapped(), 0);
    for _ in 0..messages {
        assert_eq!((pair.reap(0), pair.receive(1).is_some()), (Some(Status::Done), true));
    }
    in_turns(&pair)
}

/// How many frames of client 0 are mapped, and then how many messages copied, in turns.
#[cfg(feature = "express")]
fn in_turns(pair: &Pair) -> Vec<usize> {
    let is_copy = |action: &Action| match action {
        Action::Map(0, Side::Transmit, _) => Some(false),
        Action::Copy(_) => Some(true),
        _ => None,
    };
    let steps: Vec<bool> = pair.bed.machine.actions.iter().filter_map(is_copy).collect();
    steps.chunk_by(|one, next| one == next).map(<[bool]>::len).collect()
}

/// Frames that lie side by side are mapped for the whole batch before any of it is copied. A gap on either
/// side ends that, and so does the share of the round.
#[test]
#[cfg(feature = "express")]
fn small_frames_are_mapped_for_as_many_messages_as_lie_side_by_side() {
    let mut topology = Topology::mesh(2, 16, Mapping::Each);
    assert_eq!(mapped_and_copied(&topology, 4096, 6, None), [6, 6], "all at once");
    assert_eq!(mapped_and_copied(&topology, 4096, 6, Some((0, 13))), [2, 2, 4, 4], "a gap at the source");
    assert_eq!(mapped_and_copied(&topology, 4096, 6, Some((1, 13))), [2, 2, 4, 4], "a gap at the target");
    // A short message costs 64 bytes of the share.
    topology.bytes_per_round = 4 * 64;
    assert_eq!(mapped_and_copied(&topology, 4096, 6, None), [4, 4, 2, 2], "as many as the share is for");
}

/// Where a frame holds more than three messages, central maps one frame, as the next one may not be needed.
#[test]
#[cfg(feature = "express")]
fn frames_for_many_messages_are_mapped_one_after_the_other() {
    let topology = Topology::mesh(2, 8, Mapping::Each);
    assert_eq!(mapped_and_copied(&topology, 1024, 12, None), [1, 4, 1, 4, 1, 4]);
    assert_eq!(mapped_and_copied(&topology, 2048, 12, None), [6, 12], "two in a frame");
    // Where frames of the source and of the target begin with different messages, each message needs one.
    assert_eq!(mapped_and_copied(&topology, 2048, 12, Some((1, 15))), [6, 12], "in turns");
}

/// Where the target's queue begins anew, fewer messages are carried than lie side by side. Nobody has changed
/// anything, so the rest is mapped as before.
#[test]
#[cfg(feature = "express")]
fn a_ring_that_begins_anew_does_not_end_the_look_ahead() {
    // Central has taken the posted buffers before, or reads them as it uses them.
    for is_taken in [true, false] {
        let mut pair = Pair::new(&Topology::mesh(3, 32, Mapping::Each), 4096);
        let exchange = |pair: &mut Pair, source: usize, messages: usize| {
            (0..messages).for_each(|_| pair.post(1, None));
            if is_taken {
                pair.bed.run();
            }
            (0..messages).for_each(|_| pair.send(source, 1, b"side by side", Message::default()));
            pair.bed.run();
            for _ in 0..messages {
                assert_eq!((pair.reap(source), pair.receive(1).is_some()), (Some(Status::Done), true));
            }
        };
        // A window takes one request and a place of the queue for each message. So the queue, which has 128
        // places, begins anew before the requests do.
        let window = pair.open_window(1, 2);
        for _ in 0..4 {
            pair.place(2, 1, window, 8);
            pair.bed.run();
            assert_eq!(pair.reap(2), Some(Status::Done));
            assert!(matches!(pair.ports[1].receive(), Some(Event::Placed { .. })));
        }
        for _ in 0..12 {
            exchange(&mut pair, 0, 10);
        }
        // What has come back is posted and sent first, in the order in which it came.
        pair.transmit[0].sort_by_key(|buffer| buffer.place().frame);
        pair.receive[1].sort_by_key(|buffer| buffer.place().frame);
        // The last buffer comes first, and a gap lies behind the eleventh.
        let _ = pair.transmit[0].remove(20);
        pair.bed.machine.actions.clear();
        exchange(&mut pair, 0, 24);
        // The queue begins anew after 4 messages, the requests after 7, and the sender's ring after 8.
        assert_eq!(in_turns(&pair), [4, 4, 3, 3, 1, 1, 3, 3, 13, 13], "taken: {is_taken}");
    }
}

#[test]
fn a_frame_that_cannot_be_mapped_fails_the_send_and_keeps_the_buffer() {
    let mut pair = Pair::two(Mapping::Each);
    pair.post(1, None);
    pair.bed.machine.refuse_map_after = Some(1);
    pair.send(0, 1, b"no memory", Message::default());
    pair.bed.run();
    assert_eq!(pair.reap(0), Some(Status::Failed));
    assert_eq!(pair.bed.machine.mapped(), 0);
    pair.bed.machine.refuse_map_after = None;
    pair.send(0, 1, b"now", Message::tagged(1));
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((0, 1, b"now".to_vec())));
}

#[test]
fn many_separate_frames_are_all_unmapped() {
    let mut topology = Topology::mesh(2, 64, Mapping::Each);
    topology.bytes_per_round = 1 << 20;
    for no_signal in [false, true] {
        let message = Message { no_signal, ..Message::default() };
        let mut pair = Pair::new(&topology, 4096);
        // Every other frame on both sides is used: 63 separate runs of frames in one turn, more than central
        // can note at a time.
        for side in 0..32 {
            let _ = pair.receive[1].remove(side);
            let _ = pair.transmit[0].remove(side);
        }
        // A chain has an odd number of runs, so the last place for a run does not go with a message.
        let mut chain: heapless::Vec<_, 16> = pair.transmit[0].drain(..2).map(|buffer| (buffer, 1)).collect();
        let peer = pair.peer(0, 1);
        pair.post(1, None);
        pair.ports[0].send_chain(peer, &mut chain, message).unwrap();
        for _ in 0..30 {
            pair.post(1, None);
            pair.send(0, 1, b"apart", message);
        }
        pair.bed.run();
        for _ in 0..32 {
            assert_eq!(pair.reap(0), Some(Status::Done));
        }
        assert_eq!(pair.bed.machine.mapped(), 0);
        let counted = [(0, 32), (1, 31)].map(|(client, frames)| {
            let counters = &pair.bed.clients[client].to_client.counters;
            (counters.maps.get(), counters.unmaps.get()) == (frames, frames)
        });
        assert_eq!(counted, [true; 2], "each frame is mapped once, unmapped once, and counted");
    }
}

#[test]
fn frames_that_are_kept_stay_while_there_is_traffic_of_either_kind() {
    for no_signal in [false, true] {
        let mut pair = Pair::two(Mapping::Keep);
        for period in 0..3 {
            pair.post(1, None);
            pair.send(0, 1, b"again", Message { no_signal, ..Message::default() });
            pair.bed.run();
            assert_eq!((pair.reap(0), pair.receive(1).is_some()), (Some(Status::Done), true));
            pair.bed.tick();
            assert_eq!(pair.bed.machine.mapped(), 2, "quiet: {no_signal}, period {period}");
        }
        pair.bed.tick();
        assert_eq!(pair.bed.machine.mapped(), 0, "a whole period without any");
    }
}

#[test]
fn a_chain_of_which_one_frame_cannot_be_mapped_writes_nothing() {
    let mut pair = Pair::two(Mapping::Each);
    pair.post(1, None);
    // The chain needs two frames to read and one to write, and only two can be mapped.
    pair.bed.machine.refuse_map_after = Some(2);
    let mut chain = heapless::Vec::new();
    for _ in 0..2 {
        chain.push((pair.transmit[0].pop().unwrap(), 100)).unwrap();
    }
    let peer = pair.peer(0, 1);
    pair.ports[0].send_chain(peer, &mut chain, Message::default()).unwrap();
    pair.ports[0].publish();
    pair.bed.run();
    assert_eq!((pair.reap(0), pair.reap(0)), (Some(Status::Failed), Some(Status::Failed)));
    assert!(!pair.bed.machine.actions.iter().any(|action| matches!(action, Action::Copy(_))));
    assert_eq!(pair.bed.machine.mapped(), 0);
}

#[test]
fn a_flow_that_keeps_nothing_unmaps_what_another_has_kept() {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    for flow in &mut topology.flows {
        if (flow.source, flow.target) == (0, 1) {
            flow.mapping = Mapping::Keep as u8;
        }
    }
    let mut pair = Pair::new(&topology, 4096);
    for (target, mapped) in [(1, [1, 1, 0]), (2, [0, 1, 0])] {
        pair.post(target, None);
        // Always in the same buffer.
        pair.send(0, target, b"kept or not", Message::default());
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(Status::Done));
        assert_eq!([0, 1, 2].map(|client| pair.bed.machine.mapped_of(client)), mapped);
    }
}
