//! Which messages come first, and what counts for a sender's share of a round.

use std::cell::RefCell;

use ferry_central::Side;
use ferry_client::{Event, Message, Status};
use ferry_layout::Descriptor;
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

/// A message that costs more than a share waits in the ring for further rounds. Central stays awake for it,
/// whether another send of the same client waits meanwhile, or ends in the turn in which the message has to
/// wait.
#[test]
fn what_is_beyond_a_share_keeps_central_awake() {
    let mut topology = Topology::mesh(4, 16, Mapping::Each);
    topology.bytes_per_round = 1000;
    for (looks, goes_through) in [(1, false), (2, false), (1, true), (2, true)] {
        let mut pair = Pair::new(&topology, 4096);
        pair.send(0, 1, b"waits", Message::default());
        pair.bed.run();
        // Each of these buffers has central try again, in vain.
        for _ in 1..looks {
            pair.post(1, Some(2));
            pair.bed.run();
        }
        pair.post(1, (!goes_through).then_some(2));
        pair.post(3, None);
        pair.send(0, 3, &[1; 4096], Message::default());
        pair.bed.run();
        let statuses = [0, 1].map(|index| pair.ports[0].status(index));
        let first = if goes_through { Status::Done } else { Status::Queued };
        assert_eq!(statuses, [Some(first), Some(Status::Done)], "{looks} looks");
    }
}

/// Central passes over rounds only after a round in which nobody could afford anything. Here the message that
/// costs two shares goes in the second round. Nobody can afford anything in the third, so the rounds up to
/// that of the other message are passed over.
#[test]
fn a_round_in_which_somebody_gets_on_leaves_out_none() {
    let mut topology = Topology::mesh(4, 16, Mapping::Each);
    topology.bytes_per_round = 1000;
    let mut pair = Pair::new(&topology, 4096);
    pair.post(1, None);
    pair.post(3, None);
    pair.send(0, 1, &[1; 4096], Message::default());
    pair.send(2, 3, &[1; 1500], Message::default());
    pair.bed.machine.rounds = 0;
    pair.bed.run();
    let statuses = [0, 2].map(|sender| pair.ports[sender].status(0));
    assert_eq!((statuses, pair.bed.machine.rounds), ([Some(Status::Done); 2], 3));
}

/// What a slot of the ring still has from the last lap costs more than a share.
#[test]
fn an_entry_that_is_not_published_keeps_central_awake_for_nothing() {
    let mut topology = Topology::mesh(2, 16, Mapping::Each);
    topology.bytes_per_round = 1000;
    let mut pair = Pair::new(&topology, 4096);
    pair.post(1, None);
    pair.send(0, 1, b"short", Message::default());
    let client = pair.bed.clients[0].from_client;
    client.descriptors.store(1, Descriptor { target: 1, length: 4096, ..Descriptor::default() });
    pair.bed.machine.rounds = 0;
    pair.bed.run();
    assert_eq!((pair.bed.machine.rounds, pair.ports[0].status(0)), (0, Some(Status::Done)));
}

