//! What each status means, and what central does before it writes one.

use ferry_central::Side;
use ferry_client::{Event, Message, Status};
use ferry_layout::config::Mapping;
use ferry_layout::observe::{Access, AccessKind, set_hook};
use ferry_layout::{Address, Delivery, DeliveryKind, Descriptor, Post, PostKind, Standing, flags};
use ferry_testbed::{Action, ClientMemory, Memory, Testbed, Topology};

use crate::pair::Pair;

#[test]
fn a_send_waits_for_a_buffer_and_goes_when_it_is_posted() {
    let mut pair = Pair::two(Mapping::Each);
    pair.send(0, 1, b"early", Message::tagged(1));
    pair.bed.run();
    assert_eq!(pair.ports[0].status(0), Some(Status::Queued));
    assert_eq!(pair.bed.machine.mapped(), 0);
    pair.post(1, Some(0));
    pair.bed.run_for(1);
    assert_eq!(pair.reap(0), Some(Status::Done));
    assert_eq!(pair.receive(1), Some((0, 1, b"early".to_vec())));
}

#[test]
fn a_target_without_buffers_does_not_hold_up_others() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    pair.post(2, None);
    pair.send(0, 1, b"waits", Message::tagged(1));
    pair.send(0, 2, b"goes", Message::tagged(2));
    pair.bed.run();
    assert_eq!(pair.receive(2), Some((0, 2, b"goes".to_vec())));
    assert_eq!(
        (pair.ports[0].status(0), pair.ports[0].status(1)),
        (Some(Status::Queued), Some(Status::Done))
    );
    assert_eq!(
        (pair.reap(0), pair.reap(0)),
        (Some(Status::Done), None),
        "what goes is not held up by what waits"
    );
    pair.post(1, None);
    pair.bed.run();
    assert_eq!((pair.reap(0), pair.reap(0)), (Some(Status::Done), None));
}

#[test]
fn a_buffer_posted_for_another_source_is_not_filled() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    pair.post(1, Some(2));
    pair.send(0, 1, b"from 0", Message::tagged(0));
    pair.bed.run();
    assert_eq!(pair.ports[0].status(0), Some(Status::Queued));
    pair.send(2, 1, b"from 2", Message::tagged(2));
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((2, 2, b"from 2".to_vec())));
    pair.post(1, None);
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((0, 0, b"from 0".to_vec())));
}

#[test]
#[cfg_attr(miri, ignore = "a megabyte is too much to interpret")]
fn a_large_message_is_carried_in_steps_and_small_ones_pass_it() {
    let mut topology = Topology::mesh(3, 512, Mapping::Each);
    topology.bytes_per_round = 64 * 1024;
    let mut pair = Pair::new(&topology, 1 << 20);
    pair.post(1, None);
    pair.post(2, None);
    let large: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 253) as u8).collect();
    pair.send(0, 1, &large, Message::tagged(1));
    pair.send(2, 1, b"behind", Message::tagged(3));
    pair.send(0, 2, b"small", Message::tagged(2));
    pair.post(1, None);
    pair.bed.run();
    let copies: Vec<u32> = pair
        .bed
        .machine
        .actions
        .iter()
        .filter_map(|action| if let Action::Copy(bytes) = action { Some(*bytes) } else { None })
        .collect();
    assert!(copies.iter().all(|bytes| *bytes <= 64 * 1024));
    assert_eq!(copies.iter().sum::<u32>(), 1_000_000 + 6 + 5);
    assert!(
        copies.iter().position(|bytes| *bytes == 5) < Some(4),
        "the small message did not wait: {copies:?}"
    );
    assert_eq!(pair.receive(1).map(|(_, tag, _)| tag), Some(3), "delivered first, because finished first");
    let (_, tag, bytes) = pair.receive(1).unwrap();
    assert_eq!((tag, bytes == large), (1, true));
    assert_eq!(pair.receive(2), Some((0, 2, b"small".to_vec())));
    assert_eq!(pair.bed.machine.mapped(), 0);
}

