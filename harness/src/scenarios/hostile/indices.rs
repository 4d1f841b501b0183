//! Indices that no behaviour within the protocol leads to. The only consequence is quarantine.

use ferry_layout::{Descriptor, Standing, Status};

use super::ATTACK;
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::Scenario;

/// Gamma has sent one valid message and then does `attack`. It is in quarantine until it asks for a new
/// epoch.
fn is_quarantined_for(gamma: &mut Actor<'_>, attack: impl FnOnce(&Actor<'_>)) -> Result<(), Clue> {
    let send = gamma.send(Actor::message(Role::Gamma, 0, 1));
    ensure!(gamma.end_of(send)? == Status::Denied, "it is served before");
    attack(gamma);
    gamma.ring();
    gamma.until(Standing::Quarantined)?;
    // From here on central reads nothing of gamma but a request for another epoch.
    gamma.from_client.delivery_head.publish(0);
    gamma.from_client.post_tail.publish(0);
    let send = gamma.publish(Actor::message(Role::Gamma, 0, 1));
    gamma.ring();
    gamma.rest();
    ensure!(gamma.status(send).is_none(), "it is not served in quarantine");
    ensure!(gamma.to_client.standing() == Standing::Quarantined, "valid indices do not end quarantine");
    gamma.restart()?;
    ensure!(gamma.to_client.standing() == Standing::Open, "a new epoch ends quarantine");
    Ok(())
}

pub(in super::super) const T01: Scenario = Scenario {
    name: "t01_transmit_tail_runs_backwards",
    gamma: Some(|gamma: &mut Actor<'_>| {
        is_quarantined_for(gamma, |gamma| gamma.from_client.transmit_tail.publish(0))?;
        is_quarantined_for(gamma, |gamma| gamma.from_client.transmit_tail.publish(u32::MAX))
    }),
    ..ATTACK
};

pub(in super::super) const T02: Scenario = Scenario {
    name: "t02_transmit_tail_jumps_past_the_ring",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for jump in [129, 1000, 128 * 2, 1 << 31] {
            is_quarantined_for(gamma, |gamma| gamma.from_client.transmit_tail.publish(1 + jump))?;
        }
        Ok(())
    }),
    ..ATTACK
};

pub(in super::super) const T03: Scenario = Scenario {
    name: "t03_transmit_tail_claims_full_when_empty",
    gamma: Some(|gamma: &mut Actor<'_>| {
        // A ring full of zeros. They name alpha as target, and gamma has no flow to alpha.
        for slot in 0..128 {
            gamma.from_client.descriptors.store(slot, Descriptor::default());
        }
        gamma.from_client.transmit_tail.publish(128);
        gamma.ring();
        gamma.wait(|gamma| gamma.to_client.transmit_head.observe() == 128)?;
        ensure!(
            (0..128).all(|index| gamma.status(index) == Some(Status::Denied)),
            "each entry ends with its status"
        );
        ensure!(gamma.to_client.standing() == Standing::Open, "a full ring is no breach of the protocol");
        gamma.restart()
    }),
    ..ATTACK
};

pub(in super::super) const T04: Scenario = Scenario {
    name: "t04_post_tail_runs_backwards_or_past_the_ring",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for tail in [u32::MAX, 129, 128 * 3] {
            is_quarantined_for(gamma, |gamma| gamma.from_client.post_tail.publish(tail))?;
        }
        Ok(())
    }),
    ..ATTACK
};

pub(in super::super) const T05: Scenario = Scenario {
    name: "t05_delivery_head_past_what_was_delivered",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for head in [1, u32::MAX] {
            is_quarantined_for(gamma, |gamma| {
                gamma.from_client.delivery_head.publish(head);
                // Central reads the head when it has something to deliver. Here that is the refusal of this
                // request.
                gamma
                    .from_client
                    .posts
                    .store(0, ferry_layout::Post { kind: 0xff, ..ferry_layout::Post::default() });
                gamma.from_client.post_tail.publish(1);
            })?;
        }
        Ok(())
    }),
    ..ATTACK
};
