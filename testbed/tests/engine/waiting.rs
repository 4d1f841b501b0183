//! Sends that wait: what lets them go on, who is asked to signal for them, and when they expire.

use ferry_central::Side;
use ferry_client::{Address, Message, Status};
use ferry_layout::config::Mapping;
use ferry_layout::observe::{Access, AccessKind, set_hook};
use ferry_layout::{Delivery, DeliveryKind, Post};
use ferry_testbed::{Testbed, Topology};

use crate::pair::Pair;

/// Runs central for client 0 as `client` does something at the moment when central begins to ask it for a
/// signal. It has read the hint before, so it does not signal.
fn run_while_asking(bed: &mut Testbed, client: usize, publish: impl Fn() + 'static) {
    let to_client = bed.clients[client].to_client;
    let hint = &raw const to_client.wake_for_requests as usize;
    set_hook(Some(Box::new(move |access: Access| {
        let is_hint = access.kind == AccessKind::Store && access.address == hint;
        if is_hint && to_client.wake_for_requests.asks_for_signal() {
            publish();
        }
    })));
    bed.run_for(0);
    set_hook(None);
}

#[test]
fn what_is_posted_while_central_begins_to_ask_for_it_is_found_by_its_second_look() {
    let mut pair = Pair::two(Mapping::Each);
    pair.post(1, None);
    let from_client = pair.bed.clients[1].from_client;
    from_client.post_tail.publish(0);
    pair.send(0, 1, b"waits", Message::default());
    run_while_asking(&mut pair.bed, 1, || from_client.post_tail.publish(1));
    assert_eq!(pair.reap(0), Some(Status::Done));
}

#[test]
fn what_is_taken_while_central_begins_to_ask_for_it_is_found_by_its_second_look() {
    let mut pair = Pair::two(Mapping::Each);
    let place = pair.open_window(1, 0);
    for _ in 0..128 {
        pair.place(0, 1, place, 1);
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(Status::Done));
    }
    pair.place(0, 1, place, 1);
    let from_client = pair.bed.clients[1].from_client;
    run_while_asking(&mut pair.bed, 1, || from_client.delivery_head.publish(128));
    assert_eq!(pair.reap(0), Some(Status::Done), "the queue was full");
}

