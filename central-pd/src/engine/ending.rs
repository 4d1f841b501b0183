//! How sends end that wait and are not carried: they are dropped when their source begins a new epoch, end
//! when their target does or is quarantined, or expire.

use ferry_layout::{DomainId, Status};

use super::Engine;
use super::client::Ports;
use crate::one_way::CarriedSends;
use crate::table::ClientSet;

impl Engine {
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
            self.stop_waiting_for_target(source, target);
            if gave_back {
                self.rouse_waiters(target);
            }
        }
        self.forget_all_waits(source);
        self.clients[source].carried = CarriedSends::NONE;
    }

    /// Ends all sends that wait for `target` with `status`. Must be called between turns.
    pub(super) fn end_all_waiting(&mut self, target: DomainId, status: Status) {
        let sources = self.forget_waiters(target).union(self.guarded_sources(target));
        for source in sources.iter() {
            let Some(ports) = self.clients[source].ports else { continue };
            while let Some(index) = self.take_oldest(source, target) {
                self.end_at_once(source, ports, index, status);
            }
            self.end_guarded(source, target, ports, status);
            self.forget_wait(source, target);
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
                self.rouse_source(source);
            }
            for slot in expired.from(0) {
                let index = self.clients[source].sends.get(slot).index;
                self.end_at_once(source, ports, index, Status::Expired);
            }
        }
        self.show_slots(source, ports);
    }

    /// Takes the oldest send that waits in this flow out of its queue.
    fn take_oldest(&mut self, source: DomainId, target: DomainId) -> Option<u32> {
        self.clients[source].sends.dequeue(&mut self.flows.get_mut(source, target).waiting)
    }

    /// Drops the messages of a flow with guards without a status. None of them has claimed a buffer of the
    /// target: each is carried there in one step.
    fn drop_guarded(&mut self, source: DomainId, target: DomainId) {
        while let Some(index) = self.take_oldest_guarded(source, target) {
            self.leave_guards(source, index);
        }
    }

    /// Ends all messages of a flow with guards with `status`. Must be called between turns.
    fn end_guarded(&mut self, source: DomainId, target: DomainId, ports: Ports, status: Status) {
        while let Some(index) = self.take_oldest_guarded(source, target) {
            self.leave_guards(source, index);
            self.end_at_once(source, ports, index, status);
        }
    }

    fn take_oldest_guarded(&mut self, source: DomainId, target: DomainId) -> Option<u32> {
        self.clients[source].sends.dequeue(&mut self.guards.flow_mut(source, target).waiting)
    }

    /// The clients that have a flow with guards to `target`.
    fn guarded_sources(&self, target: DomainId) -> ClientSet {
        let mut sources = ClientSet::EMPTY;
        for source in self.all.iter().filter(|source| self.clients[*source].guarded.contains(target)) {
            sources.insert(source);
        }
        sources
    }

    /// Forgets what waits in the one-way flow to `target`.
    fn drop_one_way(&mut self, source: DomainId, target: DomainId) {
        self.one_way.flow_mut(source, target).waiting = None;
    }
}