#[test]
fn order_within_a_flow_is_kept_over_waiting_and_lengths() {
    let mut topology = Topology::mesh(2, 64, Mapping::Each);
    topology.bytes_per_round = 4096;
    let mut pair = Pair::new(&topology, 8192);
    for round in 0..4_u8 {
        for tag in 0..8 {
            let length = if tag % 3 == 0 { 8000 } else { 10 };
            pair.send(0, 1, &vec![round; length], Message::tagged(u64::from(round) * 8 + tag));
        }
        pair.bed.run();
        for _ in 0..4 {
            pair.post(1, None);
            pair.post(1, Some(0));
            pair.bed.run();
        }
        for tag in 0..8 {
            assert_eq!(pair.receive(1).map(|(_, tag, _)| tag), Some(u64::from(round) * 8 + tag));
            assert_eq!(pair.reap(0), Some(Status::Done));
        }
    }
}

#[test]
fn a_message_too_long_for_the_buffer_leaves_it_posted() {
    let mut pair = Pair::new(&Topology::mesh(2, 16, Mapping::Each), 4096);
    let small = pair.receive[1].pop().unwrap();
    pair.ports[1].post(small, None).unwrap();
    pair.ports[1].publish();
    let mut chain = heapless::Vec::new();
    let (one, two) = (pair.transmit[0].pop().unwrap(), pair.transmit[0].pop().unwrap());
    chain.push((one, 4000)).unwrap();
    chain.push((two, 97)).unwrap();
    let peer = pair.peer(0, 1);
    pair.ports[0].send_chain(peer, &mut chain, Message::tagged(0)).unwrap();
    pair.send(0, 1, b"fits", Message::tagged(1));
    pair.bed.run();
    assert_eq!((pair.reap(0), pair.reap(0)), (Some(Status::TooLong), Some(Status::TooLong)));
    assert_eq!(pair.receive(1), Some((0, 1, b"fits".to_vec())));
}

#[test]
fn a_chain_arrives_in_one_piece() {
    let mut pair = Pair::two(Mapping::Each);
    pair.post(1, None);
    let mut chain = heapless::Vec::new();
    for piece in [&b"one "[..], b"", b"three"] {
        let mut buffer = pair.transmit[0].pop().unwrap();
        buffer.bytes_mut()[..piece.len()].copy_from_slice(piece);
        chain.push((buffer, u32::try_from(piece.len()).unwrap())).unwrap();
    }
    let peer = pair.peer(0, 1);
    pair.ports[0].send_chain(peer, &mut chain, Message::tagged(5)).unwrap();
    pair.ports[0].publish();
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((0, 5, b"one three".to_vec())));
    for _ in 0..3 {
        assert_eq!(pair.reap(0), Some(Status::Done));
    }
    assert_eq!(pair.bed.machine.mapped(), 0);
}

#[test]
fn a_send_expires_on_its_tick_and_not_before() {
    let mut pair = Pair::two(Mapping::Each);
    pair.send(0, 1, b"old", Message { time_to_live: 2, ..Message::default() });
    pair.send(0, 1, b"patient", Message::tagged(1));
    pair.bed.run();
    pair.bed.tick();
    assert_eq!(pair.ports[0].status(0), Some(Status::Queued));
    pair.bed.tick();
    assert_eq!(pair.reap(0), Some(Status::Expired));
    pair.post(1, None);
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((0, 1, b"patient".to_vec())));
}

#[test]
fn a_restarted_client_is_let_in_and_its_peers_are_told() {
    let mut pair = Pair::two(Mapping::Keep);
    pair.send(0, 1, b"for the old epoch", Message::default());
    pair.bed.run();
    let (port, _, _) = pair.bed.open(1);
    pair.ports[1] = port;
    assert_eq!(pair.reap(0), Some(Status::PeerReset));
    pair.receive[1].truncate(8);
    pair.post(1, None);
    pair.send(0, 1, b"for the new one", Message::tagged(2));
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((0, 2, b"for the new one".to_vec())));
}

