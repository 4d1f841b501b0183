//! Who waits for whom: the sends that cannot go on, in order within each flow, and what lets them go on.
//!
//! Nothing but this file changes the sets of [`Waits`](crate::waits::Waits) on both sides.

use ferry_layout::{DomainId, Status};

use super::Engine;
use super::client::Ports;
use crate::table::ClientSet;

impl Engine {
    /// Lets message `index` wait at the end of its flow. `ready`: it could go on at once but for a share.
    pub(super) fn wait(&mut self, source: DomainId, ports: Ports, index: u32, ready: bool) {
        let client = &mut self.clients[source];
        let target = client.sends.get(index).target;
        client.sends.enqueue(self.flows.get_mut(source, target), index);
        client.waits.insert_target(target);
        if ready {
            client.waits.unblock_one(target);
        }
        for part in client.sends.parts(index) {
            ports.to_client.status(part).set(part, Status::Queued);
        }
        client.sends.occupy(index);
        if self.clients[target].waits.insert_source(source) {
            self.begin_to_share(source, target);
        }
        self.reconsider.insert(target);
    }

    /// Nothing waits in this flow any more.
    pub(super) fn forget_wait(&mut self, source: DomainId, target: DomainId) {
        self.clients[source].waits.remove_target(target);
        self.clients[target].waits.remove_source(source);
    }

    /// Lets the clients know whose sends wait for `target` that it may now be able to take one.
    pub(super) fn rouse_waiters(&mut self, target: DomainId) {
        let sources = self.clients[target].waits.sources();
        self.rouse(sources, target);
    }

    /// Lets `sources`, whose sends wait for `target`, know that it may be able to take one.
    pub(super) fn rouse(&mut self, sources: ClientSet, target: DomainId) {
        for source in sources.iter() {
            self.clients[source].waits.unblock_one(target);
        }
        self.roused = self.roused.union(sources);
    }

    /// `source` has sends that may go on, or may be looked at.
    pub(super) const fn rouse_source(&mut self, source: DomainId) {
        self.roused.insert(source);
    }

    /// Drops all sends of `source` that wait, without a word to anybody but those who wait for what they had
    /// claimed.
    pub(super) fn drop_waiting(&mut self, source: DomainId) {
        for target in self.clients[source].waits.targets().iter() {
            let mut gave_back = false;
            while let Some(index) = self.clients[source].sends.dequeue(self.flows.get_mut(source, target)) {
                gave_back |= self.abandon(source, index);
            }
            self.clients[target].waits.remove_source(source);
            if gave_back {
                self.rouse_waiters(target);
            }
        }
        self.clients[source].waits.clear_targets();
    }

    /// Ends all sends that wait for `target` with `status`. Between turns only.
    pub(super) fn end_all_waiting(&mut self, target: DomainId, status: Status) {
        let sources = self.clients[target].waits.take_sources();
        for source in sources.iter() {
            let Some(ports) = self.clients[source].ports else { continue };
            while let Some(index) = self.clients[source].sends.dequeue(self.flows.get_mut(source, target)) {
                self.end_at_once(source, ports, index, status);
            }
            self.clients[source].waits.remove_target(target);
            self.show_slots(source, ports);
        }
    }

    /// Ends the waiting sends of `source` whose time-to-live has run out and whose transfer has not begun.
    /// Between turns only.
    pub(super) fn expire(&mut self, source: DomainId) {
        if self.clients[source].sends.with_deadline == 0 {
            return;
        }
        let Some(ports) = self.clients[source].ports else { return };
        for target in self.clients[source].waits.targets().iter() {
            let flow = self.flows.get_mut(source, target);
            let sends = &mut self.clients[source].sends;
            let expired = sends.dequeue_expired(flow, self.now);
            if !expired.is_empty() {
                // What expired may have held up what can go: a message for a buffer, one for an open window.
                self.clients[source].waits.unblock_one(target);
                self.roused.insert(source);
            }
            for slot in expired.from(0) {
                let index = self.clients[source].sends.get(slot).index;
                self.end_at_once(source, ports, index, Status::Expired);
            }
        }
        self.show_slots(source, ports);
    }

    /// Gives back the buffer that a message had claimed and that will not arrive. Whether there was one.
    pub(super) fn abandon(&mut self, source: DomainId, index: u32) -> bool {
        let send = self.clients[source].sends.get_mut(index);
        let (target, claimed) = (send.target, send.claimed.take());
        if let Some(request) = claimed {
            self.clients[target].requests.give_back(request);
            // It may have been withdrawn meanwhile.
            self.look_again.insert(target);
        }
        claimed.is_some()
    }
}
