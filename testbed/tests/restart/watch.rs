//! What must hold after every store of central and after everything that it asks of the machine, wherever it
//! was stopped before.
//!
//! * Nothing is delivered twice, out of order, or with the number of another message. In a flow with guards
//!   it was passed by enough members of every stage, for the central that delivers it.
//! * A send ends once, with a status that is true. In a one-way flow it ends at a tick.
//! * A guard sees a message once for each central, after the stages before it have passed it. Nothing is
//!   written to its place before the guard has it back, and the answer does not end before the message has.
//! * If all flows have the policy `each`, no delivery and no end is visible while a frame is mapped.

use std::collections::{BTreeMap, BTreeSet};

use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::observe::Access;
use ferry_layout::{Delivery, DeliveryKind, Descriptor, Status, flags};
use ferry_testbed::{Action, ClientMemory, Memory, Topology};

use super::message::{length_of, payload};

/// Slots of a ring of descriptors.
const RING: u32 = 128;

/// Where a message of a flow with guards is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Place {
    /// No guard has it.
    BeforeGuards,
    /// Guards have it, and have said too little.
    Inspected,
    /// Central has not taken a verdict about it.
    Judged,
    /// A stage has passed it, and no member of the next one has it.
    BetweenStages,
    /// All guards have passed it, and it waits for a buffer of its target.
    Passed,
    /// It is refused, and waits for the messages before it.
    Refused,
    /// It is delivered, and its sender has not been told.
    Delivered,
}

/// A message as it was sent.
#[derive(Clone, Debug)]
struct Sent {
    tag: u64,
    source: u16,
    target: u16,
    /// Index of its first part.
    first: u32,
    /// How many messages its flow had before it. One in parts does not count: a one-way flow refuses it, and
    /// in others central counts.
    number: u64,
    is_in_parts: bool,
}

/// What a guard was handed.
struct Inspected {
    guard: u16,
    ticket: u64,
    tag: u64,
    /// The central that has handed it over, and when.
    start: u32,
    tick: u32,
    said: Option<bool>,
    position: usize,
    /// The bytes that nobody may change. `None` when the guard has its place back.
    bytes: Option<Vec<u8>>,
}

/// All that was seen so far.
pub(crate) struct Watch {
    clients: Vec<ClientMemory>,
    flows: Vec<FlowRecord>,
    /// The members of each stage, and its quorum.
    stages: Vec<(u32, u32)>,
    /// Starts of central, and ticks.
    start: u32,
    ticks: u32,
    /// This run is one for a tick.
    pub(crate) is_tick: bool,
    sent: Vec<Sent>,
    inspected: Vec<Inspected>,
    delivered: BTreeSet<u64>,
    /// Deliveries of each client, and the next number of each flow.
    tails: Vec<u32>,
    numbers: BTreeMap<(u16, u16), u64>,
    /// The latest status of each slot, with its index.
    statuses: BTreeMap<(u16, u32), (u32, Status)>,
    /// Frames that are mapped. `None` if a flow keeps its mappings.
    mapped: Option<i64>,
}

impl Watch {
    pub(crate) fn new(topology: &Topology, clients: &[ClientMemory]) -> Self {
        let each = topology.flows.iter().all(|flow| flow.mapping() == Mapping::Each);
        Self {
            clients: clients.to_vec(),
            flows: topology.flows.clone(),
            stages: topology.stages.iter().map(|stage| (stage.members, stage.quorum)).collect(),
            start: 0,
            ticks: 0,
            is_tick: false,
            sent: Vec::new(),
            inspected: Vec::new(),
            delivered: BTreeSet::new(),
            tails: clients.iter().map(|client| client.to_client.delivery_tail.observe()).collect(),
            numbers: BTreeMap::new(),
            statuses: BTreeMap::new(),
            mapped: each.then_some(0),
        }
    }

    fn flow(&self, source: u16, target: u16) -> &FlowRecord {
        let flow = self.flows.iter().find(|flow| (flow.source, flow.target) == (source, target));
        flow.unwrap_or_else(|| panic!("there is no flow from {source} to {target}"))
    }

    fn stages_of(&self, source: u16, target: u16) -> &[(u32, u32)] {
        let flow = self.flow(source, target);
        &self.stages[flow.first_stage as usize..][..flow.stages.into()]
    }

    /// Whether there are guards.
    pub(crate) const fn has_guards(&self) -> bool {
        !self.stages.is_empty()
    }

    fn is_guard(&self, client: u16) -> bool {
        self.stages.iter().any(|(members, _)| members >> client & 1 != 0)
    }