#[test]
fn buffers_that_are_found_for_one_sender_serve_those_who_waited_before() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    pair.send(0, 2, b"waits", Message::tagged(1));
    pair.bed.run();
    assert_eq!(pair.ports[0].status(0), Some(Status::Queued));
    // The requests are published, and the signal is still on its way when another sender wakes central.
    pair.post(2, None);
    pair.post(2, None);
    pair.send(1, 2, b"comes", Message::tagged(2));
    pair.bed.run_for(1);
    assert_eq!((pair.reap(0), pair.reap(1)), (Some(Status::Done), Some(Status::Done)));
}

#[test]
fn a_batch_of_several_rounds_causes_one_signal_per_client() {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    topology.messages_per_round = 2;
    let mut pair = Pair::new(&topology, 4096);
    for target in [1, 1, 1, 2] {
        pair.post(target, None);
        pair.send(0, target, b"part of a batch", Message::default());
    }
    pair.bed.run();
    let signals = [0, 1, 2].map(|client| pair.bed.machine.signals(client));
    assert_eq!(signals, [1, 1, 1]);
    // Client 1 gets both of its messages in the first round, which is not the last one.
    for target in [1, 1, 2] {
        pair.reap(0);
        assert!(pair.receive(target).is_some());
        pair.post(target, None);
        pair.send(0, target, b"part of another", Message::default());
    }
    pair.bed.run();
    let signals = [0, 1, 2].map(|client| pair.bed.machine.signals(client));
    assert_eq!(signals, [2, 2, 2]);
}

#[test]
fn a_message_longer_than_the_flow_allows_is_refused_where_it_would_fit() {
    let mut topology = Topology::mesh(2, 16, Mapping::Keep);
    for flow in &mut topology.flows {
        flow.max_message = 100;
    }
    let mut pair = Pair::new(&topology, 256);
    // The first message maps what the others need, so that only their length can stop them.
    for (length, status) in [(100, Status::Done), (101, Status::BadLength), (100, Status::Done)] {
        pair.post(1, None);
        pair.send(0, 1, &[7; 101][..length], Message::default());
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(status), "{length} bytes");
    }
    assert_eq!(pair.bed.machine.actions.iter().filter(|action| matches!(action, Action::Copy(_))).count(), 2);
}

#[test]
fn a_place_in_the_queue_that_one_sender_finds_serves_those_who_waited_before() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    let places = [0, 1].map(|source| {
        let window = pair.receive[2].pop().unwrap();
        let (place, from) = (window.place(), pair.peer(2, source));
        pair.ports[2].open_window(window, from).unwrap();
        place
    });
    pair.ports[2].publish();
    let send = |pair: &mut Pair, source: usize| {
        let (buffer, to) = (pair.transmit[source].pop().unwrap(), pair.peer(source, 2));
        pair.ports[source].send_to(to, places[source], buffer, 1, Message::default()).unwrap();
        pair.ports[source].publish();
    };
    // Placed messages use places in the queue and no request, so the target only has to take its deliveries.
    for _ in 0..128 {
        send(&mut pair, 0);
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(Status::Done));
    }
    send(&mut pair, 0);
    pair.bed.run();
    assert_eq!(pair.ports[0].status(0), Some(Status::Queued), "the queue is full");
    while pair.ports[2].receive().is_some() {}
    pair.ports[2].publish();
    // The target's signal is still on its way.
    send(&mut pair, 1);
    pair.bed.run_for(1);
    assert_eq!((pair.reap(0), pair.reap(1)), (Some(Status::Done), Some(Status::Done)));
}

#[test]
fn what_ends_after_the_head_has_passed_it_is_counted() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    let to_client = pair.bed.clients[0].to_client;
    for target in [1, 2, 2] {
        pair.send(0, target, b"turn", Message::default());
    }
    pair.post(2, None);
    pair.post(2, None);
    pair.bed.run();
    let heads = || (to_client.transmit_head.observe(), to_client.ended_late.observe());
    assert_eq!(heads(), (3, 0), "all are taken; the oldest waits");
    pair.post(1, None);
    pair.bed.run();
    assert_eq!(heads(), (3, 1));
}

