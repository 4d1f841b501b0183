//! Tables for flows with guards: which guards a flow has, how far each of its messages has come, and what
//! each guard has to inspect. `engine/guard.rs` decides by them.
//!
//! A message of such a flow goes through *stages*. In a stage it is handed to the members, and goes on when
//! enough of them have passed it. The bytes that a guard was handed are a *snapshot*. It stays as it is until
//! the message has ended: the place is *pinned*, and the guard can post nothing that overlaps it.

use ferry_layout::config::{FlowRecord, StageRecord};
use ferry_layout::geometry::{INSPECTION_SLOTS, MAX_CLIENTS, MAX_GUARDS, MAX_STAGES};
use ferry_layout::{Address, DomainId, Post, Span};

use crate::flow::place;
use crate::places::Places;
use crate::requests::buffer_for_anyone;
use crate::send::{Queue, has_passed};
use crate::slots::SlotSet;
use crate::table::{ClientSet, Table};

/// Some client, to fill entries that have no meaning.
const FIRST: DomainId = DomainId::new(0).unwrap();

/// Most inspections of one guard at a time.
const MOST_INSPECTIONS: u32 = 64;

/// One stage of a flow.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) members: ClientSet,
    /// How many members have to pass a message.
    pub(crate) quorum: u32,
}

/// A flow with guards, or without any but with all messages in the audit log. The plain code takes it for a
/// flow that is not granted.
#[derive(Clone, Copy)]
pub(crate) struct GuardedFlow {
    /// Longest message in bytes. 0 means that the flow is a plain or a one-way one, or does not exist.
    pub(crate) max_message: u32,
    pub(crate) urgent: bool,
    /// The audit log gets every message.
    pub(crate) audits_all: bool,
    first_stage: u16,
    stages: u16,
    /// Ticks in which the members of a stage have to answer.
    pub(crate) verdict_within: u32,
    /// Most messages that can be with guards at a time, and how many are.
    most_under_way: u32,
    under_way: u32,
    /// The messages that have not ended, in the order of the flow.
    pub(crate) waiting: Queue,
}

impl GuardedFlow {
    const NONE: Self = Self {
        max_message: 0,
        urgent: false,
        audits_all: false,
        first_stage: 0,
        stages: 0,
        verdict_within: 0,
        most_under_way: 0,
        under_way: 0,
        waiting: None,
    };

    /// Number of its stages.
    pub(crate) const fn stages(&self) -> u16 {
        self.stages
    }

    /// Most messages that can be with guards at a time.
    pub(crate) const fn most_under_way(&self) -> u32 {
        self.most_under_way
    }

    /// Whether another message may be handed to guards.
    pub(crate) const fn has_room(&self) -> bool {
        self.room() != 0
    }

    /// How many more messages may be handed to guards.
    pub(crate) const fn room(&self) -> u32 {
        self.most_under_way.saturating_sub(self.under_way)
    }

    /// Notes that another message is with guards.
    pub(crate) const fn begin(&mut self) {
        self.begin_run(1);
    }

    /// Notes that `count` more messages are with guards.
    pub(crate) const fn begin_run(&mut self, count: u32) {
        self.under_way += count;
    }

    /// Notes that a message that was with guards has ended.
    pub(crate) const fn end(&mut self) {
        self.end_run(1);
    }

    /// Notes that `count` messages that were with guards have ended.
    pub(crate) const fn end_run(&mut self, count: u32) {
        self.under_way = self.under_way.saturating_sub(count);
    }
}

/// All flows with guards, and their stages.
pub(crate) struct Guards {
    flows: Table<GuardedFlow, { MAX_CLIENTS * MAX_CLIENTS }>,
    stages: Table<Stage, MAX_STAGES>,
    /// Number of flows that each client guards, and the longest message among them.
    guarded_by: Table<u32, MAX_CLIENTS>,
    longest: Table<u32, MAX_CLIENTS>,
}

impl Guards {
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub(crate) const fn new() -> Self {
        const NOBODY: Stage = Stage { members: ClientSet::EMPTY, quorum: 0 };
        Self {
            flows: Table::new([GuardedFlow::NONE; MAX_CLIENTS * MAX_CLIENTS]),
            stages: Table::new([NOBODY; MAX_STAGES]),
            guarded_by: Table::new([0; MAX_CLIENTS]),
            longest: Table::new([0; MAX_CLIENTS]),
        }
    }

