//! One-way flows: the sender sees `Done` whatever the receiver does, and the receiver sees what it has
//! missed.

use ferry_layout::{Descriptor, Status};

use super::requests::{await_sign, relay};
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Change, Scenario};

/// Messages for which beta has no buffer.
const MISSED: u64 = 3;

/// Alpha sends to beta, and waits for the end.
fn send(alpha: &mut Actor<'_>, tag: u64) -> Result<(), Clue> {
    let send = alpha.send(Descriptor { tag, ..Actor::message(Role::Beta, 0, 64) });
    ensure!(alpha.end_of(send)? == Status::Done, "the send is done, whatever became of it");
    Ok(())
}

pub(super) const T140: Scenario = Scenario {
    name: "t140_a_receiver_that_posts_nothing_does_not_show_in_a_one_way_flow",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for tag in 0..MISSED {
            send(alpha, tag)?;
        }
        // Beta posts only after that.
        alpha.send(Actor::message(Role::Gamma, 0, 0));
        alpha.post(0, 1, Some(Role::Beta));
        alpha.receive()?;
        send(alpha, MISSED)
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        ensure!(beta.to_client.dropped.get() == MISSED, "they are counted where only beta reads");
        beta.post(4096, 4096, Some(Role::Alpha));
        beta.send(Actor::message(Role::Alpha, 0, 0));
        let delivery = beta.receive()?;
        ensure!(delivery.tag == MISSED, "what there was no buffer for never comes");
        ensure!(delivery.sequence == MISSED, "its numbers are missing");
        Ok(())
    }),
    gamma: Some(relay),
    flows: &[Change::OneWay { from: Role::Alpha, to: Role::Beta }],
    ..Scenario::IDLE
};
