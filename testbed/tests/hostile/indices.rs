//! Indices that no behaviour within the protocol leads to. The only consequence is quarantine.

use ferry_layout::{Standing, Status};

use crate::arena::{Arena, BOB, Hostile, MALLORY, TRUDY, buffer, message};

/// Mallory has sent one valid message and then does `attack`. Mallory is quarantined, and no other client is
/// harmed.
#[track_caller]
fn is_quarantined_for(attack: impl FnOnce(Hostile)) {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    mallory.write(0, message(BOB, 5));
    mallory.tail(1);
    arena.bed.run();
    assert_eq!((mallory.status(0), arena.bob_receives()), (Some(Status::Done), vec![(MALLORY, 5)]));
    // Trudy waits for Mallory, and must see how the send ends.
    let trudy = arena.hostile(TRUDY);
    trudy.write(0, message(MALLORY, 5));
    trudy.tail(1);
    arena.bed.run();
    assert_eq!(trudy.status(0), Some(Status::Queued));
    attack(mallory);
    arena.bed.run();
    assert_eq!(mallory.standing(), Standing::Quarantined);
    assert_eq!(trudy.status(0), Some(Status::Quarantined));
    // From here on central reads nothing of Mallory but a request for another epoch.
    mallory.write(1, message(BOB, 5));
    mallory.tail(2);
    arena.bed.run();
    assert_eq!((mallory.status(1), arena.bob_receives()), (None, vec![]));
    arena.judge();
    mallory.enter(2);
    arena.bed.run();
    assert_eq!(mallory.standing(), Standing::Open);
    arena.judge();
}

#[test]
fn t01_transmit_tail_runs_backwards() {
    is_quarantined_for(|mallory| mallory.tail(0));
    is_quarantined_for(|mallory| mallory.tail(u32::MAX));
}

#[test]
fn t08_indices_run_backwards_over_what_is_in_work() {
    for post in [false, true] {
        let mut arena = Arena::new();
        let mallory = arena.hostile(MALLORY);
        for index in 0..5 {
            mallory.write(index, message(TRUDY, 5));
            mallory.post(index, buffer(0, 64));
        }
        mallory.tail(5);
        arena.bed.run();
        assert_eq!(mallory.status(4), Some(Status::Queued));
        if post {
            mallory.0.from_client.post_tail.publish(3);
        } else {
            mallory.tail(3);
        }
        arena.bed.run();
        assert_eq!(mallory.standing(), Standing::Quarantined);
        arena.judge();
    }
}

#[test]
fn t02_transmit_tail_jumps_past_the_ring() {
    is_quarantined_for(|mallory| mallory.tail(1 + 128 + 1));
    is_quarantined_for(|mallory| mallory.tail(1 + 128 * 2));
    is_quarantined_for(|mallory| mallory.tail(1 + (1 << 31)));
}

#[test]
fn t03_transmit_tail_claims_full_when_empty() {
    // A tail within the ring is valid: the ring is full of what lies in it. Here these are zeros, which are
    // messages from Mallory to Mallory.
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    mallory.tail(128);
    arena.bed.run();
    assert_eq!((mallory.status(0), mallory.status(127)), (Some(Status::Denied), Some(Status::Denied)));
    assert_eq!((mallory.standing(), mallory.transmit_head()), (Standing::Open, 128));
    arena.judge();
}

#[test]
fn t04_post_tail_runs_backwards_or_past_the_ring() {
    is_quarantined_for(|mallory| mallory.0.from_client.post_tail.publish(u32::MAX));
    is_quarantined_for(|mallory| mallory.0.from_client.post_tail.publish(129));
    is_quarantined_for(|mallory| mallory.0.from_client.post_tail.publish(128 * 3));
}

#[test]
fn t05_delivery_head_past_what_was_delivered() {
    is_quarantined_for(|mallory| {
        mallory.0.from_client.delivery_head.publish(1);
        mallory.post(0, buffer(0, 64));
    });
    is_quarantined_for(|mallory| {
        mallory.0.from_client.delivery_head.publish(u32::MAX);
        mallory.post(0, buffer(0, 64));
    });
}

#[test]
fn t06_delivery_head_that_lies_while_a_peer_sends() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for index in 0..128 {
        mallory.post(index, buffer(index % 16, 64));
    }
    for index in 0..128 {
        trudy.write(index, message(MALLORY, 8));
    }
    trudy.tail(128);
    arena.bed.run();
    assert_eq!(mallory.delivery_tail(), 128, "the queue is full");
    trudy.tail(129);
    arena.bed.run();
    assert_eq!(trudy.status(128), Some(Status::Queued));
    mallory.0.from_client.delivery_head.publish(129);
    arena.bed.run();
    assert_eq!((mallory.standing(), trudy.status(128)), (Standing::Quarantined, Some(Status::Quarantined)));
    arena.judge();
}

#[test]
fn t07_valid_indices_that_wrap_are_no_breach() {
    let mut arena = Arena::with(|topology| topology.messages_per_round = 128);
    let mallory = arena.hostile(MALLORY);
    let mut tail = 0_u32;
    // 128 refused entries at a time, for enough laps to show that only differences count.
    for _ in 0..40 {
        tail = tail.wrapping_add(128);
        mallory.tail(tail);
        arena.bed.run();
        assert_eq!((mallory.standing(), mallory.transmit_head()), (Standing::Open, tail));
    }
    arena.judge();
}
