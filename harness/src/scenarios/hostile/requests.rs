//! False or changing receive requests, and receivers that restart or withdraw in the middle of a transfer.

use core::ops::Range;

use ferry_layout::{Address, DeliveryKind, Descriptor, Kind, Post, PostKind, Standing, Status, flags};

use super::ATTACK;
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Feature, Scenario};

/// Bytes of gamma's buffers, and of mallory's receive buffer.
const REGION: u32 = 16 * 4096;
const LARGE: u32 = 64 * 4096;
/// The byte that gamma's messages to mallory consist of.
const MARK: u8 = 0x77;

fn post(frame: u32, offset: u32, length: u32, from: u16, kind: u8) -> Post {
    Post { place: Address { frame, offset }, length, from, kind, marks: 0 }
}

/// Gamma makes each of these requests. Each is refused by an answer that names it, and nothing else happens.
fn are_refused(gamma: &mut Actor<'_>, posts: impl IntoIterator<Item = Post>) -> Result<(), Clue> {
    gamma.rx.lay_canaries();
    for post in posts {
        let request = gamma.request(post);
        let answer = gamma.receive()?;
        ensure!(answer.kind == DeliveryKind::Refused as u8, "it is refused");
        ensure!(answer.request == request, "the answer names the request");
        ensure!(gamma.to_client.standing() == Standing::Open, "it is no breach of the protocol");
    }
    ensure!(gamma.rx.canaries_stand_around(&(0..0)), "nothing was written");
    Ok(())
}

/// Mallory waits with a message for gamma, so that a wrongly accepted request would be filled.
fn wait_for_gamma(mallory: &mut Actor<'_>, strike: u32) -> Result<bool, Clue> {
    if strike == 0 {
        mallory.send(Actor::message(Role::Gamma, 0, 4));
    }
    ensure!(matches!(mallory.status(0), None | Some(Status::Queued)), "no refused request takes a message");
    Ok(mallory.status(0) == Some(Status::Queued) && strike > 20)
}

pub(in super::super) const T40: Scenario = Scenario {
    name: "t40_places_one_byte_past_the_region_or_that_wrap",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let anyone = Post::ANYONE;
        let places = [
            post(15, 4095, 2, anyone, 0),
            post(0, 1, REGION, anyone, 0),
            post(16, 0, 1, anyone, 0),
            post(u32::MAX, u32::MAX, u32::MAX, anyone, 0),
            post(1 << 20, 0, 1, anyone, 0),
            post(0, 4096, 1, anyone, 0),
            post(0, 0, 0, anyone, 0),
        ];
        are_refused(gamma, places)
    }),
    mallory: Some(wait_for_gamma),
    ..ATTACK
};

pub(in super::super) const T41: Scenario = Scenario {
    name: "t41_requests_for_nobody_of_no_kind_and_for_nothing",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let anyone = Post::ANYONE;
        are_refused(gamma, [post(0, 0, 64, 32, 0), post(0, 0, 64, anyone - 1, 0)])?;
        are_refused(gamma, [post(0, 0, 64, anyone, PostKind::Window as u8)])?;
        are_refused(gamma, (2..=u8::MAX).map(|kind| post(0, 0, 64, anyone, kind)))?;
        are_refused(gamma, (2..8).map(|bit| Post { marks: 1 << bit, ..post(0, 0, 64, anyone, 0) }))
    }),
    mallory: Some(wait_for_gamma),
    ..ATTACK
};

pub(in super::super) const T44: Scenario = Scenario {
    name: "t44_overlapping_and_repeated_posts_are_the_receivers_own_harm",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.rx.lay_canaries();
        for (offset, length) in [(0, 64), (0, 64), (32, 64), (8, 8)] {
            gamma.request(post(2, offset, length, Role::Mallory.number(), 0));
        }
        for place in [0, 0, 32, 8] {
            let delivery = gamma.receive()?;
            ensure!(
                (delivery.place().frame, delivery.place().offset) == (2, place),
                "each is used, in order"
            );
            ensure!(delivery.length == 8, "for one message");
        }
        gamma.rest();
        ensure!(gamma.poll().is_none(), "none is used twice");
        ensure!(gamma.rx.canaries_stand_around(&(8192..8192 + 40)), "nothing was written elsewhere");
        Ok(())
    }),
    mallory: Some(|mallory, strike| {
        if strike == 0 {
            mallory.tx.flood(MARK);
            for _ in 0..6 {
                mallory.send(Actor::message(Role::Gamma, 0, 8));
            }
        }
        // Only four buffers were offered.
        ensure!(matches!(mallory.status(4), None | Some(Status::Queued)), "the fifth waits");
        Ok(mallory.status(3) == Some(Status::Done) && mallory.status(5) == Some(Status::Queued))
    }),
    ..ATTACK
};

