//! The receiving half of a port: offering buffers and windows, and taking what arrived.

use ferry_layout::geometry::POST_SLOTS;
use ferry_layout::{Address, Delivery, DeliveryKind, DomainId, Peer, Post, PostKind};

use crate::memory::ReceiveBuffer;
use crate::message::{Event, PostError, Posted};
use crate::port::{Doorbell, Port};

impl<D: Doorbell> Port<D> {
    /// Offers `buffer` for one message, from anyone or only from `from` (r08).
    pub fn post(&mut self, buffer: ReceiveBuffer, from: Option<Peer>) -> Result<Posted, PostError> {
        self.request(buffer, from.map_or(Post::ANYONE, |peer| peer.domain), PostKind::Buffer)
    }

    /// Holds `buffer` open as a window: `from` may place any number of messages in it, until withdrawn. Read them with
    /// [`posted_buffer`](Self::posted_buffer) and [`ReceiveBuffer::copy_out`].
    pub fn open_window(&mut self, buffer: ReceiveBuffer, from: Peer) -> Result<Posted, PostError> {
        self.request(buffer, from.domain, PostKind::Window)
    }

    fn request(&mut self, buffer: ReceiveBuffer, from: u16, kind: PostKind) -> Result<Posted, PostError> {
        // A slot whose buffer has not come back is in use even where central has released it: a window.
        let next = self.posts.next() as usize % POST_SLOTS;
        self.learn_posts();
        if self.posted[next].is_some() {
            return Err(PostError { buffer });
        }
        let Some(index) = self.posts.push() else { return Err(PostError { buffer }) };
        let (place, length) = (buffer.place(), buffer.capacity());
        self.out.posts.store(index, Post { place, length, from, kind: kind as u8, reserved: 0 });
        self.posted[next] = Some(buffer);
        self.unflushed = true;
        Ok(Posted(index))
    }

    /// Asks for a request back. `false` if all slots are in use; else an [`Event::Returned`] or
    /// [`Event::NotWithdrawn`] follows.
    pub fn withdraw(&mut self, request: Posted) -> bool {
        let next = self.posts.next() as usize % POST_SLOTS;
        self.learn_posts();
        if self.posted[next].is_some() {
            return false;
        }
        let Some(index) = self.posts.push() else { return false };
        let place = Address { frame: request.0, offset: 0 };
        self.out
            .posts
            .store(index, Post { place, length: 0, from: 0, kind: PostKind::Withdraw as u8, reserved: 0 });
        self.unflushed = true;
        true
    }

    /// The buffer of a request that is still open, to look into a window.
    #[must_use]
    pub fn posted_buffer(&self, request: Posted) -> Option<&ReceiveBuffer> {
        self.posted[request.0 as usize % POST_SLOTS].as_ref()
    }

    /// The oldest thing that central has filed and that was not taken yet (r18). Central gets the place back by the
    /// next [`flush`](Self::flush).
    pub fn receive(&mut self) -> Option<Event> {
        loop {
            // Central is trusted; an index that makes no sense means that the epoch has ended, and nothing more comes.
            self.deliveries.refresh(self.into.delivery_tail.observe()).ok()?;
            let index = self.deliveries.take()?;
            let delivery: Delivery = self.into.deliveries.load(index);
            self.deliveries.release(1);
            self.unflushed = true;
            if let Some(event) = self.understand(&delivery) {
                return Some(event);
            }
        }
    }

    fn understand(&mut self, delivery: &Delivery) -> Option<Event> {
        let Delivery { tag, sequence, place, length, .. } = *delivery;
        #[expect(clippy::cast_possible_truncation, reason = "central answers with the index it was given")]
        let request = tag as u32;
        match DeliveryKind::from_number(delivery.kind)? {
            DeliveryKind::Message => {
                let source = DomainId::new(delivery.source)?;
                let buffer = self.posted[usize::from(delivery.request) % POST_SLOTS].take()?;
                Some(Event::Message { source, tag, sequence, buffer, length })
            }
            DeliveryKind::Placed => {
                let source = DomainId::new(delivery.source)?;
                Some(Event::Placed { source, tag, sequence, place, length })
            }
            DeliveryKind::Withdrawn => self.posted[request as usize % POST_SLOTS].take().map(Event::Returned),
            DeliveryKind::Refused => Some(
                self.posted[request as usize % POST_SLOTS]
                    .take()
                    .map_or(Event::NotWithdrawn, Event::Returned),
            ),
        }
    }

    /// Learns which requests central has released. Central is trusted; see [`receive`](Self::receive) for nonsense.
    fn learn_posts(&mut self) {
        let _ = self.posts.refresh(self.into.post_head.observe());
    }
}