    pub(crate) fn flow(&self, source: DomainId, target: DomainId) -> &GuardedFlow {
        &self.flows[place(source, target)]
    }

    pub(crate) fn flow_mut(&mut self, source: DomainId, target: DomainId) -> &mut GuardedFlow {
        &mut self.flows[place(source, target)]
    }

    /// A stage of a flow. `number` is below the number of its stages.
    pub(crate) fn stage(&self, flow: &GuardedFlow, number: u16) -> Stage {
        self.stages[u32::from(flow.first_stage) + u32::from(number)]
    }

    /// The guard that alone is stage `number` of a flow. `None` if there is no such stage, or it has more
    /// members.
    #[inline]
    pub(crate) fn only_member(&self, flow: &GuardedFlow, number: u16) -> Option<DomainId> {
        if number >= flow.stages {
            return None;
        }
        let Stage { members, quorum } = self.stage(flow, number);
        members.only().filter(|_| quorum == 1)
    }

    /// The members of the first stage of a flow. `None` if it has no stages.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn members_of_first(&self, flow: &GuardedFlow) -> Option<ClientSet> {
        (flow.stages != 0).then(|| self.stage(flow, 0).members)
    }

    /// Grants a flow of a checked configuration with these stages. Returns all its guards.
    pub(crate) fn grant(
        &mut self,
        source: DomainId,
        target: DomainId,
        record: &FlowRecord,
        stages: &[StageRecord],
    ) -> ClientSet {
        let mut all = ClientSet::EMPTY;
        for (stage, number) in stages.iter().zip(record.first_stage..) {
            let members = ClientSet::of_bits(stage.members);
            self.stages[number] = Stage { members, quorum: stage.quorum };
            all = all.union(members);
        }
        for guard in all.iter() {
            self.guarded_by[guard] += 1;
            self.longest[guard] = self.longest[guard].max(record.max_message);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a configuration has at most MAX_STAGES stages")]
        let first_stage = record.first_stage as u16;
        *self.flow_mut(source, target) = GuardedFlow {
            max_message: if record.one_way == 0 { record.max_message } else { 0 },
            urgent: record.urgent != 0,
            audits_all: record.audit != 0,
            first_stage,
            stages: record.stages,
            verdict_within: record.verdict_within,
            ..GuardedFlow::NONE
        };
        all
    }

    /// Gives a flow its part of what its guards can hold: of each guard, one inspection for each message of
    /// the longest kind that its memory has room for, in equal parts among the flows that it guards. So a
    /// guard that has posted all its memory has a buffer for every message under way, and no message waits
    /// for another one's. `bytes` is the size of a guard's receive buffer. Called when all flows are granted.
    pub(crate) fn share_out(
        &mut self,
        source: DomainId,
        target: DomainId,
        guards: ClientSet,
        bytes: impl Fn(DomainId) -> u64,
    ) {
        let part = |guard: DomainId| {
            let buffers = bytes(guard) / u64::from(self.longest[guard].max(1));
            #[expect(clippy::cast_possible_truncation, reason = "at most MOST_INSPECTIONS")]
            let buffers = buffers.min(MOST_INSPECTIONS.into()) as u32;
            buffers / self.guarded_by[guard].max(1)
        };
        let most = guards.iter().map(part).min().unwrap_or(0).max(1);
        self.flow_mut(source, target).most_under_way = most;
    }
}

/// How far one message has come among the guards of its flow.
///
/// Aligned so that its first fields are one word to compare.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Course {
    /// Stages that have passed it. The present stage has this number.
    pub(crate) stage: u16,
    /// It can no longer be passed.
    pub(crate) is_refused: bool,
    /// How many guards it was handed to.
    count: u8,
    /// Members of the present stage that it was handed to.
    pub(crate) asked: ClientSet,
    /// Of those, the ones that have passed it, and the ones that have not and no longer can.
    pub(crate) passed: ClientSet,
    pub(crate) refused: ClientSet,
    /// The tick at which the members that have not answered are too late, whether or not they were asked.
    /// Without a meaning before it was handed to anybody.
    pub(crate) deadline: u32,
    /// The guards that it was handed to, and the slot of the inspection at each of them.
    handed: [(DomainId, u8); MAX_GUARDS],
}

