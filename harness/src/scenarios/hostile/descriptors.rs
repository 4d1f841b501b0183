//! Descriptors with false places, lengths, targets, kinds and chains, and old entries that are published
//! again. Each ends in the documented status and is consumed.

use ferry_layout::{Address, Descriptor, Kind, Standing, Status, Verdict, flags};

use super::{ATTACK, honest};
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::Scenario;

/// Gamma sends each of `descriptors`. It ends with `status`, and gamma is not quarantined for it.
fn ends_with(
    gamma: &mut Actor<'_>,
    status: Status,
    descriptors: impl IntoIterator<Item = Descriptor>,
) -> Result<(), Clue> {
    for descriptor in descriptors {
        let send = gamma.send(descriptor);
        ensure!(gamma.end_of(send)? == status, "it ends with the documented status");
        // It is consumed. On several cores that may be visible later than the status, never earlier.
        gamma.wait(|gamma| gamma.to_client.transmit_head.observe() == send.wrapping_add(1))?;
        ensure!(gamma.to_client.standing() == Standing::Open, "it is no breach of the protocol");
    }
    Ok(())
}

/// A message to beta from any frame and offset; the frame number counts within gamma's transmit buffer.
fn from(frame: u32, offset: u32, length: u32) -> Descriptor {
    Descriptor { source: Address { frame, offset }, ..Actor::message(Role::Beta, 0, length) }
}

/// A message to any place of beta's receive buffer.
fn placed(frame: u32, offset: u32, length: u32) -> Descriptor {
    let destination = Address { frame, offset };
    Descriptor { destination, kind: Kind::Placed as u8, ..Actor::message(Role::Beta, 0, length) }
}

/// The same descriptor, with another part after it.
fn chained(descriptor: Descriptor) -> Descriptor {
    Descriptor { flags: flags::CHAINED, ..descriptor }
}

/// Publishes all of `parts` at once. Returns the status with which all of them have ended.
fn chain(gamma: &mut Actor<'_>, parts: &[Descriptor]) -> Result<Status, Clue> {
    let mut last = 0;
    for part in parts {
        last = gamma.store(*part);
    }
    gamma.publish_sends();
    let status = gamma.end_of(last)?;
    for age in (0..).take(parts.len()) {
        ensure!(gamma.end_of(last.wrapping_sub(age))? == status, "one message, one status");
    }
    Ok(status)
}

pub(in super::super) const T10: Scenario = Scenario {
    name: "t10_a_source_one_byte_past_the_region",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let region = 16 * 4096;
        let past = [from(15, 4095, 2), from(0, 1, region), from(16, 0, 1), from(15, 4096, 0)];
        ends_with(gamma, Status::BadSource, past)
    }),
    ..ATTACK
};

pub(in super::super) const T11: Scenario = Scenario {
    name: "t11_sums_that_wrap",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let most = 16 * 1024 * 1024;
        let wrapping = [
            from(u32::MAX, u32::MAX, most),
            from(1, u32::MAX, 1),
            from(u32::MAX, 4095, 1),
            from(1 << 20, 0, 4096),
            from(0, 0, most),
        ];
        ends_with(gamma, Status::BadSource, wrapping)?;
        // A length that no flow allows is refused first.
        ends_with(gamma, Status::BadLength, [from(0, 0, u32::MAX), from(0, 0, most + 1)])
    }),
    ..ATTACK
};

pub(in super::super) const T12: Scenario = Scenario {
    name: "t12_frames_of_nobody_of_central_and_of_others",
    gamma: Some(|gamma: &mut Actor<'_>| {
        // A frame number counts within the sender's own region, so no number names another's frame. The
        // numbers here are those that window addresses and capabilities of others would have.
        let frames = [16, 17, 1 << 11, 1 << 12, 1 << 19, (1 << 20) + 1, 0x10_0000, 1 << 31, u32::MAX];
        ends_with(gamma, Status::BadSource, frames.map(|frame| from(frame, 0, 64)))
    }),
    ..ATTACK
};

pub(in super::super) const T13: Scenario = Scenario {
    name: "t13_targets_that_are_nobody_or_not_allowed",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let to = |target| Descriptor { target, ..from(0, 0, 5) };
        ends_with(gamma, Status::NoTarget, [4, 31, 32, 255, u16::MAX].map(to))?;
        let urgent = Descriptor { flags: flags::URGENT, ..from(0, 0, 5) };
        ends_with(gamma, Status::Denied, [to(Role::Alpha.number()), to(Role::Gamma.number()), urgent])
    }),
    ..ATTACK
};

pub(in super::super) const T14: Scenario = Scenario {
    name: "t14_kinds_and_flags_that_mean_nothing",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let good = from(0, 0, 5);
        // A verdict, from a client that has nothing to judge.
        ends_with(gamma, Status::NoInspection, [Descriptor { kind: Verdict::KIND, ..good }])?;
        ends_with(gamma, Status::Malformed, (3..=u8::MAX).map(|kind| Descriptor { kind, ..good }))?;
        ends_with(gamma, Status::Malformed, (3..7).map(|bit| Descriptor { flags: 1 << bit, ..good }))?;
        // A mark on a slot that is free: there is no message at this index, and central writes no status for
        // it.
        let marked = gamma.store(Descriptor { flags: flags::PASSED_OVER | 0x40, ..good });
        ends_with(gamma, Status::Malformed, [Descriptor { flags: 0x40, ..good }])?;
        ensure!(gamma.status(marked).is_none(), "what is passed over is no message");
        Ok(())
    }),
    ..ATTACK
};

