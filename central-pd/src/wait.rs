//! Who waits for whom: the sends that cannot go on, in order within each flow, and what lets them go on.
//!
//! Nothing but this file knows the three sets of [`Waits`].

use ferry_layout::{DomainId, Status};

use crate::client::Ports;
use crate::engine::Engine;
use crate::table::ClientSet;

/// The waits of one client.
pub(crate) struct Waits {
    /// Targets for which sends of this client wait.
    targets: ClientSet,
    /// Those of them that may have become able to take one.
    ready: ClientSet,
    /// Sources whose sends wait for this client.
    sources: ClientSet,
}

impl Waits {
    pub(crate) const NOBODY: Self =
        Self { targets: ClientSet::EMPTY, ready: ClientSet::EMPTY, sources: ClientSet::EMPTY };

    /// Targets for which sends of this client wait and that may be able to take one.
    #[inline]
    pub(crate) const fn ready(&self) -> ClientSet {
        self.ready
    }

    /// Whether sends wait for this client.
    #[inline]
    pub(crate) const fn is_awaited(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Sources other than `source` whose sends wait for this client.
    #[inline]
    pub(crate) const fn others_than(&self, source: DomainId) -> ClientSet {
        let mut others = self.sources;
        others.remove(source);
        others
    }

    /// A send waits for `target` and can do nothing until that acts.
    pub(crate) const fn block(&mut self, target: DomainId) {
        self.ready.remove(target);
    }

    /// Sends that wait for `targets` may go on.
    pub(crate) const fn unblock(&mut self, targets: ClientSet) {
        self.ready = self.ready.union(targets);
    }
}

impl Engine {
    /// Lets message `index` wait at the end of its flow. `ready`: it could go on at once but for a share.
    pub(crate) fn wait(&mut self, source: DomainId, ports: Ports, index: u32, ready: bool) {
        let client = &mut self.clients[source];
        let target = client.sends.get(index).target;
        client.sends.enqueue(self.flows.get_mut(source, target), index);
        client.waits.targets.insert(target);
        if ready {
            client.waits.ready.insert(target);
        }
        for part in client.sends.parts(index) {
            ports.into.status(part).set(part, Status::Queued);
        }
        client.sends.occupy(index);
        if !self.clients[target].waits.sources.contains(source) {
            self.begin_to_share(source, target);
        }
        self.clients[target].waits.sources.insert(source);
        self.reconsider.insert(target);
    }

    /// Nothing waits in this flow any more.
    pub(crate) fn forget_wait(&mut self, source: DomainId, target: DomainId) {
        let waits = &mut self.clients[source].waits;
        waits.targets.remove(target);
        waits.ready.remove(target);
        self.clients[target].waits.sources.remove(source);
    }

    /// Lets the clients know whose sends wait for `target` that it may now be able to take one.
    pub(crate) fn rouse_waiters(&mut self, target: DomainId) {
        let sources = self.clients[target].waits.sources;
        self.rouse(sources, target);
    }

    /// Lets `sources`, whose sends wait for `target`, know that it may be able to take one.
    pub(crate) fn rouse(&mut self, sources: ClientSet, target: DomainId) {
        for source in sources.iter() {
            self.clients[source].waits.ready.insert(target);
        }
        self.roused = self.roused.union(sources);
    }

    /// `source` has sends that may go on, or may be looked at.
    pub(crate) const fn rouse_source(&mut self, source: DomainId) {
        self.roused.insert(source);
    }

    /// Drops all sends of `source` that wait, without a word to anybody but those who wait for what they had
    /// claimed.
    pub(crate) fn drop_waiting(&mut self, source: DomainId) {
        for target in self.clients[source].waits.targets.iter() {
            let mut gave_back = false;
            while let Some(index) = self.clients[source].sends.dequeue(self.flows.get_mut(source, target)) {
                gave_back |= self.abandon(source, index);
            }
            self.clients[target].waits.sources.remove(source);
            if gave_back {
                self.rouse_waiters(target);
            }
        }
        let waits = &mut self.clients[source].waits;
        waits.targets = ClientSet::EMPTY;
        waits.ready = ClientSet::EMPTY;
    }

    /// Ends all sends that wait for `target` with `status`. Between turns only.
    pub(crate) fn end_all_waiting(&mut self, target: DomainId, status: Status) {
        let sources = core::mem::replace(&mut self.clients[target].waits.sources, ClientSet::EMPTY);
        for source in sources.iter() {
            let Some(ports) = self.clients[source].ports else { continue };
            while let Some(index) = self.clients[source].sends.dequeue(self.flows.get_mut(source, target)) {
                self.end_at_once(source, ports, index, status);
            }
            let waits = &mut self.clients[source].waits;
            waits.targets.remove(target);
            waits.ready.remove(target);
            self.show_slots(source, ports);
        }
    }

    /// Ends the waiting sends of `source` whose time-to-live has run out and whose transfer has not begun.
    /// Between turns only.
    pub(crate) fn expire(&mut self, source: DomainId) {
        if self.clients[source].sends.with_deadline == 0 {
            return;
        }
        let Some(ports) = self.clients[source].ports else { return };
        for target in self.clients[source].waits.targets.iter() {
            let flow = self.flows.get_mut(source, target);
            let sends = &mut self.clients[source].sends;
            let expired = sends.dequeue_expired(flow, self.now);
            if !expired.is_empty() {
                // What expired may have held up what can go: a message for a buffer, one for an open window.
                self.clients[source].waits.ready.insert(target);
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
    pub(crate) fn abandon(&mut self, source: DomainId, index: u32) -> bool {
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
