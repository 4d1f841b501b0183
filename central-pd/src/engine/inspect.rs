//! What a guard is handed, and what is its own again: inspections and their snapshots, of flows with guards
//! and of one-way flows alike.

use ferry_layout::{Delivery, DeliveryKind, DomainId, Span, Standing};

use super::Engine;
use crate::course::Course;
use crate::inspections::Inspections;

/// What a guard has for its next inspection: a slot, and an open buffer.
pub(super) struct Offered {
    pub(super) slot: u32,
    pub(super) request: u32,
    pub(super) buffer: Span,
}

/// A place for a message at a guard.
pub(super) struct AtGuard {
    /// The slot of its inspection.
    pub(super) slot: u32,
    pub(super) request: u32,
    pub(super) place: Span,
}

impl Engine {
    /// Where `guard` can take a message of `source`, if it can.
    pub(super) fn place_at(&mut self, source: DomainId, guard: DomainId) -> Option<Offered> {
        let client = &self.clients[guard];
        let ports = client.ports.filter(|_| client.standing == Standing::Open)?;
        if !self.has_room(guard, ports) {
            return None;
        }
        let slot = self.clients[guard].inspections.free_slot()?;
        let found = self.clients[guard].requests.find(source).or_else(|| {
            self.look_for_requests(guard, ports);
            self.clients[guard].requests.find(source)
        });
        found.map(|(request, buffer)| Offered { slot, request, buffer })
    }

    /// Stores the delivery of an inspection. It becomes visible in `settle`. Returns its ticket.
    pub(super) fn store_inspection(
        &mut self,
        guard: DomainId,
        at: &AtGuard,
        tag: u64,
        source: DomainId,
        target: DomainId,
    ) -> Option<u64> {
        let state = &mut self.clients[guard];
        let ports = state.ports?;
        let delivery = state.deliveries.push()?;
        let ticket = Inspections::ticket(at.slot, delivery, state.epoch);
        #[expect(clippy::cast_possible_truncation, reason = "the number of a client is below 32")]
        let target = target.number() as u8;
        let inspection = Delivery {
            tag,
            sequence: ticket,
            position: at.place.position(),
            request: at.request,
            length: at.place.length(),
            source: source.number(),
            kind: DeliveryKind::Inspection as u8,
            detail: target,
        };
        ports.to_client.deliveries.store(delivery, inspection);
        state.unanswered.insert(delivery);
        state.inspections.pin(state.requests.span(at.request), at.place);
        state.requests.use_at_once(at.request);
        self.pending.inspect(guard);
        self.to_signal.insert(guard);
        Some(ticket)
    }

    /// The inspection that a verdict of `guard` is about, if its message has ended without that verdict. Such
    /// a verdict is as honest as any other: a quorum has decided before it, or central has restarted. `None`
    /// for a ticket that the guard has not been given in this epoch, or has answered. The delivery tells it,
    /// so this is true after a restart of central too.
    pub(super) fn ended_inspection(&mut self, guard: DomainId, ticket: u64) -> Option<Delivery> {
        let state = &mut self.clients[guard];
        let inspection = state.unanswered_inspection(state.ports?, ticket)?;
        // Another answer would be the guard's fault.
        state.unanswered.remove(Inspections::delivery(ticket));
        Some(inspection)
    }

    /// Ends all inspections of a message that has ended. What its guards were handed is theirs again.
    pub(super) fn leave_guards(&mut self, source: DomainId, index: u32) {
        let target = self.clients[source].sends.get(index).header.target;
        let course = core::mem::replace(&mut self.clients[source].courses[index], Course::BEGIN);
        if !course.has_begun() {
            return;
        }
        self.guards.flow_mut(source, target).end();
        self.give_snapshots_back(&course);
    }

    /// Ends the inspections of a message that has ended.
    pub(super) fn give_snapshots_back(&mut self, course: &Course) {
        for (guard, slot) in course.handed() {
            if self.end_inspection(guard, slot) {
                // A look settles them, between two turns.
                self.look_again.insert(guard);
            }
        }
    }

    /// Ends the inspection that `guard` has in `slot`. Returns whether it has a verdict, which is to be
    /// settled.
    pub(super) fn end_inspection(&mut self, guard: DomainId, slot: u32) -> bool {
        let client = &mut self.clients[guard];
        let Some(verdict) = client.inspections.end(slot) else { return false };
        client.settled_verdicts.insert(verdict);
        self.with_settled_verdicts.insert(guard);
        true
    }
}
