//! A receiver's buffers are shared out among its senders (guarantee 7), whichever of them signal, and
//! whenever central is woken.
//!
//! Two senders keep messages of the same length under way, more than the receiver has buffers for. The
//! receiver takes them and posts the buffers again. All keep to the protocol. Each sender must get at least
//! nine tenths of an equal part of some thousand messages.

use ferry_client::{Event, Message, Outgoing, Status};

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Change, Scenario, WitnessAct};

/// Bytes of a message.
const LENGTH: u32 = 1024;
/// Messages that a sender keeps under way, and buffers of the receiver, at most.
const MOST: usize = 64;

/// When a sender signals central.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signals {
    /// At each look, whether or not it has published something.
    Always,
    /// When it has published something and central asks for signals, as the client library does.
    WhenPublished,
    /// Never: another client wakes central.
    Never,
}

/// A sender.
#[derive(Clone, Copy)]
struct Sender {
    /// Messages that it keeps under way.
    backlog: usize,
    signals: Signals,
    urgent: bool,
    /// How often the sender lets others run between two looks.
    pauses: u32,
}

/// The usual sender.
const SENDER: Sender = Sender { backlog: 48, signals: Signals::WhenPublished, urgent: false, pauses: 1 };

/// Keeps messages for beta under way until beta says that the contest is over.
fn contend(actor: &mut Actor<'_>, sender: Sender) -> Result<(), Clue> {
    let Sender { backlog, signals, urgent, pauses } = sender;
    let (mut port, transmit, receive) = actor.port()?;
    let (Some(peer), Some(word)) = (port.peer("beta"), receive.split::<1>(1).pop()) else {
        ensure!(false, "there is a flow to the receiver, and a buffer");
        return Ok(());
    };
    ensure!(port.post(word, Some(peer)).is_ok(), "there is room");
    let message = Message { urgent, ..Message::default() };
    // The first message goes to a buffer that only this sender may fill. It tells the receiver that the other
    // messages are published.
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
            Signals::WhenPublished => port.flush(),
            Signals::Never => {
                port.publish();
            }
        }
        for _ in 0..pauses {
            actor.pause();
        }
    }
    // The new epoch drops what is still under way.
    actor.restart()
}

/// The senders in the contest.
const SENDERS: [Role; 2] = [Role::Alpha, Role::Gamma];

