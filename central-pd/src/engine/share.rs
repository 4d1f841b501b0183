//! Who of several senders gets what a receiver has to give: buffers, and places in its receive queue.
//!
//! As long as nobody waits for a receiver, whoever comes takes what there is. Once somebody does, the
//! receiver's senders are served in the order of what they have had (start-time fair queueing, Goyal et al.
//! 1996). A flow has been served up to a point, counted in shares of a round: a message moves it on by its
//! part of its sender's `bytes_per_round` or `messages_per_round`, whichever is more. So senders get what a
//! receiver gives in the proportion in which they get central's time. A flow that comes to wait begins at the
//! point where the least served one stands; nobody saves up by being idle. Those that have taken something in
//! the same round, because their turns came first, have had it at the expense of the one that comes to wait,
//! and it counts.
//!
//! Signals, wake-ups, classes and rotations of rounds have no say here. A sender that is ahead of another
//! that could go on lets that one go first; how far ahead it may get is its part of what there is, so that
//! many buffers go in large pieces. The one that is furthest behind never waits for another, so somebody
//! always goes on.

use core::num::NonZeroU32;

use ferry_layout::{DomainId, Kind};

use super::Engine;
use crate::service::Uncounted;
use crate::table::ClientSet;

impl Engine {
    /// How many messages `source` may send to `target` before it is another's turn; all, if nobody else waits
    /// for that.
    #[inline]
    pub(super) fn fair_part(&mut self, source: DomainId, target: DomainId) -> u32 {
        let others = self.clients[target].waits.others_than(source);
        if others.is_empty() { u32::MAX } else { self.fair_part_beside(source, target, others) }
    }

    #[inline(never)]
    fn fair_part_beside(&mut self, source: DomainId, target: DomainId, others: ClientSet) -> u32 {
        let service = self.clients[target].service;
        let (mut rivals, mut count, mut least) = (ClientSet::EMPTY, NonZeroU32::MIN, u64::MAX);
        for other in others.iter().filter(|other| self.could_go_on(*other, target)) {
            rivals.insert(other);
            count = count.saturating_add(1);
            least = least.min(service.distance(self.flows.get(other, target).served));
        }
        if rivals.is_empty() {
            return u32::MAX;
        }
        let own = service.distance(self.flows.get(source, target).served);
        let receiver = &mut self.clients[target];
        receiver.service.move_on(own.min(least));
        let there = receiver.requests.open_to_anyone().min(receiver.room());
        let part = (there / count).max(1);
        let unit = self.clients[source].budget.part_of_share(1, 0);
        let ahead = u32::try_from(own.saturating_sub(least) / unit).unwrap_or(u32::MAX);
        let left = part.saturating_sub(ahead);
        if left == 0 {
            // They may not know that there is something for them.
            self.rouse(rivals, target);
        }
        left
    }

    /// Whether the oldest send of `source` that waits for `target` needs something of it, and that is there.
    fn could_go_on(&self, source: DomainId, target: DomainId) -> bool {
        let Some((index, _)) = self.flows.get(source, target).waiting else { return false };
        let (send, receiver) = (self.clients[source].sends.get(index), &self.clients[target]);
        let needs_nothing = send.is_under_way();
        let has_all = send.kind == Kind::Placed || receiver.requests.find(source).is_some();
        !needs_nothing && receiver.has_room() && has_all
    }

    /// Counts what `source` has had of `target`, or notes it, if nobody else waits for that.
    #[inline]
    pub(super) fn count_service(&mut self, source: DomainId, target: DomainId, messages: u32, bytes: u64) {
        let receiver = &self.clients[target];
        if !receiver.has_several_senders {
            return;
        }
        if !receiver.waits.others_than(source).is_empty() {
            self.count(source, target, messages, bytes);
            return;
        }
        let service = &mut self.clients[target].service;
        let uncounted = &mut self.flows.get_mut(source, target).uncounted;
        if service.note_uncounted(self.round, source) {
            *uncounted = Uncounted::NOTHING;
        }
        uncounted.messages += messages;
        uncounted.bytes += bytes;
    }

    fn count(&mut self, source: DomainId, target: DomainId, messages: u32, bytes: u64) {
        let part = self.clients[source].budget.part_of_share(messages, bytes).get();
        let service = self.clients[target].service;
        let flow = self.flows.get_mut(source, target);
        let distance = service.distance(flow.served).wrapping_add(part);
        flow.served = service.place(distance);
    }

    /// `source` begins to wait for `target`: what others have had in this round counts.
    pub(super) fn begin_to_share(&mut self, source: DomainId, target: DomainId) {
        let mut others = self.clients[target].service.take_uncounted(self.round);
        others.remove(source);
        for other in others.iter() {
            let Uncounted { messages, bytes } = self.flows.get(other, target).uncounted;
            self.count(other, target, messages, bytes);
        }
    }
}
