//! Real and feigned restarts: epochs, the magic, and what is left of an old epoch.

use ferry_layout::config::Mapping;
use ferry_layout::{ABI_VERSION, Delivery, Standing, Status};

use crate::arena::{Arena, BOB, MALLORY, TRUDY, buffer, message};

#[test]
fn t60_stale_entries_of_the_old_epoch_are_never_acted_on() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    // Entries that are taken and wait, that are published and not taken, and that are stored and not
    // published.
    for index in 0..8 {
        mallory.write(index, message(BOB, 9));
        mallory.0.from_client.posts.store(index, buffer(3, 64));
    }
    mallory.0.from_client.post_tail.publish(4);
    mallory.tail(4);
    arena.bed.run();
    mallory.tail(6);
    mallory.enter(2);
    arena.bob_posts();
    trudy.write(0, message(MALLORY, 4));
    trudy.tail(1);
    arena.bed.run();
    assert_eq!((arena.bob_receives(), arena.changed(MALLORY)), (vec![], None));
    assert_eq!((mallory.status(0), trudy.status(0)), (None, Some(Status::Queued)));
    // An entry in a slot counts only when it is published in the new epoch.
    mallory.tail(1);
    arena.bed.run();
    assert_eq!((mallory.status(0), arena.bob_receives()), (Some(Status::Done), vec![(MALLORY, 9)]));
    arena.judge();
}

#[test]
fn t61_peers_are_told_and_what_was_under_way_is_unmapped() {
    let mut arena = Arena::with(|topology| {
        topology.clients = vec![256 * 4096; 4];
        topology.bytes_per_round = 64 * 1024;
    });
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    let bytes = 200 * 4096;
    mallory.post(0, buffer(0, bytes));
    trudy.write(0, message(MALLORY, bytes));
    trudy.write(1, message(MALLORY, 1));
    trudy.tail(2);
    let mut restarted = false;
    arena.run_under(move |_| {
        if !restarted && mallory.0.receive.read(0, 1) != [0xc5] {
            restarted = true;
            mallory.enter(2);
        }
    });
    assert_eq!((trudy.status(0), trudy.status(1)), (Some(Status::PeerReset), Some(Status::PeerReset)));
    assert_eq!((mallory.delivery_tail(), arena.bed.machine.mapped()), (0, 0));
    let written = mallory.0.receive.read(0, bytes as usize).iter().rposition(|byte| *byte != 0xc5);
    assert!(written.is_some_and(|last| last < 128 * 1024), "the rest was not copied");
}

#[test]
fn t62_an_epoch_is_no_way_out_of_quarantine_but_by_beginning_anew() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    mallory.write(0, message(BOB, 9));
    mallory.tail(200);
    arena.bed.run();
    assert_eq!(mallory.standing(), Standing::Quarantined);
    // The same epoch again, with valid indices or without the magic, changes nothing.
    mallory.enter(1);
    mallory.tail(1);
    arena.bed.run();
    mallory.0.from_client.clear_magic();
    arena.bed.run();
    mallory.0.from_client.ask_for_epoch(1);
    arena.bed.run();
    assert_eq!((mallory.standing(), mallory.status(0)), (Standing::Quarantined, None));
    // With another epoch Mallory is let in, and nothing of the old epoch is left.
    mallory.enter(7);
    arena.bed.run();
    assert_eq!((mallory.standing(), mallory.0.to_client.epoch.observe()), (Standing::Open, 7));
    arena.judge();
}

#[test]
fn t63_a_storm_of_epochs_harms_only_its_waiting_senders() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for epoch in 2..200 {
        trudy.write(epoch - 2, message(MALLORY, 4));
        trudy.tail(epoch - 1);
        arena.bed.run();
        mallory.enter(epoch);
        let loads = arena.run_counted();
        assert!(loads < 100, "{loads} reads");
        assert_eq!(trudy.status(epoch - 2), Some(Status::PeerReset));
    }
    arena.judge();
}

#[test]
fn t64_without_the_magic_or_in_another_version_nothing_is_read() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    let page = ferry_testbed::Memory::of(mallory.0.from_client);
    mallory.write(0, message(BOB, 9));
    for (place, word) in [(0_usize, 0_u32), (0, u32::MAX), (4, 0), (4, ABI_VERSION - 1), (4, u32::MAX)] {
        mallory.tail(0);
        mallory.0.from_client.ask_for_epoch(1);
        page.write(place, &word.to_le_bytes());
        mallory.tail(1);
        arena.bed.run();
        // Not even an impossible index counts, because the client may just be resetting its page.
        mallory.tail(500);
        arena.bed.run();
        assert_eq!((mallory.status(0), mallory.standing()), (None, Standing::Open));
    }
    mallory.0.from_client.ask_for_epoch(1);
    arena.bed.run();
    assert_eq!(mallory.standing(), Standing::Quarantined);
    arena.judge();
}