/// Only the express lane leaves messages in the ring. The ordinary path takes them, and they wait.
#[cfg(feature = "express")]
#[test]
fn what_goes_beyond_a_share_stays_in_the_ring() {
    const SENDS: u32 = 10;
    let mut topology = Topology::mesh(2, 16, Mapping::Keep);
    // Enough for four messages; the rest is too short for a fifth.
    topology.bytes_per_round = 4 * 1000 + 500;
    let mut pair = Pair::new(&topology, 4096);
    let to_client = pair.bed.clients[0].to_client;
    for _ in 0..SENDS {
        pair.post(1, None);
        pair.send(0, 1, &[7; 1000], Message::default());
    }
    let statuses = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let seen = std::rc::Rc::clone(&statuses);
    pair.bed.machine.interposer = Some(Box::new(move |action| {
        if matches!(action, Action::Copy(_)) {
            seen.borrow_mut()
                .push((0..SENDS).map(|index| to_client.status(index).get(index)).collect::<Vec<_>>());
        }
    }));
    pair.bed.run();
    let statuses = statuses.borrow();
    assert_eq!(statuses.len(), SENDS as usize, "in three rounds, with no more copies than messages");
    assert!(!statuses.iter().flatten().any(|status| *status == Some(Status::Queued)), "no send is queued");
}

/// The ordinary path shows what a turn has delivered when the turn ends.
#[cfg(feature = "express")]
#[test]
fn a_plain_message_between_kept_frames_is_visible_before_its_turn_ends() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Keep), 4096);
    for target in [1, 2] {
        pair.post(target, None);
        pair.send(0, target, b"plain", Message::default());
    }
    let (source, first) = (pair.bed.clients[0].to_client, pair.bed.clients[1].to_client);
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let look = std::rc::Rc::clone(&seen);
    pair.bed.machine.interposer = Some(Box::new(move |action| {
        if matches!(action, Action::Copy(_)) {
            look.borrow_mut().push((first.delivery_tail.observe(), source.status(0).get(0)));
        }
    }));
    pair.bed.run();
    assert_eq!(*seen.borrow(), [(0, None), (1, Some(Status::Done))], "at each copy");
}

#[test]
#[cfg_attr(miri, ignore = "a megabyte is too much to interpret")]
fn what_is_new_takes_turns_with_a_long_message_under_way() {
    let mut topology = Topology::mesh(3, 512, Mapping::Each);
    // One step of the long message uses up a whole share.
    topology.bytes_per_round = 64 * 1024;
    let mut pair = Pair::new(&topology, 1 << 20);
    pair.post(1, None);
    pair.post(2, None);
    pair.send(0, 1, &vec![1; 1 << 20], Message::default());
    pair.send(0, 2, b"new", Message::default());
    let memory = pair.bed.clients[0];
    memory.from_client.transmit_tail.publish(1);
    pair.bed.machine.interposer = Some(Box::new(move |_| memory.from_client.transmit_tail.publish(2)));
    pair.bed.run();
    let copies = pair.bed.machine.actions.iter().filter(|action| matches!(action, Action::Copy(_)));
    let place = copies.clone().position(|action| *action == Action::Copy(3));
    assert!(place.is_some_and(|place| place < copies.count() / 2), "{place:?}");
}

/// Each new message uses up a share of one message. The long one goes on nevertheless.
#[test]
#[cfg_attr(miri, ignore = "a quarter of a megabyte is too much to interpret")]
fn a_long_message_takes_turns_with_what_is_new() {
    let mut topology = Topology::mesh(3, 512, Mapping::Each);
    (topology.bytes_per_round, topology.messages_per_round) = (64 * 1024, 1);
    let mut pair = Pair::new(&topology, 1 << 18);
    let [sender, _, receiver] = [0, 1, 2].map(|client| pair.bed.clients[client].from_client);
    pair.post(1, None);
    pair.send(0, 1, &vec![1; 1 << 18], Message::default());
    for index in 0..40 {
        let place = Address { frame: index, offset: 0 };
        let post = Post { place, length: 8, from: Post::ANYONE, kind: PostKind::Buffer as u8, marks: 0 };
        receiver.posts.store(index, post);
        sender.descriptors.store(index + 1, Descriptor { target: 2, length: 8, ..Descriptor::default() });
    }
    receiver.post_tail.publish(40);
    sender.transmit_tail.publish(41);
    pair.bed.run();
    let copies = pair.copies(Side::Receive);
    let last = copies.iter().rposition(|(target, _)| *target == 1);
    assert!(last.is_some_and(|last| last < 20), "{copies:?}");
    assert_eq!(copies.len(), 44);
}

