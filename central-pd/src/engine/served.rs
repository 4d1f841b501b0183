//! What each sender has got from a receiver: positions move forward. `share.rs` says what they are for.

use ferry_layout::DomainId;

use super::Engine;
use crate::service::Uncounted;

impl Engine {
    /// Counts what `source` has got from `target`. If `target` is not contested in this round, only notes it,
    /// for the case that it becomes so.
    #[inline]
    pub(super) fn count_service(&mut self, source: DomainId, target: DomainId, messages: u32, bytes: u64) {
        let receiver = &self.clients[target];
        if !receiver.has_several_senders {
            return;
        }
        let others_wait = !receiver.waits.others_than(source).is_empty();
        if others_wait || receiver.service.is_contested(self.round) {
            if others_wait {
                // This sender need not wait itself. What those that wait have got in this round counts too.
                self.count_noted(target);
            }
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

    /// Called when `source` begins to wait for `target`. Counts what the other senders got in this round.
    pub(super) fn begin_to_share(&mut self, source: DomainId, target: DomainId) {
        self.clients[target].service.forget_noted(self.round, source);
        self.count_noted(target);
    }

    /// Counts what senders got from `target` in this round while it was not contested. From now on it is.
    fn count_noted(&mut self, target: DomainId) {
        for sender in self.clients[target].service.contest(self.round).iter() {
            let Uncounted { messages, bytes } = self.flows.get(sender, target).uncounted;
            self.count(sender, target, messages, bytes);
        }
    }
}