pub(in super::super) const T36: Scenario = Scenario {
    name: "t36_requests_change_between_reads",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.tx.flood(MARK);
        gamma.post(0, 1, Some(Role::Mallory));
        // Until mallory has seen enough and sends a message.
        while gamma.poll().is_none() {
            let message = Actor::message(Role::Mallory, 4096, 600);
            let send = gamma.send(Descriptor { time_to_live: 4, ..message });
            let end = gamma.end_of(send)?;
            ensure!(
                matches!(end, Status::Done | Status::TooLong | Status::Expired | Status::PeerReset),
                "each send has one of the documented ends"
            );
        }
        Ok(())
    }),
    mallory: Some(rewrite_requests),
    ..ATTACK
};

/// Offers a buffer and writes another request over it some strikes later. It does so in every round.
fn rewrite_requests(mallory: &mut Actor<'_>, strike: u32) -> Result<bool, Clue> {
    const PLACES: [usize; 2] = [8192, 8192 + 1000];
    const ROUNDS: u32 = 24;
    // The number of the round in which nothing is offered any more.
    const LAST: u32 = u32::MAX;
    let from = Role::Gamma.number();
    if strike == 0 {
        mallory.rx.lay_canaries();
    }
    if !mallory.is_in() {
        return Ok(false);
    }
    // Notes: the request under way plus one, strikes since then, rounds, messages received.
    let [under_way, age, round, received] = mallory.notes;
    if round == LAST {
        return Ok(mallory.status(under_way) == Some(Status::Done));
    }
    if round >= ROUNDS && received >= 4 && under_way == 0 {
        let last = mallory.send(Actor::message(Role::Gamma, 0, 0));
        mallory.notes = [last, 0, LAST, received];
        return Ok(false);
    }
    let Some(request) = under_way.checked_sub(1) else {
        let request = mallory.request(post(2, 0, 1000, from, 0));
        mallory.notes = [request + 1, 0, round, received];
        return Ok(false);
    };
    if age == round % 24 {
        let other = match round % 6 {
            0 => post(63, 4000, 1000, from, 0),
            1 => post(2, 1000, 1000, from, 0),
            2 => post(2, 0, 10, from, 0),
            3 => post(u32::MAX, u32::MAX, u32::MAX, from, 0),
            4 => post(2, 0, 1000, from, PostKind::Window as u8),
            _ => post(2, 0, 1000, from, u8::MAX),
        };
        mallory.from_client.posts.store(request, other);
    }
    mallory.notes[1] += 1;
    if let Some(delivery) = mallory.poll() {
        if delivery.kind == DeliveryKind::Message as u8 {
            let place = delivery.place().frame as usize * 4096 + delivery.place().offset as usize;
            ensure!(PLACES.contains(&place), "a message comes to a place that was offered");
            mallory.notes[3] += 1;
        }
        let offered = PLACES[0]..PLACES[1] + 1000;
        ensure!(mallory.rx.canaries_stand_around(&offered), "no byte elsewhere has changed");
        mallory.notes[0] = 0;
        mallory.notes[2] = round + 1;
    } else if age == 60 {
        // What lies in the slot now is no buffer for gamma, so mallory restarts.
        mallory.enter();
        mallory.notes = [0, 0, round + 1, received];
    }
    Ok(false)
}

/// Sends a message of four chunks, more than gamma may send in one round. Returns the index of its last part.
fn send_large(gamma: &mut Actor<'_>, kind: Kind) -> u32 {
    let part = |flags| Descriptor { kind: kind as u8, flags, ..Actor::message(Role::Mallory, 0, REGION) };
    for _ in 0..3 {
        gamma.store(part(flags::CHAINED));
    }
    gamma.send(part(0))
}

