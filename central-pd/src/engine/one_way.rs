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
use ferry_layout::{
    Delivery, DeliveryKind, Descriptor, DomainId, Kind, SEQUENCE_RANGE, Span, Standing, Status, flags,
};

use super::Engine;
use super::accept::{NotPlain, TRANSMIT_RING};
use super::client::{Client, Ports};
use super::transfer::MINIMUM_COST;
use super::turn::Class;
use crate::machine::Machine;
use crate::one_way::CarriedSends;
use crate::pending::Finished;
use crate::table::ClientSet;

impl Engine {
    /// Checks a message to `target` that no other flow allows.
    #[cold]
    pub(super) fn check_one_way(
        &self,
        source: DomainId,
        index: u32,
        descriptor: &Descriptor,
        kind: Kind,
        target: DomainId,
    ) -> NotPlain {
        let flow = self.one_way.flow(source, target);
        let is_urgent = descriptor.flags & flags::URGENT != 0;
        // Where a window is open, only the receiver could say. A chain is not needed for so few bytes.
        let is_simple = kind == Kind::NextBuffer && descriptor.flags & flags::CHAINED == 0;
        if flow.max_message == 0 || (is_urgent && !flow.urgent) || !is_simple {
            return Status::Denied.into();
        }
        if descriptor.length > flow.max_message {
            return Status::BadLength.into();
        }
        match self.checked(source, index, descriptor, kind, target) {
            // It waits for nobody, so it cannot expire.
            Ok(send) => NotPlain::OneWay(crate::send::Send { deadline: None, ..send }),
            Err(status) => status.into(),
        }
    }

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
        let passed_over = class == Class::Urgent && send.header.flags & flags::URGENT == 0;
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
        client.waits.insert_target(target);
        client.waits.unblock_one(target);
        ports.to_client.status(index).set(index, Status::Queued);
        client.sends.occupy(index);
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
            if class == Class::Urgent && client.sends.get(index).header.flags & flags::URGENT == 0 {
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
        self.clients[source].waits.remove_target(target);
        true
    }

    /// Forgets what waits in the one-way flow to `target`.
    pub(super) fn drop_one_way(&mut self, source: DomainId, target: DomainId) {
        self.one_way.flow_mut(source, target).waiting = None;
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

    /// The request and the place for a message of `length` bytes at `target`. `None` if there is none now.
    pub(super) fn place_at_target(
        &mut self,
        source: DomainId,
        target: DomainId,
        length: u32,
    ) -> Option<(u32, Span)> {
        let (request, buffer) = self.buffer_at_target(source, target)?;
        let place = buffer.part(0, length)?;
        // It cannot wait until others have had their share, so it is dropped instead.
        if self.fair_part(source, target) == 0 {
            return None;
        }
        self.count_service(source, target, 1, length.into());
        Some((request, place))
    }

    /// The request and the buffer that `source` fills next at `target`, if that can take a message now.
    pub(super) fn buffer_at_target(&mut self, source: DomainId, target: DomainId) -> Option<(u32, Span)> {
        let ports = self.clients[target].ports?;
        if self.clients[target].standing != Standing::Open || !self.has_room(target, ports) {
            return None;
        }
        self.clients[target].requests.find(source).or_else(|| {
            self.look_for_requests(target, ports);
            self.clients[target].requests.find(source)
        })
    }

    /// Files the delivery of a message whose bytes are copied. It becomes visible in `settle`.
    pub(super) fn file_one_way(&mut self, target: DomainId, delivery: Delivery, signals: bool) -> Option<()> {
        let receiver = &mut self.clients[target];
        let ports = receiver.ports?;
        let slot = receiver.deliveries.push()?;
        receiver.requests.use_at_once(delivery.request);
        ports.to_client.deliveries.store(slot, delivery);
        ports.to_client.counters.received_messages.add(1);
        ports.to_client.counters.received_bytes.add(delivery.length.into());
        self.pending.inspect(target);
        if signals {
            self.to_signal.insert(target);
        }
        Some(())
    }

    /// Counts a message that was dropped, where only its receiver can read it.
    pub(super) fn count_dropped(&self, target: DomainId) {
        if let Some(ports) = self.clients[target].ports {
            ports.to_client.dropped.add(1);
        }
    }

    /// Notes in the page of `source` what this turn has carried in one-way flows. Its deliveries are visible.
    #[cold]
    #[inline(never)]
    pub(super) fn say_carried(&mut self, source: DomainId, ports: Ports) {
        for carried in self.pending.carried() {
            note_carried(&mut self.clients[source], ports, carried);
        }
    }

    /// Says `Done` for everything that `sources` have sent in one-way flows since the last tick. Must be
    /// called between turns.
    #[cold]
    #[inline(never)]
    pub(super) fn end_carried(&mut self, sources: ClientSet) {
        for source in sources.iter() {
            let client = &mut self.clients[source];
            let Some(ports) = client.ports else { continue };
            let carried = core::mem::replace(&mut client.carried, CarriedSends::NONE);
            if carried.slots.is_empty() {
                continue;
            }
            let mut slots = carried.slots;
            while !slots.is_empty() {
                let (first, count) = slots.first_run(0);
                ports.to_client.finish(first, count);
                slots.remove_run(first, count);
            }
            client.sends.release_all(carried.slots);
            client.count(|counters| {
                counters.sent_messages.add(carried.messages);
                counters.sent_bytes.add(carried.bytes);
            });
            self.to_signal.insert(source);
            self.show_slots(source, ports);
        }
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

/// Notes in the page of `source` that messages are carried, whose deliveries are visible or that were
/// dropped.
#[inline(always)]
pub(super) fn note_carried(source: &mut Client, ports: Ports, carried: &Finished) {
    let Finished { index, messages, target, sequence, bytes, .. } = *carried;
    ports.to_client.set_carried(index, messages, target, sequence);
    source.sends.occupy_run(index, messages);
    source.carried.slots.insert_run(index, messages);
    source.carried.messages += u64::from(messages);
    source.carried.bytes += bytes;
    ports.to_client.journal.acknowledge(target, sequence.wrapping_add(messages.into()));
}
