//! Guarantee 7: whatever the others do, an honest flow gets at least nine tenths of its fair share of the
//! bytes.
//!
//! Three senders compete for what central copies to beta. By configuration each has the same share of a
//! round. The lengths of the honest messages differ and do not divide that share. The hostile senders keep
//! their rings full of messages as large as beta takes, of two parts and two rounds each, and of entries that
//! are refused. Beta offers buffers to all senders and adds up the bytes that it gets from each.
//!
//! That is a contest only while all three have something to send. The honest senders check that they always
//! have, and beta checks that mallory takes part. The contest goes on over some hundred rounds, so that a
//! turn more or less at either end does not matter.

use ferry_layout::{Address, Descriptor, Post, Standing, Status, flags};

use super::ATTACK;
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Feature, Scenario, WitnessAct};

/// Bytes of each honest sender's messages.
const ALPHAS: u32 = 24_000;
const GAMMAS: u32 = 40_000;
/// Bytes of each part of a hostile message, which is a whole transmit buffer, and of the whole message.
const PART: u32 = 16 * 4096;
const WHOLE: u32 = 2 * PART;
/// Messages that an honest sender has under way. They are so many that they last longer than a bout.
const READY: u32 = 120;
/// Buffers that beta offers in a bout, and number of bouts.
const BUFFERS: u32 = 112;
const BOUTS: u32 = 6;
/// Number of senders in the contest.
const CONTENDERS: u64 = 3;

/// Keeps `READY` messages of `length` bytes under way until beta says that the contest is over.
fn contend(actor: &mut Actor<'_>, length: u32) -> Result<(), Clue> {
    actor.post(0, 1, Some(Role::Beta));
    // This message tells beta that all messages after it are published.
    actor.store(Actor::message(Role::Beta, 0, 0));
    let (mut ended, mut stored) = (0_u32, 1_u32);
    loop {
        // The sends end in order, because all are for one peer. So no slot is in use when the ring comes
        // round to it.
        while ended != stored && actor.status(ended).is_some_and(Status::is_final) {
            ended = ended.wrapping_add(1);
        }
        ensure!(stored == 1 || ended != stored, "an honest sender always has more");
        while stored.wrapping_sub(ended) < READY {
            actor.store(Actor::message(Role::Beta, 0, length));
            stored = stored.wrapping_add(1);
        }
        actor.publish_sends();
        actor.pause();
        if actor.poll().is_some() {
            break;
        }
    }
    // The new epoch drops what is still under way.
    actor.restart()
}

/// Fills all slots of the ring with large messages and three times as many entries that are refused. Central
/// passes over the slots that are in use, although they are not marked.
fn flood(actor: &Actor<'_>) -> Result<(), Clue> {
    let head = actor.to_client.transmit_head.observe();
    let part = Actor::message(Role::Beta, 0, PART);
    for slot in 0..128 {
        let entry = match slot % 8 {
            0 => Descriptor { flags: flags::CHAINED, ..part },
            1 => part,
            _ => Descriptor { kind: 0xff, ..part },
        };
        actor.from_client.descriptors.store(slot, entry);
    }
    actor.from_client.transmit_tail.publish(head.wrapping_add(128));
    actor.ring();
    ensure!(actor.to_client.standing() == Standing::Open, "an invalid entry is no breach of the protocol");
    Ok(())
}

/// Takes all messages of the contest, then tells alpha and gamma that it is over. Checks the bytes of each
/// sender.
fn umpire(beta: &mut Actor<'_>, honest: &[Role]) -> Result<(), Clue> {
    for peer in honest {
        beta.post(0, 1, Some(*peer));
    }
    for _ in honest {
        ensure!(beta.receive()?.length == 0, "the sign comes first");
    }
    let mut bytes = [0_u64; Role::ALL.len()];
    for _ in 0..BOUTS {
        // All other clients get the processor.
        beta.rest();
        for _ in 0..BUFFERS {
            let place = Address::default();
            beta.store_request(Post { place, length: WHOLE, from: Post::ANYONE, ..Post::default() });
        }
        beta.publish_requests();
        for _ in 0..BUFFERS {
            let delivery = beta.receive()?;
            if let Some(sum) = bytes.get_mut(usize::from(delivery.source)) {
                *sum += u64::from(delivery.length);
            }
        }
    }
    for peer in [Role::Alpha, Role::Gamma] {
        let word = beta.send(Actor::message(peer, 0, 0));
        ensure!(beta.end_of(word)? == Status::Done, "it is over");
    }
    let all: u64 = bytes.iter().sum();
    for role in Role::ALL {
        beta.print(format_args!("harness: {} of {all} bytes are from {}", bytes[role as usize], role.name()));
    }
    let share = |role: Role| bytes[role as usize] * CONTENDERS * 10;
    ensure!(share(Role::Mallory) >= all * 9, "mallory takes part in the contest");
    ensure!(
        honest.iter().all(|role| share(*role) >= all * 9),
        "each honest flow has nine tenths of its share"
    );
    Ok(())
}

/// Alpha is honest, and tells mallory of the end, because beta has no flow to mallory.
fn alpha(alpha: &mut Actor<'_>) -> Result<(), Clue> {
    contend(alpha, ALPHAS)?;
    let word = alpha.send(Actor::message(Role::Mallory, 0, 0));
    ensure!(alpha.end_of(word)? == Status::Done, "mallory is told");
    Ok(())
}

/// One of four clients is hostile.
pub(in super::super) const T56: Scenario = Scenario {
    name: "t56_honest_flows_keep_their_share_whatever_the_flood",
    alpha: Some(alpha),
    beta: Some(|beta: &mut Actor<'_>| umpire(beta, &[Role::Alpha, Role::Gamma])),
    gamma: Some(|gamma: &mut Actor<'_>| contend(gamma, GAMMAS)),
    mallory: Some(|mallory, strike| {
        if strike == 0 {
            mallory.post(0, 1, Some(Role::Alpha));
        }
        flood(mallory)?;
        Ok(mallory.poll().is_some())
    }),
    witness: WitnessAct::SilentCensus,
    // Otherwise beta cannot tell whether all are ready.
    needs: &[Feature::Priorities],
    ..ATTACK
};

/// Two of four clients are hostile.
pub(in super::super) const T56_TWO: Scenario = Scenario {
    name: "t56_an_honest_flow_keeps_its_share_beside_two_floods",
    beta: Some(|beta: &mut Actor<'_>| umpire(beta, &[Role::Alpha])),
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.post(0, 1, Some(Role::Beta));
        while gamma.poll().is_none() {
            flood(gamma)?;
            gamma.pause();
        }
        gamma.restart()
    }),
    ..T56
};
