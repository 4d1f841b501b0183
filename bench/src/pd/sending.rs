//! How both producers send: each message anew, and each buffer again that comes back.

use ferry_client::{Doorbell, Message, Outgoing, Peer, Port, SendError, Status, TransmitBuffer};

use super::order::fail;

/// Sends a message of `length` bytes with this buffer, as number `number` of its batch.
#[inline]
pub(crate) fn send<D: Doorbell>(
    port: &mut Port<D>,
    consumer: Peer,
    buffer: TransmitBuffer,
    length: u32,
    number: u32,
) {
    if let Err(refused) = port.send(consumer, buffer, length, Message::tagged(number.into())) {
        refused_to_send(refused.reason);
    }
}

/// Sends at most `most` of the buffers again that come back. `missing` is the number of messages that the
/// batch still lacks, and no more come back. Returns how many it lacks then.
#[inline]
pub(crate) fn send_again<D: Doorbell>(
    port: &mut Port<D>,
    consumer: &Peer,
    length: u32,
    mut missing: u32,
    most: u32,
) -> u32 {
    let sent = port.reap_most(most, |done| {
        if done.status != Status::Done {
            ended_badly(done.status);
        }
        let message = Message::tagged(missing.into());
        // Cannot go below 0.
        missing -= 1;
        Some(Outgoing { peer: *consumer, buffer: done.buffer, length, message })
    });
    if let Err(refused) = sent {
        refused_to_send(refused.reason);
    }
    missing
}

#[cold]
fn ended_badly(status: Status) -> ! {
    fail(format_args!("a message ended with {status:?}"))
}

#[cold]
fn refused_to_send(reason: SendError) -> ! {
    fail(format_args!("a message was not enqueued: {reason:?}"))
}
