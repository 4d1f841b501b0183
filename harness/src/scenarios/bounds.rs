//! What bounds the work of a round, and of a run of rounds.

use ferry_layout::{Address, Descriptor, Post, Status, flags};

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Change, Feature, Scenario, WitnessAct};

/// Messages of each sender that wait for mallory's buffers.
const WAITING: u32 = 60;
/// Messages of a sender in one round.
const QUOTA: u32 = 2;

/// Sends messages that wait for mallory. The first one does not wait: it tells mallory that the others do.
fn wait_for_mallory(actor: &mut Actor<'_>) -> Result<(), Clue> {
    for _ in 0..=WAITING {
        actor.store(Actor::message(Role::Mallory, 0, 8));
    }
    actor.publish_sends();
    ensure!(actor.end_of(WAITING)? == Status::Done, "all are done in the end");
    Ok(())
}

/// Offers buffers for all waiting messages at once, and checks their order. A run of messages of one sender
/// is no longer than two quotas, because the sender that was last in one round may be first in the next.
fn offer_all_at_once(mallory: &mut Actor<'_>, strike: u32) -> Result<bool, Clue> {
    if strike == 0 {
        for peer in [Role::Alpha, Role::Gamma] {
            mallory.post(0, 8, Some(peer));
        }
    }
    while let Some(delivery) = mallory.poll() {
        // Notes: first messages of both senders, messages from alpha, messages from both, and the present
        // run.
        let [first, from_alpha, all, run] = &mut mallory.notes;
        if *first < 2 {
            *first += 1;
            continue;
        }
        let is_alphas = delivery.source == Role::Alpha.number();
        let from_gamma = *all - *from_alpha;
        let goes_on = *run != 0 && (*run & 1 == 1) == is_alphas;
        // The run's length times two. The lowest bit is set if it is alpha's.
        *run = if goes_on { *run + 2 } else { 2 + u32::from(is_alphas) };
        let both_wait = *from_alpha < WAITING && from_gamma < WAITING;
        ensure!(!both_wait || *run / 2 <= 2 * QUOTA, "the quota of a round counts what has waited");
        *from_alpha += u32::from(is_alphas);
        *all += 1;
    }
    let [first, _, all, run] = mallory.notes;
    if first == 2 && run == 0 && all == 0 {
        for number in 0..2 * WAITING {
            let place = Address { frame: 1, offset: number * 8 };
            mallory.store_request(Post { place, length: 8, from: Post::ANYONE, ..Post::default() });
        }
        mallory.publish_requests();
        // The buffers are offered only once.
        mallory.notes[0] = 3;
    }
    Ok(all == 2 * WAITING)
}

pub(super) const T120: Scenario = Scenario {
    name: "t120_the_quota_counts_what_has_waited",
    alpha: Some(wait_for_mallory),
    gamma: Some(wait_for_mallory),
    mallory: Some(offer_all_at_once),
    witness: WitnessAct::Silent,
    flows: &[
        Change::Share { of: Role::Alpha, bytes: 64 * 1024, messages: QUOTA },
        Change::Share { of: Role::Gamma, bytes: 64 * 1024, messages: QUOTA },
    ],
    ..Scenario::IDLE
};

/// Long messages of two parts and two steps each, and short messages beside them.
const LONG: u32 = 10;
const PART: u32 = 48 * 1024;
const SHORT: u32 = 40;

pub(super) const T121: Scenario = Scenario {
    name: "t121_a_share_below_one_step_takes_few_rounds",
    alpha: Some(|alpha| {
        for _ in 0..LONG {
            let part = Actor::message(Role::Beta, 0, PART);
            alpha.store(Descriptor { flags: flags::CHAINED, ..part });
            let last = alpha.send(part);
            ensure!(alpha.end_of(last)? == Status::Done, "each is done");
        }
        Ok(())
    }),
    beta: Some(|beta| {
        let offers = [(0, 2 * PART, Role::Alpha), (2 * PART, 1024, Role::Gamma)];
        for (place, length, from) in offers {
            beta.post(place.into(), length, Some(from));
        }
        let mut got = [0; 2];
        while got != [LONG, SHORT] {
            let delivery = beta.receive()?;
            let which = usize::from(delivery.source == Role::Gamma.number());
            let (place, length, from) = offers[which];
            ensure!(delivery.length == length, "each arrives whole");
            got[which] += 1;
            beta.post(place.into(), length, Some(from));
        }
        Ok(())
    }),
    gamma: Some(|gamma| {
        for _ in 0..SHORT {
            let send = gamma.send(Actor::message(Role::Beta, 0, 1024));
            ensure!(gamma.end_of(send)? == Status::Done, "others go on");
        }
        Ok(())
    }),
    // The share is one byte a round, so a step of 64 KiB would take as many rounds.
    flows: &[Change::Share { of: Role::Alpha, bytes: 1, messages: 128 }],
    witness: WitnessAct::Rounds(20),
    ..Scenario::IDLE
};

/// Bytes of a message between the two clients that keep central busy: a whole buffer.
const LARGE: u32 = 16 * 4096;
/// Messages that each of the two keeps under way: more than central can carry while the others run.
const READY: u32 = 120;
/// Tag of the message that ends the exchange.
const ENOUGH: u64 = 1;

/// Sends to `peer` without pause, into a window that `peer` holds open, until the last message comes.
fn keep_central_busy(actor: &mut Actor<'_>, peer: Role) -> Result<(), Clue> {
    actor.open_window(0, LARGE, peer);
    for from in [peer, Role::Gamma] {
        actor.post(0, 1, Some(from));
    }
    let (mut ended, mut stored) = (0_u32, 0);
    loop {
        // The sends end in order.
        while ended != stored && actor.status(ended).is_some_and(Status::is_final) {
            ended += 1;
        }
        while stored - ended < READY {
            stored = actor.store(Actor::message_to(peer, 0, 0, LARGE)) + 1;
        }
        actor.publish_sends();
        while let Some(delivery) = actor.poll() {
            if delivery.tag == ENOUGH {
                return Ok(());
            }
        }
    }
}

pub(super) const T123: Scenario = Scenario {
    name: "t123_periods_pass_while_two_clients_publish_without_pause",
    alpha: Some(|alpha| {
        keep_central_busy(alpha, Role::Beta)?;
        alpha.restart()
    }),
    beta: Some(|beta| {
        keep_central_busy(beta, Role::Alpha)?;
        beta.restart()?;
        let word = beta.send(Descriptor { tag: ENOUGH, ..Actor::message(Role::Alpha, 0, 0) });
        ensure!(beta.end_of(word)? == Status::Done, "alpha is told");
        Ok(())
    }),
    gamma: Some(|gamma| {
        for _ in 0..20 {
            // Mallory does not play, so nothing is posted for this send.
            let message = Actor::message(Role::Mallory, 0, 8);
            let send = gamma.send(Descriptor { time_to_live: 5, ..message });
            ensure!(gamma.end_of(send)? == Status::Expired, "time passes, however busy central is");
        }
        let word = gamma.send(Descriptor { tag: ENOUGH, ..Actor::message(Role::Beta, 0, 0) });
        ensure!(gamma.end_of(word)? == Status::Done, "beta is told");
        Ok(())
    }),
    flows: &[
        Change::Share { of: Role::Alpha, bytes: LARGE, messages: 1 },
        Change::Share { of: Role::Beta, bytes: LARGE, messages: 1 },
    ],
    witness: WitnessAct::Silent,
    needs: &[Feature::Processors],
    ..Scenario::IDLE
};
