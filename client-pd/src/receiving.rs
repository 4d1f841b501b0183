//! The receiving half of a port: it offers buffers and windows, and takes what has arrived.

use ferry_layout::geometry::{MAX_CLIENTS, POST_SLOTS};
use ferry_layout::{Arrival, Delivery, DeliveryKind, DomainId, Peer, Post, PostKind};

use crate::memory::ReceiveBuffer;
use crate::message::{Event, PostError, Posted};
use crate::port::{Doorbell, Port};

/// Slots of the request ring.
#[expect(clippy::cast_possible_truncation, reason = "far fewer than 2^32")]
const SLOTS: u32 = POST_SLOTS as u32;

/// A message that has arrived, with its buffer.
#[inline]
pub(crate) fn message(arrival: &Arrival<'_>, buffer: ReceiveBuffer) -> Event {
    let (source, tag, sequence) = (arrival.source(), arrival.tag(), arrival.sequence());
    Event::Message { source, tag, sequence, buffer, length: arrival.length() }
}

impl<D: Doorbell> Port<D> {
    /// Offers `buffer` for one message, from anyone or only from `from` (r08).
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # let (mut port, peer, mut free) = (here.port, here.peer, here.receive);
    /// port.post(free.pop().unwrap(), None).unwrap(); // for anyone
    /// port.post(free.pop().unwrap(), Some(peer)).unwrap(); // for this peer alone
    /// port.flush();
    /// # there.send(7, b"hello");
    /// # assert!(port.receive().is_some());
    /// ```
    #[inline]
    pub fn post(&mut self, buffer: ReceiveBuffer, from: Option<Peer>) -> Result<Posted, PostError> {
        match from {
            None => self.request(buffer, Post::ANYONE, PostKind::Buffer),
            Some(from) => self.request_for(buffer, from, PostKind::Buffer),
        }
    }

    /// Holds `buffer` open as a window: `from` may place any number of messages in it until it is withdrawn.
    /// Read them with [`posted_buffer`](Self::posted_buffer) and [`ReceiveBuffer::copy_out`].
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (mut port, peer, buffer) = (here.port, here.peer, here.receive.pop().unwrap());
    /// let window = port.open_window(buffer, peer).unwrap();
    /// port.flush();
    /// let mut first = [0; 4];
    /// assert!(port.posted_buffer(window).unwrap().copy_out(0, &mut first));
    /// ```
    pub fn open_window(&mut self, buffer: ReceiveBuffer, from: Peer) -> Result<Posted, PostError> {
        self.request_for(buffer, from, PostKind::Window)
    }

    /// Enqueues a request that only one peer may use. Half of all slots is shared out among the peers for
    /// such requests, so that a silent peer keeps no slot that another needs. The other half is left for
    /// buffers that anyone may fill.
    fn request_for(
        &mut self,
        buffer: ReceiveBuffer,
        from: Peer,
        kind: PostKind,
    ) -> Result<Posted, PostError> {
        let limit = self.slots_for_each_peer();
        let peer = usize::from(from.domain) % MAX_CLIENTS;
        if usize::from(self.posted_for[peer]) >= limit {
            let is_for_peer = |slot: &u32| {
                let post: Post = self.from_client.posts.load(*slot);
                self.posted[*slot as usize].is_some() && post.from == from.domain
            };
            let count = (0..SLOTS).filter(is_for_peer).count();
            self.posted_for[peer] = u8::try_from(count).unwrap_or(u8::MAX);
            if count >= limit {
                return Err(PostError { buffer });
            }
        }
        let posted = self.request(buffer, from.domain, kind)?;
        self.posted_for[peer] += 1;
        Ok(posted)
    }

    /// How many requests that only one peer may use this client can have outstanding for each peer.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// assert_eq!(port.slots_for_each_peer(), 64); // there is one peer
    /// ```
    #[must_use]
    pub fn slots_for_each_peer(&self) -> usize {
        let peers = self.peers().filter(|peer| peer.may_receive != 0).count();
        POST_SLOTS / 2 / peers.max(1)
    }

    #[inline]
    fn request(&mut self, buffer: ReceiveBuffer, from: u16, kind: PostKind) -> Result<Posted, PostError> {
        let Some(index) = self.next_request() else { return Err(PostError { buffer }) };
        let (place, length) = (buffer.place(), buffer.capacity());
        self.from_client.posts.store(index, Post { place, length, from, kind: kind as u8, marks: 0 });
        let slot = index as usize % POST_SLOTS;
        self.posted[slot] = Some(buffer);
        self.posted_at[slot] = index;
        self.next_post = index.wrapping_add(1);
        match kind {
            PostKind::Buffer => self.unflushed.room = true,
            PostKind::Window => self.unflushed.work = true,
        }
        Ok(Posted { index })
    }

