//! Messages of one-way flows that are with guards.
//!
//! Everything in `guard.rs` about snapshots, stages, quorums and verdicts holds for them too. But nothing
//! waits for anybody, because that would come back to the sender:
//!
//! * A message that no guard of the first stage can take is dropped. So is one that its target cannot take
//!   when all guards have passed it.
//! * A guard that cannot take a message when it is its turn counts as one that has refused.
//! * A message that is refused, or late, is dropped. Its sender has seen `Done`, or will.
//!
//! The sender has no part in what comes after the first stage, and pays for no more. So this is done between
//! turns, and a guard whose verdict lets a message go on pays for it with its share. A sender that restarts
//! takes nothing back. When central restarts, what was with guards is lost; the receiver sees a gap.

use ferry_layout::{Delivery, DeliveryKind, DomainId, Span, Status, Verdict, flags};

use super::Engine;
use super::inspect::{AtGuard, Offered};
use super::transfer::MINIMUM_COST;
use crate::inspections::{Inspection, Subject};
use crate::machine::Machine;
use crate::relays::Relay;
use crate::table::ClientSet;

impl Engine {
    /// Hands message `index` of `source` to the guards of the first stage. `None` if none of them can take
    /// it.
    pub(super) fn begin_relay(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
        sequence: u64,
    ) -> Option<()> {
        let send = *self.clients[source].sends.get(index);
        let flow = *self.guards.flow(source, send.header.target);
        let relay = Relay::new(source, send.header.target, send.tag, send.total, send.header.flags, sequence);
        let slot = self.relays.put(&self.one_way.flow(source, send.header.target).relayed, relay)?;
        for guard in self.guards.stage(&flow, 0).members.iter() {
            self.hand_relay(machine, slot, guard, Some(index));
        }
        if !self.relays.get(slot).course.has_begun() {
            return None;
        }
        self.relays.enqueue(slot, &mut self.one_way.flow_mut(source, send.header.target).relayed);
        // Perhaps too few of them could take it.
        self.stir(slot);
        Some(())
    }

    /// Lets the messages go on for which something has changed. Must be called between turns.
    #[cold]
    #[inline(never)]
    pub(super) fn walk_relays(&mut self, machine: &mut impl Machine) {
        // Each walk looks at all messages of a flow, and changes nothing for another one. So there are at
        // most as many walks as flows.
        while let Some((source, target)) = self.relays.take_stirred() {
            self.walk_relayed(machine, source, target);
            if let Some(ports) = self.clients[source].ports
                && !self.pending.is_empty()
            {
                self.settle_pending(machine, source, ports);
            }
        }
    }

    /// Does for each message of one flow, in order, what can be done.
    fn walk_relayed(&mut self, machine: &mut impl Machine, source: DomainId, target: DomainId) {
        let (mut is_first, mut queue) = (true, self.one_way.flow(source, target).relayed.queue());
        while let Some((slot, last)) = queue {
            queue = self.relays.rest_of_queue(slot, last);
            is_first &= self.advance_relay(machine, slot, is_first);
        }
    }

    /// Does for one message what can be done. `is_first` means that it is the oldest of its flow. Returns
    /// whether it has ended.
    fn advance_relay(&mut self, machine: &mut impl Machine, slot: u32, is_first: bool) -> bool {
        let Relay { source, target, .. } = *self.relays.get(slot);
        let flow = *self.guards.flow(source, target);
        loop {
            let course = self.relays.get(slot).course;
            let has_passed = course.stage == flow.stages();
            if course.is_refused || has_passed {
                if is_first {
                    let is_delivered = !course.is_refused && self.forward_relay(machine, slot).is_some();
                    self.end_relay(source, target, is_delivered);
                }
                return is_first;
            }
            let stage = self.guards.stage(&flow, course.stage);
            for guard in stage.members.without(course.asked.union(course.refused)).iter() {
                self.hand_relay(machine, slot, guard, None);
            }
            let deadline = self.now.wrapping_add(flow.verdict_within);
            let course = self.relays.course_mut(slot);
            course.decide(stage, deadline);
            if !course.is_refused && course.asked.union(course.refused) == stage.members {
                return false;
            }
        }
    }

    /// Hands a message to `guard`, from the sender if it is message `index` there, or else from a snapshot.
    /// If that cannot be done now, the guard has refused.
    fn hand_relay(&mut self, machine: &mut impl Machine, slot: u32, guard: DomainId, index: Option<u32>) {
        if self.try_to_hand(machine, slot, guard, index).is_none() {
            self.relays.course_mut(slot).answer(guard, false);
        }
    }

