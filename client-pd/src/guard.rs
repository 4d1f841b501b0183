//! The guard's half of a port: it takes messages to inspect, and answers them. The crate `ferry-guard`, which
//! makes a whole program of a filter, stands on this.

use core::hint::black_box;

use ferry_layout::geometry::{POST_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{Delivery, DeliveryKind, DomainId, Post, PostKind, Verdict};

use crate::memory::{ReceiveBuffer, TransmitBuffer};
use crate::message::{PostError, SendError};
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

/// The buffers of inspections that are answered, until their answers have ended. Each lies where its answer
/// lies in the ring.
pub struct Answered([Option<ReceiveBuffer>; TRANSMIT_SLOTS]);

impl Answered {
    /// None is answered.
    ///
    /// ```
    /// use ferry_client::Answered;
    /// # let (guard, _ends) = ferry_testbed::stage::guarded();
    /// # let mut port = guard.port;
    /// let mut answered = Answered::new();
    /// assert!(port.reap_answers(&mut answered).is_ok()); // nothing has ended
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self([const { None }; TRANSMIT_SLOTS])
    }
}

impl Default for Answered {
    fn default() -> Self {
        Self::new()
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

    /// Takes the messages to inspect that have arrived, oldest first, and enqueues the answers. `each`
    /// returns whether a message may go on, and why, as [`answer`](Self::answer) takes them. The buffers go
    /// to `answered`. Central sees the answers after the next [`flush`](Self::flush).
    ///
    /// It stops before an event that is no inspection, and before a message for whose answer there may be no
    /// slot. Then it returns true, and [`inspect`](Self::inspect) and [`receive`](Self::receive) go on from
    /// there.
    ///
    /// ```
    /// use ferry_client::Answered;
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// # let mut port = guard.port;
    /// let mut answered = Answered::new();
    /// port.inspect_each(&mut answered, |inspection| (inspection.bytes().is_ascii(), 0));
    /// port.flush();
    /// # assert!(ends.has_arrived());
    /// port.reap_answers(&mut answered).unwrap(); // the buffer is posted again
    /// ```
    #[inline]
    pub fn inspect_each(
        &mut self,
        answered: &mut Answered,
        mut each: impl FnMut(&Inspection) -> (bool, u32),
    ) -> bool {
        let (to_client, from_client) = (self.to_client, self.from_client);
        let end = self.known_delivery_end();
        if !self.held_sends.is_empty() {
            return self.deliveries.available() != 0;
        }
        let (mut index, mut next) = (self.deliveries.next(), self.next_send);
        let limit = self.oldest.wrapping_add(self.limit);
        // As in the loops of `runs.rs`.
        let (posted, in_flight) = (black_box(&mut self.posted), black_box(&mut self.in_flight));
        for _ in 0..end.wrapping_sub(index).min(limit.wrapping_sub(next)) {
            let delivery: Delivery = to_client.deliveries.load(index);
            if delivery.kind != DeliveryKind::Inspection as u8 {
                break;
            }
            let Some(inspection) = inspection(&delivery, posted) else { break };
            index = index.wrapping_add(1);
            let (passes, reason) = each(&inspection);
            let Inspection { ticket, buffer, .. } = inspection;
            from_client.descriptors.store(next, Verdict { ticket, passes, reason }.descriptor());
            let slot = next as usize % TRANSMIT_SLOTS;
            in_flight[slot] = Some(InFlight { buffer: TransmitBuffer::empty(), tag: ticket });
            answered.0[slot] = Some(buffer);
            next = next.wrapping_add(1);
        }
        if index != self.deliveries.next() {
            self.deliveries.take_to(index);
            self.next_send = next;
            self.unflushed.room = true;
            self.unflushed.work = true;
        }
        index != end
    }

    /// Takes back every answer that has ended, and posts its buffer again, if that is in `answered`. Central
    /// sees what is posted after the next [`flush`](Self::flush). It is for a client that sends nothing but
    /// answers: whatever else has ended is taken back too.
    ///
    /// On an error there was no slot to post the buffer.
    ///
    /// ```
    /// use ferry_client::Answered;
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// # let mut port = guard.port;
    /// let mut answered = Answered::new();
    /// port.inspect_each(&mut answered, |_| (true, 0));
    /// assert_eq!(port.outstanding(), 1);
    /// port.flush();
    /// port.reap_answers(&mut answered).unwrap();
    /// assert_eq!(port.outstanding(), 0);
    /// # assert!(ends.has_arrived());
    /// ```
    #[inline]
    pub fn reap_answers(&mut self, answered: &mut Answered) -> Result<(), PostError> {
        if self.oldest == self.taken {
            self.look_for_taken();
        }
        let (to_client, from_client) = (self.to_client, self.from_client);
        let (mut index, mut next) = (self.oldest, self.next_post);
        let ended = if self.held_sends.is_empty() { self.taken.wrapping_sub(index) } else { 0 };
        // So there is room for the buffers of all.
        let end = index.wrapping_add(ended.min(self.known_limit(ended).wrapping_sub(next)));
        // As in the loops of `runs.rs`.
        let (posted, in_flight) = (black_box(&mut self.posted), black_box(&mut self.in_flight));
        let mut left_over = None;
        while index != end {
            if to_client.status(index).ended().is_none() {
                break;
            }
            let answer = index as usize % TRANSMIT_SLOTS;
            in_flight[answer] = None;
            index = index.wrapping_add(1);
            let Some(buffer) = answered.0[answer].take() else { continue };
            let number = next as usize % POST_SLOTS;
            let slot = &mut posted[number];
            if slot.is_some() {
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
        // An answer waits, or no slot seemed to be free.
        if self.oldest != self.next_send || !self.held_sends.is_empty() {
            return self.reap_rest(answered);
        }
        Ok(())
    }

    /// Takes back answers one by one, no more than there are now, and posts their buffers.
    #[cold]
    fn reap_rest(&mut self, answered: &mut Answered) -> Result<(), PostError> {
        let mut has_ended = false;
        for _ in 0..self.outstanding() {
            if self.reap().is_none() {
                break;
            }
            has_ended = true;
        }
        if !has_ended {
            return Ok(());
        }
        for (slot, buffer) in answered.0.iter_mut().enumerate() {
            if self.in_flight[slot].is_none()
                && let Some(buffer) = buffer.take()
            {
                self.post(buffer, None)?;
            }
        }
        Ok(())
    }

    /// As [`answer`](Self::answer), and the buffer goes to `answered`. The inspection comes back if there is
    /// no slot for the answer.
    ///
    /// ```
    /// use ferry_client::Answered;
    /// # let (mut guard, mut ends) = ferry_testbed::stage::guarded();
    /// # guard.post();
    /// # ends.send(b"21 degrees");
    /// # let mut port = guard.port;
    /// let mut answered = Answered::new();
    /// while let Some(inspection) = port.inspect() {
    ///     port.answer_and_keep(&mut answered, inspection, true, 0).unwrap();
    /// }
    /// port.flush();
    /// # assert!(ends.has_arrived());
    /// port.reap_answers(&mut answered).unwrap();
    /// ```
    pub fn answer_and_keep(
        &mut self,
        answered: &mut Answered,
        inspection: Inspection,
        passes: bool,
        reason: u32,
    ) -> Result<(), Inspection> {
        let Some(index) = self.enqueue_answer(inspection.ticket, passes, reason) else {
            return Err(inspection);
        };
        answered.0[index as usize % TRANSMIT_SLOTS] = Some(inspection.buffer);
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
        self.enqueue_answer(ticket, passes, reason).map(drop).ok_or(SendError::Full)
    }

    /// Enqueues an answer. Returns its index, or `None` if there is no slot for it.
    fn enqueue_answer(&mut self, ticket: u64, passes: bool, reason: u32) -> Option<u32> {
        let verdict = Verdict { ticket, passes, reason }.descriptor();
        let index = self.free_slot(verdict.target)?;
        self.store(index, verdict, TransmitBuffer::empty());
        Some(index)
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
