//! Flows are independent (guarantee 8): whatever one peer fails to do, for however long, stops no exchange
//! with another.
//!
//! All clients use the client library. While one client is silent, the others exchange many times as many
//! messages as a ring has slots.

use ferry_client::{
    Event, Message, Port, Posted, ReceiveBuffer, ReceiveMemory, Status, TransmitBuffer, TransmitMemory,
};
use ferry_layout::geometry::MAX_CHAIN;
use heapless::Vec;

use crate::actor::{Actor, Bell, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Scenario, WitnessAct};

/// Messages of an exchange, and buffers that each side uses for it.
const LONG: u64 = 10_000;
const BUFFERS: usize = 32;
/// Bytes of a buffer, and of a message or a part of one.
const BYTES: u32 = 64;
const LENGTH: u32 = 16;
/// Every `CHAINS`-th message has `PARTS` parts.
const CHAINS: u64 = 7;
const PARTS: u32 = 3;

/// Parts of message `number` of the [`stream`].
const fn parts_of(number: u64) -> u32 {
    if number.is_multiple_of(CHAINS) { PARTS } else { 1 }
}

/// Sends `LONG` messages to `target` with all of `buffers`, and waits until all have ended.
fn stream(
    actor: &Actor<'_>,
    port: &mut Port<Bell<'_>>,
    target: Role,
    buffers: Vec<TransmitBuffer, BUFFERS>,
) -> Result<(), Clue> {
    let Some(peer) = port.peer(target.name()) else {
        ensure!(false, "there is a flow to the target");
        return Ok(());
    };
    let mut free = buffers;
    let all = free.len();
    let mut next = 0;
    let mut all_done = true;
    actor.wait(|_| {
        while let Some(done) = port.reap() {
            all_done &= done.status == Status::Done;
            // There is room, because the buffer came from this list.
            let _ = free.push(done.buffer);
        }
        while next < LONG && send(port, peer, next, &mut free) {
            next += 1;
        }
        port.flush();
        next == LONG && free.len() == all
    })?;
    ensure!(all_done, "each send is done");
    Ok(())
}

/// Sends message `tag`, if there are buffers and slots for it. Returns whether there were.
fn send(
    port: &mut Port<Bell<'_>>,
    peer: ferry_client::Peer,
    tag: u64,
    free: &mut Vec<TransmitBuffer, BUFFERS>,
) -> bool {
    let parts = parts_of(tag) as usize;
    if free.len() < parts || (port.room_for(peer) as usize) < parts {
        return false;
    }
    let mut chain: Vec<_, MAX_CHAIN> = Vec::new();
    while chain.len() < parts {
        let Some(mut buffer) = free.pop() else { break };
        buffer.bytes_mut()[..8].copy_from_slice(&tag.to_le_bytes());
        let _ = chain.push((buffer, LENGTH));
    }
    if port.send_chain(peer, &mut chain, Message::tagged(tag)).is_ok() {
        return true;
    }
    free.extend(chain.into_iter().map(|(buffer, _)| buffer));
    false
}

/// Waits until beta says that its port is open. A message before that would end with beta's old epoch.
fn until_ready(actor: &Actor<'_>, port: &mut Port<Bell<'_>>, memory: ReceiveMemory) -> Result<(), Clue> {
    for buffer in memory.split::<1>(BYTES) {
        ensure!(port.post(buffer, None).is_ok(), "there is room");
    }
    port.flush();
    actor.wait(|_| matches!(port.receive(), Some(Event::Message { .. })))
}

/// Tells alpha that beta's port is open, again if alpha has opened its own port meanwhile.
fn say_ready(actor: &Actor<'_>, port: &mut Port<Bell<'_>>, memory: TransmitMemory) -> Result<(), Clue> {
    let mut buffer = memory.split::<1>(BYTES).pop();
    let alpha = port.peer("alpha");
    let mut status = None;
    while status != Some(Status::Done) {
        let (Some(message), Some(alpha)) = (buffer.take(), alpha) else {
            ensure!(false, "alpha can be told");
            return Ok(());
        };
        ensure!(port.send(alpha, message, 0, Message::default()).is_ok(), "there is room");
        port.flush();
        actor.wait(|_| {
            if let Some(done) = port.reap() {
                status = Some(done.status);
                buffer = Some(done.buffer);
            }
            buffer.is_some()
        })?;
    }
    Ok(())
}

