//! Honest traffic from alpha to beta beside an attack, with canaries in every byte that nobody may write.

use core::ops::Range;

use ferry_layout::{Descriptor, Status};

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;

/// Messages of one exchange.
const ROUNDS: u64 = 40;
/// Bytes of each message.
const LENGTH: u32 = 600;
/// Where beta receives.
const PLACE: Range<usize> = 64..64 + LENGTH as usize;

/// Sends the messages one after the other. Nothing may write to alpha's buffers.
pub(super) fn sender(alpha: &mut Actor<'_>) -> Result<(), Clue> {
    alpha.tx.lay_canaries();
    alpha.rx.lay_canaries();
    for round in 0..ROUNDS {
        alpha.tx.fill(0, LENGTH as usize, seed(round));
        let send = alpha.send(Descriptor { tag: round, ..Actor::message(Role::Beta, 0, LENGTH) });
        ensure!(alpha.end_of(send)? == Status::Done, "honest sends are done");
    }
    ensure!(alpha.tx.canaries_stand_around(&(0..LENGTH as usize)), "a transmit buffer is unchanged");
    ensure!(alpha.rx.canaries_stand_around(&(0..0)), "an unposted buffer is unchanged");
    Ok(())
}

/// Receives from alpha only, always into the same place.
pub(super) fn receiver(beta: &mut Actor<'_>) -> Result<(), Clue> {
    beta.tx.lay_canaries();
    beta.rx.lay_canaries();
    for round in 0..ROUNDS {
        beta.post(PLACE.start as u64, LENGTH, Some(Role::Alpha));
        let delivery = beta.receive()?;
        ensure!(
            (delivery.source, delivery.tag) == (Role::Alpha.number(), round),
            "honest messages arrive, in order, under their sender's name"
        );
        ensure!(beta.rx.holds(PLACE.start, PLACE.len(), seed(round)), "intact");
    }
    ensure!(beta.rx.canaries_stand_around(&PLACE), "no byte outside what was offered has changed");
    ensure!(beta.tx.canaries_stand_around(&(0..0)), "a transmit buffer is unchanged");
    Ok(())
}

/// Seed of the pattern of one message.
fn seed(round: u64) -> u8 {
    u8::try_from(round).unwrap_or(0)
}