/// Number of restarts that must happen.
const RESTARTS: u32 = 5;

pub(in super::super) const T37: Scenario = Scenario {
    name: "t37_the_epoch_changes_in_the_middle_of_a_transfer",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.tx.flood(MARK);
        for _ in 0..RESTARTS {
            let last = send_large(gamma, Kind::NextBuffer);
            for age in 0..4 {
                let status = gamma.end_of(last.wrapping_sub(age))?;
                ensure!(status == Status::PeerReset, "the sender is told that its peer restarted");
            }
        }
        let send = gamma.send(Actor::message(Role::Mallory, 0, 100));
        ensure!(gamma.end_of(send)? == Status::Done, "the new epoch is served");
        Ok(())
    }),
    mallory: Some(|mallory, _| {
        if !mallory.is_in() {
            return Ok(false);
        }
        // Notes: whether a buffer is offered, and the number of epochs.
        let [offered, epochs, ..] = mallory.notes;
        if offered == 0 {
            if epochs != 0 {
                let written = mallory.rx.written_up_to(0) as u64;
                ensure!(written < u64::from(LARGE) * 3 / 4, "the rest was not copied");
            }
            mallory.rx.lay_canaries();
            mallory.post(0, LARGE, Some(Role::Gamma));
            mallory.notes[0] = 1;
        } else if epochs < RESTARTS && mallory.rx.word(0).to_le_bytes() == [MARK; 8] {
            mallory.enter();
            mallory.notes = [0, epochs + 1, 0, 0];
        }
        Ok(epochs == RESTARTS && mallory.poll().is_some_and(|delivery| delivery.length == 100))
    }),
    needs: &[Feature::Priorities],
    ..ATTACK
};

pub(in super::super) const T46: Scenario = Scenario {
    name: "t46_a_window_withdrawn_in_the_middle_of_a_transfer",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.tx.flood(MARK);
        for _ in 0..RESTARTS {
            gamma.post(0, 1, Some(Role::Mallory));
            gamma.receive()?;
            let last = send_large(gamma, Kind::Placed);
            for age in 0..4 {
                let status = gamma.end_of(last.wrapping_sub(age))?;
                ensure!(status == Status::BadDestination, "the window is open no more");
            }
        }
        Ok(())
    }),
    mallory: Some(withdraw_under_way),
    needs: &[Feature::Priorities],
    ..ATTACK
};

/// Opens a window, lets gamma know, and withdraws the window when the first bytes have arrived. Then checks
/// that no bytes arrive later.
fn withdraw_under_way(mallory: &mut Actor<'_>, _: u32) -> Result<bool, Clue> {
    const FIRST_BYTES: Range<usize> = 0..8;
    // Notes: the window's request plus one, the state of the round, how much was written when the answer
    // came, and the number of rounds.
    let [window, state, written, round] = mallory.notes;
    if !mallory.is_in() || round == RESTARTS {
        return Ok(round == RESTARTS);
    }
    match state {
        0 => {
            mallory.rx.lay_canaries();
            let window = mallory.open_window(0, LARGE, Role::Gamma);
            mallory.send(Actor::message(Role::Gamma, 0, 0));
            mallory.notes = [window + 1, 1, 0, round];
        }
        1 if mallory.rx.each(FIRST_BYTES.start, FIRST_BYTES.len(), |_, byte| byte == MARK) => {
            mallory.withdraw(window - 1);
            mallory.notes[1] = 2;
        }
        2 => {
            if let Some(answer) = mallory.poll() {
                ensure!(answer.kind == DeliveryKind::Withdrawn as u8, "the withdrawal is answered");
                mallory.notes[2] = u32::try_from(mallory.rx.written_up_to(0)).unwrap_or(u32::MAX);
                ensure!(mallory.notes[2] < LARGE / 4 * 3, "the rest was not copied");
                mallory.notes[1] = 3;
            }
        }
        3..20 => mallory.notes[1] += 1,
        20 => {
            ensure!(
                mallory.rx.written_up_to(0) as u64 == u64::from(written),
                "nothing comes after the answer"
            );
            mallory.notes = [0, 0, 0, round + 1];
        }
        _ => {}
    }
    Ok(false)
}