/// The messages behind an urgent one are not carried with it.
#[test]
fn an_urgent_pass_carries_nothing_else() {
    for hasty in [0, 1] {
        let mut pair = Pair::new(&with_urgent_flows(3), 4096);
        (0..3).for_each(|_| pair.post(2, None));
        pair.send(hasty, 2, b"at once", urgent(1));
        pair.send(hasty, 2, b"in turn", Message::tagged(3));
        pair.send(1 - hasty, 2, b"at once", urgent(2));
        pair.bed.run();
        let mut tags = [0; 3].map(|_| pair.receive(2).map(|(_, tag, _)| tag));
        tags[..2].sort_unstable();
        assert_eq!(tags, [Some(1), Some(2), Some(3)], "client {hasty} sends more");
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

/// Three clients, of which 0 and 1 send to 2. A message of one byte counts as one of 64.
fn contest() -> Pair {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    topology.bytes_per_round = 16 * 1000;
    Pair::new(&topology, 1024)
}

fn post(pair: &mut Pair, count: usize) {
    (0..count).for_each(|_| pair.post(2, None));
}

fn send(pair: &mut Pair, source: usize, count: usize, length: usize) {
    (0..count).for_each(|_| pair.send(source, 2, &[1; 1000][..length], Message::default()));
}

/// Runs central. Returns the senders of what client 2 has got.
fn run(pair: &mut Pair) -> Vec<u16> {
    pair.bed.run();
    std::iter::from_fn(|| pair.receive(2)).map(|(source, ..)| source).collect()
}

/// Lets both senders wait with 16 messages of one byte, those that wait already included, and posts 16
/// buffers. Returns how many of them go to client 1.
fn compete(pair: &mut Pair, waiting: [usize; 2]) -> usize {
    for (source, waiting) in waiting.into_iter().enumerate() {
        send(pair, source, 16 - waiting, 1);
    }
    assert_eq!(run(pair), []);
    post(pair, 16);
    run(pair).iter().filter(|source| **source == 1).count()
}

#[test]
fn what_a_sender_takes_counts_if_another_begins_to_wait_in_the_same_round() {
    // 1000 bytes count as four messages of 64.
    for (length, same_round, fair) in [(1, true, 12), (1000, true, 16), (1, false, 8), (1000, false, 8)] {
        let mut pair = contest();
        post(&mut pair, 8);
        send(&mut pair, 0, 8, length);
        let alone = if same_round { Vec::new() } else { run(&mut pair) };
        send(&mut pair, 1, 16, 1);
        assert_eq!([alone, run(&mut pair)].concat(), [0; 8], "client 0 takes them all, and client 1 waits");
        let got = compete(&mut pair, [0, 16]);
        assert_eq!(got, fair, "client 0 took messages of {length} bytes, in the same round: {same_round}");
    }
}

#[test]
fn what_a_sender_takes_counts_after_another_has_waited_in_the_same_round() {
    let mut pair = contest();
    send(&mut pair, 0, 1, 1);
    assert_eq!(run(&mut pair), [], "client 0 waits, and client 1 has the first turn of the next round");
    send(&mut pair, 0, 8, 1);
    send(&mut pair, 1, 4, 1);
    post(&mut pair, 13);
    assert_eq!(run(&mut pair), [[1; 4].as_slice(), &[0; 9]].concat());
    let got = compete(&mut pair, [0, 0]);
    assert!((10..=11).contains(&got), "client 1 has got 5 less, so {got} of 16 make up for that");
}

#[test]
fn what_a_sender_places_counts_too() {
    let mut pair = contest();
    let place = pair.open_window(2, 0);
    (0..8).for_each(|_| pair.place(0, 2, place, 1));
    send(&mut pair, 1, 16, 1);
    pair.bed.run();
    assert!((0..8).all(|_| matches!(pair.ports[2].receive(), Some(Event::Placed { .. }))));
    assert_eq!(compete(&mut pair, [0, 16]), 12);
}

#[test]
fn what_a_sender_takes_while_nobody_else_waits_is_not_held_against_it() {
    let mut pair = contest();
    for _ in 0..4 {
        post(&mut pair, 8);
        send(&mut pair, 0, 9, 1);
        assert_eq!(run(&mut pair), [0; 8], "the ninth message waits alone");
        post(&mut pair, 1);
        assert_eq!(run(&mut pair), [0]);
    }
    assert_eq!(compete(&mut pair, [0, 0]), 8);
}

/// Nobody has told central of the buffers yet. The sender that signals gets its part of them and no more,
/// because another one waits for them.
#[test]
fn buffers_that_were_just_posted_are_shared_out_too() {
    let mut pair = contest();
    send(&mut pair, 0, 8, 1);
    assert_eq!(run(&mut pair), []);
    send(&mut pair, 1, 8, 1);
    post(&mut pair, 8);
    pair.bed.run_for(1);
    let got: Vec<u16> = std::iter::from_fn(|| pair.receive(2)).map(|(source, ..)| source).collect();
    let of_first = got.iter().filter(|source| **source == 0).count();
    assert!(got.len() == 8 && (3..=5).contains(&of_first), "{got:?}");
}

/// A sender does not compete for a buffer that it may not fill. A message that has its buffer does not
/// compete for another one. Otherwise the other sender would let it go first, it could not use that, and
/// central would go round for ever.
#[test]
fn who_cannot_use_a_buffer_keeps_nobody_from_it() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Keep), 1024);
    pair.send(0, 2, b"waits", Message::default());
    pair.bed.run();
    for _ in 0..8 {
        pair.post(2, Some(1));
        pair.send(1, 2, b"has a buffer", Message::default());
    }
    pair.bed.machine.rounds = 0;
    let rounds = RefCell::new(0);
    pair.bed.machine.between_rounds = Some(Box::new(move || {
        *rounds.borrow_mut() += 1;
        assert!(*rounds.borrow() < 10, "central goes round and round");
        false
    }));
    pair.bed.run();
    let ports = &pair.ports;
    let ended = |of: usize, count| (0..count).filter(move |age| ports[of].status(*age) == Some(Status::Done));
    assert_eq!((ended(0, 1).count(), ended(1, 8).count()), (0, 8));
}