impl Course {
    pub(crate) const BEGIN: Self = Self {
        stage: 0,
        is_refused: false,
        count: 0,
        asked: ClientSet::EMPTY,
        passed: ClientSet::EMPTY,
        refused: ClientSet::EMPTY,
        deadline: 0,
        handed: [(FIRST, 0); MAX_GUARDS],
    };

    /// Begins anew, with a message that was not handed to anybody.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) const fn wait(&mut self) {
        // Written where it lies, field by field: a copy of the whole would cost more than all else here.
        (self.stage, self.is_refused, self.count) = (0, false, 0);
        (self.asked, self.passed, self.refused) = (ClientSet::EMPTY, ClientSet::EMPTY, ClientSet::EMPTY);
    }

    /// Begins `stage`, with a message that was just handed to `guard`, which is all of it. The message was
    /// handed to one guard in each stage before, or the stage is the first one and the message begins anew.
    #[inline(always)]
    pub(crate) fn begin_stage(&mut self, stage: u16, guard: DomainId, slot: u32, deadline: u32) {
        // Written where it lies, field by field: a copy of the whole would cost more than all else here.
        // A flow has at most as many stages as guards.
        (self.stage, self.is_refused, self.count) = (stage, false, stage.to_le_bytes()[0].wrapping_add(1));
        (self.asked, self.passed, self.refused) = (ClientSet::EMPTY, ClientSet::EMPTY, ClientSet::EMPTY);
        self.asked.insert(guard);
        self.deadline = deadline;
        if let Some(place) = self.handed.get_mut(usize::from(stage)) {
            #[expect(clippy::cast_possible_truncation, reason = "the number of a slot is below 128")]
            let slot = slot as u8;
            *place = (guard, slot);
        }
    }

    /// Whether it is in `stage`, of which `guard` is all, was handed to one guard in each stage so far, and
    /// only waits for what this one says.
    #[inline(always)]
    pub(crate) fn waits_for_all_of(&self, stage: u16, guard: DomainId) -> bool {
        let mut only = ClientSet::EMPTY;
        only.insert(guard);
        let said = u64::from(self.passed.bits()) | u64::from(self.refused.bits()) << 32;
        both(self.place(), said) == both(Self::place_of(stage, false, stage.wrapping_add(1), only), 0)
    }

    /// Whether it is in `stage`, and waits for what `guard`, which has it, says.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn awaits_of(&self, stage: u16, guard: DomainId) -> bool {
        self.stage == stage && self.awaits(guard) && !self.passed.contains(guard)
    }

    /// The slot of the inspection at the guard with the snapshot that it goes on from, if that is `guard`.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn first_slot(&self, guard: DomainId) -> Option<u32> {
        let [(first, slot), ..] = self.handed;
        (self.count != 0 && first == guard).then_some(slot.into())
    }

    /// The guard that it was handed to as the `number`-th, and the slot of the inspection there.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn nth_handed(&self, number: u8) -> Option<(DomainId, u32)> {
        let (guard, slot) = *self.handed.get(usize::from(number)).filter(|_| number < self.count)?;
        Some((guard, slot.into()))
    }

    /// Whether it was handed to `guard` as the `number`-th.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) fn is_nth_handed(&self, number: u8, guard: DomainId) -> bool {
        self.nth_handed(number).is_some_and(|(nth, _)| nth == guard)
    }

    /// Where it is, in one word.
    #[inline(always)]
    fn place(&self) -> u64 {
        Self::place_of(self.stage, self.is_refused, self.count.into(), self.asked)
    }

    #[inline(always)]
    const fn place_of(stage: u16, is_refused: bool, count: u16, asked: ClientSet) -> u64 {
        stage as u64 | (is_refused as u64) << 16 | (count as u64) << 24 | (asked.bits() as u64) << 32
    }

    /// Whether nothing that a guard says can change what becomes of it, in a flow with so many stages.
    #[inline]
    pub(crate) const fn is_decided(&self, stages: u16) -> bool {
        self.is_refused || self.stage >= stages
    }

    /// Whether it was handed to a guard.
    pub(crate) const fn has_begun(&self) -> bool {
        self.count != 0
    }

    /// The guards that it was handed to, each with the slot of the inspection.
    pub(crate) fn handed(&self) -> impl Iterator<Item = (DomainId, u32)> + use<> {
        self.handed.into_iter().take(self.count.into()).map(|(guard, slot)| (guard, slot.into()))
    }

    /// The guard with the snapshot that it goes on from, and the slot of the inspection. All snapshots of a
    /// message are the same bytes, and no guard can change its own. `None` before it was handed to anybody.
    pub(crate) fn snapshot(&self) -> Option<(DomainId, u32)> {
        self.handed().next()
    }

    /// Notes that it was handed to a member of the present stage. The checked configuration names at most
    /// [`MAX_GUARDS`] guards for a flow, each once.
    pub(crate) fn hand(&mut self, guard: DomainId, slot: u32) {
        self.asked.insert(guard);
        if let Some(place) = self.handed.get_mut(usize::from(self.count)) {
            #[expect(clippy::cast_possible_truncation, reason = "the number of a slot is below 128")]
            let slot = slot as u8;
            *place = (guard, slot);
            self.count += 1;
        }
    }

    /// Notes what a member of the present stage has said. What comes after its refusal has no effect: a
    /// member that is late has refused.
    pub(crate) const fn answer(&mut self, guard: DomainId, passes: bool) {
        if self.refused.contains(guard) {
            return;
        }
        let side = if passes { &mut self.passed } else { &mut self.refused };
        side.insert(guard);
    }

    /// Whether what `guard` says can still count: it was asked in the present stage, is not too late, and
    /// the message is not refused without it.
    pub(crate) const fn awaits(&self, guard: DomainId) -> bool {
        self.asked.contains(guard) && !self.refused.contains(guard) && !self.is_refused
    }

    /// Goes on to the next stage, whose members have until `deadline`, or is refused, if the members of the
    /// present one have said enough.
    pub(crate) const fn decide(&mut self, stage: Stage, deadline: u32) {
        if self.passed.count() >= stage.quorum {
            self.pass_stage(deadline);
        } else if stage.members.without(self.refused).count() < stage.quorum {
            self.is_refused = true;
        }
    }

    /// The members that were asked, and are too late at tick `now`.
    pub(crate) const fn late(&self, now: u32) -> ClientSet {
        let silent = self.asked.without(self.passed.union(self.refused));
        if self.is_overdue(now) { silent } else { ClientSet::EMPTY }
    }

    /// Whether the members have no more time at tick `now`.
    pub(crate) const fn is_overdue(&self, now: u32) -> bool {
        has_passed(self.deadline, now)
    }

    /// Goes on to the next stage, whose members have until `deadline`.
    pub(crate) const fn pass_stage(&mut self, deadline: u32) {
        self.stage += 1;
        self.deadline = deadline;
        (self.asked, self.passed, self.refused) = (ClientSet::EMPTY, ClientSet::EMPTY, ClientSet::EMPTY);
    }

    /// Notes that `guard` no longer has what it was handed.
    pub(crate) fn lose(&mut self, guard: DomainId) {
        if self.asked.contains(guard) {
            self.passed.remove(guard);
            self.refused.insert(guard);
        }
        let before = core::mem::replace(&mut self.count, 0);
        let kept = self.handed.into_iter().take(before.into()).filter(|(holder, _)| *holder != guard);
        for (place, kept) in self.handed.iter_mut().zip(kept) {
            *place = kept;
            self.count += 1;
        }
        // The sender's own bytes may have changed meanwhile, so they are not copied again.
        self.is_refused |= self.count == 0;
    }
}