/// Posts `buffers` buffers again and again until `count` messages have come from the senders, and compares
/// their parts.
fn share_out(actor: &mut Actor<'_>, buffers: usize, count: u32) -> Result<(), Clue> {
    let (mut port, transmit, receive) = actor.port()?;
    let mut words = transmit.split::<2>(1);
    let mut free = receive.split::<{ MOST + 2 }>(LENGTH);
    for sender in SENDERS {
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
    for role in SENDERS {
        actor.print(format_args!("harness: {} of {count} messages are from {}", of(role), role.name()));
    }
    for sender in SENDERS {
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
    ensure!(SENDERS.iter().all(|role| of(*role) * 20 >= count * 9), "each has nine tenths of an equal part");
    actor.restart()
}

/// A share so large that one turn could take all buffers.
const fn all_of_it(of: Role) -> Change {
    Change::Share { of, bytes: 256 * 1024, messages: 128 }
}

/// Alpha and gamma compete for beta's buffers.
const SHARING: Scenario = Scenario {
    witness: WitnessAct::Silent,
    flows: &[all_of_it(Role::Alpha), all_of_it(Role::Gamma)],
    ..Scenario::IDLE
};

/// A contest in which both senders send in the same way, and beta posts `$buffers` buffers.
macro_rules! contest {
    ($sender:expr, $buffers:literal, $count:literal) => {
        Scenario {
            alpha: Some(|alpha| contend(alpha, $sender)),
            beta: Some(|beta| share_out(beta, $buffers, $count)),
            gamma: Some(|gamma| contend(gamma, $sender)),
            ..SHARING
        }
    };
}

/// A sender that signals at each look.
const ALWAYS_SIGNALS: Sender = Sender { signals: Signals::Always, ..SENDER };

pub(super) const T100: Scenario = Scenario {
    name: "t100_two_senders_that_signal_at_each_look_have_equal_parts",
    ..contest!(ALWAYS_SIGNALS, 32, 6400)
};

pub(super) const T100_FEW: Scenario = Scenario {
    name: "t100_of_four_buffers_each_sender_has_its_part",
    ..contest!(Sender { backlog: 64, ..ALWAYS_SIGNALS }, 4, 2400)
};

pub(super) const T100_MANY: Scenario = Scenario {
    name: "t100_of_as_many_buffers_as_messages_each_sender_has_its_part",
    ..contest!(Sender { backlog: 64, ..ALWAYS_SIGNALS }, 64, 6400)
};

pub(super) const T100_WHEN_PUBLISHED: Scenario = Scenario {
    name: "t100_two_senders_that_signal_when_they_publish_have_equal_parts",
    gamma: Some(|gamma| contend(gamma, SLOW)),
    ..contest!(SENDER, 32, 6400)
};

pub(super) const T100_WHEN_PUBLISHED_FEW: Scenario = Scenario {
    name: "t100_of_four_buffers_each_sender_that_signals_when_it_publishes_has_its_part",
    gamma: Some(|gamma| contend(gamma, SLOW)),
    ..contest!(SENDER, 4, 2400)
};

/// A sender that looks less often than the other. It always has enough messages under way.
const SLOW: Sender = Sender { pauses: 3, ..SENDER };

/// Mallory has nothing to send and only signals, until it is told that the contest is over.
#[expect(clippy::unnecessary_wraps, reason = "a strike")]
fn only_signal(mallory: &mut Actor<'_>, strike: u32) -> Result<bool, Clue> {
    if strike == 0 {
        mallory.post(0, 1, Some(Role::Alpha));
    }
    mallory.ring();
    Ok(mallory.poll().is_some())
}

/// Alpha competes as in the other scenarios, and tells mallory of the end, because beta has no flow to
/// mallory.
fn contend_and_tell(alpha: &mut Actor<'_>, sender: Sender) -> Result<(), Clue> {
    contend(alpha, sender)?;
    let word = alpha.send(Actor::message(Role::Mallory, 0, 0));
    ensure!(alpha.end_of(word)? == Status::Done, "mallory is told");
    Ok(())
}

/// As [`contest`], but the senders never signal and mallory does.
macro_rules! contest_beside_another {
    ($buffers:literal, $count:literal) => {
        Scenario {
            alpha: Some(|alpha| contend_and_tell(alpha, NEVER_SIGNALS)),
            mallory: Some(only_signal),
            ..contest!(Sender { pauses: 3, ..NEVER_SIGNALS }, $buffers, $count)
        }
    };
}

const NEVER_SIGNALS: Sender = Sender { signals: Signals::Never, ..SENDER };

pub(super) const T100_ONLY_ANOTHER_ONE: Scenario = Scenario {
    name: "t100_a_client_that_only_signals_does_not_decide_who_gets_one_buffer",
    ..contest_beside_another!(1, 1000)
};

pub(super) const T100_ONLY_ANOTHER: Scenario = Scenario {
    name: "t100_a_client_that_only_signals_does_not_decide_who_gets_sixteen",
    ..contest_beside_another!(16, 3200)
};

pub(super) const T103: Scenario = Scenario {
    name: "t103_an_urgent_sender_has_no_more_than_its_part",
    gamma: Some(|gamma| contend(gamma, Sender { urgent: true, ..SENDER })),
    flows: &[
        all_of_it(Role::Alpha),
        all_of_it(Role::Gamma),
        Change::Urgent { from: Role::Gamma, to: Role::Beta },
    ],
    ..contest!(SENDER, 32, 6400)
};
