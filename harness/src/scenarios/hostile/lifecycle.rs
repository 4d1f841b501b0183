//! Real and feigned restarts: epochs, the magic, and what is left of an old epoch.

use ferry_layout::geometry::ABI_VERSION;
use ferry_layout::{Descriptor, Standing, Status};

use super::{ATTACK, honest};
use crate::actor::Actor;
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Feature, Scenario, Trace};

/// Tag of what gamma sends in its last epoch.
const NEW: u64 = 7;

pub(in super::super) const T60: Scenario = Scenario {
    name: "t60_stale_entries_of_the_old_epoch_are_never_acted_on",
    beta: Some(|beta: &mut Actor<'_>| {
        honest::receiver(beta)?;
        // By now gamma has dropped the sends that waited for this buffer.
        beta.post(0, 9, Some(Role::Gamma));
        ensure!(beta.receive()?.tag == NEW, "what waited in the old epoch does not come");
        Ok(())
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        // Entries that are taken and have ended, that are taken and wait, and that are stored and not
        // published.
        let bad = Descriptor { kind: 0xff, ..Actor::message(Role::Beta, 0, 1) };
        for slot in 0..8 {
            gamma.store(if slot % 2 == 0 { bad } else { Actor::message(Role::Beta, 0, 9) });
        }
        gamma.from_client.transmit_tail.publish(4);
        gamma.ring();
        gamma.until_queued(3)?;
        gamma.restart()?;
        gamma.rest();
        ensure!((0..8).all(|index| gamma.status(index).is_none()), "statuses are forgotten");
        ensure!(gamma.to_client.transmit_head.observe() == 0, "the queue is at its beginning");
        // An entry in a slot counts only when it is published in the new epoch.
        gamma.from_client.transmit_tail.publish(1);
        gamma.ring();
        ensure!(gamma.end_of(0)? == Status::Malformed, "what is published has a status");
        ensure!(gamma.status(1).is_none(), "what is not published has no status");
        gamma.restart()?;
        let send = gamma.send(Descriptor { tag: NEW, ..Actor::message(Role::Beta, 0, 9) });
        ensure!(gamma.end_of(send)? == Status::Done, "the new epoch is served");
        Ok(())
    }),
    ..ATTACK
};

pub(in super::super) const T62: Scenario = Scenario {
    name: "t62_an_epoch_is_no_way_out_of_quarantine_but_by_beginning_anew",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let epoch = gamma.to_client.epoch.observe();
        gamma.from_client.transmit_tail.publish(200);
        gamma.ring();
        gamma.until(Standing::Quarantined)?;
        // The same epoch again, with valid indices or without the magic, changes nothing.
        for has_magic in [true, false] {
            gamma.from_client.clear_magic();
            gamma.from_client.transmit_tail.publish(1);
            if has_magic {
                gamma.from_client.ask_for_epoch(epoch);
            }
            gamma.ring();
            gamma.rest();
            ensure!(gamma.to_client.standing() == Standing::Quarantined, "it stays in quarantine");
            ensure!(gamma.status(0).is_none(), "and nothing is served");
        }
        gamma.restart()?;
        ensure!(gamma.to_client.standing() == Standing::Open, "another epoch is let in");
        Ok(())
    }),
    ..ATTACK
};

pub(in super::super) const T63: Scenario = Scenario {
    name: "t63_a_storm_of_epochs_harms_only_its_waiting_senders",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for _ in 0..100 {
            gamma.restart()?;
            gamma.rest();
        }
        Ok(())
    }),
    mallory: Some(|mallory, _| {
        // Mallory waits for gamma, and must see `PeerReset` each time.
        let [waiting, told, ..] = mallory.notes;
        mallory.from_client.wake.arm();
        if waiting == 0 {
            mallory.notes[0] = mallory.send(Actor::message(Role::Gamma, 0, 4)) + 1;
        } else if let Some(status) = mallory.status(waiting - 1).filter(|status| status.is_final()) {
            ensure!(status == Status::PeerReset, "the waiting send ends with PeerReset");
            mallory.notes = [0, told + 1, 0, 0];
        }
        Ok(told >= 10)
    }),
    ..ATTACK
};

pub(in super::super) const T64: Scenario = Scenario {
    name: "t64_without_the_magic_or_in_another_version_nothing_is_read",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let epoch = gamma.to_client.epoch.observe();
        gamma.store(Descriptor { kind: 0xff, ..Actor::message(Role::Beta, 0, 9) });
        let versions = [0, ABI_VERSION - 1, ABI_VERSION + 1, u32::MAX].map(|version| (4, version));
        for (place, word) in [(0, 0), (0, u32::MAX)].into_iter().chain(versions) {
            gamma.from_client.clear_magic();
            gamma.from_client.transmit_tail.publish(0);
            gamma.from_client.ask_for_epoch(epoch);
            gamma.raw_out.write(place, &word.to_le_bytes());
            // Not even an impossible index counts, because the client may just be resetting its page.
            for tail in [1, 500] {
                gamma.from_client.transmit_tail.publish(tail);
                gamma.ring();
                gamma.rest();
                ensure!(gamma.status(0).is_none(), "nothing is read");
                ensure!(gamma.to_client.standing() == Standing::Open, "no index is a breach");
            }
        }
        gamma.from_client.ask_for_epoch(epoch);
        gamma.ring();
        gamma.until(Standing::Quarantined)?;
        gamma.restart()
    }),
    ..ATTACK
};