/// What an inspection is about, and whether it has a verdict, in one word: so one comparison tells.
///
/// ```text
///  63        32        17        16 15       0
///  │   index   │  judged │ relayed │  source  │
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Subject(u64);

impl Subject {
    const RELAYED: u64 = 1 << 16;
    const JUDGED: u64 = 1 << 17;

    /// Message `index` of `source`, without a verdict.
    #[inline]
    pub(crate) const fn message(source: DomainId, index: u32) -> Self {
        Self((index as u64) << 32 | source.number() as u64)
    }

    /// The message of a one-way flow of `source` that is in `slot` of the table of relays.
    pub(crate) const fn relay(source: DomainId, slot: u32) -> Self {
        Self(Self::message(source, slot).0 | Self::RELAYED)
    }

    /// The message that `source` has sent after this one.
    #[inline]
    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1 << 32))
    }

    pub(crate) fn source(self) -> DomainId {
        #[expect(clippy::cast_possible_truncation, reason = "the lowest 16 bits")]
        DomainId::new(self.0 as u16).unwrap_or(FIRST)
    }

    /// Index of the message at its source, or its slot in the table of relays.
    pub(crate) const fn index(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether the message is one of a one-way flow ([`crate::relays`]).
    pub(crate) const fn is_relayed(self) -> bool {
        self.0 & Self::RELAYED != 0
    }

    /// The same message, with a verdict.
    const fn judged(self) -> Self {
        Self(self.0 | Self::JUDGED)
    }

    const fn is_judged(self) -> bool {
        self.0 & Self::JUDGED != 0
    }
}

