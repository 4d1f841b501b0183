//! How central and targets learn that something was published: by looking at queues, with and without
//! signals.

use ferry_client::Message;
use ferry_layout::{Descriptor, Status, flags};

use super::requests::{await_sign, relay};
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Feature, Scenario, Trace};

/// Number of messages of a series. Their tags count from 0.
const SERIES: u64 = 5;

pub(super) const R09: Scenario = Scenario {
    name: "r09_learns_of_a_request_by_polling_the_transmit_queue",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // Without a signal, only a look at the queue can find the send.
        let send = alpha.publish(Actor::message(Role::Beta, 0, 64));
        ensure!(alpha.end_of(send)? == Status::Done, "central has looked");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, None);
        beta.receive()?;
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R13: Scenario = Scenario {
    name: "r13_reads_the_task_from_the_transmit_queue",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for tag in 0..SERIES {
            let length = 10 + 100 * u32::try_from(tag).unwrap_or(0);
            alpha.send(Descriptor { tag, ..Actor::message(Role::Beta, tag * 4096, length) });
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for tag in 0..SERIES {
            beta.post(0, 4096, Some(Role::Alpha));
            let delivery = beta.receive()?;
            ensure!(delivery.tag == tag, "the tag is the descriptor's");
            ensure!(u64::from(delivery.length) == 10 + 100 * tag, "the length is the descriptor's");
        }
        Ok(())
    }),
    trace: Trace::Contains(&[
        "map alpha tx 0 holds alpha tx 0",
        "copy 10",
        "map alpha tx 1 holds alpha tx 1",
        "copy 110",
        "map alpha tx 4 holds alpha tx 4",
        "copy 410",
    ]),
    ..Scenario::IDLE
};

pub(super) const R14: Scenario = Scenario {
    name: "r14_a_client_that_never_signals_is_served_on_the_tick",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for tag in 0..SERIES {
            let send = alpha.publish(Descriptor { tag, ..Actor::message(Role::Beta, 0, 8) });
            ensure!(alpha.end_of(send)? == Status::Done, "one period later it is done");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for tag in 0..SERIES {
            beta.post(0, 4096, None);
            ensure!(beta.receive()?.tag == tag, "each arrives, in order");
        }
        Ok(())
    }),
    ..Scenario::IDLE
};

/// The period of the tick in `harness/flows.toml`, in microseconds.
const PERIOD_US: u64 = 5000;
/// Number of periods that are measured.
const PERIODS: u64 = 20;

/// Publishes a send that only a tick lets central see, and that needs nobody else. Returns the time at which
/// it has ended.
fn await_tick(alpha: &mut Actor<'_>) -> Result<u64, Clue> {
    let send = alpha.publish(Actor::message(Role::Gamma, 0, 9000));
    ensure!(alpha.end_of(send)? == Status::BadLength, "central has looked");
    Ok(alpha.stage().clock())
}

pub(super) const R14_PERIOD: Scenario = Scenario {
    name: "r14_ticks_are_as_far_apart_as_the_description_says",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // Meanwhile the others tell the umpire that they have passed, and nobody signals from then on.
        for _ in 0..5 {
            await_tick(alpha)?;
        }
        let first = await_tick(alpha)?;
        let (mut last, mut shortest) = (first, u64::MAX);
        for _ in 0..PERIODS {
            let now = await_tick(alpha)?;
            shortest = shortest.min(now - last);
            last = now;
        }
        // A tick may be late. That makes the time to the next one shorter.
        ensure!(shortest <= PERIOD_US + PERIOD_US / 20, "ticks come as often as they should");
        ensure!(last - first >= (PERIODS - 1) * PERIOD_US, "and not more often");
        Ok(())
    }),
    needs: &[Feature::Clock],
    ..Scenario::IDLE
};

pub(super) const R18: Scenario = Scenario {
    name: "r18_a_target_that_polls_needs_no_signal",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send =
            alpha.send(Descriptor { flags: flags::NO_SIGNAL, tag: 5, ..Actor::message(Role::Beta, 0, 8) });
        ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        // Where central runs on another core, it may still be about to signal that it has let beta in.
        beta.rest();
        // Beta asks for signals, so that the flag is the reason if none comes.
        beta.from_client.wake.arm();
        beta.post(0, 4096, None);
        ensure!(beta.receive()?.tag == 5, "polling finds the entry");
        // What follows is traffic of the harness itself.
        beta.from_client.wake.disarm();
        Ok(())
    }),
    trace: Trace::Without(&["signal beta"]),
    ..Scenario::IDLE
};

