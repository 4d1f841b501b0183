//! The guard's half of a port: it takes messages to inspect, and answers them. The crate `ferry-guard`, which
//! makes a whole program of a filter, stands on this.

use core::hint::black_box;

use ferry_layout::geometry::{POST_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{Delivery, DeliveryKind, DomainId, Post, PostKind, Verdict};

use crate::memory::{ReceiveBuffer, TransmitBuffer};
use crate::message::{Completion, PostError, SendError};
use crate::port::{Doorbell, InFlight, Port};

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
        inspection(&delivery, &mut self.posted)
    }

    /// Takes the messages to inspect that have arrived, oldest first, and enqueues the answers. `each` gets
    /// the inspection and returns whether the message may go on, and why, as [`answer`](Self::answer) takes
    /// them. It has to keep the buffer until the answer has ended. Central sees the answers after the next
    /// [`flush`](Self::flush).
    ///
    /// It stops before an event that is no inspection, and before a message for whose answer there may be no
    /// slot. [`inspect`](Self::inspect) and [`receive`](Self::receive) go on from there.
    ///
    /// ```
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// # let mut port = guard.port;
    /// let mut kept = vec![];
    /// port.inspect_each(|inspection| {
    ///     let passes = inspection.bytes().is_ascii();
    ///     kept.push((inspection.ticket, inspection.buffer));
    ///     (passes, 0)
    /// });
    /// port.flush();
    /// # assert!(ends.has_arrived());
    /// # assert_eq!(port.reap().unwrap().tag, kept[0].0);
    /// ```
    #[inline]
    pub fn inspect_each(&mut self, mut each: impl FnMut(Inspection) -> (bool, u32)) {
        if !self.held_sends.is_empty() {
            return;
        }
        let (to_client, from_client) = (self.to_client, self.from_client);
        let end = self.known_delivery_end();
        let (mut index, mut next) = (self.deliveries.next(), self.next_send);
        let limit = self.oldest.wrapping_add(self.limit);
        // As in the loops of `runs.rs`.
        let (posted, in_flight) = (black_box(&mut self.posted), black_box(&mut self.in_flight));
        while index != end && next != limit {
            let delivery: Delivery = to_client.deliveries.load(index);
            if delivery.kind != DeliveryKind::Inspection as u8 {
                break;
            }
            let Some(inspection) = inspection(&delivery, posted) else { break };
            index = index.wrapping_add(1);
            let ticket = inspection.ticket;
            let (passes, reason) = each(inspection);
            from_client.descriptors.store(next, Verdict { ticket, passes, reason }.descriptor());
            in_flight[next as usize % TRANSMIT_SLOTS] =
                Some(InFlight { buffer: TransmitBuffer::empty(), tag: ticket });
            next = next.wrapping_add(1);
        }
        if index != self.deliveries.next() {
            self.deliveries.take_to(index);
            self.next_send = next;
            self.unflushed.room = true;
            self.unflushed.work = true;
        }
    }

    /// Takes back every answer that has ended, oldest first. `each` gets the completion and may return a
    /// buffer, which is posted. Central sees it after the next [`flush`](Self::flush).
    ///
    /// On an error there was no slot to post the buffer, and no answer after it was taken back.
    ///
    /// ```
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// # let mut port = guard.port;
    /// # let inspection = port.inspect().unwrap();
    /// # port.answer(inspection.ticket, true, 0).unwrap();
    /// # port.flush();
    /// # assert!(ends.has_arrived());
    /// let mut judged = Some(inspection.buffer);
    /// port.reap_answers(|_| judged.take()).unwrap();
    /// port.flush();
    /// assert!(judged.is_none() && port.outstanding() == 0);
    /// ```
    #[inline]
    pub fn reap_answers(
        &mut self,
        mut each: impl FnMut(Completion) -> Option<ReceiveBuffer>,
    ) -> Result<(), PostError> {
        if self.oldest == self.taken {
            self.look_for_taken();
        }
        let (to_client, from_client) = (self.to_client, self.from_client);
        let (mut index, mut next) = (self.oldest, self.next_post);
        let end = if self.held_sends.is_empty() { self.taken } else { index };
        let limit = self.known_limit(end.wrapping_sub(index));
        // As in the loops of `runs.rs`.
        let (posted, in_flight) = (black_box(&mut self.posted), black_box(&mut self.in_flight));
        let mut left_over = None;
        while index != end {
            let Some(status) = to_client.status(index).ended() else { break };
            let Some(flight) = in_flight[index as usize % TRANSMIT_SLOTS].take() else { break };
            index = index.wrapping_add(1);
            let InFlight { buffer, tag } = flight;
            let Some(buffer) = each(Completion { status, tag, buffer }) else { continue };
            let number = next as usize % POST_SLOTS;
            let slot = &mut posted[number];
            if next == limit || slot.is_some() {
                left_over = Some(buffer);
                break;
            }
            let (place, length, kind) = (buffer.place(), buffer.capacity(), PostKind::Buffer as u8);
            from_client.posts.store(next, Post { place, length, from: Post::ANYONE, kind, marks: 0 });
            *slot = Some(buffer);
            self.posted_at[number] = next;
            next = next.wrapping_add(1);
        }
        self.waiting.pass(index.wrapping_sub(self.oldest));
        self.oldest = index;
        if next != self.next_post {
            self.next_post = next;
            self.unflushed.room = true;
        }
        if let Some(buffer) = left_over {
            self.post(buffer, None)?;
        }
        // One by one, if an answer waits, or no slot seemed to be free. No more than there are now.
        for _ in 0..self.outstanding() {
            let Some(done) = self.reap() else { break };
            if let Some(buffer) = each(done) {
                self.post(buffer, None)?;
            }
        }
        Ok(())
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

/// The inspection that a delivery names. It takes the buffer out of those that are posted.
#[inline]
fn inspection(delivery: &Delivery, posted: &mut [Option<ReceiveBuffer>; POST_SLOTS]) -> Option<Inspection> {
    let Delivery { tag, sequence: ticket, request, length, source, detail, .. } = *delivery;
    Some(Inspection {
        ticket,
        source: DomainId::new(source)?,
        target: DomainId::new(detail.into())?,
        tag,
        buffer: posted[Delivery::slot_of(request)].take()?,
        length,
    })
}
