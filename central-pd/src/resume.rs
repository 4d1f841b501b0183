//! Central's restart: what an earlier central was doing is taken up from the pages that only central can write.
//!
//! A first start is the same with empty pages. The window must be empty: whoever restarts central revokes its
//! mappings (or unmaps every frame of the configuration) and gives it a new engine.
//!
//! The commit point of a message is the store that publishes its delivery. `settle` stores in this order:
//!
//! ```text
//!   1  deliveries           2  delivery tail     3  journal: consumed requests; post head      } target's page
//!   4  statuses `Done`      5  journal: acknowledged of the flow                               } source's page
//!   6  settled, as far as the delivery tail                                                     } target's page
//!   7  transmit head                                                                            } source's page
//! ```
//!
//! Stopped before 2, the message was not sent: it has no final status, so it is taken from its descriptor again, and
//! copied again into an open buffer. Stopped after 2, the newest deliveries of the target have numbers of their flow that
//! are not acknowledged; their requests are over, and their statuses are still to be written: those that are there carry
//! the message's number, the others belong to the oldest unfinished messages of the flow, because a flow keeps its order.
//! A message's first slot gets its status last, so that it speaks for all parts. Everything here can be stopped
//! and done again: 6 hides it, and comes last. Before 6, no other delivery is stored in that queue, so those in question are
//! intact; after it, they need not be.
//!
//! The descriptors are the client's, which may have changed them meanwhile. Then what is sent, or marked `Done`, is what
//! they say now; that concerns nobody but the client, and is checked as ever.
//!
//! Not kept: how long a send has waited (its time-to-live begins anew), which buffer a message under way had claimed (it
//! takes the oldest open one that its source may fill), and counts that had not reached the counters.

use ferry_layout::geometry::{DELIVERY_SLOTS, MAX_CHAIN, TRANSMIT_SLOTS};
use ferry_layout::{
    Consumer, Delivery, DeliveryKind, Descriptor, DomainId, Producer, SEQUENCE_RANGE, Standing, Status, flags,
};

use crate::accept::Accepted;
use crate::client::Ports;
use crate::engine::Engine;

/// Slots of a ring, as a number of entries.
#[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
const TRANSMIT_RING: u32 = TRANSMIT_SLOTS as u32;

/// Deliveries that one turn may have published and not acknowledged.
#[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
const MOST_UNSETTLED: u32 = DELIVERY_SLOTS as u32;

impl Engine {
    /// Takes up what the pages of the clients tell.
    pub(crate) fn resume(&mut self) {
        for client in self.all.iter() {
            self.remember(client);
        }
        for target in self.all.iter() {
            if let Some(ports) = self.ports_in_epoch(target) {
                self.finish_settling(target, ports);
            }
        }
        for client in self.all.iter() {
            if let Some(ports) = self.ports_in_epoch(client) {
                self.find_unfinished(client, ports);
                // Whatever was published may not have been signalled.
                self.to_signal.insert(client);
            }
        }
        // Before any client is looked at: if one asks for a new epoch, its peers' sends have to be waiting by then.
        for client in self.all.iter() {
            let state = &self.clients[client];
            if let (Some(ports), Some(end)) = (state.ports, state.retake)
                && ports.out.wanted_epoch() == Some(state.epoch)
            {
                self.retake(client, ports, end);
            }
        }
    }

    /// The pages of a client that has been let in.
    fn ports_in_epoch(&self, client: DomainId) -> Option<Ports> {
        let state = &self.clients[client];
        state.ports.filter(|_| state.standing != Standing::Closed)
    }

    fn remember(&mut self, client: DomainId) {
        let state = &mut self.clients[client];
        let Some(ports) = state.ports else { return };
        state.epoch = ports.into.epoch.observe();
        state.standing = ports.into.standing();
        if state.standing != Standing::Closed {
            state.deliveries = Producer::resume(ports.into.delivery_tail.observe());
            state.requests.resume(ports.into, state.receive_buffer.bytes());
        }
        for target in self.all.iter() {
            self.flows.get_mut(client, target).sequence = ports.into.journal.acknowledged(target);
        }
    }