    /// A client has published a message, between these indices of its ring.
    pub(crate) fn sent(&mut self, source: u16, target: u16, tag: u64, indices: core::ops::Range<u32>) {
        let descriptors = &self.clients[usize::from(source)].from_client.descriptors;
        let is_passed_over =
            |index: &u32| descriptors.load::<Descriptor>(*index).flags & flags::PASSED_OVER != 0;
        let first = indices.into_iter().find(|index| !is_passed_over(index)).expect("an entry for it");
        let number = self.of_flow(source, target).filter(|sent| !sent.is_in_parts).count() as u64;
        let is_in_parts = descriptors.load::<Descriptor>(first).flags & flags::CHAINED != 0;
        self.sent.push(Sent { tag, source, target, first, number, is_in_parts });
    }

    fn of_flow(&self, source: u16, target: u16) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(move |sent| (sent.source, sent.target) == (source, target))
    }

    fn sent_as(&self, tag: u64) -> &Sent {
        self.sent.iter().find(|sent| sent.tag == tag).unwrap_or_else(|| panic!("nobody has sent {tag:#x}"))
    }

    /// A guard publishes an answer.
    pub(crate) fn said(&mut self, guard: u16, ticket: u64, passes: bool) {
        self.inspection(guard, ticket).said = Some(passes);
    }

    /// A guard has the place of an inspection back.
    pub(crate) fn given_back(&mut self, guard: u16, ticket: u64) {
        self.inspection(guard, ticket).bytes = None;
    }

    fn inspection(&mut self, guard: u16, ticket: u64) -> &mut Inspected {
        let found = self.inspected.iter_mut().find(|it| (it.guard, it.ticket) == (guard, ticket));
        found.unwrap_or_else(|| panic!("guard {guard} was not handed {ticket:#x}"))
    }

    /// What guards have answered: guard, ticket, tag of the message, and whether they pass it.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (u16, u64, u64, bool)> {
        self.inspected.iter().filter_map(|it| it.said.map(|passes| (it.guard, it.ticket, it.tag, passes)))
    }

    /// Central is stopped. Whoever stops it removes its mappings.
    pub(crate) fn stopped(&mut self) {
        self.start += 1;
        self.mapped = self.mapped.map(|_| 0);
    }

    /// A run begins.
    pub(crate) const fn runs(&mut self, is_tick: bool) {
        self.is_tick = is_tick;
        self.ticks += is_tick as u32;
    }

    /// Central has asked something of the machine.
    pub(crate) fn acted(&mut self, action: Action) {
        match action {
            Action::Map(..) => self.mapped = self.mapped.map(|mapped| mapped + 1),
            Action::Unmap(..) => self.mapped = self.mapped.map(|mapped| mapped - 1),
            Action::Copy(_) => {
                for held in &self.inspected {
                    let Some(bytes) = &held.bytes else { continue };
                    let memory = self.clients[usize::from(held.guard)].receive;
                    let is_intact = memory.read(held.position, bytes.len()) == *bytes;
                    assert!(is_intact, "{:#x} is overwritten at guard {}", held.tag, held.guard);
                }
            }
            Action::Signal(_) | Action::SignalAuditReader => {}
        }
    }

    /// Central has stored something.
    pub(crate) fn stored(&mut self, access: Access) {
        for client in 0..u16::try_from(self.clients.len()).unwrap() {
            let page = self.clients[usize::from(client)].to_client;
            match access.address.wrapping_sub(Memory::of(page).address()) {
                0x08 => self.began(client),
                0x48 => self.tail_moved(client),
                offset @ 0x400..0x800 => {
                    let slot = u32::try_from((offset - 0x400) / 8).unwrap();
                    let (index, status) = page.status(slot).latest();
                    self.status_set(client, slot, index, status);
                }
                _ => {}
            }
        }
    }

    /// A life of a client begins.
    fn began(&mut self, client: u16) {
        self.sent.retain(|sent| sent.source != client);
    }

    fn tail_moved(&mut self, client: u16) {
        let page = self.clients[usize::from(client)].to_client;
        let tail = page.delivery_tail.observe();
        let first = core::mem::replace(&mut self.tails[usize::from(client)], tail);
        if tail < first {
            assert_eq!(tail, 0, "the delivery tail of {client} runs backwards");
            return;
        }
        for index in first..tail {
            let delivery: Delivery = page.deliveries.load(index);
            match DeliveryKind::from_number(delivery.kind) {
                Some(DeliveryKind::Inspection) => self.handed(client, &delivery),
                Some(DeliveryKind::Message | DeliveryKind::Placed) => self.delivered(client, &delivery),
                _ => assert!(!self.is_guard(client), "a guard does not get {delivery:?}"),
            }
        }
        assert!(self.mapped.is_none_or(|mapped| mapped == 0), "visible while frames are mapped");
    }

    /// A guard was handed a message.
    fn handed(&mut self, guard: u16, delivery: &Delivery) {
        let tag = delivery.tag;
        let sent = self.sent_as(tag);
        assert_eq!((sent.source, sent.target), (delivery.source, delivery.detail.into()), "{sent:?}");
        let stages = self.stages_of(sent.source, sent.target);
        let stage = stages.iter().position(|(members, _)| members >> guard & 1 != 0);
        let stage = stage.unwrap_or_else(|| panic!("{guard} is no guard of {sent:?}"));
        assert!(self.is_passed(tag, &stages[..stage]), "{sent:?} comes to {guard} too early");
        let again = self.now(tag).find(|it| it.guard == guard);
        assert!(again.is_none(), "{guard} was handed {sent:?} twice by one central");
        assert!(!self.has_ended(sent), "{guard} is handed {sent:?} after its end");
        let position = delivery.position as usize;
        let bytes = self.clients[usize::from(guard)].receive.read(position, delivery.length as usize);
        assert!(bytes == payload(tag, length_of(tag)), "the bytes that {guard} is handed of {sent:?}");
        self.inspected.push(Inspected {
            guard,
            ticket: delivery.sequence,
            tag,
            start: self.start,
            tick: self.ticks,
            said: None,
            position,
            bytes: Some(bytes),
        });
    }

    fn delivered(&mut self, target: u16, delivery: &Delivery) {
        let sent = self.sent_as(delivery.tag).clone();
        assert_eq!((sent.source, sent.target), (delivery.source, target), "{sent:?}");
        let (flow, stages) = (*self.flow(sent.source, target), self.stages_of(sent.source, target));
        assert_eq!(usize::from(delivery.detail), stages.len(), "the stages of {sent:?}");
        assert!(self.is_passed(sent.tag, stages), "{sent:?} is delivered and was not passed");
        let end = self.end_of(&sent);
        assert!(end.is_none() || flow.one_way != 0, "{sent:?} is delivered after it has ended as {end:?}");
        assert!(self.delivered.insert(sent.tag), "{sent:?} is delivered twice");
        let next = self.numbers.entry((sent.source, target)).or_default();
        // In a one-way flow, every message has a number, whether or not it arrives.
        let expected = if flow.one_way != 0 { sent.number } else { *next };
        assert!(delivery.sequence == expected && expected >= *next, "the number of {sent:?}: {delivery:?}");
        *next = expected + 1;
    }

    /// What was inspected of a message for the central that runs now.
    fn now(&self, tag: u64) -> impl Iterator<Item = &Inspected> {
        self.inspected.iter().filter(move |it| it.tag == tag && it.start == self.start)
    }

    fn is_passed(&self, tag: u64, stages: &[(u32, u32)]) -> bool {
        stages.iter().all(|(members, quorum)| {
            let passes = |it: &&Inspected| members >> it.guard & 1 != 0 && it.said == Some(true);
            self.now(tag).filter(passes).count() >= *quorum as usize
        })
    }

    /// Whether some stage can no longer pass a message: its members have refused it, or are too late.
    fn may_be_refused(&self, sent: &Sent) -> bool {
        let within = self.flow(sent.source, sent.target).verdict_within;
        let is_late =
            self.now(sent.tag).map(|it| it.tick).min().is_some_and(|tick| self.ticks - tick >= within);
        self.stages_of(sent.source, sent.target).iter().any(|(members, quorum)| {
            let can_pass = |guard: &u32| {
                let said = self.now(sent.tag).find(|it| u32::from(it.guard) == *guard).and_then(|it| it.said);
                members >> guard & 1 != 0 && said.unwrap_or(!is_late)
            };
            (0..u32::BITS).filter(can_pass).count() < *quorum as usize
        })
    }

    /// The final status of a message, if it has one.
    fn end_of(&self, sent: &Sent) -> Option<Status> {
        let (index, status) = self.statuses.get(&(sent.source, sent.first % RING))?;
        (*index == sent.first && status.is_final()).then_some(*status)
    }

    fn has_ended(&self, sent: &Sent) -> bool {
        self.delivered.contains(&sent.tag)
            || self.flow(sent.source, sent.target).one_way == 0 && self.end_of(sent).is_some()
    }

    fn status_set(&mut self, client: u16, slot: u32, index: u32, status: Status) {
        if status == Status::Free {
            // Another life of the client begins.
            self.statuses.remove(&(client, slot));
            return;
        }
        let before = self.statuses.insert((client, slot), (index, status));
        let sent = self.sent.iter().find(|sent| (sent.source, sent.first) == (client, index));
        let speaks = sent.is_some() || self.is_guard(client);
        if let Some((earlier, ended)) = before {
            assert!(index.wrapping_sub(earlier) < u32::MAX / 2, "{index} of {client} ends after {earlier}");
            // A later part of a chain says nothing while the first one is not final.
            let again = index == earlier && speaks && ended.is_final() && status != ended;
            assert!(!again, "{index} of {client} ends as {ended:?}, and then as {status:?}");
        }
        if !status.is_final() {
            return;
        }
        assert!(self.mapped.is_none_or(|mapped| mapped == 0), "an end is visible while frames are mapped");
        if self.is_guard(client) {
            self.verdict_ended(client, index, status);
        }
        let Some(sent) = sent else { return };
        let is_delivered = self.delivered.contains(&sent.tag);
        let is_true = match status {
            Status::Done if self.flow(client, sent.target).one_way != 0 => self.is_tick,
            Status::Done => is_delivered,
            Status::Refused => !is_delivered && self.may_be_refused(sent),
            _ => !is_delivered,
        };
        assert!(is_true, "{sent:?} ends as {status:?}");
    }

    fn verdict_ended(&self, guard: u16, index: u32, status: Status) {
        let verdict: Descriptor = self.clients[usize::from(guard)].from_client.descriptors.load(index);
        let about = self.inspected.iter().find(|it| (it.guard, it.ticket) == (guard, verdict.tag));
        let about = about.unwrap_or_else(|| panic!("{guard} was not handed {verdict:?}"));
        let sent = self.sent_as(about.tag);
        if self.flow(sent.source, sent.target).one_way == 0 {
            let is_over = status == Status::NoInspection && about.start != self.start;
            assert!(
                is_over || self.has_ended(sent),
                "a verdict of {guard} ends as {status:?} before {sent:?}"
            );
        }
    }

    /// Where each message is that has not ended, if its flow has guards.
    pub(crate) fn census(&self) -> BTreeSet<Place> {
        self.sent.iter().filter_map(|sent| self.place_of(sent)).collect()
    }

    fn place_of(&self, sent: &Sent) -> Option<Place> {
        let stages = self.stages_of(sent.source, sent.target);
        if stages.is_empty() || self.end_of(sent).is_some() {
            return None;
        }
        if self.delivered.contains(&sent.tag) {
            return Some(Place::Delivered);
        }
        for (number, (members, quorum)) in stages.iter().enumerate() {
            let asked = || self.now(sent.tag).filter(|it| members >> it.guard & 1 != 0);
            let count = |said| asked().filter(|it| it.said == Some(said)).count();
            if asked().next().is_none() {
                return Some(if number == 0 { Place::BeforeGuards } else { Place::BetweenStages });
            }
            if asked().any(|it| it.said.is_some() && !self.is_taken(it)) {
                return Some(Place::Judged);
            }
            if count(false) > (members.count_ones() - quorum) as usize {
                return Some(Place::Refused);
            }
            if count(true) < *quorum as usize {
                return Some(Place::Inspected);
            }
        }
        Some(Place::Passed)
    }

    /// Whether central has taken the answer to an inspection.
    fn is_taken(&self, about: &Inspected) -> bool {
        let memory = self.clients[usize::from(about.guard)];
        let tail = memory.from_client.transmit_tail.observe();
        let mut indices = (1..=RING).map(|age| tail.wrapping_sub(age));
        indices.any(|index| {
            let descriptor: Descriptor = memory.from_client.descriptors.load(index);
            descriptor.tag == about.ticket && memory.to_client.status(index).get(index).is_some()
        })
    }

    /// Messages of one-way flows that have no status.
    pub(crate) fn untold(&self) -> usize {
        let has_none = |sent: &&Sent| {
            let latest = self.statuses.get(&(sent.source, sent.first % RING));
            self.is_one_way(sent) && latest.is_none_or(|(index, _)| *index != sent.first)
        };
        self.sent.iter().filter(has_none).count()
    }

    fn is_one_way(&self, sent: &Sent) -> bool {
        self.flow(sent.source, sent.target).one_way != 0
    }

    /// Messages of one-way flows that guards have, and that are not delivered.
    pub(crate) fn with_guards(&self) -> usize {
        let is_lost = |sent: &&Sent| !self.delivered.contains(&sent.tag);
        let is_there = |sent: &&Sent| self.now(sent.tag).next().is_some();
        self.sent.iter().filter(|sent| self.is_one_way(sent)).filter(is_lost).filter(is_there).count()
    }
}