pub(in super::super) const T15: Scenario = Scenario {
    name: "t15_a_destination_that_nobody_opened",
    gamma: Some(|gamma: &mut Actor<'_>| {
        // The first place is one where beta has a buffer open for alpha.
        let places = [
            placed(0, 64, 600),
            placed(0, 0, 1),
            placed(15, 4095, 2),
            placed(16, 0, 0),
            placed(u32::MAX, 4095, 1),
            placed(0, u32::MAX, 1),
            placed(0, 4096, 0),
        ];
        ends_with(gamma, Status::BadDestination, places)
    }),
    ..ATTACK
};

pub(in super::super) const T16: Scenario = Scenario {
    name: "t16_lengths_beyond_the_flow_and_the_buffer",
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(8192, 100, Some(Role::Gamma));
        // This buffer stays open: the honest exchange ends with a check of every byte around its own place.
        honest::receiver(beta)
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.rest();
        ends_with(gamma, Status::BadLength, [from(0, 0, u32::MAX), from(0, 0, 1 << 30)])?;
        ends_with(gamma, Status::TooLong, [from(0, 0, 101), from(0, 0, 16 * 4096)])
    }),
    ..ATTACK
};

pub(in super::super) const T17: Scenario = Scenario {
    name: "t17_a_chain_without_end_is_consumed_and_refused",
    gamma: Some(|gamma: &mut Actor<'_>| {
        for slot in 0..128 {
            gamma.from_client.descriptors.store(slot, chained(from(0, 0, 1)));
        }
        // Three laps of a ring whose chain never ends.
        for lap in 1..=3 {
            gamma.from_client.transmit_tail.publish(lap * 128);
            gamma.ring();
            gamma.wait(|gamma| gamma.to_client.transmit_head.observe() == lap * 128)?;
            ensure!(
                (1..=128).all(|age| gamma.status(lap * 128 - age) == Some(Status::BadLength)),
                "each part of it is consumed and refused"
            );
        }
        ensure!(gamma.to_client.standing() == Standing::Open, "it is no breach of the protocol");
        gamma.restart()
    }),
    ..ATTACK
};

pub(in super::super) const T18: Scenario = Scenario {
    name: "t18_a_chain_whose_sum_wraps_or_that_changes_its_target",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let (one, region) = (chained(from(0, 0, 1)), chained(from(0, 0, 16 * 4096)));
        let other = Actor::message(Role::Mallory, 0, 1);
        for (parts, status) in [
            (&[one, from(0, 0, u32::MAX)][..], Status::BadSource),
            (&[one, other][..], Status::BadLength),
            (&[one, from(15, 4095, 2)][..], Status::BadSource),
            (&[one, Descriptor { flags: 0x40, ..from(0, 0, 1) }][..], Status::Malformed),
            (&[one; 16][..], Status::BadLength),
        ] {
            ensure!(chain(gamma, parts)? == status, "the whole chain ends with the documented status");
            // A new epoch, so that the refused chain does not affect the next one.
            gamma.restart()?;
        }
        // A mebibyte in sixteen parts, longer than beta's whole region. It waits, because no buffer is open
        // for it.
        for _ in 0..15 {
            gamma.store(region);
        }
        let last = gamma.send(from(0, 0, 16 * 4096));
        gamma.until_queued(last)?;
        gamma.restart()
    }),
    ..ATTACK
};

pub(in super::super) const T19: Scenario = Scenario {
    name: "t19_a_chain_whose_end_never_comes_waits_alone",
    gamma: Some(|gamma: &mut Actor<'_>| {
        let send = gamma.send(chained(from(0, 0, 1)));
        gamma.rest();
        ensure!(gamma.status(send).is_none(), "central waits for the end");
        ensure!(gamma.to_client.standing() == Standing::Open, "and does not take it for a breach");
        gamma.restart()
    }),
    ..ATTACK
};

pub(in super::super) const T20: Scenario = Scenario {
    name: "t20_replayed_entries_are_new_messages_and_old_statuses_are_not",
    beta: Some(|beta: &mut Actor<'_>| {
        // Two buffers for gamma. Whatever gamma replays, no third message of gamma arrives.
        for place in [8192, 12288] {
            beta.post(place, 8, Some(Role::Gamma));
        }
        for number in 0..2 {
            let delivery = beta.receive()?;
            ensure!((delivery.source, delivery.tag) == (Role::Gamma.number(), 77), "gamma's entry arrives");
            ensure!(delivery.sequence == number, "each time as a message of its own");
        }
        honest::receiver(beta)
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        let entry = Descriptor { tag: 77, ..from(0, 0, 8) };
        for slot in 0..128 {
            gamma.from_client.descriptors.store(slot, entry);
        }
        gamma.from_client.transmit_tail.publish(1);
        gamma.ring();
        ensure!(gamma.end_of(0)? == Status::Done, "the entry is carried out");
        // The same words are published again, a lap later, by the tail alone.
        gamma.from_client.transmit_tail.publish(128);
        gamma.ring();
        ensure!(gamma.end_of(1)? == Status::Done, "the second is another message");
        gamma.until_queued(127)?;
        gamma.from_client.transmit_tail.publish(130);
        gamma.ring();
        gamma.until_queued(129)?;
        ensure!(gamma.status(0).is_none() && gamma.status(1).is_none(), "a status is for the new index only");
        // A lap over slots that are all in use, whether or not they are marked.
        gamma.from_client.pass_over_send(200);
        gamma.from_client.transmit_tail.publish(258);
        gamma.ring();
        gamma.wait(|gamma| gamma.to_client.transmit_head.observe() == 258)?;
        let waits = |index| gamma.status(index) == Some(Status::Queued);
        ensure!((2..130).all(waits), "an entry that waits is neither sent without a buffer nor taken again");
        gamma.restart()
    }),
    ..ATTACK
};
