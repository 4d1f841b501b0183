//! Noise: random changes of pages and payload at arbitrary moments.

use ferry_layout::{Address, Descriptor, Post, Standing, flags};

use super::ATTACK;
use crate::actor::Actor;
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::Scenario;

/// Number of strikes that must happen.
const STRIKES: u32 = 150;

/// The next number of a pseudo-random sequence (xorshift).
fn next(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state
}

/// Writes random words anywhere in `_out` and `_tx`, and entries that are nearly valid, and moves the tails
/// over them.
fn make_noise(mallory: &mut Actor<'_>, strike: u32) -> bool {
    // Notes: the state of the sequence, whether mallory was quarantined, and whether it was let in again
    // after that.
    let mut state = mallory.notes[0].max(1);
    for _ in 0..12 {
        let word = next(&mut state).to_le_bytes();
        // Most of these words lie past the magic, so that it is not always lost.
        let place = next(&mut state) as usize % mallory.raw_out.bytes();
        if place > 64 || state.is_multiple_of(8) {
            mallory.raw_out.write(place & !3, &word);
        }
        mallory.tx.write(next(&mut state) as usize % mallory.tx.bytes(), &word);
    }
    for slot in 0..128 {
        if next(&mut state).is_multiple_of(4) {
            let [target, frame, offset, length] = [(); 4].map(|()| next(&mut state));
            mallory.from_client.descriptors.store(
                slot,
                Descriptor {
                    source: Address { frame: frame % 17, offset: offset % 4097 },
                    length: length % 9000,
                    target: (target % 5) as u16,
                    #[expect(clippy::cast_possible_truncation, reason = "any byte will do")]
                    flags: (frame >> 16) as u8 & (flags::CHAINED | flags::NO_SIGNAL | flags::PASSED_OVER),
                    time_to_live: offset % 3,
                    ..Descriptor::default()
                },
            );
            let place = Address { frame: frame % 65, offset: 0 };
            #[expect(clippy::cast_possible_truncation, reason = "any byte will do")]
            let marks = (offset >> 16) as u8 & (Post::PASSED_OVER | Post::WITHDRAWN);
            mallory
                .from_client
                .posts
                .store(slot, Post { place, length: length % 5000, from: 2, kind: 0, marks });
        }
    }
    match strike % 16 {
        0 => {
            mallory.enter();
        }
        8 => mallory.from_client.transmit_tail.publish(next(&mut state)),
        _ => {
            let tail = mallory.to_client.transmit_head.observe().wrapping_add(next(&mut state) % 128);
            mallory.from_client.transmit_tail.publish(tail);
            let tail = mallory.to_client.post_head.observe().wrapping_add(next(&mut state) % 128);
            mallory.from_client.post_tail.publish(tail);
            mallory.from_client.withdrawals.publish(next(&mut state) % 4);
        }
    }
    mallory.ring();
    mallory.notes[0] = state;
    match mallory.to_client.standing() {
        Standing::Quarantined => mallory.notes[1] = 1,
        Standing::Open if mallory.notes[1] == 1 => mallory.notes[2] = 1,
        _ => {}
    }
    strike >= STRIKES && mallory.notes[2] == 1
}

pub(in super::super) const T38: Scenario = Scenario {
    name: "t38_noise_at_arbitrary_moments",
    gamma: Some(|gamma: &mut Actor<'_>| {
        // Whatever the noise makes of mallory's entries, gamma has offered no buffer.
        gamma.rx.lay_canaries();
        gamma.tx.lay_canaries();
        for _ in 0..100 {
            gamma.rest();
        }
        ensure!(gamma.rx.canaries_stand_around(&(0..0)), "an unposted buffer is unchanged");
        ensure!(gamma.tx.canaries_stand_around(&(0..0)), "a transmit buffer is unchanged");
        Ok(())
    }),
    mallory: Some(|mallory, strike| Ok(make_noise(mallory, strike))),
    ..ATTACK
};

pub(in super::super) const T39: Scenario = Scenario {
    name: "t39_payload_rewritten_during_the_copy_is_the_senders_own",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.rx.lay_canaries();
        for _ in 0..20 {
            gamma.post(8192, 8192, Some(Role::Mallory));
            ensure!(gamma.receive()?.length == 8192, "the whole message arrives");
            ensure!(
                gamma.rx.each(8192, 8192, |_, byte| byte == 0x11 || byte == 0x22),
                "each byte is one that mallory has written"
            );
        }
        ensure!(gamma.rx.canaries_stand_around(&(8192..16384)), "no byte outside what was offered changed");
        Ok(())
    }),
    mallory: Some(|mallory, strike| {
        mallory.tx.flood(if strike % 2 == 0 { 0x11 } else { 0x22 });
        if mallory.notes[0] == 0 {
            mallory.notes[0] = mallory.send(Actor::message(Role::Gamma, 4096, 8192)) + 1;
        } else if mallory.status(mallory.notes[0] - 1).is_some_and(ferry_layout::Status::is_final) {
            mallory.notes[0] = 0;
            mallory.notes[1] += 1;
        }
        Ok(mallory.notes[1] >= 20)
    }),
    ..ATTACK
};