/// One message that a guard has to inspect, or has inspected.
#[derive(Clone, Copy)]
pub(crate) struct Inspection {
    pub(crate) ticket: u64,
    pub(crate) subject: Subject,
    /// The snapshot, in the guard's receive buffer.
    pub(crate) place: Span,
    /// Index of the verdict in the guard's ring, once there is one.
    verdict: u32,
}

impl Inspection {
    /// Whether it has this ticket, is about `subject`, and has no verdict.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) fn is_about(&self, ticket: u64, subject: Subject) -> bool {
        both(self.ticket, self.subject.0) == both(ticket, subject.0)
    }

    /// Writes over an earlier inspection, as one without a verdict. Its `place` is written already.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) const fn begin(&mut self, ticket: u64, subject: Subject) {
        (self.ticket, self.subject) = (ticket, subject);
    }

    /// Notes that the verdict about it is at index `verdict` of the guard's ring.
    #[inline(always)]
    const fn note_verdict(&mut self, verdict: u32) {
        self.verdict = verdict;
        self.subject = self.subject.judged();
    }

    /// An inspection without a verdict.
    #[inline]
    pub(crate) const fn new(ticket: u64, subject: Subject, place: Span) -> Self {
        Self { ticket, subject, place, verdict: 0 }
    }
}

/// The inspections of one guard.
pub(crate) struct Inspections {
    /// Size of the receive buffer of a guard, in bytes; 0 for any other client.
    bytes: u64,
    used: SlotSet,
    /// What is offered and what is pinned of a guard's receive buffer.
    places: Places,
    table: Table<Inspection, INSPECTION_SLOTS>,
}

/// Slots of the table.
#[expect(clippy::cast_possible_truncation, reason = "far fewer than 2^32")]
const SLOTS: u32 = INSPECTION_SLOTS as u32;

impl Inspections {
    pub(crate) const fn new() -> Self {
        let nothing = Inspection::new(0, Subject::message(FIRST, 0), Span::EMPTY);
        let table = Table::new([nothing; INSPECTION_SLOTS]);
        Self { bytes: 0, used: SlotSet::EMPTY, places: Places::NONE, table }
    }

    /// Makes its client a guard whose receive buffer has this size.
    pub(crate) const fn configure(&mut self, bytes: u64) {
        self.bytes = bytes;
        self.places.configure(bytes);
    }

    /// Size of the receive buffer of a guard, in bytes; 0 for any other client.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets all inspections, and what is offered.
    pub(crate) fn clear(&mut self) {
        self.used = SlotSet::EMPTY;
        self.places.clear();
    }

    /// A slot for another inspection.
    #[inline]
    pub(crate) fn free_slot(&self) -> Option<u32> {
        Some(self.used.first_gap()).filter(|slot| *slot < SLOTS)
    }

    /// The ticket of the inspection in `slot` whose delivery has index `delivery`, in this epoch of the
    /// guard. No other inspection of any central has the same ticket, before the indices of deliveries wrap.
    pub(crate) const fn ticket(slot: u32, delivery: u32, epoch: u32) -> u64 {
        (epoch as u64) << 40 | (delivery as u64) << 8 | slot as u64 & 0xff
    }

    /// The index of the delivery of the inspection with this ticket.
    #[expect(clippy::cast_possible_truncation, reason = "the 32 bits above the slot")]
    pub(crate) const fn delivery(ticket: u64) -> u32 {
        (ticket >> 8) as u32
    }

