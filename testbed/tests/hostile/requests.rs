//! False receive requests, and receivers that do not cooperate.

use ferry_layout::{Address, DeliveryKind, Descriptor, Kind, Post, PostKind, Standing, Status};
use ferry_testbed::Action;

use crate::arena::{Arena, BOB, MALLORY, REGION, TRUDY, buffer, message};

/// Trudy waits with a message for Mallory, and Mallory posts `post`. The request is refused, and the message
/// still waits.
#[track_caller]
fn is_refused(post: Post) {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    trudy.write(0, message(MALLORY, 4));
    trudy.tail(1);
    mallory.post(0, post);
    arena.bed.run();
    let answer = mallory.delivery(0);
    assert_eq!((mallory.delivery_tail(), answer.kind), (1, DeliveryKind::Refused as u8), "{post:?}");
    assert_eq!(answer.request, 0, "names the request");
    assert_eq!((trudy.status(0), mallory.standing()), (Some(Status::Queued), Standing::Open));
    assert_eq!(arena.changed(MALLORY), None);
    arena.judge();
}

fn post(frame: u32, offset: u32, length: u32, from: u16, kind: u8) -> Post {
    Post { place: Address { frame, offset }, length, from, kind, marks: 0 }
}

#[test]
fn t40_places_one_byte_past_the_region_or_that_wrap() {
    let anyone = Post::ANYONE;
    is_refused(post(15, 4095, 2, anyone, 0));
    is_refused(post(0, 1, REGION, anyone, 0));
    is_refused(post(16, 0, 1, anyone, 0));
    is_refused(post(u32::MAX, u32::MAX, u32::MAX, anyone, 0));
    is_refused(post(1 << 20, 0, 1, anyone, 0));
    is_refused(post(0, 4096, 1, anyone, 0));
    is_refused(post(0, 0, 0, anyone, 0));
}

#[test]
fn t41_requests_for_nobody_of_no_kind_and_for_nothing() {
    is_refused(post(0, 0, 64, 32, 0));
    is_refused(post(0, 0, 64, u16::MAX - 1, 0));
    is_refused(post(0, 0, 64, Post::ANYONE, PostKind::Window as u8));
    for kind in 2..=u8::MAX {
        is_refused(post(0, 0, 64, Post::ANYONE, kind));
    }
    for marks in (4..=u8::MAX).step_by(4) {
        is_refused(Post { marks, ..post(0, 0, 64, Post::ANYONE, 0) });
    }
}

/// A withdrawal is answered only if its request is open, however often it is announced.
#[test]
fn t48_withdrawing_what_is_not_there() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for slot in [0, 1, 127, 128, u32::MAX] {
        mallory.withdraw(slot);
        arena.bed.run();
    }
    mallory.0.from_client.withdrawals.publish(u32::MAX);
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), mallory.standing()), (0, Standing::Open));
    // One request is withdrawn from the beginning, and one when it is used up already.
    mallory.post(0, Post { marks: Post::WITHDRAWN, ..buffer(0, 64) });
    mallory.withdraw(0);
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), mallory.delivery(0).kind), (1, DeliveryKind::Withdrawn as u8));
    mallory.post(1, buffer(0, 64));
    trudy.write(0, message(MALLORY, 4));
    trudy.tail(1);
    arena.bed.run();
    mallory.withdraw(1);
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), mallory.delivery(1).kind), (2, DeliveryKind::Message as u8));
    arena.judge();
}

#[test]
fn t42_one_window_too_many() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    for index in 0..9 {
        mallory.post(index, post(index, 0, 64, TRUDY, PostKind::Window as u8));
    }
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), mallory.delivery(0).request), (1, 8));
    mallory.withdraw(3);
    arena.bed.run();
    mallory.post(9, post(3, 0, 64, TRUDY, PostKind::Window as u8));
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), mallory.delivery(1).kind), (2, DeliveryKind::Withdrawn as u8));
    // The limit is for each peer.
    mallory.post(10, post(10, 0, 64, BOB, PostKind::Window as u8));
    arena.bed.run();
    assert_eq!(mallory.delivery_tail(), 2);
    arena.judge();
}

#[test]
fn t43_never_posting_holds_up_nobody_else() {
    let mut arena = Arena::new();
    let trudy = arena.hostile(TRUDY);
    for index in 0..100 {
        trudy.write(index, message(MALLORY, 4));
    }
    trudy.write(100, message(BOB, 9));
    trudy.tail(101);
    arena.bob_posts();
    arena.bed.run();
    assert_eq!((trudy.status(0), trudy.status(100)), (Some(Status::Queued), Some(Status::Done)));
    assert_eq!(arena.bob_receives(), [(TRUDY, 9)]);
    assert!(arena.run_counted() < 100, "what waits costs nothing");
    arena.judge();
}

