//! One-way flows: nothing that the receiver does, or does not do, comes back to the sender.
//!
//! What the sender can read is a function of what it did itself and of the ticks:
//!
//! * A descriptor that is wrong by itself gets its status at once, as in every flow. A message that is
//!   accepted is copied at once, if there is a buffer and a place for it, and else dropped. Both cost the
//!   sender the same part of its share, and use up one number of the flow. So the receiver sees a gap.
//! * Either way its status is `Queued` until the next tick, and `Done` from then on. At the tick, central
//!   counts what has ended, and gives the sender one signal.
//! * A one-way flow makes its sender no part of the receiver's component. So central does not look at a
//!   sender because it is awake for the receiver, and their orders of service are apart (`round.rs`).
//! * Central counts no maps and unmaps for a sender, which depend on the buffers of others. The same holds
//!   for all clients of its component, and for the guards of one-way flows.
//! * A message waits for nothing but its sender's share.
//!
//! A flow that is one-way looks like one that is not granted, so other flows pay nothing for it.
//!
//! The sender's page also tells a restarted central what was carried: a status word that says `Queued` has a
//! note then, with the number of the message. It is written when the delivery is visible, in the same place
//! of the order in `settle.rs` as the `Done` of other flows.

use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{Delivery, DeliveryKind, DomainId, SEQUENCE_RANGE, Status, flags};

use super::Engine;
use super::accept::TRANSMIT_RING;
use super::client::Ports;
use super::transfer::MINIMUM_COST;
use crate::machine::Machine;
use crate::pending::Finished;
use crate::send::Class;
use crate::table::ClientSet;

impl Engine {
    /// Carries message `index`, which was just taken, or lets it wait for the share of `source` or for the
    /// pass of its class. Returns false if the share is used up.
    #[cold]
    #[inline(never)]
    pub(super) fn take_one_way(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        index: u32,
        class: Class,
    ) -> bool {
        let send = self.clients[source].sends.get(index);
        let passed_over = class.passes_over(send.header);
        if passed_over || self.one_way.flow(source, send.header.target).waiting.is_some() {
            self.wait_one_way(source, ports, index);
            return true;
        }
        if !self.carry_one_way(machine, source, index) {
            self.wait_one_way(source, ports, index);
            return false;
        }
        self.clients[source].spend(index);
        true
    }

    /// Lets message `index` wait at the end of its flow until `source` can afford it.
    pub(super) fn wait_one_way(&mut self, source: DomainId, ports: Ports, index: u32) {
        let client = &mut self.clients[source];
        let target = client.sends.get(index).header.target;
        client.sends.enqueue(&mut self.one_way.flow_mut(source, target).waiting, index);
        ports.to_client.status(index).set(index, Status::Queued);
        client.sends.occupy(index);
        self.wait_for_turn(source, target, true);
    }

    /// Carries what waits in the one-way flow to `target`. Returns false when the share is used up.
    pub(super) fn serve_one_way(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        class: Class,
        passed_over: &mut ClientSet,
    ) -> bool {
        while let Some((index, _)) = self.one_way.flow(source, target).waiting {
            let client = &mut self.clients[source];
            if class.passes_over(client.sends.get(index).header) {
                client.waits.block(target);
                passed_over.insert(target);
                return true;
            }
            if client.budget.messages() == 0
                || self.pending.is_full()
                || !self.carry_one_way(machine, source, index)
            {
                return false;
            }
            let client = &mut self.clients[source];
            client.sends.dequeue(&mut self.one_way.flow_mut(source, target).waiting);
            client.spend(index);
        }
        self.forget_wait(source, target);
        true
    }

    /// Delivers message `index`, or drops it. Returns false, and does nothing, if the source cannot afford it
    /// in this round.
    fn carry_one_way(&mut self, machine: &mut impl Machine, source: DomainId, index: u32) -> bool {
        let send = *self.clients[source].sends.get(index);
        let cost = send.total.max(MINIMUM_COST);
        let budget = &mut self.clients[source].budget;
        if !budget.can_afford(cost) {
            return false;
        }
        budget.pay(cost);
        self.has_progressed = true;
        let flow = self.flows.get_mut(source, send.header.target);
        let sequence = flow.sequence;
        flow.sequence = sequence.wrapping_add(1);
        let taken = if self.guards.flow(source, send.header.target).stages() == 0 {
            self.deliver_one_way(machine, source, index, sequence)
        } else {
            self.begin_relay(machine, source, index, sequence)
        };
        if taken.is_none() {
            self.count_dropped(send.header.target);
        }
        let noted = self.pending.carry(Finished {
            index,
            messages: 1,
            parts: 1,
            target: send.header.target,
            sequence,
            bytes: send.total.into(),
        });
        debug_assert!(noted, "a turn ends before this is full");
        true
    }

    /// Copies message `index` into the receiver's next buffer and files its delivery. `None` if that cannot
    /// be done now, for whatever reason.
    fn deliver_one_way(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
        sequence: u64,
    ) -> Option<()> {
        let send = *self.clients[source].sends.get(index);
        let (request, place) = self.place_at_target(source, send.header.target, send.total)?;
        self.carry_to(machine, source, index, send.header.target, place, 0, send.total).ok()?;
        let delivery = Delivery {
            tag: send.tag,
            sequence,
            position: place.position(),
            request,
            length: send.total,
            source: source.number(),
            kind: DeliveryKind::Message as u8,
            detail: 0,
        };
        self.file_one_way(send.header.target, delivery, send.header.flags & flags::NO_SIGNAL == 0)
    }

    /// After a restart: finds what an earlier central has carried in the one-way flows of `source`, and
    /// whose end it has not said. The next tick says it.
    pub(super) fn find_carried(&mut self, source: DomainId, ports: Ports) {
        for slot in 0..TRANSMIT_RING {
            let status = ports.to_client.status(slot);
            let Some(note) = status.delivered().filter(|_| status.is_carried()) else { continue };
            let Some(target) = DomainId::new(note.target) else { continue };
            let client = &mut self.clients[source];
            client.sends.occupy_run(slot, 1);
            client.carried.slots.insert(slot);
            client.carried.messages += 1;
            // Messages that were dropped have no delivery that tells their number.
            let sequence = &mut self.flows.get_mut(source, target).sequence;
            let beyond = u64::from(note.sequence).wrapping_sub(*sequence) % SEQUENCE_RANGE;
            if beyond < TRANSMIT_SLOTS as u64 {
                *sequence = sequence.wrapping_add(beyond).wrapping_add(1);
                ports.to_client.journal.acknowledge(target, *sequence);
            }
        }
    }
}
