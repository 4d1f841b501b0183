//! Which messages come first, and what counts for a sender's share of a round.

use ferry_central::Side;
use ferry_client::{Message, Status};
use ferry_layout::config::Mapping;
use ferry_testbed::Topology;

use crate::pair::Pair;

fn urgent(tag: u64) -> Message {
    Message { urgent: true, ..Message::tagged(tag) }
}

fn with_urgent_flows(clients: u16) -> Topology {
    let mut topology = Topology::mesh(clients, 16, Mapping::Each);
    for flow in &mut topology.flows {
        flow.urgent = 1;
    }
    topology
}

#[test]
fn urgent_messages_come_first_whoever_sends_them_and_whether_or_not_they_wait() {
    for hasty in [0, 1] {
        for waits in [false, true] {
            let mut pair = Pair::new(&with_urgent_flows(3), 4096);
            if !waits {
                pair.post(2, None);
                pair.post(2, None);
            }
            pair.send(1 - hasty, 2, b"in turn", Message::tagged(1));
            pair.send(hasty, 2, b"at once", urgent(2));
            pair.bed.run();
            if waits {
                pair.post(2, None);
                pair.post(2, None);
                pair.bed.run();
            }
            let tags = [0; 2].map(|_| pair.receive(2).map(|(_, tag, _)| tag));
            assert_eq!(tags, [Some(2), Some(1)], "client {hasty} is in a hurry; they wait: {waits}");
        }
    }
}

#[test]
fn what_an_urgent_pass_has_passed_over_goes_on_after_it() {
    let mut topology = with_urgent_flows(4);
    topology.bytes_per_round = 1500;
    for hasty in 1..4 {
        let mut pair = Pair::new(&topology, 4096);
        for target in 1..4 {
            if target == hasty {
                // By the time that there is a buffer, the share is enough for one of them, and not for both.
                pair.send(0, target, &[1; 4096], urgent(0));
                pair.send(0, target, &[1; 4096], urgent(0));
            } else {
                pair.send(0, target, b"in turn", Message::default());
            }
        }
        pair.bed.run();
        for target in [1, 2, 3, hasty] {
            pair.post(target, None);
        }
        pair.bed.run();
        let statuses = [0, 1, 2, 3].map(|age| pair.ports[0].status(age));
        assert_eq!(statuses, [Some(Status::Done); 4], "messages to client {hasty} are urgent");
    }
}

#[test]
fn who_was_idle_has_saved_up_nothing() {
    let mut topology = Topology::mesh(4, 16, Mapping::Each);
    topology.bytes_per_round = 4096;
    let mut pair = Pair::new(&topology, 1024);
    for (source, target, count) in [(0, 2, 60), (1, 3, 30)] {
        for _ in 0..count {
            pair.post(target, None);
            pair.send(source, target, &[1; 1024], Message::default());
        }
    }
    let late = pair.bed.clients[1].from_client;
    late.transmit_tail.publish(0);
    let mut round = 0;
    pair.bed.machine.between_rounds = Some(Box::new(move || {
        round += 1;
        if round == 5 {
            late.transmit_tail.publish(30);
        }
        false
    }));
    pair.bed.run();
    let copies = pair.copies(Side::Transmit);
    assert_eq!(copies.len(), 90);
    let turns: Vec<_> = copies.chunk_by(|one, next| one.0 == next.0).map(<[_]>::len).collect();
    let alternating = turns.len() - 1;
    // Four messages in each turn. Who is last in one round may be first in the next.
    assert!(alternating > 10 && turns[1..alternating].iter().all(|turn| *turn <= 8), "{turns:?}");
}

#[test]
fn what_a_sender_takes_counts_if_another_begins_to_wait_in_the_same_round() {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    // One byte is as good as nothing, so the message counts as one of 64. 1000 bytes count as four of 64.
    topology.bytes_per_round = 16 * 1000;
    for (length, same_round, fair) in [(1, true, 12), (1000, true, 16), (1, false, 8), (1000, false, 8)] {
        let mut pair = Pair::new(&topology, 1024);
        let post = |pair: &mut Pair, count| (0..count).for_each(|_| pair.post(2, None));
        let send = |pair: &mut Pair, source, count, length| {
            (0..count).for_each(|_| pair.send(source, 2, &[1; 1000][..length], Message::default()));
        };
        let run = |pair: &mut Pair| {
            pair.bed.run();
            std::iter::from_fn(|| pair.receive(2)).map(|(source, ..)| source).collect::<Vec<_>>()
        };
        post(&mut pair, 8);
        send(&mut pair, 0, 8, length);
        let alone = if same_round { Vec::new() } else { run(&mut pair) };
        send(&mut pair, 1, 16, 1);
        assert_eq!([alone, run(&mut pair)].concat(), [0; 8], "client 0 takes them all, and client 1 waits");
        // Now both compete with messages of one byte.
        send(&mut pair, 0, 16, 1);
        assert_eq!(run(&mut pair), []);
        post(&mut pair, 16);
        let got = run(&mut pair).iter().filter(|source| **source == 1).count();
        assert_eq!(got, fair, "client 0 took messages of {length} bytes, in the same round: {same_round}");
    }
}

/// Sends 60 messages like this one. Returns how many rounds that took.
fn rounds(topology: &Topology, length: usize, message: Message) -> u32 {
    let mut pair = Pair::new(topology, 256);
    for _ in 0..60 {
        pair.post(1, None);
        pair.send(0, 1, &[1; 256][..length], message);
    }
    let before = pair.bed.machine.rounds;
    pair.bed.run();
    assert!((0..60).all(|age| pair.ports[0].status(age) != Some(Status::Queued)));
    pair.bed.machine.rounds - before + 1
}

#[test]
fn what_little_or_nothing_is_sent_counts_for_the_share() {
    let mut topology = Topology::mesh(2, 16, Mapping::Keep);
    for flow in &mut topology.flows {
        flow.max_message = 200;
    }
    // Each message counts for 64 bytes at least.
    topology.bytes_per_round = 10 * 64;
    let quiet = Message { no_signal: true, ..Message::default() };
    for (length, message) in [(0, Message::default()), (1, Message::default()), (1, quiet)] {
        let rounds = rounds(&topology, length, message);
        assert!((6..=7).contains(&rounds), "{rounds} rounds for messages of {length} bytes, {message:?}");
    }
    topology.bytes_per_round = 64 * 1024;
    topology.messages_per_round = 10;
    for (length, message) in [(0, Message::default()), (1, Message::default()), (1, quiet), (201, quiet)] {
        let rounds = rounds(&topology, length, message);
        assert!((6..=7).contains(&rounds), "{rounds} rounds for messages of {length} bytes, {message:?}");
    }
}
