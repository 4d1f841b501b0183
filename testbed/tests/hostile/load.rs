//! Floods, storms and silence: the work is bounded, and honest flows keep their share.

use std::collections::BTreeMap;

use ferry_client::{Message, Port, TransmitBuffer};
use ferry_layout::config::Mapping;
use ferry_layout::{Descriptor, Post, PostKind, Standing, Status, flags};
use ferry_testbed::{Action, Silent, Testbed, Topology};

use crate::arena::{Arena, BOB, Hostile, MALLORY, TRUDY, buffer, message};

#[test]
fn t50_a_flood_of_invalid_entries_is_consumed_at_a_bounded_price() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    for index in 0..128 {
        mallory.write(index, Descriptor { kind: 0xff, ..message(BOB, 1) });
    }
    for lap in 1..=10 {
        mallory.tail(lap * 128);
        let loads = arena.run_counted();
        // For each entry central reads the 5 words of the descriptor, one of them once more in the express
        // lane, and the counter. A few rounds read the indices of all clients.
        assert!(loads < 128 * 7 + 200, "{loads} reads");
        assert_eq!(mallory.transmit_head(), lap * 128, "all of it is consumed");
    }
    arena.judge();
}

#[test]
fn t51_a_flood_of_invalid_requests_is_answered_while_there_is_room() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    for index in 0..128 {
        mallory.0.from_client.posts.store(index, Post { kind: 0xff, ..buffer(0, 1) });
    }
    mallory.0.from_client.post_tail.publish(128);
    assert!(arena.run_counted() < 128 * 3 + 100);
    mallory.0.from_client.post_tail.publish(256);
    for _ in 0..3 {
        assert!(arena.run_counted() < 100, "she never takes an answer: nothing more is done for her");
    }
    assert_eq!((mallory.delivery_tail(), mallory.0.to_client.post_head.observe()), (128, 128));
    mallory.0.from_client.delivery_head.publish(127);
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), mallory.standing()), (255, Standing::Open));
    arena.judge();
}

#[test]
fn t52_never_reaping_and_never_taking_harms_nobody_else() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    // Mallory always offers buffers and takes nothing. Trudy always sends and looks at no status.
    for index in 0..128 {
        mallory.0.from_client.posts.store(index, buffer(1, 64));
        trudy.write(index, message(MALLORY, 8));
    }
    for lap in 1..=5_u32 {
        mallory
            .0
            .from_client
            .post_tail
            .publish((lap * 128).min(mallory.0.to_client.post_head.observe() + 128));
        trudy.tail((lap * 128).min(trudy.transmit_head() + 128));
        assert!(arena.run_counted() < 4000);
    }
    assert_eq!(mallory.delivery_tail(), 128);
    assert_eq!((mallory.standing(), trudy.standing()), (Standing::Open, Standing::Open));
    arena.judge();
}

#[test]
fn t53_a_storm_of_signals_without_entries() {
    let mut arena = Arena::new();
    arena.bed.machine.actions.clear();
    for _ in 0..1000 {
        arena.bed.run_for(MALLORY);
    }
    assert_eq!(arena.bed.machine.actions, [], "no action without an entry");
    assert!(arena.run_counted() < 60, "a look at each client's indices");
    arena.judge();
}

#[test]
fn t54_an_entry_without_a_signal_is_found_at_the_tick() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    mallory.write(0, message(BOB, 8));
    mallory.tail(1);
    arena.bed.tick();
    assert_eq!((mallory.status(0), arena.bob_receives()), (Some(Status::Done), vec![(MALLORY, 8)]));
    arena.judge();
}

#[test]
fn t55_requests_for_a_silent_source_cost_a_bounded_search() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for index in 0..128 {
        mallory.post(index, Post { from: BOB, ..buffer(0, 64) });
        trudy.write(index, message(MALLORY, 8));
    }
    trudy.tail(128);
    arena.bed.run();
    assert_eq!(trudy.status(0), Some(Status::Queued));
    assert!(arena.run_counted() < 100);
    arena.judge();
}

/// The entries with which a hostile client keeps central busy. It fills its ring with them again after each
/// action of central.
type Flood = fn(Hostile, u32) -> Descriptor;

/// The numbers of the clients that flood.
const FLOODERS: [u16; 2] = [8, 9];

/// The client that floods beside `hostile`. Floods go to it, because no client has a flow to itself.
fn other_flooder(hostile: Hostile) -> u16 {
    FLOODERS[usize::from(hostile.0.to_client.domain() == FLOODERS[0])]
}

fn invalid(_: Hostile, _: u32) -> Descriptor {
    Descriptor { kind: 0xff, ..Descriptor::default() }
}

fn endless_chain(hostile: Hostile, _: u32) -> Descriptor {
    Descriptor { flags: flags::CHAINED, length: 1, target: other_flooder(hostile), ..Descriptor::default() }
}

/// Two bytes that straddle two frames.
fn scattered(hostile: Hostile, index: u32) -> Descriptor {
    let source = ferry_layout::Address { frame: index % 15, offset: 4095 };
    Descriptor { source, length: 2, target: other_flooder(hostile), ..Descriptor::default() }
}

