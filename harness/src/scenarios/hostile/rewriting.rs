//! Descriptors that are rewritten after they were published, at every moment of central's work in turn:
//! before central has copied them, between its acts on them, and after. Central gets the old entry, the new
//! one, or words of both. It checks what it got and works with that alone.

use core::ops::Range;

use ferry_layout::{Address, Descriptor, Kind, Standing, Status, flags};

use super::ATTACK;
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::memory::pattern;
use crate::role::Role;
use crate::scenario::Scenario;

/// The byte that fills mallory's whole transmit buffer.
const MARK: u8 = 0x9d;
/// Where gamma receives.
const PLACE: Range<usize> = 8192..8192 + 4096;
/// Tag of the last message, which is not rewritten.
const ENOUGH: u64 = 1;
/// Number of messages to rewrite, and how many of them must arrive as they were published.
const ROUNDS: u32 = 30;
const THROUGH: u32 = 4;
/// The number of the round in which nothing is rewritten any more.
const LAST: u32 = u32::MAX;
/// Strikes after which mallory gives up a message that has not ended, by a restart.
const GIVEN_UP: u32 = 60;

/// Publishes a message of `parts` parts of 1000 bytes. Some strikes later it overwrites one of the parts with
/// what `evil` returns. It does so with one message after the other.
fn rewrite(
    mallory: &mut Actor<'_>,
    strike: u32,
    parts: u32,
    evil: impl FnOnce(u32, Descriptor) -> (u32, Descriptor),
) -> Result<bool, Clue> {
    if strike == 0 {
        mallory.tx.flood(MARK);
    }
    ensure!(mallory.to_client.standing() != Standing::Quarantined, "rewriting is no breach of the protocol");
    if !mallory.is_in() {
        return Ok(false);
    }
    // Notes: the last slot of the message under way plus one, strikes since it was published, rounds, and
    // messages that arrived as published.
    let [under_way, age, round, through] = mallory.notes;
    if round == LAST {
        return Ok(mallory.status(under_way) == Some(Status::Done));
    }
    // It is sent between two messages, so that it is the last one that gamma receives.
    if through >= THROUGH && round >= ROUNDS && under_way == 0 {
        let last = mallory.send(Descriptor { tag: ENOUGH, ..Actor::message(Role::Gamma, 0, 1) });
        mallory.notes = [last, 0, LAST, through];
        return Ok(false);
    }
    let part = |number: u32| Descriptor {
        flags: if number + 1 < parts { flags::CHAINED } else { 0 },
        time_to_live: 3,
        ..Actor::message(Role::Gamma, u64::from(number) * 5000, 1000)
    };
    if under_way == 0 {
        let last = (0..parts).map(|number| mallory.store(part(number))).last().unwrap_or_default();
        mallory.publish_sends();
        mallory.notes = [last.wrapping_add(1), 0, round, through];
        return Ok(false);
    }
    let first = under_way.wrapping_sub(parts);
    let delay = round % 24;
    if age == delay {
        let (number, descriptor) = evil(round, part(0));
        mallory.from_client.descriptors.store(first.wrapping_add(number), descriptor);
    }
    let ended = |number| mallory.status(first.wrapping_add(number)).filter(|status| status.is_final());
    if (0..parts).all(|number| ended(number).is_some()) {
        let as_published = age > delay && (0..parts).all(|number| ended(number) == Some(Status::Done));
        mallory.notes = [0, 0, round + 1, through + u32::from(as_published)];
    } else if age == GIVEN_UP {
        mallory.enter();
        mallory.notes = [0, 0, round + 1, through];
    } else {
        mallory.notes[1] += 1;
    }
    Ok(false)
}

/// Gamma receives what arrives of this: only bytes of mallory, only in the offered place.
fn receive_what_comes(gamma: &mut Actor<'_>) -> Result<(), Clue> {
    gamma.rx.lay_canaries();
    for round in 0_u8.. {
        let seed = round & 0x3f;
        gamma.rx.fill(PLACE.start, PLACE.len(), seed);
        gamma.post(PLACE.start as u64, 4096, Some(Role::Mallory));
        let delivery = gamma.receive()?;
        let length = delivery.length as usize;
        ensure!(delivery.source == Role::Mallory.number(), "it is under mallory's name");
        ensure!(length <= PLACE.len(), "it is no longer than what was offered");
        ensure!(gamma.rx.each(PLACE.start, length, |_, byte| byte == MARK), "the bytes are mallory's own");
        ensure!(
            gamma.rx.each(PLACE.start + length, PLACE.len() - length, |at, byte| {
                byte == pattern(at + length, seed)
            }),
            "not one byte more than the length"
        );
        if delivery.tag == ENOUGH {
            break;
        }
    }
    ensure!(gamma.rx.canaries_stand_around(&PLACE), "no byte outside what was offered has changed");
    Ok(())
}

pub(in super::super) const T30: Scenario = Scenario {
    name: "t30_descriptor_gets_another_source",
    gamma: Some(receive_what_comes),
    mallory: Some(|mallory, strike| {
        rewrite(mallory, strike, 1, |round, good| {
            let (frame, offset) =
                [(16, 0), (15, 3500), (u32::MAX, 4095), (1 << 20, 0), (7, 1)][round as usize % 5];
            (0, Descriptor { source: Address { frame, offset }, ..good })
        })
    }),
    ..ATTACK
};

pub(in super::super) const T31: Scenario = Scenario {
    name: "t31_descriptor_gets_another_length",
    gamma: Some(receive_what_comes),
    mallory: Some(|mallory, strike| {
        rewrite(mallory, strike, 1, |round, good| {
            let length = [0, 1, 4096, 4097, 16 * 4096, u32::MAX][round as usize % 6];
            (0, Descriptor { length, ..good })
        })
    }),
    ..ATTACK
};

pub(in super::super) const T32: Scenario = Scenario {
    name: "t32_descriptor_gets_another_target",
    gamma: Some(receive_what_comes),
    mallory: Some(|mallory, strike| {
        rewrite(mallory, strike, 1, |round, good| {
            // Beta has buffers open for alpha. Alpha has none, and there is no flow from mallory to alpha.
            let target = [0, 1, 3, 4, 31, u16::MAX][round as usize % 6];
            (0, Descriptor { target, ..good })
        })
    }),
    ..ATTACK
};

pub(in super::super) const T33: Scenario = Scenario {
    name: "t33_descriptor_gets_another_destination_or_kind",
    gamma: Some(receive_what_comes),
    mallory: Some(|mallory, strike| {
        rewrite(mallory, strike, 1, |round, good| {
            let frame = [0, 2, 15, 16, u32::MAX][round as usize % 5];
            let kind = [Kind::Placed as u8, Kind::NextBuffer as u8, 2, u8::MAX][round as usize % 4];
            (0, Descriptor { destination: Address { frame, offset: 64 }, kind, ..good })
        })
    }),
    ..ATTACK
};

pub(in super::super) const T34: Scenario = Scenario {
    name: "t34_chains_get_longer_and_shorter",
    gamma: Some(receive_what_comes),
    mallory: Some(|mallory, strike| {
        rewrite(mallory, strike, 3, |round, good| match round % 4 {
            // In turn: the chain ends early, it has no end, a part has another target, a part is longer than
            // the region.
            0 => (0, Descriptor { flags: 0, ..good }),
            1 => (2, Descriptor { flags: flags::CHAINED, ..good }),
            2 => (1, Descriptor { target: Role::Beta.number(), ..good }),
            _ => (1, Descriptor { length: u32::MAX, ..good }),
        })
    }),
    ..ATTACK
};
