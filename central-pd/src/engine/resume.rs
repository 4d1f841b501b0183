//! Central's restart: a new central takes up the work of an earlier one. The pages that only central can
//! write tell it how far that work had come.
//!
//! A first start is the same with empty pages. Nothing may be mapped in the window when the new central
//! begins to work. Whoever restarts central revokes its mappings, or unmaps every frame of the configuration,
//! and gives it a new engine.
//!
//! # Messages
//!
//! The commit point of a message is the store that publishes its delivery: step 3 of the order in
//! `settle.rs`.
//!
//! * *Central was stopped before step 3.* The message was not sent, and it has no final status. So the new
//!   central takes it from its descriptor again, and copies it again into an open buffer.
//! * *Central was stopped after step 3.* The message counts as sent. Recovery only writes what is missing:
//!   the end of its request, and its status.
//!
//! Recovery looks at the deliveries between settled and the delivery tail of each target. They belong to one
//! turn of one sender, or are one answer to a request. A message among them whose number in its flow is
//! already acknowledged is complete, and so are those before it. For the others:
//!
//! * The delivery names the request, which is over.
//! * A status `Done` that is there carries the number of its message. Statuses are written in the order of
//!   the flow, so those that are there belong to the first of these messages.
//! * The missing statuses belong to the oldest unfinished messages of the flow. A flow keeps its order, and a
//!   message that was refused in between got its status before, in step 2.
//! * The first slot of a message gets its status last, so that this status speaks for all parts.
//!
//! Recovery can itself be stopped and done again. Settled (step 7) hides the deliveries from the next
//! recovery, and recovery writes it last. Before step 7, no other delivery is stored in that queue, so the
//! deliveries in question are intact. After it, they need not be.
//!
//! # Sends that wait, and requests that are held
//!
//! A send waits if its status says `Queued`, with the index of its descriptor, however long ago it was
//! queued. The journal says which requests are held; their entries still lie in their slots.
//!
//! Descriptors and requests are the client's own, and the client may have changed them meanwhile. Then the
//! new central sends, marks `Done`, or opens what they say now. That concerns nobody but the client, and
//! everything is checked as always.
//!
//! # Messages of one-way flows
//!
//! For them the statuses above are `Queued` with the note, and the next tick makes them `Done`. Messages that
//! were dropped have such a status too, but no delivery. One that has none when central is stopped is taken
//! again, and may be delivered then. The notes also tell the number of the next message in a flow. What was
//! with guards is dropped.
//!
//! # Messages that are with guards
//!
//! They wait like all others, and begin anew with the first stage. The new central gives new tickets: a
//! ticket holds the index of its delivery, and those indices go on. So an old verdict counts for nothing, and
//! ends with `NoInspection`. What is delivered was passed by every guard after the restart.
//!
//! # Not kept
//!
//! * How long a send has waited: its time to live begins anew.
//! * Which buffer a message under way had claimed: it takes the next one that its source may fill.
//! * The order of buffers for one peer that have been open for more than a lap of the ring.
//! * How far each sender of a receiver has been served (`share.rs`).
//! * Counts that had not reached the counters.

use ferry_layout::geometry::{DELIVERY_SLOTS, MAX_CHAIN, TRANSMIT_SLOTS};
use ferry_layout::{
    Consumer, Delivery, DeliveryKind, Descriptor, DomainId, Offence, Producer, SEQUENCE_RANGE, Standing,
    Status, flags,
};
use heapless::Vec;
use heapless::binary_heap::{BinaryHeap, Max};

use super::Engine;
use super::accept::{Accepted, TRANSMIT_RING, is_passed_over, next_entry, next_with_status};
use super::client::Ports;

/// Most deliveries that one turn can have published and not yet settled.
#[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
const MOST_UNSETTLED: u32 = DELIVERY_SLOTS as u32;