fn large(hostile: Hostile, _: u32) -> Descriptor {
    Descriptor { length: 64 * 1024, target: other_flooder(hostile), ..Descriptor::default() }
}

fn refill(hostile: Hostile, flood: Flood) {
    let head = hostile.transmit_head();
    for index in head..head + 128 {
        hostile.write(index, flood(hostile, index));
    }
    hostile.tail(head + 128);
    // As a receiver the hostile client offers and takes as much as it can.
    let posts = hostile.0.to_client.post_head.observe();
    for index in posts..posts + 128 {
        hostile
            .0
            .from_client
            .posts
            .store(index, Post { kind: PostKind::Buffer as u8, ..buffer(0, 64 * 1024) });
    }
    hostile.0.from_client.post_tail.publish(posts + 128);
    hostile.0.from_client.delivery_head.publish(hostile.delivery_tail());
}

/// Four honest pairs and the two hostile clients, which flood. All have work for the whole time. Returns
/// the share of the bytes that each honest source got until the first of them had sent everything.
fn shares_under(flood: Flood, other: Flood) -> BTreeMap<u16, f64> {
    let mut topology = Topology::mesh(10, 64, Mapping::Each);
    topology.bytes_per_round = 32 * 1024;
    let mut bed = Testbed::new(&topology);
    let mut ports: Vec<(Port<Silent>, Vec<TransmitBuffer>)> = Vec::new();
    for client in 0..8 {
        let (mut port, transmit, receive) = bed.open(client);
        if client % 2 == 1 {
            for buffer in receive.split::<64>(4096) {
                port.post(buffer, None).expect("a slot");
            }
            port.publish();
        }
        ports.push((port, transmit.split::<64>(4096).into_iter().collect()));
    }
    let [one, two] = FLOODERS.map(|client| Hostile(bed.clients[usize::from(client)]));
    one.enter(1);
    two.enter(1);
    bed.run();
    for source in [0, 2, 4, 6] {
        let (port, buffers) = &mut ports[source];
        let peer = port.peer(&format!("client{}", source + 1)).expect("a flow");
        while let Some(buffer) = buffers.pop() {
            port.send(peer, buffer, 4096, Message::default()).expect("a slot");
        }
        port.publish();
    }
    let hostile = [(one, flood), (two, other)];
    for (hostile, flood) in hostile {
        refill(hostile, flood);
    }
    bed.machine.actions.clear();
    let mut left = 3000;
    bed.machine.interposer = Some(Box::new(move |_| {
        for (hostile, flood) in hostile.iter().take(if left > 0 { 2 } else { 0 }) {
            refill(*hostile, *flood);
        }
        left -= 1;
    }));
    bed.run();
    let mut bytes: BTreeMap<u16, u32> = BTreeMap::new();
    let mut source = 0;
    for action in &bed.machine.actions {
        match action {
            Action::Map(client, ferry_central::Side::Transmit, _) => source = *client,
            Action::Copy(length) => *bytes.entry(source).or_default() += length,
            _ => {}
        }
        if [0, 2, 4, 6].iter().any(|source| bytes.get(source) == Some(&(64 * 4096))) {
            break;
        }
    }
    let total: u32 = bytes.values().sum();
    assert_eq!((one.standing(), two.standing()), (Standing::Open, Standing::Open));
    [0, 2, 4, 6].map(|source| (source, f64::from(bytes[&source]) / f64::from(total))).into()
}

#[test]
fn t56_honest_flows_keep_their_share_whatever_the_flood() {
    for flood in [invalid as Flood, endless_chain, scattered, large] {
        for other in [invalid as Flood, scattered, large] {
            let shares = shares_under(flood, other);
            for (source, share) in &shares {
                assert!(*share >= 0.9 / 6.0, "{source} got {share} of the bytes, shares {shares:?}");
            }
        }
    }
}

#[test]
fn t57_a_flood_gets_no_more_turns_than_anyone_else() {
    let mut arena = Arena::with(|topology| topology.messages_per_round = 2);
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for index in 0..120 {
        trudy.post(index, buffer(index % 16, 64));
        let source = ferry_layout::Address { frame: index % 15, offset: 4095 };
        mallory.write(index, Descriptor { source, ..message(TRUDY, 2) });
    }
    mallory.tail(120);
    for _ in 0..8 {
        arena.bob_posts();
        arena.alice_sends(8);
    }
    arena.bed.machine.actions.clear();
    arena.bed.run();
    let copies = arena.bed.machine.actions.iter().filter_map(|action| match action {
        Action::Copy(length) => Some(*length),
        _ => None,
    });
    let copies: Vec<u32> = copies.collect();
    assert_eq!(copies.iter().filter(|length| **length == 8).count(), 8);
    let last = copies.iter().rposition(|length| *length == 8).expect("Alice was served");
    // The client that is first changes from round to round, so two turns of one client may follow each other.
    for run in copies[..=last].chunk_by(|one, next| one == next) {
        assert!(run.len() <= 4, "{} messages of one client without one of the other", run.len());
    }
    assert!(last <= 16 + 2, "Mallory had {} turns of two while Alice had four", (last - 7) / 2);
    arena.judge();
}