    fn try_to_hand(
        &mut self,
        machine: &mut impl Machine,
        slot: u32,
        guard: DomainId,
        index: Option<u32>,
    ) -> Option<()> {
        let Relay { source, target, tag, total, course, .. } = *self.relays.get(slot);
        let Offered { slot: inspection, request, buffer } = self.place_at(source, guard)?;
        let place = AtGuard { slot: inspection, request, place: buffer.part(0, total)? };
        match (course.snapshot(), index) {
            (None, Some(index)) => {
                self.carry_to(machine, source, index, guard, place.place, 0, total).ok()?;
            }
            _ => self.carry_relayed(machine, slot, guard, place.place).ok()?,
        }
        let ticket = self.store_inspection(guard, &place, tag, source, target)?;
        let inspection = Inspection::new(ticket, Subject::relay(source, slot), place.place);
        self.clients[guard].inspections.begin(place.slot, inspection);
        let deadline = self.now.wrapping_add(self.guards.flow(source, target).verdict_within);
        let course = self.relays.course_mut(slot);
        if course.asked.is_empty() {
            course.deadline = deadline;
        }
        course.hand(guard, place.slot);
        Some(())
    }

    /// Copies a message from its snapshot.
    fn carry_relayed(
        &mut self,
        machine: &mut impl Machine,
        slot: u32,
        receiver: DomainId,
        place: Span,
    ) -> Result<(), Status> {
        let Relay { source, target, course, .. } = *self.relays.get(slot);
        let (holder, inspection) = course.snapshot().ok_or(Status::Failed)?;
        self.copy_snapshot(
            machine,
            holder,
            inspection,
            receiver,
            place,
            self.flows.get(source, target).mapping,
        )
    }

    /// Delivers a message that all guards have passed. `None` if that cannot be done now.
    fn forward_relay(&mut self, machine: &mut impl Machine, slot: u32) -> Option<()> {
        let Relay { source, target, tag, total, flags, sequence, .. } = *self.relays.get(slot);
        let (request, place) = self.place_at_target(source, target, total)?;
        self.carry_relayed(machine, slot, target, place).ok()?;
        let delivery = Delivery {
            tag,
            sequence,
            position: place.position(),
            request,
            length: total,
            source: source.number(),
            kind: DeliveryKind::Message as u8,
            detail: self.stages_of(source, target),
        };
        self.file_one_way(target, delivery, flags & flags::NO_SIGNAL == 0)
    }

    /// Ends the oldest message of a flow.
    fn end_relay(&mut self, source: DomainId, target: DomainId, is_delivered: bool) {
        let relayed = &mut self.one_way.flow_mut(source, target).relayed;
        let Some(relay) = self.relays.dequeue(relayed) else { return };
        self.give_snapshots_back(&relay.course);
        if !is_delivered {
            self.count_dropped(target);
        }
    }

    /// Takes what a guard says about the message in `slot`.
    pub(super) fn judge_relay(&mut self, guard: DomainId, slot: u32, verdict: Verdict) {
        let counts = self.relays.get(slot).course.awaits(guard);
        self.audit_relay(slot, guard, Some((verdict, counts)));
        let cost = self.relays.get(slot).total.max(MINIMUM_COST);
        self.clients[guard].budget.pay_what_is_left(cost);
        if counts {
            self.relays.course_mut(slot).answer(guard, verdict.passes);
            self.stir(slot);
        }
    }

    /// Takes the message in `slot` back from `guard`, which has passed nothing.
    pub(super) fn lose_relay(&mut self, guard: DomainId, slot: u32) {
        self.relays.course_mut(slot).lose(guard);
        self.stir(slot);
    }

    /// Refuses for the guards that are late with messages of `sources`. Must be called between turns.
    pub(super) fn end_late_relays(&mut self, sources: ClientSet) {
        for source in sources.iter() {
            for target in self.relayed_targets(source).iter() {
                let mut queue = self.one_way.flow(source, target).relayed.queue();
                while let Some((slot, last)) = queue {
                    queue = self.relays.rest_of_queue(slot, last);
                    self.end_late_relay(slot);
                }
            }
        }
    }

    /// The clients to which `source` has one-way flows with guards.
    pub(super) fn relayed_targets(&self, source: DomainId) -> ClientSet {
        self.guards.targets(source).without(self.clients[source].guarded)
    }

    fn end_late_relay(&mut self, slot: u32) {
        let late = self.relays.get(slot).course.late(self.now);
        for guard in late.iter() {
            self.audit_relay(slot, guard, None);
            self.relays.course_mut(slot).answer(guard, false);
            self.stir(slot);
        }
    }

    /// Looks at the message in `slot` before the next round.
    fn stir(&mut self, slot: u32) {
        let Relay { source, target, .. } = *self.relays.get(slot);
        self.relays.stir(source, target);
        self.look_again.insert(target);
    }
}