/// A long message takes its sender's share for many rounds, because the sender has others under way as well.
/// Another sender, whose messages cost it a whole share each, gets further than that. It need not wait: the
/// long message has all that it needs.
#[test]
fn a_message_under_way_keeps_nobody_from_the_buffers_behind_it() {
    const STEP: u32 = 64 * 1024;
    let long = vec![1; 4 * STEP as usize];
    let mut topology = Topology::mesh(5, 9 * 4 * 16, Mapping::Keep);
    topology.bytes_per_round = STEP;
    topology.messages_per_round = 1;
    let mut pair = Pair::new(&topology, 4 * STEP);
    for target in [2, 3, 4] {
        pair.post(target, None);
        pair.send(0, target, &long, Message::default());
    }
    for _ in 0..8 {
        pair.post(2, None);
        pair.send(1, 2, b"short", Message::default());
    }
    // The long message is the first to have a buffer.
    assert_eq!(run(&mut pair), [1, 1, 1, 1, 1, 1, 1, 1, 0]);
}

/// One sender comes next at the receiver, but cannot afford its message in this round. Another sender could,
/// but has to let the first one go. Central passes over the rounds that this takes, even if the share of the
/// other one is exactly what its message costs.
#[test]
fn a_sender_out_of_turn_costs_no_rounds() {
    let mut topology = Topology::mesh(3, 16, Mapping::Keep);
    topology.bytes_per_round = 1000;
    let mut pair = Pair::new(&topology, 8192);
    // A chain is not plain, so it waits. It costs five shares.
    let to = pair.peer(0, 2);
    let mut chain: heapless::Vec<_, 16> = pair.transmit[0].drain(..2).map(|buffer| (buffer, 2500)).collect();
    pair.ports[0].send_chain(to, &mut chain, Message::default()).unwrap();
    pair.ports[0].publish();
    pair.bed.run();
    for _ in 0..2 {
        pair.post(2, Some(1));
        pair.send(1, 2, &[1; 1000], Message::default());
    }
    assert_eq!(run(&mut pair), [1, 1]);
    pair.send(1, 2, &[1; 1000], Message::default());
    // In the second run nobody has work, so nothing of a share is left.
    assert_eq!([run(&mut pair), run(&mut pair)], [[], []]);
    pair.post(2, None);
    pair.bed.machine.rounds = 0;
    assert_eq!((run(&mut pair), pair.bed.machine.rounds), (vec![0], 1));
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