    /// Asks for a request back. Its buffer comes by an [`Event::Returned`], or with a message that was
    /// already on its way. Returns `false` if the buffer has come back already, or if the request was
    /// withdrawn before. A withdrawal needs no slot, so it is always possible.
    ///
    /// ```
    /// use ferry_client::Event;
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (mut port, buffer) = (here.port, here.receive.pop().unwrap());
    /// let request = port.post(buffer, None).unwrap();
    /// port.flush();
    /// assert!(port.withdraw(request));
    /// port.flush();
    /// let Some(Event::Returned(_buffer)) = port.receive() else { panic!("it has not come back") };
    /// ```
    pub fn withdraw(&mut self, request: Posted) -> bool {
        let Posted { index } = request;
        let is_out = self.posted_buffer(request).is_some();
        let post: Post = self.from_client.posts.load(index);
        if !is_out || post.marks & Post::WITHDRAWN != 0 {
            return false;
        }
        self.from_client.withdraw(index);
        self.withdrawals = self.withdrawals.wrapping_add(1);
        // Central may take this request later than it sees the count. The mark in the request tells it then.
        self.from_client.withdrawals.publish(self.withdrawals);
        self.unflushed.work = true;
        true
    }

    /// The index of the next request, if a slot is free for it. Indices before it whose slots are in use are
    /// passed over.
    #[inline]
    fn next_request(&mut self) -> Option<u32> {
        let mut index = self.next_post;
        while self.known_limit(1) != index {
            if self.posted[index as usize % POST_SLOTS].is_none() {
                return Some(index);
            }
            // If every slot is in use, nothing is free, and nothing need be passed over.
            if self.posted.iter().all(Option::is_some) {
                return None;
            }
            self.from_client.pass_over_post(index);
            index = index.wrapping_add(1);
            self.next_post = index;
            self.unflushed.room = true;
        }
        None
    }

    /// One past the last index that a request can have, as far as is known. It reads central's index again if
    /// there are fewer than `wanted` such indices.
    #[inline]
    pub(crate) fn known_limit(&mut self, wanted: u32) -> u32 {
        if SLOTS.wrapping_sub(self.next_post.wrapping_sub(self.posts_taken)) < wanted {
            let taken = self.to_client.post_head.observe();
            // Central is trusted; for an index that makes no sense see `known_delivery_end`.
            if self.next_post.wrapping_sub(taken) <= self.next_post.wrapping_sub(self.posts_taken) {
                self.posts_taken = taken;
            }
        }
        self.posts_taken.wrapping_add(SLOTS)
    }

    /// The buffer of a request that is still open, for reading from a window.
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (mut port, peer, buffer) = (here.port, here.peer, here.receive.pop().unwrap());
    /// let window = port.open_window(buffer, peer).unwrap();
    /// assert_eq!(port.posted_buffer(window).map(|buffer| buffer.capacity()), Some(2048));
    /// ```
    #[must_use]
    pub fn posted_buffer(&self, request: Posted) -> Option<&ReceiveBuffer> {
        let slot = request.index as usize % POST_SLOTS;
        // A later request may use the slot by now.
        self.posted[slot].as_ref().filter(|_| self.posted_at[slot] == request.index)
    }

    /// The oldest delivery that was not taken yet (r18). Central gets its slot back after the next
    /// [`flush`](Self::flush).
    ///
    /// ```
    /// use ferry_client::Event;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let mut port = here.port;
    /// while let Some(event) = port.receive() {
    ///     let Event::Message { tag, buffer, length, .. } = event else { continue };
    ///     assert_eq!((tag, &buffer.bytes()[..length as usize]), (7, b"hello".as_slice()));
    ///     port.post(buffer, None).unwrap();
    /// }
    /// port.flush();
    /// ```
    #[inline]
    pub fn receive(&mut self) -> Option<Event> {
        loop {
            self.known_delivery_end();
            let index = self.deliveries.take()?;
            self.unflushed.room = true;
            let event = match Arrival::at(self.to_client.deliveries.slot(index)) {
                Some(arrival) => self.arrived(&arrival),
                None => self.other_event(&self.to_client.deliveries.load(index)),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// One past the newest known delivery. It reads central's index again if no delivery is left.
    #[inline]
    pub(crate) fn known_delivery_end(&mut self) -> u32 {
        if self.deliveries.available() == 0 {
            // Central is trusted. An index that makes no sense means that the epoch has ended, and then
            // nothing more arrives.
            let _ = self.deliveries.refresh(self.to_client.delivery_tail.observe());
        }
        self.deliveries.tail()
    }

    #[inline]
    fn arrived(&mut self, arrival: &Arrival<'_>) -> Option<Event> {
        let buffer = self.posted[Delivery::slot_of(arrival.request())].take()?;
        Some(message(arrival, buffer))
    }

    #[cold]
    fn other_event(&mut self, delivery: &Delivery) -> Option<Event> {
        let Delivery { tag, sequence, request, length, source, kind, .. } = *delivery;
        match DeliveryKind::from_number(kind)? {
            // `arrived` handles messages, and only a guard has to inspect.
            DeliveryKind::Message | DeliveryKind::Inspection => None,
            DeliveryKind::Placed => {
                let (source, place) = (DomainId::new(source)?, delivery.place());
                Some(Event::Placed { source, tag, sequence, place, length })
            }
            DeliveryKind::Withdrawn | DeliveryKind::Refused => {
                self.posted[Delivery::slot_of(request)].take().map(Event::Returned)
            }
        }
    }
}
