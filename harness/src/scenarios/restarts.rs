//! Faults and what follows. The platform restarts clients, and central, which resumes its work from the pages
//! that only it can write.

use core::sync::atomic::{AtomicU32, Ordering};

use ferry_layout::{Address, Descriptor, Standing, Status, flags};

use super::requests::await_sign;
use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Ending, Fault, Feature, Moment, Scenario, Trace, WitnessAct};

/// Tries a forbidden write, so that the kernel stops the client.
fn fault(actor: &Actor<'_>) -> Result<(), Clue> {
    actor.to_client.status(0).set(0, Status::Done);
    ensure!(false, "the write has faulted");
    Ok(())
}

/// Gamma relays a sign from alpha to beta, twice.
fn relay_twice(gamma: &mut Actor<'_>) -> Result<(), Clue> {
    for _ in 0..2 {
        super::requests::relay(gamma)?;
    }
    Ok(())
}

/// Alpha sends to beta while beta offers nothing, and lets beta know through gamma. Returns the send.
fn send_and_tell(alpha: &mut Actor<'_>) -> Result<u32, Clue> {
    let send = alpha.send(Actor::message(Role::Beta, 0, 100));
    alpha.until_queued(send)?;
    alpha.send(Actor::message(Role::Gamma, 0, 0));
    Ok(send)
}

/// Variables of the program: some with initial contents, and zeros on several pages.
static INITIALISED: [AtomicU32; 4] = [const { AtomicU32::new(INITIAL) }; 4];
static ZEROED: [AtomicU32; 4096] = [const { AtomicU32::new(0) }; 4096];
const INITIAL: u32 = 0x5eed;

/// Whether the program's variables hold what they hold at a start.
fn is_as_loaded() -> bool {
    let all = |variables: &[AtomicU32], value| {
        variables.iter().all(|variable| variable.load(Ordering::Relaxed) == value)
    };
    all(&INITIALISED, INITIAL) && all(&ZEROED, 0)
}

/// Gives all of them another value.
fn spoil(value: u32) {
    INITIALISED.iter().chain(&ZEROED).for_each(|variable| variable.store(value, Ordering::Relaxed));
}

pub(super) const T71: Scenario = Scenario {
    name: "t71_a_client_that_faults_is_contained_and_let_in_again",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = send_and_tell(alpha)?;
        ensure!(alpha.end_of(send)? == Status::PeerReset, "what waited for the faulted client is ended");
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        ensure!(alpha.end_of(send)? == Status::Done, "it receives after its restart");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        ensure!(is_as_loaded(), "its program is what it was at the first start");
        if beta.to_client.epoch.observe() == 1 {
            spoil(beta.to_client.epoch.observe());
            await_sign(beta)?;
            // The send is stored in this epoch, and the fault ends the epoch. Central must not act on it in
            // the next one.
            beta.store(Actor::message(Role::Alpha, 0, 1));
            return fault(beta);
        }
        ensure!(beta.to_client.transmit_head.observe() == 0, "all indices are 0 after the restart");
        ensure!(beta.to_client.standing() == Standing::Open, "it is let in");
        beta.post(4096, 100, Some(Role::Alpha));
        ensure!(beta.receive()?.length == 100, "it receives");
        Ok(())
    }),
    gamma: Some(super::requests::relay),
    witness: WitnessAct::Census,
    trace: Trace::Contains(&["census of all frames found none mapped"]),
    fault: Some(Fault { domain: "beta", kind: "write" }),
    // Central can be restarted too, and is not: beta's restart leaves its program as it is.
    restarts: &[("central", 1), ("beta", 1)],
    needs: &[Feature::Restarts],
    console: &["ferry: restart domain=beta number=1"],
    ..Scenario::IDLE
};

pub(super) const T72: Scenario = Scenario {
    name: "t72_a_client_that_faults_again_and_again_is_given_up",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let first = send_and_tell(alpha)?;
        ensure!(alpha.end_of(first)? == Status::PeerReset, "it was restarted once");
        let second = send_and_tell(alpha)?;
        // Beta has been given up. This send waits, and alpha's other sends do not.
        for _ in 0..5 {
            alpha.rest();
        }
        ensure!(alpha.status(second) == Some(Status::Queued), "what is sent to it waits");
        let send = alpha.send(Actor::message(Role::Gamma, 0, 8));
        ensure!(alpha.end_of(send)? == Status::Done, "the others go on");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        fault(beta)
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        relay_twice(gamma)?;
        gamma.post(0, 8, Some(Role::Alpha));
        gamma.receive()?;
        Ok(())
    }),
    witness: WitnessAct::Census,
    fault: Some(Fault { domain: "beta", kind: "write" }),
    faults: 2,
    restarts: &[("central", 0), ("beta", 1)],
    needs: &[Feature::Restarts],
    console: &["ferry: restart domain=beta number=1", "ferry: given-up domain=beta"],
    ending: Ending::By(Role::Alpha),
    ..Scenario::IDLE
};