/// Client 0 sends what takes central two rounds, so central stops asking it for signals in between. When
/// central begins to ask again, the client publishes something. It has read the hint before, so it does not
/// signal. Returns the client, and the number of rounds that were followed by another one.
fn run_while_asking_again(publish: fn(&ClientMemory)) -> (ClientMemory, u32) {
    let mut topology = Topology::mesh(2, 16, Mapping::Each);
    topology.messages_per_round = 2;
    let mut pair = Pair::new(&topology, 4096);
    pair.post(0, None);
    for _ in 0..3 {
        pair.post(1, None);
        pair.send(0, 1, b"in time", Message::default());
    }
    pair.post(1, None);
    let memory = pair.bed.clients[0];
    let another: Descriptor = memory.from_client.descriptors.load(2);
    memory.from_client.descriptors.store(3, another);
    let hint = &raw const memory.to_client.wake as usize;
    set_hook(Some(Box::new(move |access: Access| {
        let is_hint = access.kind == AccessKind::Store && access.address == hint;
        if is_hint && memory.to_client.wake.asks_for_signal() {
            publish(&memory);
        }
    })));
    let before = pair.bed.machine.rounds;
    pair.bed.run_for(0);
    set_hook(None);
    (memory, pair.bed.machine.rounds - before)
}

#[test]
fn what_is_published_while_central_begins_to_ask_for_signals_is_found_by_its_second_look() {
    let (_, rounds) = run_while_asking_again(|_| {});
    assert_eq!(rounds, 1, "without news, central rests");

    let (client, _) = run_while_asking_again(|client| client.from_client.transmit_tail.publish(4));
    assert_eq!(client.to_client.status(3).get(3), Some(Status::Done), "a send");

    let (client, _) = run_while_asking_again(|client| {
        client.from_client.posts.store(1, Post { length: 8, from: 40, ..Post::default() });
        client.from_client.post_tail.publish(2);
    });
    let answer: Delivery = client.to_client.deliveries.load(0);
    let answered = (client.to_client.delivery_tail.observe(), answer.kind, answer.request);
    assert_eq!(answered, (1, DeliveryKind::Refused as u8, 1), "a request");

    let (client, _) = run_while_asking_again(|client| {
        client.from_client.withdraw(0);
        client.from_client.withdrawals.publish(1);
    });
    let answer: Delivery = client.to_client.deliveries.load(0);
    let answered = (client.to_client.delivery_tail.observe(), answer.kind, answer.request);
    assert_eq!(answered, (1, DeliveryKind::Withdrawn as u8, 0), "a withdrawal");
}

#[test]
fn an_urgent_receiver_is_signalled_in_the_same_run() {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    for flow in &mut topology.flows {
        flow.urgent = 1;
    }
    let mut pair = Pair::new(&topology, 4096);
    pair.post(1, None);
    pair.post(2, None);
    pair.send(0, 1, b"at once", Message { urgent: true, ..Message::tagged(1) });
    pair.send(0, 2, b"in turn", Message::tagged(2));
    pair.bed.run();
    assert_eq!((pair.receive(1).is_some(), pair.receive(2).is_some()), (true, true));
    let signals = [0, 1, 2].map(|client| pair.bed.machine.signals(client));
    assert_eq!(signals, [1, 1, 1], "each client is signalled once, in this run");
}