    /// The slot of the inspection with this ticket. It may be none of the table.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lowest byte")]
    pub(crate) const fn slot(ticket: u64) -> u32 {
        ticket as u32 & 0xff
    }

    /// Whether a ticket is one of this epoch of the guard.
    pub(crate) const fn is_of_epoch(ticket: u64, epoch: u32) -> bool {
        ticket >> 40 == (epoch as u64) & 0xff_ffff
    }

    /// Begins an inspection in a free slot.
    #[inline]
    pub(crate) fn begin(&mut self, slot: u32, inspection: Inspection) {
        self.table[slot] = inspection;
        self.used.insert(slot);
    }

    /// The slots for a run of inspections whose deliveries have indices from `delivery` on: how many are
    /// free, at most. The slot of each has the number of the slot of its delivery.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn free_run(&self, delivery: u32) -> u32 {
        self.used.gap_from(delivery)
    }

    /// The inspections in `slot` and those after it, up to the end of the table.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn run(&self, slot: u32) -> &[Inspection] {
        self.table.run(slot)
    }

    /// As [`run`](Self::run), and the places, to change both. The slots of a run are those of its deliveries.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn run_mut(&mut self, slot: u32) -> (&mut [Inspection], &mut Places) {
        (self.table.run_mut(slot), &mut self.places)
    }

    /// Begins `count` inspections that were written, whose deliveries have indices from `delivery` on.
    #[cfg(feature = "express")]
    pub(crate) const fn begin_run(&mut self, delivery: u32, count: u32) {
        self.used.insert_run(delivery, count);
    }

    /// The ticket of the inspection of a run whose delivery has index `delivery`.
    #[cfg(feature = "express")]
    pub(crate) const fn ticket_of_run(delivery: u32, epoch: u32) -> u64 {
        Self::ticket(delivery % SLOTS, delivery, epoch)
    }

    /// The ticket after `ticket` of a run.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) const fn next_ticket(ticket: u64) -> u64 {
        const { assert!(SLOTS == 128) };
        // Slot 128 is slot 0.
        ticket.wrapping_add(1 << 8 | 1) & !0x80
    }

    /// How many inspections there are in consecutive slots, from the one with this ticket on.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn run_from(&self, ticket: u64) -> u32 {
        self.used.run_from(Self::slot(ticket))
    }

    /// Ends `count` inspections in consecutive slots from the one with this ticket on, which have no
    /// verdicts. Their snapshots are given back already.
    #[cfg(feature = "express")]
    pub(crate) const fn end_run(&mut self, ticket: u64, count: u32) {
        self.used.remove_run(Self::slot(ticket), count);
    }

    /// The slot of the inspection that this ticket names, and the inspection. `None` if there is none, or it
    /// has a verdict.
    #[inline]
    pub(crate) fn awaited(&self, ticket: u64) -> Option<(u32, &Inspection)> {
        let slot = Self::slot(ticket);
        if slot >= SLOTS || !self.used.contains(slot) {
            return None;
        }
        let inspection = &self.table[slot];
        (inspection.ticket == ticket && !inspection.subject.is_judged()).then_some((slot, inspection))
    }

    /// Takes a verdict, which is at index `verdict` of the guard's ring. Returns the inspection. `None` if
    /// there is none with this ticket, or it has a verdict.
    pub(crate) fn judge(&mut self, ticket: u64, verdict: u32) -> Option<Inspection> {
        let (slot, inspection) = self.awaited(ticket)?;
        let inspection = *inspection;
        self.table[slot].note_verdict(verdict);
        Some(inspection)
    }

    /// Ends inspections because their messages have ended: those in consecutive slots from `slot` on, the
    /// first one about `subject` and the others about the messages after it. All of them have verdicts, in
    /// consecutive slots too, or none has. At most `most`. Returns how many have ended, and the index of the
    /// first verdict.
    #[cfg(feature = "express")]
    pub(crate) fn end_run_about(&mut self, slot: u32, subject: Subject, most: u32) -> (u32, Option<u32>) {
        let most = most.min(self.used.run_from(slot));
        let (inspections, places) = (self.table.run(slot), &mut self.places);
        let (Some(first), Some(bits)) = (inspections.first(), places.granule_bits()) else {
            return (0, None);
        };
        let verdict = first.subject.is_judged().then_some(first.verdict);
        let (mut subject, mut count) = (if verdict.is_some() { subject.judged() } else { subject }, 0);
        for (inspection, number) in inspections.iter().zip(0..most) {
            let is_next = verdict.is_none_or(|verdict| inspection.verdict == verdict.wrapping_add(number));
            if inspection.subject != subject || !is_next {
                break;
            }
            places.give_short_back(bits, inspection.place);
            subject = subject.next();
            count = number + 1;
        }
        self.used.remove_run(slot, count);
        (count, verdict)
    }

    /// Forgets one inspection, and returns it. `None` if there is none left.
    pub(crate) fn take_any(&mut self) -> Option<Inspection> {
        let slot = self.used.from(0).next()?;
        self.used.remove(slot);
        Some(self.table[slot])
    }

    /// The snapshot of the inspection in `slot`.
    pub(crate) fn place(&self, slot: u32) -> Span {
        self.table[slot].place
    }

    /// Notes the verdicts about inspections in consecutive slots from `slot` on, one for each of `verdicts`,
    /// which are indices of the guard's ring.
    #[cfg(feature = "express")]
    pub(crate) fn note_verdicts(&mut self, slot: u32, verdicts: impl Iterator<Item = u32>) {
        for (inspection, verdict) in self.table.run_mut(slot).iter_mut().zip(verdicts) {
            inspection.note_verdict(verdict);
        }
    }

    /// For runs: the [granules](Places::granule_bits) of the places.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn granule_bits(&self) -> Option<u32> {
        self.places.granule_bits()
    }

    /// Ends the inspection in `slot`, because its message has ended. Returns the index of its verdict, if it
    /// has one. `None` if the inspection has ended already.
    #[inline]
    pub(crate) fn end(&mut self, slot: u32) -> Option<u32> {
        if !self.used.contains(slot) {
            return None;
        }
        self.used.remove(slot);
        let Inspection { place, verdict, subject, .. } = self.table[slot];
        self.places.give_back(place);
        subject.is_judged().then_some(verdict)
    }

    /// The inspections that have not ended.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Inspection> {
        self.used.from(0).map(|slot| &self.table[slot])
    }

    /// The bytes that a guard offers with this place and length. `None` if they are not all inside the
    /// receive buffer, if some are pinned or offered already, or if the client is no guard. `offered` are the
    /// buffers that it offers already.
    pub(crate) fn buffer(
        &self,
        place: Address,
        length: u32,
        mut offered: impl Iterator<Item = Span>,
    ) -> Option<Span> {
        let span = place.span(length, self.bytes).filter(|span| span.length() > 0)?;
        let is_free = self.places.are_free(span).unwrap_or_else(|| {
            self.iter().all(|inspection| !inspection.place.overlaps(span))
                && !offered.any(|buffer| buffer.overlaps(span))
        });
        is_free.then_some(span)
    }

    /// The bytes that a guard offers to anyone with `post`, and notes that it offers them. `None` if it
    /// offers none, or if that needs a closer look.
    #[inline]
    pub(crate) fn offer_for_anyone(&mut self, post: &Post) -> Option<Span> {
        let span = buffer_for_anyone(post, self.bytes)?;
        (self.places.take_if_free(span) == Some(true)).then_some(span)
    }

    /// Notes that a guard offers `buffer`.
    #[inline]
    pub(crate) fn offer(&mut self, buffer: Span) {
        if self.bytes != 0 {
            self.places.take(buffer);
        }
    }

    /// Notes that a guard no longer offers `buffer`.
    pub(crate) fn withdraw(&mut self, buffer: Span) {
        if self.bytes != 0 {
            self.places.give_back(buffer);
        }
    }

    /// Notes that `place`, the beginning of `buffer`, is pinned, and that the rest of the buffer is no longer
    /// offered.
    #[inline]
    pub(crate) fn pin(&mut self, buffer: Span, place: Span) {
        self.places.keep_part(buffer, place);
    }
}

/// Two words as one, so that both are read first, and one branch decides.
#[inline(always)]
const fn both(low: u64, high: u64) -> u128 {
    low as u128 | (high as u128) << 64
}

#[cfg(test)]
mod tests;
