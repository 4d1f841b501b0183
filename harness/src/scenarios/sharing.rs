//! What a receiver gives is shared out among its senders (guarantee 7), whoever signals and however wake-ups fall.
//!
//! Two senders keep messages of the same length under way, more than the receiver posts buffers for, and the receiver takes
//! and posts again: everybody keeps to the rules. Each sender must get at least nine tenths of an equal part of some
//! thousand messages.

use ferry_client::{Event, Message, Outgoing, Status};

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Change, Scenario, Touch};

/// Bytes of a message.
const LENGTH: u32 = 1024;
/// Most messages that a sender keeps under way, and most buffers of the receiver.
const MOST: usize = 64;

/// How a sender lets central know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signals {
    /// At each look, whether there is news or not.
    Always,
    /// With news only, if central asks for it, as the client library does.
    News,
    /// Never: somebody else wakes central.
    Never,
}

/// Keeps `backlog` messages for `receiver` under way until it says that it is over.
fn contend(
    actor: &mut Actor<'_>,
    receiver: Role,
    backlog: usize,
    signals: Signals,
    urgent: bool,
) -> Result<(), Clue> {
    let (mut port, transmit, receive) = actor.port()?;
    let (Some(peer), Some(word)) = (port.peer(receiver.name()), receive.split::<1>(1).pop()) else {
        ensure!(false, "there is a flow to the receiver, and a buffer");
        return Ok(());
    };
    ensure!(port.post(word, Some(peer)).is_ok(), "there is room");
    let message = Message { urgent, ..Message::default() };
    // The first goes to a buffer that is for this sender alone, and tells the receiver that the others are there.
    for buffer in transmit.split::<MOST>(LENGTH).into_iter().take(backlog) {
        ensure!(port.send(peer, buffer, LENGTH, message).is_ok(), "there is room");
    }
    port.flush();
    while port.receive().is_none() {
        let sent =
            port.reap_each(|done| Some(Outgoing { peer, buffer: done.buffer, length: LENGTH, message }));
        ensure!(sent.is_ok(), "what has come back can be sent again");
        match signals {
            Signals::Always => {
                port.publish();
                actor.ring();
            }
            Signals::News => port.flush(),
            Signals::Never => {
                port.publish();
            }
        }
        actor.pause();
    }
    // What is still under way is withdrawn with the epoch.
    actor.restart()
}

/// Offers `buffers` buffers again and again, until `count` messages have come from `senders`, and compares.
fn share_out(actor: &mut Actor<'_>, senders: [Role; 2], buffers: usize, count: u32) -> Result<(), Clue> {
    let (mut port, transmit, receive) = actor.port()?;
    let mut words = transmit.split::<2>(1);
    let mut free = receive.split::<{ MOST + 2 }>(LENGTH);
    for sender in senders {
        let (Some(peer), Some(buffer)) = (port.peer(sender.name()), free.pop()) else {
            ensure!(false, "there is a flow from the sender, and a buffer");
            return Ok(());
        };
        ensure!(port.post(buffer, Some(peer)).is_ok(), "there is room");
    }
    port.flush();
    let mut ready = 0;
    actor.wait(|_| {
        ready += u32::from(port.receive().is_some());
        ready == 2
    })?;
    for buffer in free.into_iter().take(buffers) {
        ensure!(port.post(buffer, None).is_ok(), "there is room");
    }
    port.flush();
    let mut got = [0_u32; Role::ALL.len()];
    while got.iter().sum::<u32>() < count {
        let taken = port.receive_each(|event| match event {
            Event::Message { source, buffer, .. } => {
                if let Some(sum) = got.get_mut(source.index()) {
                    *sum += 1;
                }
                Some(buffer)
            }
            Event::Placed { .. } | Event::Returned(_) => None,
        });
        ensure!(taken.is_ok(), "what has arrived can be posted again");
        port.flush();
        actor.pause();
    }
    let of = |role: Role| got.get(role as usize).copied().unwrap_or(0);
    let [one, other] = senders;
    actor.print(format_args!(
        "harness: {} messages from {}, {} from {}",
        of(one),
        one.name(),
        of(other),
        other.name()
    ));
    for sender in senders {
        let (Some(peer), Some(word)) = (port.peer(sender.name()), words.pop()) else {
            ensure!(false, "there is a flow to the sender");
            return Ok(());
        };
        ensure!(port.send(peer, word, 0, Message::default()).is_ok(), "there is room");
    }
    port.flush();
    let mut told = 0;
    actor.wait(|_| {
        told += u32::from(port.reap().is_some());
        told == 2
    })?;
    ensure!(senders.iter().all(|role| of(*role) * 20 >= count * 9), "each has nine tenths of an equal part");
    actor.restart()
}