#[test]
fn a_target_that_starts_late_is_asked_to_signal_what_it_posts() {
    let mut bed = Testbed::new(&Topology::mesh(2, 16, Mapping::Each));
    let (mut sender, transmit, _) = bed.open(0);
    let buffer = transmit.split::<1>(4096).pop().unwrap();
    let peer = sender.peer("client1").unwrap();
    sender.send(peer, buffer, 8, Message::default()).unwrap();
    sender.publish();
    bed.run_for(0);
    assert_eq!(sender.status(0), Some(Status::Queued));
    let (mut receiver, _, receive) = bed.open(1);
    let asks = || bed.clients[1].to_client.wake_for_requests.asks_for_signal();
    assert!(asks(), "a send waits for what it will post");
    receiver.post(receive.split::<1>(4096).pop().unwrap(), None).unwrap();
    receiver.publish();
    bed.run_for(1);
    assert_eq!(sender.reap().map(|done| done.status), Some(Status::Done));
    assert!(!bed.clients[1].to_client.wake_for_requests.asks_for_signal(), "nothing waits any more");
}

#[test]
fn a_client_that_leaves_with_a_chain_half_published_does_not_keep_central_awake() {
    let mut pair = Pair::two(Mapping::Each);
    let out = pair.bed.clients[0].from_client;
    out.descriptors.store(0, Descriptor { target: 1, flags: flags::CHAINED, ..Descriptor::default() });
    out.transmit_tail.publish(1);
    pair.bed.run();
    out.clear_magic();
    out.transmit_tail.publish(0);
    // This run never returned when a tail that central does not read counted as work.
    pair.bed.run();
    assert_eq!(pair.ports[0].standing(), Standing::Open);
}

#[test]
fn an_open_window_is_read_by_copying() {
    let mut pair = Pair::two(Mapping::Each);
    let window = pair.receive[1].pop().unwrap();
    let place = window.place();
    let from = pair.peer(1, 0);
    let posted = pair.ports[1].open_window(window, from).unwrap();
    pair.ports[1].publish();
    let mut buffer = pair.transmit[0].pop().unwrap();
    buffer.bytes_mut()[..6].copy_from_slice(b"placed");
    let to = pair.peer(0, 1);
    pair.ports[0].send_to(to, place, buffer, 6, Message::tagged(3)).unwrap();
    pair.ports[0].publish();
    pair.bed.run();
    assert_eq!(pair.reap(0), Some(Status::Done));
    assert!(matches!(pair.ports[1].receive(), Some(Event::Placed { tag: 3, length: 6, .. })));
    let window = pair.ports[1].posted_buffer(posted).unwrap();
    let mut bytes = [0; 5];
    assert!(window.copy_out(1, &mut bytes));
    assert_eq!(&bytes, b"laced");
    assert!(!window.copy_out(window.capacity() - 4, &mut bytes), "one byte past the end");
    assert!(!window.copy_out(u32::MAX, &mut bytes));
}

/// For Miri: while references to a page exist, a peer may also write to the words that nobody reads.
#[test]
fn a_client_may_write_to_every_byte_of_its_page() {
    let mut pair = Pair::two(Mapping::Each);
    let out = Memory::of(pair.bed.clients[0].from_client);
    pair.bed.run();
    out.write(0, &vec![0x5a; out.bytes()]);
    pair.bed.run();
    pair.post(1, None);
    pair.bed.tick();
    assert_eq!(pair.ports[1].standing(), Standing::Open);
    let (port, _, _) = pair.bed.open(0);
    assert_eq!(port.standing(), Standing::Open);
}

/// A client marks an entry that is no message, because its slot is in use.
#[test]
fn entries_that_are_marked_are_passed_over_and_get_no_status() {
    let mut pair = Pair::two(Mapping::Each);
    pair.post(1, None);
    pair.post(1, None);
    let client = pair.bed.clients[0];
    let message = Descriptor { target: 1, length: 1, ..Descriptor::default() };
    let marked = Descriptor { flags: flags::PASSED_OVER, ..message };
    for (index, descriptor) in (0..).zip([marked, message, marked, marked, message, marked]) {
        client.from_client.descriptors.store(index, descriptor);
    }
    client.from_client.transmit_tail.publish(6);
    pair.bed.run();
    let statuses = [0, 1, 2, 3, 4, 5].map(|index| client.to_client.status(index).get(index));
    let done = Some(Status::Done);
    assert_eq!(statuses, [None, done, None, None, done, None]);
    assert_eq!(client.to_client.counters.refused.get(), 0);
}