pub(super) const T88: Scenario = Scenario {
    name: "t88_a_system_ends_with_the_code_that_a_client_gives",
    ending: Ending::WithCode(Role::Beta, 3),
    console: &["ferry: exit domain=beta code=3"],
    ..Scenario::IDLE
};

/// Messages of the batch in which central is stopped, and their length in bytes.
const BATCH: u32 = 6;
const LENGTH: u32 = 700;

/// Sends a batch all at once, and further messages after it.
fn send_batch(alpha: &mut Actor<'_>) -> Result<(), Clue> {
    alpha.rx.lay_canaries();
    for number in 0..BATCH {
        let position = u64::from(number) * 4096;
        alpha.tx.fill(number as usize * 4096, LENGTH as usize, seed(number.into()));
        alpha.store(Descriptor { tag: number.into(), ..Actor::message(Role::Beta, position, LENGTH) });
    }
    alpha.publish_sends();
    for index in 0..BATCH {
        ensure!(alpha.end_of(index)? == Status::Done, "each of the batch is done");
    }
    for number in BATCH..BATCH + 20 {
        alpha.tx.fill(0, LENGTH as usize, seed(number.into()));
        let message = Actor::message(Role::Beta, 0, LENGTH);
        let send = alpha.send(Descriptor { tag: number.into(), ..message });
        ensure!(alpha.end_of(send)? == Status::Done, "later traffic works");
        ensure!((0..send).all(|earlier| alpha.status(earlier) == Some(Status::Done)), "a status stays");
    }
    ensure!(alpha.rx.canaries_stand_around(&(0..0)), "an unposted buffer is unchanged");
    Ok(())
}

/// Receives these messages. Each must arrive once, in order and intact.
fn receive_batch(beta: &mut Actor<'_>) -> Result<(), Clue> {
    receive_batch_and(beta, |_| Ok(()))
}