#[test]
#[cfg_attr(miri, ignore = "megabytes are too much to interpret")]
fn long_messages_of_one_sender_take_turns() {
    let mut topology = Topology::mesh(3, 512, Mapping::Each);
    // The share of a round is enough for several steps, or for one.
    for bytes_per_round in [topology.bytes_per_round, 64 * 1024] {
        topology.bytes_per_round = bytes_per_round;
        let mut pair = Pair::new(&topology, 1 << 20);
        for target in [1, 2] {
            pair.post(target, None);
            pair.send(0, target, &vec![1; 1 << 20], Message::default());
        }
        pair.bed.run();
        let copies = pair.copies(Side::Receive);
        assert_eq!(copies.len(), 32);
        for upto in 0..32 {
            let first = copies[..upto].iter().filter(|(target, _)| *target == 1).count();
            assert!(first.abs_diff(upto - first) <= 2, "{copies:?}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "a megabyte is too much to interpret")]
fn a_send_that_is_under_way_does_not_expire() {
    let mut pair = Pair::new(&Topology::mesh(3, 512, Mapping::Each), 1 << 20);
    pair.post(1, None);
    let impatient = Message { time_to_live: 1, ..Message::default() };
    pair.send(0, 1, &vec![1; 1 << 20], impatient);
    pair.send(0, 2, b"nobody offers a buffer", impatient);
    let (window, buffer) = (pair.open_window(2, 1), pair.transmit[1].pop().unwrap());
    let to = pair.peer(1, 2);
    pair.ports[1].send_to(to, window, buffer, 1 << 20, impatient).unwrap();
    pair.ports[1].publish();
    // A period passes after each round.
    pair.bed.machine.between_rounds = Some(Box::new(|| true));
    pair.bed.run();
    let statuses = [pair.ports[0].status(0), pair.ports[0].status(1)];
    assert_eq!(statuses, [Some(Status::Done), Some(Status::Expired)]);
    assert_eq!(pair.ports[1].status(0), Some(Status::Done), "a placed one has claimed no buffer");
}

#[test]
fn a_send_that_goes_on_leaves_others_their_time_to_live() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    pair.send(0, 1, b"nobody offers a buffer", Message { time_to_live: 1, ..Message::default() });
    pair.send(0, 2, b"patient", Message::default());
    pair.bed.run();
    let statuses = |pair: &Pair| [pair.ports[0].status(0), pair.ports[0].status(1)];
    assert_eq!(statuses(&pair), [Some(Status::Queued); 2]);
    pair.post(2, None);
    pair.bed.run();
    assert_eq!(statuses(&pair), [Some(Status::Queued), Some(Status::Done)]);
    pair.bed.tick();
    assert_eq!(pair.ports[0].status(0), Some(Status::Expired));
}

#[test]
fn what_waits_behind_a_send_that_expires_goes_on() {
    let mut pair = Pair::two(Mapping::Each);
    let place = pair.open_window(1, 0);
    pair.send(0, 1, b"for a buffer", Message { time_to_live: 1, ..Message::default() });
    pair.place(0, 1, place, 4);
    pair.bed.run();
    let statuses = |pair: &Pair| [pair.ports[0].status(0), pair.ports[0].status(1)];
    assert_eq!(statuses(&pair), [Some(Status::Queued); 2], "in the order of the flow");
    pair.bed.tick();
    assert_eq!(statuses(&pair), [Some(Status::Expired), Some(Status::Done)]);
}

#[test]
fn a_placed_message_that_waits_for_a_client_is_refused_when_that_starts_without_a_window() {
    let mut bed = Testbed::new(&Topology::mesh(2, 16, Mapping::Each));
    let (mut sender, transmit, _) = bed.open(0);
    let buffer = transmit.split::<1>(4096).pop().unwrap();
    let peer = sender.peer("client1").unwrap();
    sender.send_to(peer, Address::default(), buffer, 8, Message::default()).unwrap();
    sender.publish();
    bed.run();
    assert_eq!(sender.status(0), Some(Status::Queued));
    let _receiver = bed.open(1);
    assert_eq!(sender.status(0), Some(Status::BadDestination));
}

#[test]
fn a_window_that_is_published_before_a_message_is_found_by_it() {
    let mut pair = Pair::two(Mapping::Each);
    let place = pair.open_window(1, 0);
    // The signal of the window's owner is still on its way.
    pair.place(0, 1, place, 4);
    pair.bed.run_for(0);
    assert_eq!(pair.reap(0), Some(Status::Done));
}

#[test]
#[cfg_attr(miri, ignore = "a megabyte is too much to interpret")]
fn a_buffer_that_a_restarted_sender_had_claimed_goes_to_the_next() {
    let mut pair = Pair::new(&Topology::mesh(3, 512, Mapping::Each), 1 << 20);
    pair.post(2, None);
    pair.send(0, 2, &vec![1; 1 << 20], Message::default());
    pair.send(1, 2, b"next", Message::tagged(7));
    let [long, short] = [0, 1].map(|client| pair.bed.clients[client]);
    let mut round = 0;
    pair.bed.machine.between_rounds = Some(Box::new(move || {
        round += 1;
        if round == 3 {
            assert_eq!(short.to_client.status(0).get(0), Some(Status::Queued));
            assert_eq!(long.to_client.status(0).get(0), Some(Status::Queued), "it is under way");
            crate::epochs::enter(long.from_client, 99);
        }
        false
    }));
    pair.bed.run();
    assert_eq!(pair.receive(2), Some((1, 7, b"next".to_vec())));
    assert_eq!(pair.bed.machine.mapped(), 0);
}

/// The receiver's signal is still on its way when a message makes central look at its requests.
#[test]
fn requests_that_a_message_finds_are_taken_and_answered_in_the_same_run() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    let client = pair.bed.clients[1];
    pair.post(1, Some(2));
    pair.send(0, 1, b"nothing for it", Message::default());
    pair.bed.run_for(0);
    assert_eq!(client.to_client.post_head.observe(), 1, "its slot is free");

    let mut pair = Pair::two(Mapping::Each);
    let client = pair.bed.clients[1];
    client.from_client.posts.store(0, Post { length: 8, from: 40, ..Post::default() });
    client.from_client.post_tail.publish(1);
    pair.send(0, 1, b"nothing for it", Message::default());
    pair.bed.run_for(0);
    let answer: Delivery = client.to_client.deliveries.load(0);
    let answered = (client.to_client.delivery_tail.observe(), answer.kind, answer.request);
    assert_eq!(answered, (1, DeliveryKind::Refused as u8, 0));
}

#[test]
fn answers_to_requests_are_signalled_and_a_full_queue_is_asked_about() {
    let mut pair = Pair::two(Mapping::Each);
    let client = pair.bed.clients[1];
    let refused = Post { length: 8, from: 40, ..Post::default() };
    client.from_client.posts.store(0, refused);
    client.from_client.post_tail.publish(1);
    pair.bed.run_for(1);
    assert_eq!(pair.bed.machine.signals(1), 1, "refused");

    let mut pair = Pair::two(Mapping::Each);
    let client = pair.bed.clients[1];
    pair.post(1, Some(0));
    pair.bed.run_for(1);
    client.from_client.withdraw(0);
    client.from_client.withdrawals.publish(1);
    pair.bed.run_for(1);
    assert_eq!(pair.bed.machine.signals(1), 1, "withdrawn");

    let place = pair.open_window(1, 0);
    for _ in 0..127 {
        pair.place(0, 1, place, 1);
        pair.bed.run();
        assert_eq!(pair.reap(0), Some(Status::Done));
    }
    client.from_client.posts.store(2, refused);
    client.from_client.post_tail.publish(3);
    pair.bed.run_for(1);
    assert_eq!(client.to_client.delivery_tail.observe(), 128, "there is no place for the answer");
    assert!(client.to_client.wake_for_requests.asks_for_signal());
    client.from_client.delivery_head.publish(1);
    pair.bed.run_for(1);
    assert_eq!(client.to_client.delivery_tail.observe(), 129);
    assert!(!client.to_client.wake_for_requests.asks_for_signal());
}