/// Clients that share a flow in one direction only know each other.
#[test]
fn a_flow_is_in_the_directories_of_both_its_ends() {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    topology.flows = vec![Topology::flow(0, 1, Mapping::Each)];
    let pair = Pair::new(&topology, 4096);
    let knows = |client: usize, other: usize| {
        let peer = pair.ports[client].peer(&format!("client{other}"));
        peer.map(|peer| (peer.may_send != 0, peer.may_receive != 0))
    };
    assert_eq!((knows(0, 1), knows(1, 0)), (Some((true, false)), Some((false, true))));
    assert_eq!((knows(0, 2), knows(2, 0), knows(1, 2)), (None, None, None));
}

/// Its receiver posts it while central carries another message, so the express lane finds it in the ring.
#[test]
fn a_buffer_for_another_source_is_not_filled_by_who_finds_it_first() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Keep), 64);
    for _ in 0..2 {
        pair.post(1, None);
        pair.send(0, 1, b"for anyone", Message::default());
    }
    let receiver = pair.bed.clients[1].from_client;
    let first: Post = receiver.posts.load(0);
    receiver.post_tail.publish(1);
    receiver.posts.store(1, Post { from: 2, ..receiver.posts.load(1) });
    pair.bed.machine.interposer = Some(Box::new(move |action| {
        if matches!(action, Action::Copy(_)) {
            receiver.post_tail.publish(2);
        }
    }));
    pair.bed.run();
    assert_eq!(first.from, Post::ANYONE);
    let statuses = [0, 1].map(|index| pair.ports[0].status(index));
    assert_eq!(statuses, [Some(Status::Done), Some(Status::Queued)]);
}

#[test]
fn nothing_is_mapped_for_a_message_that_is_too_long_for_its_flow() {
    let mut topology = Topology::mesh(2, 16, Mapping::Keep);
    topology.flows.iter_mut().for_each(|flow| flow.max_message = 100);
    let mut pair = Pair::new(&topology, 4096);
    pair.post(1, None);
    let client = pair.bed.clients[0];
    client.from_client.descriptors.store(0, Descriptor { target: 1, length: 101, ..Descriptor::default() });
    client.from_client.transmit_tail.publish(1);
    pair.bed.run();
    assert_eq!(client.to_client.status(0).get(0), Some(Status::BadLength));
    assert_eq!((client.to_client.counters.maps.get(), pair.bed.machine.mapped()), (0, 0));
}

#[test]
fn what_is_unmapped_at_the_end_of_an_epoch_is_counted() {
    let mut pair = Pair::two(Mapping::Keep);
    for (source, target) in [(0, 1), (1, 0)] {
        pair.post(target, None);
        pair.send(source, target, b"kept", Message::default());
    }
    pair.bed.run();
    let client = pair.bed.clients[0];
    let counters = || (client.to_client.counters.maps.get(), client.to_client.counters.unmaps.get());
    assert_eq!((counters(), pair.bed.machine.mapped_of(0)), ((2, 0), 2));
    client.from_client.transmit_tail.publish(1000);
    pair.bed.run();
    assert_eq!((counters(), pair.bed.machine.mapped_of(0)), ((2, 2), 0));
}

/// In a run of several rounds, that is a signal after the last one.
#[test]
fn only_the_last_signal_of_a_run_is_combined_with_sleeping() {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    topology.messages_per_round = 1;
    let mut pair = Pair::new(&topology, 4096);
    pair.bed.machine.combined.clear();
    pair.bed.run();
    assert!(pair.bed.machine.combined.is_empty(), "nobody is signalled");
    for target in [1, 2, 1] {
        pair.post(target, None);
        pair.send(0, target, b"hello", Message::default());
    }
    pair.bed.machine.rounds = 0;
    pair.bed.run();
    let signals: usize = [0, 1, 2].map(|client| pair.bed.machine.signals(client)).iter().sum();
    assert!(signals > 1);
    assert_eq!((pair.bed.machine.rounds, &pair.bed.machine.combined[..]), (2, &[2][..]));
}
