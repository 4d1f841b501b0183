//! Whole batches: each send that has ended is replaced by a new one, and each buffer that has arrived is
//! posted again.
//!
//! These loops do the work of [`Port::reap`] with [`Port::send`], and of [`Port::receive`] with
//! [`Port::post`]. They leave every case that is not ordinary to those methods. They are cheaper because they
//! keep the ring indices in registers. In the port, the indices would be loaded and stored again for each
//! message, because the compiler has to assume that every access to shared memory changes them. If `each`
//! panics and the program goes on, buffers are lost, but the program never gets a buffer that is not its own.

use core::hint::black_box;

use ferry_layout::geometry::{POST_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{Arrival, Delivery, Descriptor, Post, PostKind};

use crate::memory::{ReceiveBuffer, TransmitBuffer};
use crate::message::{Completion, Event, Outgoing, OutgoingByRoute, PostError, SendError, SendRefused};
use crate::port::{Doorbell, InFlight, Port};
use crate::receiving::message;
use crate::sending::{by_route, plain};

/// What to send next.
type Next = (Descriptor, TransmitBuffer);

impl<D: Doorbell> Port<D> {
    /// Takes back every send that has ended, oldest first. `each` gets the completion and may return a
    /// message, which is sent. Central sees the new sends after the next [`flush`](Self::flush). Sends that
    /// end during the call are left for the next one; [`arm`](Self::arm) tells whether there are any.
    ///
    /// On an error, the message that `each` returned last was not sent, and no send after it was taken back.
    /// Its length is larger than its buffer, or no more may be sent to its peer now (see
    /// [`room_for`](Self::room_for)).
    ///
    /// ```
    /// use ferry_client::{Message, Outgoing};
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # there.post();
    /// # here.send(7, b"a");
    /// # let (mut port, peer) = (here.port, here.peer);
    /// port.reap_each(|mut done| {
    ///     done.buffer.bytes_mut()[0] += 1;
    ///     Some(Outgoing { peer, buffer: done.buffer, length: 1, message: Message::tagged(done.tag + 1) })
    /// })
    /// .unwrap();
    /// port.flush();
    /// # assert_eq!([there.take().unwrap(), there.take().unwrap()], [b"a", b"b"]);
    /// ```
    #[inline]
    pub fn reap_each(&mut self, each: impl FnMut(Completion) -> Option<Outgoing>) -> Result<(), SendRefused> {
        self.reap_most(u32::MAX, each)
    }

    /// As [`reap_each`](Self::reap_each), of at most `most` sends. So a program can flush some of its
    /// messages before it takes back the next: in a one-way flow, all sends end at the same time.
    ///
    /// ```
    /// use ferry_client::{Message, Outgoing};
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # (0..3).for_each(|_| there.post());
    /// # here.send(7, b"a");
    /// # here.send(7, b"b");
    /// # let (mut port, peer) = (here.port, here.peer);
    /// let mut count = 0;
    /// let again = |done: ferry_client::Completion| {
    ///     count += 1;
    ///     Some(Outgoing { peer, buffer: done.buffer, length: 1, message: Message::tagged(8) })
    /// };
    /// port.reap_most(1, again).unwrap();
    /// port.flush();
    /// assert_eq!((count, port.outstanding()), (1, 2)); // the other one is still to be taken back
    /// # assert_eq!([(); 3].map(|()| there.take().unwrap()), [b"a", b"b", b"a"]);
    /// ```
    #[inline]
    pub fn reap_most(
        &mut self,
        most: u32,
        mut each: impl FnMut(Completion) -> Option<Outgoing>,
    ) -> Result<(), SendRefused> {
        self.reap_run(most, |done| {
            let Outgoing { peer, buffer, length, message } = each(done)?;
            Some((plain(peer.domain, &buffer, length, message), buffer))
        })
    }

    /// As [`reap_most`](Self::reap_most), of messages whose routes the program knows. A message for which
    /// there is no flow is refused by central: it ends with a status that says so.
    ///
    /// ```
    /// use ferry_client::{OutgoingByRoute, Route};
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # there.post();
    /// # here.send(7, b"a");
    /// # let (peer, mut port) = (here.peer, here.port);
    /// let route = Route::new(peer.domain, false, false);
    /// port.reap_most_by_route(u32::MAX, |done| {
    ///     Some(OutgoingByRoute { route, buffer: done.buffer, length: 1, tag: 8 })
    /// })
    /// .unwrap();
    /// port.flush();
    /// # assert_eq!([there.take().unwrap(), there.take().unwrap()], [b"a", b"a"]);
    /// ```
    #[inline]
    pub fn reap_most_by_route(
        &mut self,
        most: u32,
        mut each: impl FnMut(Completion) -> Option<OutgoingByRoute>,
    ) -> Result<(), SendRefused> {
        self.reap_run(most, |done| {
            let OutgoingByRoute { route, buffer, length, tag } = each(done)?;
            Some((by_route(route, &buffer, length, tag, 0), buffer))
        })
    }

    #[inline]
    fn reap_run(
        &mut self,
        most: u32,
        mut each: impl FnMut(Completion) -> Option<Next>,
    ) -> Result<(), SendRefused> {
        // Central may have taken more sends than is known here, and some that waited may have ended.
        if self.taken.wrapping_sub(self.oldest) < most || self.waiting.count != 0 {
            self.look_for_taken();
        }
        if !self.held_sends.is_empty() {
            return self.reap_each_out_of_order(most, &mut each);
        }
        let (to_client, from_client) = (self.to_client, self.from_client);
        // Its entries are then addressed from where it begins, so that one instruction loads two words.
        let in_flight = black_box(&mut self.in_flight);
        let (mut index, mut next) = (self.oldest, self.next_send);
        let end = index.wrapping_add(self.taken.wrapping_sub(index).min(most));
        let mut refused = None;
        let mut is_held = false;
        while index != end {
            let Some(status) = to_client.status(index).ended() else {
                is_held = true;
                break;
            };
            let Some(flight) = in_flight[index as usize % TRANSMIT_SLOTS].take() else { break };
            index = index.wrapping_add(1);
            let InFlight { buffer, tag } = flight;
            let Some((descriptor, buffer)) = each(Completion { status, tag, buffer }) else { continue };
            if descriptor.length > buffer.capacity() {
                refused = Some(SendRefused { reason: SendError::BeyondBuffer, buffer });
                break;
            }
            // There is a slot: this send takes the place of the one that was just taken back.
            from_client.descriptors.store(next, descriptor);
            in_flight[next as usize % TRANSMIT_SLOTS] = Some(InFlight { buffer, tag: descriptor.tag });
            next = next.wrapping_add(1);
        }
        let taken_back = index.wrapping_sub(self.oldest);
        self.waiting.pass(taken_back);
        self.oldest = index;
        if next != self.next_send {
            self.next_send = next;
            self.unflushed.work = true;
        }
        match refused {
            Some(refused) => Err(refused),
            None if is_held => self.reap_each_out_of_order(end.wrapping_sub(index), &mut each),
            None => Ok(()),
        }
    }

    /// As [`reap_each`](Self::reap_each), one by one, when central holds sends.
    #[cold]
    fn reap_each_out_of_order(
        &mut self,
        most: u32,
        each: &mut impl FnMut(Completion) -> Option<Next>,
    ) -> Result<(), SendRefused> {
        // No more than are outstanding now, because new sends may end during the loop.
        for _ in 0..self.outstanding().min(most) {
            let Some(done) = self.reap() else { break };
            if let Some((descriptor, buffer)) = each(done) {
                self.enqueue_descriptor(descriptor, buffer)?;
            }
        }
        Ok(())
    }

    /// Takes everything that has arrived, oldest first. `each` gets the event and may return a buffer, which
    /// is posted for anyone. Central sees the new requests after the next [`flush`](Self::flush). What
    /// arrives during the call is left for the next one; [`arm`](Self::arm) tells whether there is any.
    ///
    /// On an error there was no slot to post a buffer again, and nothing was taken after it. A slot becomes
    /// free when central has released it, which can be a moment after the delivery, or when a window is
    /// withdrawn.
    ///
    /// ```
    /// use ferry_client::Event;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, &[1, 2, 3]);
    /// # let mut port = here.port;
    /// let mut sum = 0_u64;
    /// port.receive_each(|event| match event {
    ///     Event::Message { buffer, length, .. } => {
    ///         sum += buffer.bytes()[..length as usize].iter().map(|byte| u64::from(*byte)).sum::<u64>();
    ///         Some(buffer)
    ///     }
    ///     _ => None,
    /// })
    /// .unwrap();
    /// port.flush();
    /// # assert_eq!(sum, 6);
    /// ```
    #[inline]
    pub fn receive_each(
        &mut self,
        mut each: impl FnMut(Event) -> Option<ReceiveBuffer>,
    ) -> Result<(), PostError> {
        match self.receive_run(|arrival, buffer| each(message(&arrival, buffer))) {
            None => Ok(()),
            Some(left_over) => self.receive_rest(left_over, &mut each),
        }
    }

    /// As [`receive_each`](Self::receive_each), up to the first event that is no message. `each` looks at the
    /// message where central has written it. Returns whether there is such an event;
    /// [`receive`](Self::receive) takes it.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, &[1, 2, 3]);
    /// # let mut port = here.port;
    /// let mut sum = 0;
    /// let other_is_next = port.receive_messages(|message, buffer| {
    ///     sum += message.tag();
    ///     Some(buffer)
    /// });
    /// assert_eq!((other_is_next.unwrap(), sum), (false, 7));
    /// ```
    #[inline]
    pub fn receive_messages(
        &mut self,
        mut each: impl FnMut(Arrival<'_>, ReceiveBuffer) -> Option<ReceiveBuffer>,
    ) -> Result<bool, PostError> {
        loop {
            match self.receive_run(&mut each) {
                None => return Ok(false),
                Some(LeftOver::Event) => return Ok(true),
                Some(LeftOver::Buffer(buffer)) => {
                    self.post(buffer, None)?;
                    // What is known already, and no more, so that this ends.
                    if self.deliveries.available() == 0 {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Takes messages that are known, or if none is known, all that have arrived. Returns why it stopped
    /// early.
    #[inline]
    fn receive_run(
        &mut self,
        mut each: impl FnMut(Arrival<'_>, ReceiveBuffer) -> Option<ReceiveBuffer>,
    ) -> Option<LeftOver> {
        let (to_client, from_client) = (self.to_client, self.from_client);
        let end = self.known_delivery_end();
        let (mut index, mut next) = (self.deliveries.next(), self.next_post);
        if index == end {
            return None;
        }
        let limit = self.known_limit(end.wrapping_sub(index));
        self.unflushed.room = true;
        // As above.
        let posted = black_box(&mut self.posted);
        let left_over = loop {
            if index == end {
                break None;
            }
            let Some(arrival) = Arrival::at(to_client.deliveries.slot(index)) else {
                break Some(LeftOver::Event);
            };
            let Some(buffer) = posted[Delivery::slot_of(arrival.request())].take() else {
                break Some(LeftOver::Event);
            };
            index = index.wrapping_add(1);
            let Some(buffer) = each(arrival, buffer) else { continue };
            let number = next as usize % POST_SLOTS;
            let slot = &mut posted[number];
            if next == limit || slot.is_some() {
                break Some(LeftOver::Buffer(buffer));
            }
            let (place, length, kind) = (buffer.place(), buffer.capacity(), PostKind::Buffer as u8);
            from_client.posts.store(next, Post { place, length, from: Post::ANYONE, kind, marks: 0 });
            *slot = Some(buffer);
            self.posted_at[number] = next;
            next = next.wrapping_add(1);
        };
        self.deliveries.take_to(index);
        self.next_post = next;
        left_over
    }

    /// Goes on one by one with the deliveries that are known.
    #[cold]
    fn receive_rest(
        &mut self,
        left_over: LeftOver,
        each: &mut impl FnMut(Event) -> Option<ReceiveBuffer>,
    ) -> Result<(), PostError> {
        if let LeftOver::Buffer(buffer) = left_over {
            self.post(buffer, None)?;
        }
        for _ in 0..self.deliveries.available() {
            if let Some(buffer) = self.receive().and_then(&mut *each) {
                self.post(buffer, None)?;
            }
        }
        Ok(())
    }
}

/// Why the loop of [`Port::receive_each`] stopped early.
enum LeftOver {
    /// The next event is something else than a message.
    Event,
    /// No slot seemed to be free for this buffer.
    Buffer(ReceiveBuffer),
}
