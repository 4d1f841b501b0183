//! Why central maps a frame: a source has asked to send, or a target has asked to receive.

use ferry_layout::Status;

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Ending, Fault, Scenario, Trace, WitnessAct};

/// Gamma relays a sign from alpha to beta, which share no memory and must not rely on time.
pub(super) fn relay(gamma: &mut Actor<'_>) -> Result<(), Clue> {
    gamma.post(0, 1, Some(Role::Alpha));
    gamma.receive()?;
    gamma.send(Actor::message(Role::Beta, 0, 0));
    Ok(())
}

/// Beta waits for the sign that gamma relays.
pub(super) fn await_sign(beta: &mut Actor<'_>) -> Result<(), Clue> {
    beta.post(0, 1, Some(Role::Gamma));
    let sign = beta.receive()?;
    ensure!(sign.source == Role::Gamma.number(), "the sign is gamma's");
    Ok(())
}

pub(super) const R07_TOUCH: Scenario = Scenario {
    name: "r07_nothing_is_mapped_before_a_request",
    witness: WitnessAct::BeforeAnyRequest,
    fault: Some(Fault { domain: "central", kind: "read" }),
    // Central faults before it has introduced itself, so no client starts its script.
    ending: Ending::ByFault,
    ..Scenario::IDLE
};

pub(super) const R07_SEND: Scenario = Scenario {
    name: "r07_a_send_is_why_the_source_is_mapped",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // A descriptor that is stored and not published is no request.
        alpha.store(Actor::message(Role::Beta, 4 * 4096, 1));
        alpha.ring();
        alpha.rest();
        ensure!(alpha.status(0).is_none(), "central has not looked at it");
        let send = alpha.send(Actor::message(Role::Beta, 9 * 4096, 1));
        ensure!(alpha.end_of(send)? == Status::Done, "what is published is carried out");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, None);
        beta.post(0, 4096, None);
        beta.receive()?;
        beta.receive()?;
        Ok(())
    }),
    trace: Trace::Begins(&["map alpha tx 4 holds alpha tx 4", "map beta rx 0 holds beta rx 0", "copy 1"]),
    ..Scenario::IDLE
};

pub(super) const R08: Scenario = Scenario {
    name: "r08_a_receive_request_carries_out_a_send_that_waited",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        alpha.until_queued(send)?;
        alpha.send(Actor::message(Role::Gamma, 0, 0));
        ensure!(alpha.end_of(send)? == Status::Done, "the receive request has carried it out");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        beta.print(format_args!("witness: beta asks to receive from alpha"));
        beta.post(4096, 4096, Some(Role::Alpha));
        let delivery = beta.receive()?;
        ensure!(delivery.source == Role::Alpha.number(), "it is from the source that was named");
        Ok(())
    }),
    gamma: Some(relay),
    trace: Trace::Begins(&[
        "beta asks to receive from alpha",
        "map alpha tx 0 holds alpha tx 0",
        "map beta rx 1 holds beta rx 1",
        "copy 100",
    ]),
    ..Scenario::IDLE
};

pub(super) const R08_OTHERS: Scenario = Scenario {
    name: "r08_a_request_from_a_named_source_is_for_nobody_else",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        alpha.until_queued(send)?;
        alpha.send(Actor::message(Role::Gamma, 0, 0));
        ensure!(alpha.end_of(send)? == Status::Done, "the second request is for it");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        ensure!(beta.poll().is_none(), "the request from gamma was not filled by alpha");
        beta.post(4096, 4096, Some(Role::Alpha));
        ensure!(beta.receive()?.source == Role::Alpha.number(), "the request from alpha was");
        Ok(())
    }),
    gamma: Some(relay),
    ..Scenario::IDLE
};
