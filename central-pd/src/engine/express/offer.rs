//! What a receiver of the express lanes has for a run of messages, be it a target or a guard.

use ferry_layout::{DomainId, Post, Span};

use crate::engine::Engine;
use crate::engine::client::{Client, Ports};
use crate::offers::buffer_for_anyone;

/// Buffers for a run of messages, and places in the queue of their receiver.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    pub(super) ports: Ports,
    /// Index of the first request.
    pub(super) request: u32,
    /// Number of requests and of places.
    pub(super) count: u32,
    /// The requests were not taken, and are read from the ring as they are used.
    pub(super) is_fresh: bool,
}

impl Engine {
    /// The requests of `receiver` that messages of `source` can use. Those that were taken are older
    /// than those that are still in the ring, so they come first. While sends wait for the receiver, requests
    /// are only used after they were taken: shares are made of those.
    #[inline(always)]
    pub(super) fn requests_for(&mut self, source: DomainId, receiver: DomainId, ports: Ports) -> Offer {
        let state = &self.clients[receiver];
        let (mut request, mut count) = state.requests.open_run(source);
        let is_fresh = count == 0 && !state.waits.is_awaited();
        if is_fresh {
            self.learn_requests(receiver, ports);
            (request, count) = self.clients[receiver].requests.fresh_run();
        }
        Offer { ports, request, count, is_fresh }
    }

    /// What `target`, which is open, has for messages of `source`. While others wait for it too, that is no
    /// more than the part of `source`.
    #[inline(always)]
    pub(super) fn offer_of_target(&mut self, source: DomainId, target: DomainId) -> Option<Offer> {
        let receiver = &self.clients[target];
        let (ports, is_awaited) = (receiver.ports?, receiver.waits.is_awaited());
        let mut offer = self.requests_for(source, target, ports);
        if is_awaited {
            offer.count = offer.count.min(self.fair_part(source, target));
        }
        offer.count = offer.count.min(self.clients[target].room());
        Some(offer)
    }
}

impl Client {
    /// The buffer of one of the requests of an offer, counted from 0.
    #[inline(always)]
    pub(super) fn buffer_of(&self, offer: &Offer, number: u32) -> Option<Span> {
        let request = offer.request.wrapping_add(number);
        if !offer.is_fresh {
            return Some(self.requests.span(request));
        }
        let post: Post = offer.ports.from_client.posts.load(request);
        // The size of a guard's receive buffer is hidden.
        let bytes = if self.is_guard { self.inspections.bytes() } else { self.receive_buffer.bytes() };
        buffer_for_anyone(&post, bytes)
    }

    /// How many messages can go into an offer before one of the rings begins anew. A lane ends there.
    pub(super) fn in_one_piece(&self, offer: &Offer) -> u32 {
        let places = offer.ports.to_client.deliveries.run(self.deliveries.next()).len();
        let requests = offer.ports.from_client.posts.run(offer.request).len();
        let most = if offer.is_fresh { places.min(requests) } else { places };
        offer.count.min(u32::try_from(most).unwrap_or(u32::MAX))
    }

    /// Records that messages of `source` have used the first `count` requests of an offer.
    #[inline(always)]
    pub(super) fn use_requests(&mut self, offer: &Offer, source: DomainId, count: u32) {
        if offer.is_fresh {
            self.requests.use_fresh(count);
        } else {
            self.requests.consume_run(source, offer.request, count);
        }
    }
}