impl Engine {
    /// Takes up the work of an earlier central, as the pages of the clients describe it.
    pub(super) fn resume(&mut self) {
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
                self.find_carried(client, ports);
                self.find_unfinished(client, ports);
                // Queued sends may have ended without being counted in ended late. A new value makes the
                // client look at all sends that it holds.
                let late = ports.to_client.ended_late.observe().wrapping_add(1);
                ports.to_client.ended_late.publish(late);
                self.clients[client].sends.resume(late);
                // The earlier central may have published something and not signalled it.
                self.to_signal.insert(client);
            }
        }
        // This comes before any client is looked at. If one asks for a new epoch, the sends of its peers must
        // be waiting by then, so that they end with `PeerReset`.
        for client in self.all.iter() {
            let state = &self.clients[client];
            if let (Some(ports), Some(end)) = (state.ports, state.retake)
                && ports.from_client.wanted_epoch() == Some(state.epoch)
            {
                self.retake(client, ports, end);
            }
        }
    }

    /// The pages of a client that has begun an epoch. `None` if its standing is closed.
    fn ports_in_epoch(&self, client: DomainId) -> Option<Ports> {
        let state = &self.clients[client];
        state.ports.filter(|_| state.standing != Standing::Closed)
    }

    fn remember(&mut self, client: DomainId) {
        let state = &mut self.clients[client];
        let Some(ports) = state.ports else { return };
        state.epoch = ports.to_client.epoch.observe();
        state.standing = ports.to_client.standing();
        if state.standing != Standing::Closed {
            state.deliveries = Producer::resume(ports.to_client.delivery_tail.observe());
            // A guard may still answer for everything that its deliveries name.
            state.unanswered.insert_run(0, MOST_UNSETTLED);
            let bytes = state.receive_buffer.bytes();
            state.requests.resume(ports.from_client, ports.to_client, bytes, &mut state.inspections);
        }
        for target in self.all.iter() {
            self.flows.get_mut(client, target).sequence = ports.to_client.journal.acknowledged(target);
        }
    }

    /// Looks back through the deliveries of `target` that are not settled. They belong to one turn or are one
    /// answer. Completes what is missing of it.
    fn finish_settling(&mut self, target: DomainId, ports: Ports) {
        let tail = ports.to_client.delivery_tail.observe();
        let count = tail.wrapping_sub(ports.to_client.settled.observe()).min(MOST_UNSETTLED);
        let mut unsettled = None;
        for age in 1..=count {
            let delivery: Delivery = ports.to_client.deliveries.load(tail.wrapping_sub(age));
            match DeliveryKind::from_number(delivery.kind) {
                Some(DeliveryKind::Withdrawn | DeliveryKind::Refused) => {
                    self.clients[target].settle_request(delivery.request);
                }
                // One turn can hand out several messages to one guard.
                Some(DeliveryKind::Inspection) => {
                    self.clients[target].settle_request(delivery.request);
                    continue;
                }
                Some(kind @ (DeliveryKind::Message | DeliveryKind::Placed)) => {
                    let Some(source) = DomainId::new(delivery.source) else { break };
                    // A message of a one-way flow that guards have passed. Its sender's status is older.
                    if delivery.detail != 0 && self.one_way.is_granted(source, target) {
                        self.clients[target].settle_request(delivery.request);
                        continue;
                    }
                    let acknowledged = self.clients[source]
                        .ports
                        .map_or(u64::MAX, |ports| ports.to_client.journal.acknowledged(target));
                    if delivery.sequence < acknowledged {
                        break;
                    }
                    if kind == DeliveryKind::Message {
                        self.clients[target].settle_request(delivery.request);
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
        let state = &mut self.clients[target];
        if state.standing == Standing::Open && ports.from_client.wanted_epoch() == Some(state.epoch) {
            let bytes = state.receive_buffer.bytes();
            state.requests.catch_up(ports.from_client, bytes, &mut state.inspections);
        }
        state.requests.publish(ports.to_client);
        if let Some(source) = unsettled
            && let Some(ports) = self.clients[source].ports
        {
            self.finish_statuses(source, target, ports);
            ports.to_client.journal.acknowledge(target, self.flows.get(source, target).sequence);
        }
        self.clients[target].note_settled(ports.to_client);
    }

    /// Writes `Done` for the messages of a flow that are delivered and not acknowledged, where it is not
    /// written yet.
    fn finish_statuses(&self, source: DomainId, target: DomainId, ports: Ports) {
        let mut next = ports.to_client.journal.acknowledged(target);
        let delivered = self.flows.get(source, target).sequence;
        for slot in 0..TRANSMIT_RING {
            // Statuses are written in the order of the flow. So the messages that have one are the first of
            // those in question, and `next` moves past them.
            if let Some(note) = ports.to_client.status(slot).delivered()
                && note.target == target.number()
            {
                let beyond = u64::from(note.sequence).wrapping_sub(next) % SEQUENCE_RANGE;
                if beyond < delivered.wrapping_sub(next) {
                    next = next.wrapping_add(beyond).wrapping_add(1);
                }
            }
        }
        for message in unfinished(ports) {
            if next >= delivered {
                break;
            }
            let index = message.first;
            let first: Descriptor = ports.from_client.descriptors.load(index);
            if first.target == target.number() {
                for &part in &message.rest {
                    ports.to_client.status(part).set(part, Status::Done);
                }
                if self.one_way.is_granted(source, target) {
                    ports.to_client.status(index).set_carried(index, target, next);
                } else {
                    ports.to_client.status(index).set_delivered(index, target, next);
                }
                next = next.wrapping_add(1);
            }
        }
    }

    /// Finds how far the sends of `source` were taken: up to the newest one that has a status.
    fn find_unfinished(&mut self, source: DomainId, ports: Ports) {
        let head = ports.to_client.transmit_head.observe();
        let has_status = |index: &u32| ports.to_client.status(*index).get(*index).is_some();
        let newest = (0..TRANSMIT_RING).map(|age| head.wrapping_add(age)).filter(has_status).last();
        let state = &mut self.clients[source];
        state.transmit = Consumer::new(head);
        let end = newest.map_or(head, |newest| newest.wrapping_add(1));
        state.retake = (state.standing == Standing::Open).then_some(end);
    }

    /// Takes again the sends before index `end`, which an earlier central had taken. Those with a final
    /// status are passed over. All others wait.
    #[cold]
    #[inline(never)]
    pub(super) fn retake(&mut self, source: DomainId, ports: Ports, end: u32) {
        let state = &mut self.clients[source];
        state.retake = None;
        if state.transmit.refresh(ports.from_client.transmit_tail.observe()).is_err() {
            state.retake = Some(end);
            self.suspect(source, ports, Offence::TransmitTail);
            return;
        }
        for index in queued_before(ports, self.clients[source].transmit.next()) {
            // A later part of a chain is taken again, or refused, together with its first part. After that
            // its slot is occupied, or its status is final.
            let is_queued = ports.to_client.status(index).get(index) == Some(Status::Queued);
            if is_queued && !self.clients[source].sends.is_occupied(index) {
                let accepted = self.accept_again(source, ports, index);
                self.let_wait_again(source, ports, accepted);
            }
        }
        // Bounded by the slots of the ring: each step takes at least one.
        loop {
            let state = &mut self.clients[source];
            let (next, tail) = (state.transmit.next(), state.transmit.tail());
            // The next index may be a slot in use. What counts is the first entry behind such slots, and that
            // may have ended.
            let Some(index) = next_entry(&state.sends, ports, next, tail) else { break };
            if end.wrapping_sub(index).wrapping_sub(1) >= TRANSMIT_RING {
                break;
            }
            if ports.to_client.status(index).get(index).is_some_and(Status::is_final) {
                state.transmit.take_to(index.wrapping_add(1));
                continue;
            }
            let accepted = self.accept(source, ports);
            if accepted == Accepted::Nothing {
                break;
            }
            self.let_wait_again(source, ports, accepted);
        }
        self.show_slots(source, ports);
        self.rouse_source(source);
    }

    fn let_wait_again(&mut self, source: DomainId, ports: Ports, accepted: Accepted) {
        match accepted {
            // A verdict cannot be taken again: its inspection was the earlier central's.
            Accepted::Nothing | Accepted::Verdict(_) => {}
            Accepted::Message(index) => self.wait(source, ports, index, true),
            Accepted::Guarded(index) => self.begin_course(source, ports, index),
            Accepted::OneWay(index) => self.wait_one_way(source, ports, index),
            Accepted::Refused { index, status } => {
                // Whether or not the message was queued before, its end is counted in ended late, as for
                // every message that waited.
                self.clients[source].sends.occupy(index);
                self.end_claim_at_once(source, ports, index, status);
            }
        }
    }
}

/// The sends that were queued before index `head`, oldest first.
fn queued_before(ports: Ports, head: u32) -> impl Iterator<Item = u32> {
    let mut ages = BinaryHeap::<u32, Max, TRANSMIT_SLOTS>::new();
    for slot in 0..TRANSMIT_RING {
        let (index, status) = ports.to_client.status(slot).latest();
        let is_carried = ports.to_client.status(slot).is_carried();
        if status == Status::Queued && !is_carried && index.wrapping_sub(head) >= TRANSMIT_RING {
            // The heap has room for all slots, so this cannot fail.
            let _ = ages.push(head.wrapping_sub(index));
        }
    }
    core::iter::from_fn(move || ages.pop()).map(move |age| head.wrapping_sub(age))
}

/// A message in the ring: the index of its first part, and the indices of the others.
struct InRing {
    first: u32,
    rest: Vec<u32, MAX_CHAIN>,
}

impl InRing {
    /// Reads the message that begins at `first`. `next` returns the index of the part after a part.
    fn read(ports: Ports, first: u32, next: impl Fn(u32) -> Option<u32>) -> Self {
        let is_chained = |index: u32| {
            let descriptor: Descriptor = ports.from_client.descriptors.load(index);
            descriptor.flags & flags::CHAINED != 0
        };
        let mut rest = Vec::new();
        let mut at = first;
        while is_chained(at) {
            match next(at) {
                Some(part) if rest.push(part).is_ok() => at = part,
                _ => break,
            }
        }
        Self { first, rest }
    }

    fn last(&self) -> u32 {
        self.rest.last().copied().unwrap_or(self.first)
    }
}

/// The messages without a final status, in the order in which they were published, as far as an earlier
/// central may have taken them.
fn unfinished(ports: Ports) -> impl Iterator<Item = InRing> {
    let head = ports.to_client.transmit_head.observe();
    let mut queued = queued_before(ports, head).peekable();
    let end = head.wrapping_add(TRANSMIT_RING);
    let mut at = head;
    core::iter::from_fn(move || {
        if let Some(first) = queued.next() {
            let message = InRing::read(ports, first, |index| next_with_status(ports, index));
            // The later parts of a chain are queued too. They are no messages of their own.
            while queued.next_if(|index| message.rest.contains(index)).is_some() {}
            return Some(message);
        }
        // Finds the next entry of this lap: its slot is not held by an earlier send, and it is not marked as
        // passed over.
        let next_entry = |mut index: u32| {
            while index != end {
                let (latest, status) = ports.to_client.status(index).latest();
                let is_held = status == Status::Queued && latest != index;
                if !is_held && !is_passed_over(ports, index) {
                    return Some(index);
                }
                index = index.wrapping_add(1);
            }
            None
        };
        loop {
            let first = next_entry(at)?;
            let message = InRing::read(ports, first, |index| next_entry(index.wrapping_add(1)));
            let status = ports.to_client.status(first);
            if status.get(first).is_some_and(|ended| ended.is_final() || status.is_carried()) {
                at = first.wrapping_add(1);
                continue;
            }
            at = message.last().wrapping_add(1);
            return Some(message);
        }
    })
}