/// Receives these messages, and does `between` after those of the batch. The later ones wait until then,
/// because beta has offered nothing for them.
fn receive_batch_and(
    beta: &mut Actor<'_>,
    between: impl Fn(&Actor<'_>) -> Result<(), Clue>,
) -> Result<(), Clue> {
    beta.rx.lay_canaries();
    // Beta asks for signals, so that central sends one at which it can be stopped.
    beta.from_client.wake.arm();
    for number in 0..BATCH {
        beta.post(u64::from(number) * 4096, LENGTH, Some(Role::Alpha));
    }
    for number in 0..u64::from(BATCH) + 20 {
        let delivery = beta.receive()?;
        ensure!(
            (delivery.tag, delivery.sequence) == (number, number),
            "nothing is lost and nothing comes twice"
        );
        // After the batch, one buffer is offered at a time.
        let frame = if number < BATCH.into() { number } else { 0 };
        ensure!(Some(delivery.place()) == Address::at(frame * 4096), "each buffer is used once");
        let place = delivery.place().frame as usize * 4096;
        ensure!(beta.rx.holds(place, LENGTH as usize, seed(number)), "intact");
        if number + 1 == BATCH.into() {
            between(beta)?;
        }
        if number + 1 >= BATCH.into() {
            beta.post(0, LENGTH, Some(Role::Alpha));
        }
    }
    beta.rest();
    ensure!(beta.poll().is_none(), "nothing comes after the last");
    let spared = 0..BATCH as usize * 4096;
    ensure!(beta.rx.canaries_stand_around(&spared), "no byte outside what was offered has changed");
    Ok(())
}

/// Waits until central has counted so many signals for beta.
fn until_signals(beta: &Actor<'_>, count: u64) -> Result<(), Clue> {
    beta.wait(|beta| beta.to_client.counters.signals.get() >= count)
}

/// Seed of the pattern of one message.
fn seed(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

/// Central faults once and is restarted.
const RESTART: Scenario = Scenario {
    alpha: Some(send_batch),
    beta: Some(receive_batch),
    fault: Some(Fault { domain: "central", kind: "read" }),
    restarts: &[("central", 1)],
    needs: &[Feature::Restarts],
    console: &["ferry: restart domain=central number=1"],
    ..Scenario::IDLE
};

pub(super) const T80: Scenario = Scenario {
    name: "t80_central_restarts_after_mapping_one_side",
    witness: WitnessAct::Crash(Moment::Mapped(1)),
    trace: Trace::Contains(&[
        "map alpha tx 0 holds alpha tx 0",
        "central faults",
        "central begins again",
        "census of all frames found none mapped",
        "map alpha tx 0 holds alpha tx 0",
        "copy 700",
    ]),
    ..RESTART
};

pub(super) const T81: Scenario = Scenario {
    name: "t81_central_restarts_after_copying_and_before_publishing",
    witness: WitnessAct::Crash(Moment::Copied(3)),
    trace: Trace::Contains(&[
        "copy 700",
        "copy 700",
        "copy 700",
        "central faults",
        "central begins again",
        "census of all frames found none mapped",
        "map alpha tx 0 holds alpha tx 0",
        "copy 700",
    ]),
    ..RESTART
};

pub(super) const T82: Scenario = Scenario {
    name: "t82_central_restarts_after_unmapping_and_before_publishing",
    witness: WitnessAct::Crash(Moment::Unmapped(1)),
    trace: Trace::Contains(&[
        "unmap alpha tx 0",
        "central faults",
        "central begins again",
        "census of all frames found none mapped",
        "map alpha tx 0 holds alpha tx 0",
    ]),
    ..RESTART
};

/// Central was stopped after it had published a batch, so only the signal is left to do. Beta asks for
/// nothing else before it sees in its counter that central came to the signal (again).
const PUBLISHED: Trace = Trace::Run(&[
    "central faults",
    "central begins again",
    "census of all frames found none mapped",
    "signal beta",
]);

pub(super) const T83: Scenario = Scenario {
    name: "t83_central_restarts_after_publishing_and_before_signalling",
    // Central counts the signal before it sends it, so it has counted one that was not sent.
    beta: Some(|beta: &mut Actor<'_>| receive_batch_and(beta, |beta| until_signals(beta, 2))),
    witness: WitnessAct::Crash(Moment::Signalling(BATCH)),
    trace: PUBLISHED,
    needs: &[Feature::Restarts, Feature::Priorities],
    ..RESTART
};

pub(super) const T84: Scenario = Scenario {
    name: "t84_central_restarts_in_the_middle_of_a_long_message",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // Two chunks. Central is stopped when both are copied, and must copy both again.
        alpha.tx.lay_canaries();
        alpha.store(Descriptor { flags: flags::CHAINED, ..Actor::message(Role::Beta, 0, 16 * 4096) });
        let last = alpha.send(Actor::message(Role::Beta, 0, 16 * 4096));
        for part in [last.wrapping_sub(1), last] {
            ensure!(alpha.end_of(part)? == Status::Done, "both parts are done");
        }
        ensure!(alpha.tx.canaries_stand_around(&(0..0)), "a transmit buffer is unchanged");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 32 * 4096, Some(Role::Alpha));
        let delivery = beta.receive()?;
        ensure!((delivery.length, delivery.sequence) == (32 * 4096, 0), "the whole message, once");
        ensure!(beta.rx.canaries_stand_around(&(0..0)), "all of it is what alpha has");
        beta.rest();
        ensure!(beta.poll().is_none(), "nothing comes twice");
        Ok(())
    }),
    witness: WitnessAct::Crash(Moment::Copied(2)),
    trace: Trace::Contains(&[
        "copy 65536",
        "copy 65536",
        "central faults",
        "central begins again",
        "census of all frames found none mapped",
        "copy 65536",
        "copy 65536",
    ]),
    ..RESTART
};

pub(super) const T85: Scenario = Scenario {
    name: "t85_a_central_that_faults_again_and_again_is_given_up",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        for _ in 0..10 {
            alpha.rest();
        }
        ensure!(!alpha.status(send).is_some_and(Status::is_final), "nothing is said that did not happen");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 100, Some(Role::Alpha));
        for _ in 0..100 {
            beta.rest();
        }
        ensure!(beta.poll().is_none(), "nothing is delivered that was not finished");
        Ok(())
    }),
    witness: WitnessAct::CrashAlways(Moment::Copied(1)),
    trace: Trace::Contains(&["copy 100", "copy 100", "copy 100"]),
    faults: 3,
    restarts: &[("central", 2)],
    console: &[
        "ferry: restart domain=central number=1",
        "ferry: restart domain=central number=2",
        "ferry: given-up domain=central",
    ],
    ending: Ending::By(Role::Alpha),
    ..RESTART
};

pub(super) const T86: Scenario = Scenario {
    name: "t86_central_restarts_between_deliveries_and_their_statuses",
    beta: Some(|beta: &mut Actor<'_>| receive_batch_and(beta, |beta| until_signals(beta, 1))),
    witness: WitnessAct::Crash(Moment::Delivered(1)),
    trace: PUBLISHED,
    needs: &[Feature::Restarts, Feature::Priorities],
    ..RESTART
};

pub(super) const T87: Scenario = Scenario {
    name: "t87_central_panics_and_is_started_again",
    witness: WitnessAct::Panic(Moment::Copied(3)),
    trace: Trace::Contains(&[
        "copy 700",
        "copy 700",
        "copy 700",
        "central begins again",
        "census of all frames found none mapped",
        "map alpha tx 0 holds alpha tx 0",
        "copy 700",
    ]),
    fault: Some(Fault { domain: "central", kind: "panic" }),
    ..RESTART
};