/// Alpha and gamma contend for what beta gives.
const SHARING: Scenario = Scenario { touch: Touch::Silent, ..Scenario::IDLE };

/// The two of them, each with so many messages under way, and beta with so many buffers.
macro_rules! contest {
    ($backlog:literal, $buffers:literal, $count:literal, $signals:ident) => {
        Scenario {
            alpha: Some(|alpha| contend(alpha, Role::Beta, $backlog, Signals::$signals, false)),
            beta: Some(|beta| share_out(beta, [Role::Alpha, Role::Gamma], $buffers, $count)),
            gamma: Some(|gamma| contend(gamma, Role::Beta, $backlog, Signals::$signals, false)),
            ..SHARING
        }
    };
}

pub(super) const T100_ALWAYS: Scenario = Scenario {
    name: "t100_two_senders_that_signal_at_each_look_have_equal_parts",
    ..contest!(48, 32, 6400, Always)
};

pub(super) const T100_NEWS: Scenario = Scenario {
    name: "t100_two_senders_that_signal_with_news_have_equal_parts",
    ..contest!(48, 32, 6400, News)
};

pub(super) const T100_FEW: Scenario =
    Scenario { name: "t100_of_four_buffers_each_sender_has_its_part", ..contest!(64, 4, 2400, Always) };

pub(super) const T100_MANY: Scenario = Scenario {
    name: "t100_of_as_many_buffers_as_messages_each_sender_has_its_part",
    ..contest!(64, 64, 6400, Always)
};

/// Who has nothing and only signals, until it is told that it is over.
fn make_noise(mallory: &mut Actor<'_>, strike: u32) -> Result<bool, Clue> {
    if strike == 0 {
        mallory.post(0, 1, Some(Role::Alpha));
    }
    mallory.ring();
    Ok(mallory.poll().is_some())
}

/// Alpha contends as the others do, and tells mallory of the end, to whom beta has no flow.
fn contend_and_tell(alpha: &mut Actor<'_>, backlog: usize) -> Result<(), Clue> {
    contend(alpha, Role::Beta, backlog, Signals::Never, false)?;
    let word = alpha.send(Actor::message(Role::Mallory, 0, 0));
    ensure!(alpha.end_of(word)? == Status::Done, "mallory is told");
    Ok(())
}

/// As [`contest`], beside mallory's noise.
macro_rules! contest_in_noise {
    ($buffers:literal, $count:literal) => {
        Scenario {
            alpha: Some(|alpha| contend_and_tell(alpha, 48)),
            mallory: Some(make_noise),
            ..contest!(48, $buffers, $count, Never)
        }
    };
}

pub(super) const T100_NOISE_ONE: Scenario = Scenario {
    name: "t100_who_only_signals_has_no_say_in_who_gets_one_buffer",
    ..contest_in_noise!(1, 1000)
};

pub(super) const T100_NOISE: Scenario =
    Scenario { name: "t100_who_only_signals_has_no_say_in_who_gets_sixteen", ..contest_in_noise!(16, 3200) };

pub(super) const T103: Scenario = Scenario {
    name: "t103_an_urgent_sender_has_no_more_than_its_part",
    alpha: Some(|alpha| contend(alpha, Role::Beta, 48, Signals::News, false)),
    beta: Some(|beta| share_out(beta, [Role::Alpha, Role::Gamma], 32, 6400)),
    gamma: Some(|gamma| contend(gamma, Role::Beta, 48, Signals::News, true)),
    flows: &[Change::Urgent { from: Role::Gamma, to: Role::Beta }],
    ..SHARING
};