/// Tag of gamma's last message.
const ENOUGH: u64 = 1;

pub(in super::super) const T66: Scenario = Scenario {
    name: "t66_colluders_restart_while_they_send_to_each_other",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.rx.lay_canaries();
        for _ in 0..40 {
            gamma.restart()?;
            for _ in 0..8 {
                gamma.post(8192, 128, Some(Role::Mallory));
                gamma.send(Actor::message(Role::Mallory, 0, 100));
            }
            gamma.rest();
        }
        ensure!(gamma.rx.canaries_stand_around(&(8192..8192 + 100)), "nothing was written elsewhere");
        // The last message. Mallory must get it in one of its epochs.
        gamma.restart()?;
        while {
            let word = Actor::message(Role::Mallory, 0, 0);
            let send = gamma.send(Descriptor { tag: ENOUGH, ..word });
            gamma.end_of(send)? != Status::Done
        } {}
        gamma.restart()
    }),
    mallory: Some(|mallory, strike| {
        if mallory.is_in() {
            while let Some(delivery) = mallory.poll() {
                if delivery.tag == ENOUGH {
                    return Ok(true);
                }
            }
            for _ in 0..4 {
                mallory.post(4096, 128, Some(Role::Gamma));
                mallory.send(Actor::message(Role::Gamma, 4096, 100));
            }
        }
        if strike % 7 == 6 {
            mallory.enter();
        }
        Ok(false)
    }),
    ..ATTACK
};

/// Number of restarts of mallory that alpha sees.
const RESTARTS: u32 = 5;

pub(in super::super) const T68: Scenario = Scenario {
    name: "t68_frames_that_a_flow_keeps_mapped_are_let_go_with_their_owner",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // Alpha sends again and again, so that the kept frames are never unused for a whole tick.
        let mut done = 0;
        while done < RESTARTS {
            let send = alpha.send(Actor::message(Role::Mallory, 0, 100));
            match alpha.end_of(send)? {
                Status::Done => done += 1,
                end => ensure!(end == Status::PeerReset, "each send has a documented end"),
            }
        }
        Ok(())
    }),
    mallory: Some(|mallory, _| {
        if !mallory.is_in() {
            return Ok(false);
        }
        let [posted, restarts, ..] = mallory.notes;
        if posted == 0 {
            mallory.from_client.wake.arm();
            mallory.post(4096, 100, Some(Role::Alpha));
            mallory.notes[0] = 1;
        } else if mallory.poll().is_some() {
            // Mallory restarts at once, because it has been signalled.
            mallory.enter();
            mallory.notes = [0, restarts + 1, 0, 0];
        }
        Ok(restarts == RESTARTS)
    }),
    trace: Trace::Contains(&[
        "map mallory rx 1 holds mallory rx 1",
        "copy 100",
        "unmap mallory rx 1",
        "map mallory rx 1 holds mallory rx 1",
        "copy 100",
        "unmap mallory rx 1",
        "map mallory rx 1 holds mallory rx 1",
        "copy 100",
        "unmap mallory rx 1",
        "map mallory rx 1 holds mallory rx 1",
        "copy 100",
        "unmap mallory rx 1",
    ]),
    // Otherwise mallory does not see at once that something has arrived.
    needs: &[Feature::Priorities],
    ..Scenario::IDLE
};

pub(in super::super) const T69: Scenario = Scenario {
    name: "t69_a_client_that_has_cleared_its_magic_is_not_quarantined",
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.post(8192, 8, Some(Role::Mallory));
        gamma.receive()?;
        let word = gamma.send(Actor::message(Role::Mallory, 0, 0));
        ensure!(gamma.end_of(word)? == Status::Done, "mallory is told to send again");
        // As at the beginning of a restart: the indices would be impossible, and another client sends to
        // gamma.
        gamma.from_client.clear_magic();
        gamma.from_client.transmit_tail.publish(0);
        gamma.from_client.post_tail.publish(0);
        gamma.from_client.delivery_head.publish(0);
        for _ in 0..20 {
            gamma.rest();
        }
        ensure!(gamma.to_client.standing() == Standing::Open, "it is not quarantined");
        gamma.restart()
    }),
    mallory: Some(|mallory, strike| {
        // Note: the index of mallory's second send plus one.
        let [second, ..] = mallory.notes;
        if strike == 0 {
            mallory.post(0, 1, Some(Role::Gamma));
            mallory.send(Actor::message(Role::Gamma, 0, 8));
        } else if second == 0 && mallory.poll().is_some() {
            // By the next strike gamma has cleared its magic.
            mallory.notes[0] = u32::MAX;
        } else if second == u32::MAX {
            mallory.notes[0] = mallory.send(Actor::message(Role::Gamma, 0, 8)) + 1;
        } else if second != 0 {
            let status = mallory.status(second - 1);
            ensure!(status != Some(Status::Quarantined), "gamma is not quarantined");
            return Ok(status == Some(Status::PeerReset));
        }
        Ok(false)
    }),
    ..ATTACK
};
