//! Which client waits for which. Sends that cannot go on wait here, in order within each flow, and this file
//! lets them go on.
//!
//! Only this file changes who waits for whom, so both sides of [`Waits`](crate::waits::Waits) stay in step. A
//! turn changes nothing but which targets are ready.

use ferry_layout::{DomainId, Status};

use super::Engine;
use super::client::Ports;
use crate::one_way::CarriedSends;
use crate::table::ClientSet;

impl Engine {
    /// Lets message `index` wait at the end of its flow. `ready` means that it may be able to go on before
    /// the target acts.
    pub(super) fn wait(&mut self, source: DomainId, ports: Ports, index: u32, ready: bool) {
        let client = &mut self.clients[source];
        let target = client.sends.get(index).header.target;
        client.sends.enqueue(&mut self.flows.get_mut(source, target).waiting, index);
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

    /// Notes that no send waits in this flow any more.
    pub(super) fn forget_wait(&mut self, source: DomainId, target: DomainId) {
        self.clients[source].waits.remove_target(target);
        self.clients[target].waits.remove_source(source);
    }

    /// Rouses all clients whose sends wait for `target`: it may be able to take one now.
    pub(super) fn rouse_waiters(&mut self, target: DomainId) {
        let sources = self.clients[target].waits.sources();
        self.rouse(sources, target);
    }

    /// Rouses `sources`, whose sends wait for `target`: it may be able to take one now. They get a turn even
    /// without a signal.
    pub(super) fn rouse(&mut self, sources: ClientSet, target: DomainId) {
        for source in sources.iter() {
            self.clients[source].waits.unblock_one(target);
        }
        self.roused = self.roused.union(sources);
    }

    /// Gives `source` a turn even without a signal: it has sends that may go on, or that may be looked at.
    pub(super) const fn rouse_source(&mut self, source: DomainId) {
        self.roused.insert(source);
    }

    /// Takes the oldest send that waits in this flow out of its queue.
    fn take_oldest(&mut self, source: DomainId, target: DomainId) -> Option<u32> {
        self.clients[source].sends.dequeue(&mut self.flows.get_mut(source, target).waiting)
    }

    /// Drops all waiting sends of `source` without a status. Rouses the clients that wait for a buffer that
    /// such a send had claimed.
    pub(super) fn drop_waiting(&mut self, source: DomainId) {
        for target in self.clients[source].waits.targets().iter() {
            let mut gave_back = false;
            while let Some(index) = self.take_oldest(source, target) {
                gave_back |= self.abandon(source, index);
            }
            self.drop_guarded(source, target);
            self.drop_one_way(source, target);
            self.clients[target].waits.remove_source(source);
            if gave_back {
                self.rouse_waiters(target);
            }
        }
        self.clients[source].waits.clear_targets();
        self.clients[source].carried = CarriedSends::NONE;
    }

    /// Ends all sends that wait for `target` with `status`. Must be called between turns.
    pub(super) fn end_all_waiting(&mut self, target: DomainId, status: Status) {
        let sources = self.clients[target].waits.take_sources().union(self.guarded_sources(target));
        for source in sources.iter() {
            let Some(ports) = self.clients[source].ports else { continue };
            while let Some(index) = self.take_oldest(source, target) {
                self.end_at_once(source, ports, index, status);
            }
            self.end_guarded(source, target, ports, status);
            self.clients[source].waits.remove_target(target);
            self.show_slots(source, ports);
        }
    }

    /// Ends the waiting sends of `source` whose time to live has run out and whose transfer has not begun.
    /// Must be called between turns.
    pub(super) fn expire(&mut self, source: DomainId) {
        self.end_late_inspections(source);
        if self.clients[source].sends.with_deadline == 0 {
            return;
        }
        let Some(ports) = self.clients[source].ports else { return };
        for target in self.clients[source].waits.targets().iter() {
            let sends = &mut self.clients[source].sends;
            let expired = sends.dequeue_expired(&mut self.flows.get_mut(source, target).waiting, self.now);
            let sends = &mut self.clients[source].sends;
            let inspected =
                sends.dequeue_expired(&mut self.guards.flow_mut(source, target).waiting, self.now);
            for slot in inspected.from(0) {
                self.leave_guards(source, slot);
            }
            let expired = expired.union(inspected);
            if !expired.is_empty() {
                // The expired sends may have held up a send that can go on. For example, they waited for a
                // buffer, and the next one is for an open window.
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

    /// Gives back the buffer that message `index` had claimed, because the message will not arrive. Returns
    /// whether it had claimed one.
    pub(super) fn abandon(&mut self, source: DomainId, index: u32) -> bool {
        let send = self.clients[source].sends.get_mut(index);
        let (target, claimed) = (send.header.target, send.claimed.take());
        if let Some(request) = claimed {
            self.clients[target].requests.give_back(request);
            // The client may have withdrawn it meanwhile. A look answers that.
            self.look_again.insert(target);
        }
        claimed.is_some()
    }
}