#[test]
fn t44_overlapping_and_repeated_posts_are_the_receivers_own_harm() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    for (index, (offset, length)) in (0..).zip([(0, 64), (0, 64), (32, 64), (8, 8)]) {
        mallory.post(index, post(2, offset, length, Post::ANYONE, 0));
    }
    for index in 0..4 {
        trudy.write(index, message(MALLORY, 8));
    }
    trudy.tail(4);
    arena.bed.run();
    assert_eq!((mallory.delivery_tail(), trudy.status(3)), (4, Some(Status::Done)));
    assert_eq!(arena.changed(MALLORY), Some((2 * 4096, 2 * 4096 + 40)));
    arena.judge();
}

#[test]
fn t45_withdraw_while_a_large_transfer_is_under_way() {
    let mut arena = Arena::with(|topology| {
        topology.clients = vec![256 * 4096; 4];
        topology.bytes_per_round = 64 * 1024;
    });
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    let bytes = 200 * 4096;
    mallory.post(0, buffer(0, bytes));
    trudy.write(0, message(MALLORY, bytes));
    trudy.tail(1);
    let mut asked = false;
    arena.run_under(move |_| {
        // Withdraw as soon as the first bytes are there.
        if !asked && mallory.0.receive.read(0, 1) != [0xc5] {
            asked = true;
            mallory.withdraw(0);
        }
    });
    let message = mallory.delivery(0);
    assert_eq!(mallory.delivery_tail(), 1, "too late, and the message says so");
    assert_eq!((message.kind, message.length), (DeliveryKind::Message as u8, bytes));
    assert_eq!(trudy.status(0), Some(Status::Done));
    assert_eq!(arena.bed.machine.mapped(), 0);
}

#[test]
fn t46_a_window_withdrawn_in_the_middle_of_a_transfer() {
    let mut arena = Arena::with(|topology| {
        topology.clients = vec![256 * 4096; 4];
        topology.bytes_per_round = 64 * 1024;
    });
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    let bytes = 200 * 4096;
    mallory.post(0, post(0, 0, bytes, TRUDY, PostKind::Window as u8));
    trudy.write(0, Descriptor { kind: Kind::Placed as u8, ..message(MALLORY, bytes) });
    trudy.tail(1);
    let (mut asked, mut answered) = (false, None);
    let seen = std::rc::Rc::new(std::cell::Cell::new(None));
    let last_byte = seen.clone();
    arena.run_under(move |_| {
        if !asked && mallory.0.receive.read(0, 1) != [0xc5] {
            asked = true;
            mallory.withdraw(0);
        }
        // Notes how much was written when the answer became visible. Nothing may be written after it.
        if answered.is_none() && mallory.delivery_tail() == 1 {
            answered = mallory.0.receive.read(0, bytes as usize).iter().rposition(|byte| *byte != 0xc5);
            last_byte.set(answered);
        }
    });
    assert_eq!(mallory.delivery(0).kind, DeliveryKind::Withdrawn as u8);
    assert_eq!((mallory.delivery_tail(), trudy.status(0)), (1, Some(Status::BadDestination)));
    let after = mallory.0.receive.read(0, bytes as usize).iter().rposition(|byte| *byte != 0xc5);
    assert_eq!(seen.get(), after, "nothing is written after the window was withdrawn");
    assert!(after.is_some_and(|last| last < 128 * 1024));
    assert_eq!(arena.bed.machine.mapped(), 0);
}

#[test]
fn t47_bobs_window_is_his_again_when_he_has_withdrawn_it() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    let (place, window) = arena.bob_opens_a_window();
    arena.bob_withdraws(window);
    arena.bed.run();
    mallory.write(0, Descriptor { kind: Kind::Placed as u8, destination: place, ..message(BOB, 8) });
    mallory.tail(1);
    arena.bed.run();
    assert_eq!((mallory.status(0), arena.changed(BOB)), (Some(Status::BadDestination), None));
    arena.judge();
}

#[test]
fn t49_a_frame_that_cannot_be_mapped_harms_one_message() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    mallory.write(0, message(BOB, 8));
    mallory.tail(1);
    arena.bed.machine.refuse_map_after = Some(1);
    arena.bed.run();
    arena.bed.machine.refuse_map_after = None;
    assert_eq!(mallory.status(0), Some(Status::Failed));
    assert!(!arena.bed.machine.actions.contains(&Action::Copy(8)));
    arena.judge();
}