pub(super) const R21: Scenario = Scenario {
    name: "r21_the_transmit_queue_is_mapped_into_central",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // All slots of the queue, for two laps of the ring. Central reads each slot through its mapping.
        for tag in 0..256 {
            let send = alpha.send(Descriptor { tag, ..Actor::message(Role::Beta, 0, 0) });
            ensure!(alpha.end_of(send)? == Status::Done, "every slot is read");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for tag in 0..256 {
            beta.post(0, 1, Some(Role::Alpha));
            ensure!(beta.receive()?.tag == tag, "what stood in the slot is what was read");
        }
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R22: Scenario = Scenario {
    name: "r22_polls_every_domain_and_forgets_none",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.post(0, 64, Some(Role::Beta));
        let send = alpha.publish(Actor::message(Role::Beta, 0, 16));
        ensure!(alpha.end_of(send)? == Status::Done, "alpha is polled");
        alpha.receive()?;
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 64, Some(Role::Alpha));
        beta.post(64, 64, Some(Role::Gamma));
        let send = beta.publish(Actor::message(Role::Alpha, 0, 16));
        ensure!(beta.end_of(send)? == Status::Done, "beta is polled");
        beta.receive()?;
        beta.receive()?;
        Ok(())
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        // With the client library, and published without a signal.
        let (mut port, transmit, _) = gamma.port()?;
        let (Some(buffer), Some(beta)) = (transmit.split::<1>(4096).pop(), port.peer("beta")) else {
            ensure!(false, "gamma has a buffer and a flow to beta");
            return Ok(());
        };
        ensure!(port.send(beta, buffer, 16, Message::tagged(3)).is_ok(), "there is room");
        ensure!(port.publish(), "there was something to publish");
        gamma.wait(|_| port.status(0) == Some(Status::Done))?;
        // The actor takes over again, to tell the umpire.
        gamma.restart()
    }),
    ..Scenario::IDLE
};

/// Beta offers four buffers and asks for signals all the time.
fn sleeping_beta(beta: &mut Actor<'_>) -> Result<(), Clue> {
    beta.from_client.wake.arm();
    for frame in 0..4 {
        beta.post(frame * 4096, 4096, Some(Role::Alpha));
    }
    for _ in 0..4 {
        beta.receive()?;
    }
    Ok(())
}

pub(super) const T58: Scenario = Scenario {
    name: "t58_who_sleeps_is_signalled_for_each_delivery_and_each_status",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.from_client.wake.arm();
        alpha.rest();
        // A round takes eight messages, so the last one is served in the next round. The first four are for
        // beta.
        for length in [8, 16, 24, 32] {
            alpha.store(Actor::message(Role::Beta, 0, length));
        }
        for _ in 0..4 {
            alpha.store(Actor::message(Role::Gamma, 0, 0));
        }
        let last = alpha.send(Actor::message(Role::Gamma, 0, 48));
        ensure!(alpha.end_of(last)? == Status::Done, "all are done");
        Ok(())
    }),
    beta: Some(sleeping_beta),
    gamma: Some(|gamma: &mut Actor<'_>| {
        for _ in 0..5 {
            gamma.post(0, 48, Some(Role::Alpha));
        }
        for _ in 0..5 {
            gamma.receive()?;
        }
        Ok(())
    }),
    trace: Trace::Run(&[
        "copy 32",
        "unmap alpha tx 0",
        "unmap beta rx 0",
        "unmap beta rx 1",
        "unmap beta rx 2",
        "unmap beta rx 3",
        "map alpha tx 0 holds alpha tx 0",
        "map gamma rx 0 holds gamma rx 0",
        "copy 48",
        "unmap alpha tx 0",
        "unmap gamma rx 0",
        "signal alpha",
        "signal beta",
    ]),
    // Otherwise central looks before alpha has published, and serves the messages in other rounds.
    needs: &[Feature::Priorities],
    ..Scenario::IDLE
};

pub(super) const T59: Scenario = Scenario {
    name: "t59_central_asks_for_signals_before_it_sleeps",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for round in 1..=4_u32 {
            // More than one round's messages, so that central looks by itself meanwhile.
            for _ in 0..20 {
                alpha.store(Actor::message(Role::Gamma, 0, 9000));
            }
            alpha.publish_sends();
            // Whenever alpha runs, central sleeps.
            ensure!(alpha.to_client.wake.asks_for_signal(), "central wants to hear of the next send");
            ensure!(alpha.end_of(round * 20 - 1)? == Status::BadLength, "it has seen all of these");
        }
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        alpha.until_queued(send)?;
        alpha.send(Actor::message(Role::Gamma, 0, 0));
        ensure!(alpha.end_of(send)? == Status::Done, "what has waited is served");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        ensure!(beta.to_client.wake_for_requests.asks_for_signal(), "central wants to hear of a buffer");
        beta.post(0, 100, Some(Role::Alpha));
        // The message is there at once and not at the next tick, because the signal made central run.
        ensure!(beta.poll().is_some(), "the buffer is filled");
        Ok(())
    }),
    gamma: Some(relay),
    needs: &[Feature::Priorities],
    ..Scenario::IDLE
};
