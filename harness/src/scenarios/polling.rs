//! How central and targets learn of news: by looking at queues, with and without signals.

use ferry_client::Message;
use ferry_layout::{Descriptor, Status, flags};

use crate::actor::Actor;
use crate::check::ensure;
use crate::scenario::{Role, Scenario, Trace};

/// Tags of a series.
const SERIES: u64 = 5;

pub(super) const R09: Scenario = Scenario {
    name: "r09_learns_of_a_request_by_polling_the_transmit_queue",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // No signal: only a look at the queue can find it.
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

pub(super) const R18: Scenario = Scenario {
    name: "r18_a_target_that_polls_needs_no_signal",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send =
            alpha.send(Descriptor { flags: flags::NO_SIGNAL, tag: 5, ..Actor::message(Role::Beta, 0, 8) });
        ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        // Asks for signals, so that their absence is the flag's doing.
        beta.out.wake.arm();
        beta.post(0, 4096, None);
        ensure!(beta.receive()?.tag == 5, "polling finds the entry");
        // What follows is the harness's own traffic.
        beta.out.wake.disarm();
        Ok(())
    }),
    trace: Trace::Without(&["signal beta"]),
    ..Scenario::IDLE
};

pub(super) const R21: Scenario = Scenario {
    name: "r21_the_transmit_queue_is_mapped_into_central",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // All slots of the queue, round the ring twice: central reads each through its mapping.
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
        // By the client library: a flush that is only published.
        let (mut port, transmit, _) = gamma.port()?;
        let (Some(buffer), Some(beta)) = (transmit.split::<1>(4096).pop(), port.peer("beta")) else {
            ensure!(false, "gamma has a buffer and a flow to beta");
            return Ok(());
        };
        ensure!(port.send(beta, buffer, 16, Message::tagged(3)).is_ok(), "there is room");
        ensure!(port.publish(), "there was something to publish");
        gamma.wait(|_| port.status(0) == Some(Status::Done))?;
        // Back to the actor's own ways, for the umpire.
        gamma.restart()
    }),
    ..Scenario::IDLE
};
