//! Threats that only a real kernel can answer, and one attack of each class on the real engine under it.

use ferry_layout::{Descriptor, Standing, Status, flags};

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::scenario::{Ending, Fault, Role, Scenario, Touch};

/// Honest traffic from alpha to beta while gamma does its worst.
fn honest_sender(alpha: &mut Actor<'_>) -> Result<(), Clue> {
    for round in 0..40_u64 {
        let seed = u8::try_from(round).unwrap_or(0);
        alpha.tx.fill(0, 600, seed);
        let send = alpha.send(Descriptor { tag: round, ..Actor::message(Role::Beta, 0, 600) });
        ensure!(alpha.end_of(send)? == Status::Done, "honest sends are done");
    }
    Ok(())
}

fn honest_receiver(beta: &mut Actor<'_>) -> Result<(), Clue> {
    for round in 0..40_u64 {
        beta.post(64, 600, Some(Role::Alpha));
        let delivery = beta.receive()?;
        ensure!((delivery.source, delivery.tag) == (0, round), "honest messages arrive, in order");
        ensure!(beta.rx.holds(64, 600, u8::try_from(round).unwrap_or(0)), "intact");
    }
    Ok(())
}

pub(super) const T01: Scenario = Scenario {
    name: "t01_a_client_cannot_forge_a_status",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // Central's page, read-only here: the kernel stops the forger, and nobody else.
        alpha.into.status(0).set(0, Status::Done);
        ensure!(false, "the write has faulted");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 64, Some(Role::Gamma));
        beta.receive()?;
        Ok(())
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.rest();
        let send = gamma.send(Actor::message(Role::Beta, 0, 64));
        ensure!(gamma.end_of(send)? == Status::Done, "the others go on");
        Ok(())
    }),
    fault: Some(Fault { domain: "alpha", kind: "write" }),
    ending: Ending::By(Role::Gamma),
    ..Scenario::IDLE
};

pub(super) const T02: Scenario = Scenario {
    name: "t02_an_impossible_tail_is_quarantined_and_harms_nobody",
    alpha: Some(honest_sender),
    beta: Some(honest_receiver),
    gamma: Some(|gamma: &mut Actor<'_>| {
        for tail in [129, 1000, u32::MAX, 1 << 31] {
            gamma.out.transmit_tail.publish(tail);
            gamma.ring();
            gamma.until(Standing::Quarantined)?;
            gamma.restart()?;
        }
        Ok(())
    }),
    touch: Touch::Census,
    ..Scenario::IDLE
};

pub(super) const T03: Scenario = Scenario {
    name: "t03_a_flood_of_invalid_entries_is_consumed_and_harms_nobody",
    alpha: Some(honest_sender),
    beta: Some(honest_receiver),
    gamma: Some(|gamma: &mut Actor<'_>| {
        for round in 0..20_u32 {
            for entry in 0..128 {
                gamma.store(Descriptor {
                    kind: u8::try_from(entry % 4).unwrap_or(0),
                    flags: u8::try_from(entry * 2 % 256).unwrap_or(0) & !flags::CHAINED,
                    ..Actor::message(Role::Beta, u64::from(entry) << 30, u32::MAX - entry)
                });
            }
            let tail = (round + 1) * 128;
            gamma.out.transmit_tail.publish(tail);
            gamma.ring();
            gamma.wait(|gamma| gamma.into.transmit_head.observe() == tail)?;
        }
        ensure!(gamma.into.standing() == Standing::Open, "an invalid entry is no breach of the protocol");
        Ok(())
    }),
    touch: Touch::Census,
    ..Scenario::IDLE
};

pub(super) const T04: Scenario = Scenario {
    name: "t04_a_descriptor_rewritten_meanwhile_moves_nothing_it_should_not",
    alpha: Some(honest_sender),
    beta: Some(honest_receiver),
    gamma: Some(|gamma: &mut Actor<'_>| {
        let end = gamma.tx.bytes() as u64;
        for round in 0..100_u32 {
            let index = gamma.publish(Actor::message(Role::Beta, 0, 1));
            gamma.ring();
            // Rewrites the slot at whatever moment this is; central has its own copy or reads nonsense.
            gamma.out.descriptors.store(index, Actor::message(Role::Beta, end - u64::from(round % 2), 2));
            let seen = gamma.status(index);
            ensure!(
                matches!(seen, None | Some(Status::Queued | Status::Done | Status::BadSource)),
                "what was published is what is judged"
            );
            if gamma.status(index) == Some(Status::Queued) {
                // Nothing of beta is posted for gamma, so all of these wait; a new epoch drops them.
                gamma.restart()?;
            }
        }
        gamma.restart()
    }),
    touch: Touch::Census,
    ..Scenario::IDLE
};

pub(super) const T05: Scenario = Scenario {
    name: "t05_a_chain_without_end_is_refused",
    alpha: Some(honest_sender),
    beta: Some(honest_receiver),
    gamma: Some(|gamma: &mut Actor<'_>| {
        for _ in 0..40 {
            gamma.store(Descriptor { flags: flags::CHAINED, ..Actor::message(Role::Beta, 0, 1) });
        }
        gamma.send(Actor::message(Role::Beta, 0, 1));
        for index in 0..41 {
            ensure!(gamma.end_of(index)? == Status::BadLength, "every part is refused");
        }
        Ok(())
    }),
    touch: Touch::Census,
    ..Scenario::IDLE
};
