//! The receiving half of a port: offering buffers and windows, and taking what arrived.

use ferry_layout::geometry::POST_SLOTS;
use ferry_layout::{Address, Arrival, Delivery, DeliveryKind, DomainId, Peer, Post, PostKind};

use crate::memory::ReceiveBuffer;
use crate::message::{Event, PostError, Posted};
use crate::port::{Doorbell, Port};

impl<D: Doorbell> Port<D> {
    /// Offers `buffer` for one message, from anyone or only from `from` (r08).
    #[inline]
    pub fn post(&mut self, buffer: ReceiveBuffer, from: Option<Peer>) -> Result<Posted, PostError> {
        self.request(buffer, from.map_or(Post::ANYONE, |peer| peer.domain), PostKind::Buffer)
    }

    /// Holds `buffer` open as a window: `from` may place any number of messages in it, until withdrawn. Read them with
    /// [`posted_buffer`](Self::posted_buffer) and [`ReceiveBuffer::copy_out`].
    pub fn open_window(&mut self, buffer: ReceiveBuffer, from: Peer) -> Result<Posted, PostError> {
        self.request(buffer, from.domain, PostKind::Window)
    }

    #[inline]
    fn request(&mut self, buffer: ReceiveBuffer, from: u16, kind: PostKind) -> Result<Posted, PostError> {
        let Some(index) = self.next_request() else { return Err(PostError { buffer }) };
        let (place, length) = (buffer.place(), buffer.capacity());
        self.out.posts.store(index, Post { place, length, from, kind: kind as u8, reserved: 0 });
        self.posted[index as usize % POST_SLOTS] = Some(buffer);
        match kind {
            PostKind::Buffer => self.unflushed.room = true,
            PostKind::Window | PostKind::Withdraw => self.unflushed.news = true,
        }
        Ok(Posted(index))
    }

    /// Asks for a request back. `false` if all slots are in use; else an [`Event::Returned`] or
    /// [`Event::NotWithdrawn`] follows.
    pub fn withdraw(&mut self, request: Posted) -> bool {
        let Some(index) = self.next_request() else { return false };
        let place = Address { frame: request.0, offset: 0 };
        self.out
            .posts
            .store(index, Post { place, length: 0, from: 0, kind: PostKind::Withdraw as u8, reserved: 0 });
        self.unflushed.news = true;
        true
    }

    /// The index of the next request, if a slot is free for it.
    #[inline]
    fn next_request(&mut self) -> Option<u32> {
        // A slot whose buffer has not come back is in use even where central has released it: a window.
        let next = self.posts.next();
        if self.posted[next as usize % POST_SLOTS].is_some() || self.known_limit(1) == next {
            return None;
        }
        self.posts.push()
    }

    /// One past the last request that there is a slot for, as far as is known; looks for more if there are
    /// fewer slots than `wanted`.
    #[inline]
    pub(crate) fn known_limit(&mut self, wanted: u32) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "far fewer than 2^32")]
        const SLOTS: u32 = POST_SLOTS as u32;
        if self.posts.free() < wanted {
            // Central is trusted; see `known_delivery_end` for nonsense.
            let _ = self.posts.refresh(self.into.post_head.observe());
        }
        self.posts.head().wrapping_add(SLOTS)
    }

    /// The buffer of a request that is still open, to look into a window.
    #[must_use]
    pub fn posted_buffer(&self, request: Posted) -> Option<&ReceiveBuffer> {
        self.posted[request.0 as usize % POST_SLOTS].as_ref()
    }

    /// The oldest thing that central has filed and that was not taken yet (r18). Central gets the place back by the
    /// next [`flush`](Self::flush).
    #[inline]
    pub fn receive(&mut self) -> Option<Event> {
        loop {
            self.known_delivery_end();
            let index = self.deliveries.take()?;
            self.unflushed.room = true;
            let event = match Arrival::load(self.into.deliveries.slot(index)) {
                Some(arrival) => self.arrived(arrival),
                None => self.understand(&self.into.deliveries.load(index)),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// One past the newest delivery that is known; looks for more if there are none.
    #[inline]
    pub(crate) fn known_delivery_end(&mut self) -> u32 {
        if self.deliveries.available() == 0 {
            self.deliveries.release(u32::MAX);
            // Central is trusted; an index that makes no sense means that the epoch has ended, and nothing more comes.
            let _ = self.deliveries.refresh(self.into.delivery_tail.observe());
        }
        self.deliveries.tail()
    }

    #[inline]
    pub(crate) fn arrived(&mut self, arrival: Arrival) -> Option<Event> {
        let Arrival { tag, sequence, length, source, request } = arrival;
        let source = DomainId::new(source)?;
        let buffer = self.posted[usize::from(request) % POST_SLOTS].take()?;
        Some(Event::Message { source, tag, sequence, buffer, length })
    }

    #[cold]
    fn understand(&mut self, delivery: &Delivery) -> Option<Event> {
        let Delivery { tag, sequence, place, length, source, kind, .. } = *delivery;
        #[expect(clippy::cast_possible_truncation, reason = "central answers with the index it was given")]
        let answered = tag as u32 as usize % POST_SLOTS;
        match DeliveryKind::from_number(kind)? {
            // See `arrived`.
            DeliveryKind::Message => None,
            DeliveryKind::Placed => {
                let source = DomainId::new(source)?;
                Some(Event::Placed { source, tag, sequence, place, length })
            }
            DeliveryKind::Withdrawn => self.posted[answered].take().map(Event::Returned),
            DeliveryKind::Refused => {
                Some(self.posted[answered].take().map_or(Event::NotWithdrawn, Event::Returned))
            }
        }
    }
}