/// Bytes of message `number` from alpha. The one after the [`stream`] has none.
fn length_of(number: u64) -> u32 {
    if number == LONG { 0 } else { parts_of(number) * LENGTH }
}

/// Receives the first `count` messages from alpha in `buffers`. All must arrive once, in order and whole.
fn receive_stream(
    actor: &Actor<'_>,
    port: &mut Port<Bell<'_>>,
    memory: TransmitMemory,
    buffers: Vec<ReceiveBuffer, BUFFERS>,
    count: u64,
) -> Result<(), Clue> {
    for buffer in buffers {
        ensure!(port.post(buffer, None).is_ok(), "there is room");
    }
    say_ready(actor, port, memory)?;
    let (mut next, mut is_right, mut has_room) = (0, true, true);
    actor.wait(|_| {
        let taken = port.receive_each(|event| {
            let Event::Message { source, buffer, length, tag, .. } = event else {
                is_right = false;
                return None;
            };
            is_right &= (tag, length, source.number()) == (next, length_of(next), Role::Alpha.number())
                && (length == 0 || buffer.bytes()[..8] == next.to_le_bytes());
            next += 1;
            Some(buffer)
        });
        has_room &= taken.is_ok();
        port.flush();
        next == count || !is_right || !has_room
    })?;
    ensure!(has_room, "whoever takes can post again");
    ensure!(is_right, "all arrive, once, in order, whole");
    Ok(())
}

/// Beta receives the messages of [`stream`] and the one by which alpha says that it has seen what waits.
/// Beta may take that one together with the last of the stream.
fn plain_receiver(beta: &mut Actor<'_>) -> Result<(), Clue> {
    let (mut port, transmit, receive) = beta.port()?;
    receive_stream(beta, &mut port, transmit, receive.split(BYTES), LONG + 1)?;
    tell_gamma(beta)
}

/// Tells gamma that the exchange is over.
fn tell_gamma(beta: &mut Actor<'_>) -> Result<(), Clue> {
    beta.restart()?;
    beta.send(Actor::message(Role::Gamma, 0, 0));
    Ok(())
}

/// Tells beta that alpha has checked what waits.
fn send_last(port: &mut Port<Bell<'_>>, buffer: Option<TransmitBuffer>) -> Result<(), Clue> {
    let (Some(buffer), Some(beta)) = (buffer, port.peer("beta")) else {
        ensure!(false, "beta can be told");
        return Ok(());
    };
    ensure!(port.send(beta, buffer, 0, Message::tagged(LONG)).is_ok(), "there is room");
    port.flush();
    Ok(())
}

/// Alpha only sends the messages of [`stream`].
fn plain_sender(alpha: &mut Actor<'_>) -> Result<(), Clue> {
    let (mut port, transmit, receive) = alpha.port()?;
    until_ready(alpha, &mut port, receive)?;
    stream(alpha, &mut port, Role::Beta, transmit.split(BYTES))?;
    alpha.restart()
}

/// Gamma takes nothing from alpha until beta says that the exchange is over. Then it takes `count` messages
/// that have waited.
fn take_late(gamma: &mut Actor<'_>, count: u32) -> Result<(), Clue> {
    gamma.post(0, 1, Some(Role::Beta));
    gamma.receive()?;
    for _ in 0..count {
        gamma.post(4096, BYTES, Some(Role::Alpha));
        let delivery = gamma.receive()?;
        ensure!(
            (delivery.source, delivery.length) == (Role::Alpha.number(), LENGTH),
            "it arrives in the end"
        );
    }
    Ok(())
}