    /// Looks back through the deliveries of `target` that are not settled, which belong to one turn or are one answer, and
    /// brings that to its end.
    fn finish_settling(&mut self, target: DomainId, ports: Ports) {
        let tail = ports.into.delivery_tail.observe();
        let count = tail.wrapping_sub(ports.into.settled.observe()).min(MOST_UNSETTLED);
        let mut unsettled = None;
        for age in 1..=count {
            let delivery: Delivery = ports.into.deliveries.load(tail.wrapping_sub(age));
            #[expect(clippy::cast_possible_truncation, reason = "both are indices, as central stored them")]
            let (about, by) = (delivery.tag as u32, delivery.sequence as u32);
            match DeliveryKind::from_number(delivery.kind) {
                Some(DeliveryKind::Withdrawn) => {
                    self.clients[target].requests.settle_answer(by, Some(about));
                }
                Some(DeliveryKind::Refused) => {
                    self.clients[target].requests.settle_answer(by, None);
                }
                Some(kind @ (DeliveryKind::Message | DeliveryKind::Placed)) => {
                    let Some(source) = DomainId::new(delivery.source) else { break };
                    let acknowledged = self.clients[source]
                        .ports
                        .map_or(u64::MAX, |ports| ports.into.journal.acknowledged(target));
                    if delivery.sequence < acknowledged {
                        break;
                    }
                    if kind == DeliveryKind::Message {
                        self.clients[target].requests.settle_message(delivery.request);
                    }
                    let flow = self.flows.get_mut(source, target);
                    flow.sequence = flow.sequence.max(delivery.sequence.wrapping_add(1));
                    unsettled = Some(source);
                    continue;
                }
                None => {}
            }
            break;
        }
        self.clients[target].requests.publish(ports.into);
        if let Some(source) = unsettled
            && let Some(ports) = self.clients[source].ports
        {
            self.finish_statuses(source, target, ports);
            ports.into.journal.acknowledge(target, self.flows.get(source, target).sequence);
        }
        self.clients[target].note_settled(ports.into);
    }

    /// Writes `Done` for the messages of a flow that are delivered and not acknowledged, where it is not written yet.
    fn finish_statuses(&self, source: DomainId, target: DomainId, ports: Ports) {
        let mut next = ports.into.journal.acknowledged(target);
        let delivered = self.flows.get(source, target).sequence;
        for slot in 0..TRANSMIT_RING {
            // They were written in the order of the flow, so those that are there are the first of them.
            if let Some(note) = ports.into.status(slot).delivered()
                && note.target == target.number()
            {
                let beyond = u64::from(note.sequence).wrapping_sub(next) % SEQUENCE_RANGE;
                if beyond < delivered.wrapping_sub(next) {
                    next = next.wrapping_add(beyond).wrapping_add(1);
                }
            }
        }
        let oldest = ports.into.transmit_head.observe();
        let mut age = 0;
        while next < delivered && age < TRANSMIT_RING {
            let index = oldest.wrapping_add(age);
            if ports.into.status(index).get(index).is_some_and(Status::is_final) {
                age += 1;
                continue;
            }
            let (first, parts) = message_at(ports, index);
            if first.target == target.number() {
                for part in (1..parts).rev() {
                    let index = index.wrapping_add(part);
                    ports.into.status(index).set(index, Status::Done);
                }
                ports.into.status(index).set_delivered(index, target, next);
                next = next.wrapping_add(1);
            }
            age += parts;
        }
    }

    /// Finds the slots of `source` that are not the client's yet, and how far they were taken.
    fn find_unfinished(&mut self, source: DomainId, ports: Ports) {
        let is_final = |index: &u32| ports.into.status(*index).get(*index).is_some_and(Status::is_final);
        let published = ports.into.transmit_head.observe();
        let slots = |first: u32| (0..TRANSMIT_RING).map(move |age| first.wrapping_add(age));
        let oldest =
            slots(published).find(|index| !is_final(index)).unwrap_or(published.wrapping_add(TRANSMIT_RING));
        ports.into.transmit_head.publish(oldest);
        let newest = slots(oldest).filter(|index| ports.into.status(*index).get(*index).is_some()).last();
        let state = &mut self.clients[source];
        state.transmit = Consumer::new(oldest);
        state.retake =
            newest.map(|newest| newest.wrapping_add(1)).filter(|_| state.standing == Standing::Open);
    }

    /// Takes the slots up to `end` again, which an earlier central has taken: what has its final status is passed over,
    /// all else waits.
    #[cold]
    pub(crate) fn retake(&mut self, source: DomainId, ports: Ports, end: u32) {
        let state = &mut self.clients[source];
        state.retake = None;
        if state.transmit.refresh(ports.out.transmit_tail.observe()).is_err() {
            state.retake = Some(end);
            self.suspect(source, ports);
            return;
        }
        // Bounded by the slots of the ring: each step takes at least one.
        while self.clients[source].transmit.available() != 0 {
            let index = self.clients[source].transmit.next();
            if end.wrapping_sub(index).wrapping_sub(1) >= TRANSMIT_RING {
                break;
            }
            if ports.into.status(index).get(index).is_some_and(Status::is_final) {
                let state = &mut self.clients[source];
                state.transmit.take();
                state.finish(index, 1);
                continue;
            }
            match self.accept(source, ports) {
                Accepted::Nothing => break,
                Accepted::Message(index) => self.wait(source, ports, index, true),
                Accepted::Refused { index, parts, status } => {
                    self.refuse_slots(source, ports, index, parts, status);
                }
            }
        }
        self.release_slots(source, ports);
        self.roused.insert(source);
    }
}

/// The first descriptor of the message in the slots from `index` on, and how many they are.
fn message_at(ports: Ports, index: u32) -> (Descriptor, u32) {
    let first: Descriptor = ports.out.descriptors.load(index);
    let mut parts = 1;
    let mut last = first;
    while last.flags & flags::CHAINED != 0 && (parts as usize) < MAX_CHAIN {
        last = ports.out.descriptors.load(index.wrapping_add(parts));
        parts += 1;
    }
    (first, parts)
}
