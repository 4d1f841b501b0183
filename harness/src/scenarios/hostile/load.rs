//! Floods, storms and silence: everything is consumed, or it waits.

use ferry_layout::{Descriptor, Post, Standing, Status, flags};

use super::ATTACK;
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::Scenario;

/// Fills mallory's ring with entries that are refused, whenever there is room again.
fn flood(mallory: &mut Actor<'_>, strike: u32) -> Result<bool, Clue> {
    let head = mallory.to_client.transmit_head.observe();
    for slot in 0..128 {
        mallory
            .from_client
            .descriptors
            .store(slot, Descriptor { kind: 0xff, ..Actor::message(Role::Beta, 0, 1) });
    }
    mallory.from_client.transmit_tail.publish(head.wrapping_add(128));
    mallory.ring();
    ensure!(mallory.to_client.standing() == Standing::Open, "an invalid entry is no breach of the protocol");
    Ok(strike > 50 && head > 256)
}

pub(in super::super) const T43: Scenario = Scenario {
    name: "t43_never_posting_holds_up_nobody_else",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.rx.lay_canaries();
        gamma.rest();
        ensure!(gamma.rx.canaries_stand_around(&(0..0)), "an unposted buffer is unchanged");
        Ok(())
    }),
    mallory: Some(|mallory, strike| {
        if strike == 0 {
            for _ in 0..100 {
                mallory.store(Actor::message(Role::Gamma, 0, 4));
            }
            mallory.publish_sends();
        }
        let waiting = (0..100).all(|index| mallory.status(index) == Some(Status::Queued));
        ensure!(waiting || strike < 60, "every message that gamma does not take waits");
        Ok(waiting && strike > 20)
    }),
    ..ATTACK
};

pub(in super::super) const T50: Scenario = Scenario {
    name: "t50_a_flood_of_invalid_entries_is_consumed_at_a_bounded_price",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for round in 0..20_u32 {
            // In every fourth lap all entries are marked as passed over.
            let passed_over = if round % 4 == 3 { flags::PASSED_OVER } else { 0 };
            for entry in 0..128 {
                gamma.store(Descriptor {
                    kind: u8::try_from(entry % 4).unwrap_or(0),
                    flags: u8::try_from(entry * 2 % 128).unwrap_or(0) | passed_over,
                    ..Actor::message(Role::Beta, u64::from(entry) << 30, u32::MAX - entry)
                });
            }
            let tail = (round + 1) * 128;
            gamma.from_client.transmit_tail.publish(tail);
            gamma.ring();
            gamma.wait(|gamma| gamma.to_client.transmit_head.observe() == tail)?;
        }
        ensure!(
            gamma.to_client.standing() == Standing::Open,
            "an invalid entry is no breach of the protocol"
        );
        Ok(())
    }),
    mallory: Some(flood),
    ..ATTACK
};

pub(in super::super) const T51: Scenario = Scenario {
    name: "t51_a_flood_of_invalid_requests_is_answered_while_there_is_room",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for _ in 0..2 {
            for _ in 0..128 {
                gamma.store_request(Post { kind: 0xff, ..Post::default() });
            }
            gamma.publish_requests();
            gamma.wait(|gamma| gamma.to_client.delivery_tail.observe() == 128)?;
        }
        gamma.rest();
        ensure!(gamma.to_client.delivery_tail.observe() == 128, "as many answers as there is room for");
        ensure!(gamma.to_client.post_head.observe() == 128, "the rest of the requests waits");
        gamma.restart()
    }),
    ..ATTACK
};

pub(in super::super) const T52: Scenario = Scenario {
    name: "t52_never_reaping_and_never_taking_harms_nobody_else",
    gamma: Some(|gamma: &mut Actor<'_>| {
        // Gamma always offers buffers and takes nothing.
        gamma.rx.lay_canaries();
        for _ in 0..2 {
            for _ in 0..128 {
                gamma.store_request(Post { length: 64, from: Role::Mallory.number(), ..Post::default() });
            }
            gamma.publish_requests();
            gamma.wait(|gamma| gamma.to_client.delivery_tail.observe() == 128)?;
        }
        for _ in 0..5 {
            gamma.rest();
        }
        ensure!(gamma.to_client.delivery_tail.observe() == 128, "no more than the queue has room for");
        ensure!(gamma.rx.canaries_stand_around(&(0..8)), "nothing was written elsewhere");
        gamma.restart()
    }),
    mallory: Some(|mallory, strike| {
        // Mallory sends as much as it can. What still waits when gamma restarts ends then.
        if strike == 0 {
            for _ in 0..128 {
                mallory.store(Actor::message(Role::Gamma, 0, 8));
            }
            mallory.publish_sends();
        }
        if mallory.notes[0] == 0 && mallory.status(127) == Some(Status::Done) {
            mallory.send(Actor::message(Role::Gamma, 0, 8));
            mallory.notes[0] = 1;
        }
        ensure!(mallory.status(128) != Some(Status::Done), "the last finds no room");
        Ok(mallory.status(128).is_some())
    }),
    ..ATTACK
};

pub(in super::super) const T53: Scenario = Scenario {
    name: "t53_a_storm_of_signals_without_entries",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for _ in 0..3000 {
            gamma.ring();
        }
        ensure!(gamma.to_client.standing() == Standing::Open, "signals are no breach of the protocol");
        Ok(())
    }),
    mallory: Some(|mallory, strike| {
        for _ in 0..10 {
            mallory.ring();
        }
        Ok(strike > 100)
    }),
    ..ATTACK
};

pub(in super::super) const T53_TICKS: Scenario = Scenario {
    name: "t53_signals_of_clients_are_no_ticks",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // Ten seconds. The signals take less than one.
        let message = Descriptor { time_to_live: 2000, ..Actor::message(Role::Beta, 0, 8) };
        let send = alpha.send(message);
        alpha.until_queued(send)?;
        for _ in 0..4000 {
            alpha.ring();
        }
        ensure!(alpha.status(send) == Some(Status::Queued), "a message does not expire because of signals");
        Ok(())
    }),
    ..Scenario::IDLE
};