/// Alpha sends `count` messages that wait for gamma, then many to beta. In the end all of them are done.
fn stream_beside(alpha: &mut Actor<'_>, count: usize) -> Result<(), Clue> {
    let (mut port, transmit, receive) = alpha.port()?;
    until_ready(alpha, &mut port, receive)?;
    let mut buffers = transmit.split::<{ 2 * BUFFERS }>(BYTES);
    let last = buffers.pop();
    let Some(gamma) = port.peer("gamma") else {
        ensure!(false, "there is a flow to gamma");
        return Ok(());
    };
    for _ in 0..count {
        let Some(buffer) = buffers.pop() else { break };
        ensure!(port.send(gamma, buffer, LENGTH, Message::default()).is_ok(), "there is room");
    }
    port.flush();
    stream(alpha, &mut port, Role::Beta, buffers.into_iter().take(BUFFERS).collect())?;
    ensure!(port.outstanding() as usize == count, "the messages to gamma still wait");
    send_last(&mut port, last)?;
    let mut back = 0;
    alpha.wait(|_| {
        while let Some(done) = port.reap() {
            back += usize::from(done.status == Status::Done);
        }
        // One more: the last message to beta.
        back == count + 1
    })?;
    alpha.restart()
}

/// The base of these scenarios. The witness prints no trace.
const INDEPENDENT: Scenario = Scenario { witness: WitnessAct::Silent, ..Scenario::IDLE };

pub(super) const T110: Scenario = Scenario {
    name: "t110_a_sender_goes_on_beside_a_peer_that_never_posts",
    alpha: Some(|alpha| stream_beside(alpha, 1)),
    beta: Some(plain_receiver),
    gamma: Some(|gamma| take_late(gamma, 1)),
    ..INDEPENDENT
};

/// Number of messages that wait for gamma.
const WAITING: u32 = 30;

pub(super) const T112: Scenario = Scenario {
    name: "t112_a_sender_goes_on_beside_many_messages_that_wait",
    alpha: Some(|alpha| stream_beside(alpha, WAITING as usize)),
    beta: Some(plain_receiver),
    gamma: Some(|gamma| take_late(gamma, WAITING)),
    ..INDEPENDENT
};

/// Beta receives the messages of [`stream`] while a request that `offer` makes stays open, and then withdraws
/// that request.
fn receive_beside(
    beta: &mut Actor<'_>,
    offer: impl FnOnce(&mut Port<Bell<'_>>, ReceiveBuffer) -> Option<Posted>,
) -> Result<(), Clue> {
    let (mut port, transmit, receive) = beta.port()?;
    let mut buffers = receive.split::<{ BUFFERS + 1 }>(BYTES);
    let Some(open) = buffers.pop().and_then(|buffer| offer(&mut port, buffer)) else {
        ensure!(false, "there is room");
        return Ok(());
    };
    receive_stream(beta, &mut port, transmit, buffers.into_iter().collect(), LONG)?;
    ensure!(port.posted_buffer(open).is_some(), "it is still open");
    ensure!(port.withdraw(open), "it can be taken back");
    port.flush();
    let mut returned = false;
    beta.wait(|_| {
        returned |= matches!(port.receive(), Some(Event::Returned(_)));
        returned
    })?;
    ensure!(port.posted_buffer(open).is_none(), "it is beta's own again");
    tell_gamma(beta)
}

pub(super) const T113: Scenario = Scenario {
    name: "t113_a_receiver_posts_on_beside_a_window_and_takes_it_back",
    alpha: Some(plain_sender),
    beta: Some(|beta| {
        receive_beside(beta, |port, buffer| {
            let alpha = port.peer("alpha")?;
            port.open_window(buffer, alpha).ok()
        })
    }),
    gamma: Some(|gamma| take_late(gamma, 0)),
    ..INDEPENDENT
};

pub(super) const T114: Scenario = Scenario {
    name: "t114_a_receiver_posts_on_beside_a_buffer_for_a_silent_peer",
    beta: Some(|beta| {
        receive_beside(beta, |port, buffer| {
            let gamma = port.peer("gamma")?;
            port.post(buffer, Some(gamma)).ok()
        })
    }),
    ..T113
};
