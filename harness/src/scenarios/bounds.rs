//! What bounds the work of a round, and of a run of rounds.

use ferry_layout::{Address, Descriptor, Post, Status, flags};

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Change, Feature, Scenario, Touch};

/// Messages of each sender that wait.
const WAITING: u32 = 60;
/// Messages of a round.
const QUOTA: u32 = 2;

/// Has messages wait for mallory, all but the first, which tells her of them.
fn wait_for_mallory(actor: &mut Actor<'_>) -> Result<(), Clue> {
    for _ in 0..=WAITING {
        actor.store(Actor::message(Role::Mallory, 0, 8));
    }
    actor.publish_sends();
    ensure!(actor.end_of(WAITING)? == Status::Done, "all are done in the end");
    Ok(())
}

/// Offers buffers for all that wait at once, and looks who comes when: a run of messages of one sender is no
/// longer than two quotas, because the sender that was last in one round may be first in the next.
fn offer_all_at_once(mallory: &mut Actor<'_>, strike: u32) -> Result<bool, Clue> {
    if strike == 0 {
        for peer in [Role::Alpha, Role::Gamma] {
            mallory.post(0, 8, Some(peer));
        }
    }
    while let Some(delivery) = mallory.poll() {
        // The first messages of both, those of alpha, all of them, and the run that goes on now.
        let [first, from_alpha, all, run] = &mut mallory.notes;
        if *first < 2 {
            *first += 1;
            continue;
        }
        let is_alphas = delivery.source == Role::Alpha.number();
        let from_gamma = *all - *from_alpha;
        let goes_on = *run != 0 && (*run & 1 == 1) == is_alphas;
        // Its length, and whose it is in the lowest bit.
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
        // They are offered once.
        mallory.notes[0] = 3;
    }
    Ok(all == 2 * WAITING)
}

pub(super) const T120: Scenario = Scenario {
    name: "t120_the_quota_counts_what_has_waited",
    alpha: Some(wait_for_mallory),
    gamma: Some(wait_for_mallory),
    mallory: Some(offer_all_at_once),
    touch: Touch::Silent,
    flows: &[
        Change::Share { of: Role::Alpha, bytes: 64 * 1024, messages: QUOTA },
        Change::Share { of: Role::Gamma, bytes: 64 * 1024, messages: QUOTA },
    ],
    ..Scenario::IDLE
};

/// Long messages, of two parts and two steps each, and short ones beside them.
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
    // One byte a round: a step of 64 KiB would be as many rounds.
    flows: &[Change::Share { of: Role::Alpha, bytes: 1, messages: 128 }],
    touch: Touch::Rounds(20),
    ..Scenario::IDLE
};

/// Bytes of a message between the two that keep central busy: all of a buffer.
const LARGE: u32 = 16 * 4096;
/// Messages that each of them keeps under way: more than central can carry while the others run.
const READY: u32 = 120;
/// Tag of the word that it is over.
const ENOUGH: u64 = 1;

/// Sends to `peer` without pause, into a window that it holds open, until a word comes.
fn keep_central_busy(actor: &mut Actor<'_>, peer: Role) -> Result<(), Clue> {
    actor.open_window(0, LARGE, peer);
    for from in [peer, Role::Gamma] {
        actor.post(0, 1, Some(from));
    }
    let (mut ended, mut stored) = (0_u32, 0);
    loop {
        // They end in order.
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
            // Mallory is not there.
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
    touch: Touch::Silent,
    needs: &[Feature::Processors],
    ..Scenario::IDLE
};