#[test]
fn t65_a_client_that_never_starts_holds_up_nobody() {
    let mut arena = Arena::with(|topology| {
        topology.clients.push(16 * 4096);
        topology.flows.push(ferry_testbed::Topology::flow(MALLORY, 4, Mapping::Each));
    });
    let mallory = arena.hostile(MALLORY);
    for index in 0..64 {
        mallory.write(index, message(4, 8));
    }
    mallory.tail(64);
    arena.bed.run();
    assert_eq!((mallory.status(0), mallory.status(63)), (Some(Status::Queued), Some(Status::Queued)));
    arena.judge();
}

#[test]
fn t66_colluders_restart_while_they_send_to_each_other() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for round in 2..60_u32 {
        for (client, peer) in [(mallory, TRUDY), (trudy, MALLORY)] {
            client.enter(round + 1);
            for index in 0..32 {
                client.write(index, message(peer, 100));
                client.0.from_client.posts.store(index, buffer(5, 128));
            }
            client.tail(32);
            client.0.from_client.post_tail.publish(if round % 3 == 0 { 32 } else { 4 });
        }
        if round % 2 == 0 {
            arena.bed.run();
        } else {
            arena.bed.run_for(MALLORY);
        }
    }
    arena.bed.run();
    arena.judge();
}

#[test]
fn t67_hostile_pages_do_not_confuse_a_central_that_restarts() {
    for attack in 0..6 {
        let mut arena = Arena::new();
        let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
        for index in 0..8 {
            mallory.write(index, message(BOB, 9));
            mallory.post(index, buffer(index, 64));
            trudy.write(index, message(MALLORY, 5));
        }
        mallory.tail(8);
        trudy.tail(3);
        arena.bed.run();
        match attack {
            0 => mallory.tail(0),
            1 => mallory.tail(5000),
            2 => mallory.0.from_client.post_tail.publish(1),
            3 => mallory.0.from_client.delivery_head.publish(4000),
            4 => mallory.0.from_client.clear_magic(),
            _ => (0..128).for_each(|index| mallory.write(index, message(TRUDY, u32::MAX))),
        }
        arena.bed.restart();
        arena.bed.run();
        let deliveries: Vec<u64> = (0..mallory.delivery_tail())
            .map(|index| mallory.delivery(index))
            .map(|Delivery { sequence, .. }| sequence)
            .collect();
        assert_eq!(deliveries, [0, 1, 2], "what Trudy sent is delivered once");
        assert_eq!(trudy.status(2), Some(Status::Done));
        arena.judge();
    }
}

#[test]
fn t68_frames_that_a_flow_keeps_mapped_are_let_go_with_their_owner() {
    for restarts in [false, true] {
        let mut arena = Arena::with(|topology| {
            for flow in &mut topology.flows {
                if [flow.source, flow.target].contains(&MALLORY) {
                    flow.mapping = Mapping::Keep as u8;
                }
            }
        });
        let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
        mallory.post(0, buffer(3, 64));
        trudy.write(0, message(MALLORY, 5));
        trudy.tail(1);
        arena.bob_posts();
        mallory.write(0, message(BOB, 5));
        mallory.tail(1);
        arena.bed.run();
        assert_eq!((arena.bed.machine.mapped_of(MALLORY), arena.bed.machine.mapped_of(BOB)), (2, 1));
        if restarts {
            mallory.enter(2);
        } else {
            mallory.tail(0);
        }
        arena.bed.run();
        assert_eq!((arena.bed.machine.mapped_of(MALLORY), arena.bed.machine.mapped_of(BOB)), (0, 1));
        arena.bed.tick();
        arena.bed.tick();
        arena.judge();
    }
}

#[test]
fn t69_a_client_that_has_cleared_its_magic_is_not_quarantined() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for index in 0..128 {
        mallory.post(index, buffer(1, 64));
        trudy.write(index, message(MALLORY, 8));
    }
    trudy.tail(128);
    arena.bed.run();
    mallory.0.from_client.delivery_head.publish(1);
    mallory.0.from_client.post_tail.publish(250);
    trudy.tail(129);
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), trudy.status(128)), (129, Some(Status::Done)));
    // Mallory is just restarting: the delivery head runs backwards, and central reads it because Trudy sends
    // again.
    mallory.0.from_client.clear_magic();
    mallory.0.from_client.delivery_head.publish(0);
    trudy.tail(130);
    arena.bed.run();
    assert_eq!((mallory.standing(), trudy.status(129)), (Standing::Open, Some(Status::Queued)));
    mallory.enter(2);
    arena.bed.run();
    assert_eq!((mallory.standing(), trudy.status(129)), (Standing::Open, Some(Status::PeerReset)));
    arena.judge();
}
