//! The guard's half of a port: it takes messages to inspect, and answers them. The crate `ferry-guard`, which
//! makes a whole program of a filter, stands on this.

use ferry_layout::{Delivery, DeliveryKind, DomainId, Verdict};

use crate::memory::{ReceiveBuffer, TransmitBuffer};
use crate::message::SendError;
use crate::port::{Doorbell, Port};

/// A message that this client, a guard, has to inspect. It holds the buffer with the message. Central writes
/// nothing to the buffer before the message has ended.
#[derive(Debug)]
pub struct Inspection {
    /// Names the inspection in the [answer](Port::answer).
    pub ticket: u64,
    /// The sender. Central has stamped it, so it cannot be forged.
    pub source: DomainId,
    /// The client that shall receive the message.
    pub target: DomainId,
    /// The sender's tag.
    pub tag: u64,
    /// Holds the message in its first `length` bytes.
    pub buffer: ReceiveBuffer,
    /// Bytes of the message.
    pub length: u32,
}

impl Inspection {
    /// The bytes of the message.
    ///
    /// ```
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// let inspection = guard.port.inspect().unwrap();
    /// assert_eq!(inspection.bytes(), b"21 degrees");
    /// ```
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.bytes().get(..self.length as usize).unwrap_or_default()
    }
}

impl<D: Doorbell> Port<D> {
    /// The oldest message to inspect that was not taken yet. Anything else in the receive queue is passed by
    /// [`receive`](Self::receive), which a guard calls when this returns `None`.
    ///
    /// ```
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// # let mut port = guard.port;
    /// while let Some(inspection) = port.inspect() {
    ///     let passes = inspection.bytes().is_ascii();
    ///     port.answer(inspection.ticket, passes, 0).unwrap();
    /// }
    /// port.flush();
    /// # assert!(ends.has_arrived());
    /// ```
    pub fn inspect(&mut self) -> Option<Inspection> {
        self.known_delivery_end();
        if self.deliveries.available() == 0 {
            return None;
        }
        let delivery: Delivery = self.to_client.deliveries.load(self.deliveries.next());
        if delivery.kind != DeliveryKind::Inspection as u8 {
            return None;
        }
        self.deliveries.take();
        self.unflushed.room = true;
        let Delivery { tag, sequence: ticket, request, length, source, detail, .. } = delivery;
        Some(Inspection {
            ticket,
            source: DomainId::new(source)?,
            target: DomainId::new(detail.into())?,
            tag,
            buffer: self.posted[Delivery::slot_of(request)].take()?,
            length,
        })
    }

    /// Enqueues the answer to an inspection: whether the message may go on, and why, in the guard's own
    /// numbers. Nobody but an operator sees the reason.
    ///
    /// The answer ends like a send: [`reap`](Self::reap) returns a completion with the ticket as its tag and
    /// an empty buffer. Only then may the buffer of the inspection be posted again, whatever the status is.
    /// The only error is [`SendError::Full`].
    ///
    /// ```
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// # let mut port = guard.port;
    /// let inspection = port.inspect().unwrap();
    /// port.answer(inspection.ticket, true, 0).unwrap();
    /// port.flush();
    /// # assert!(ends.has_arrived());
    /// let ended = port.reap().unwrap();
    /// assert_eq!(ended.tag, inspection.ticket);
    /// port.post(inspection.buffer, None).unwrap(); // it is the guard's again
    /// ```
    pub fn answer(&mut self, ticket: u64, passes: bool, reason: u32) -> Result<(), SendError> {
        let verdict = Verdict { ticket, passes, reason }.descriptor();
        let index = self.free_slot(verdict.target).ok_or(SendError::Full)?;
        self.store(index, verdict, TransmitBuffer::empty());
        Ok(())
    }
}
