//! The flows with guards: which stages each has, and how many of its messages are with guards. `course.rs`
//! has how far a message has come, and `inspections.rs` what each guard has to inspect.

use ferry_layout::DomainId;
use ferry_layout::config::{FlowRecord, StageRecord};
use ferry_layout::geometry::{MAX_CLIENTS, MAX_STAGES};

use crate::flow::place;
use crate::send::Queue;
use crate::table::{ClientSet, Table};

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

    /// The clients to which `source` has flows with guards, one-way or not.
    pub(crate) fn targets(&self, source: DomainId) -> ClientSet {
        let mut targets = ClientSet::EMPTY;
        for target in (0..).map_while(DomainId::new).filter(|it| self.flow(source, *it).stages() != 0) {
            targets.insert(target);
        }
        targets
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

#[cfg(test)]
mod tests {
    use ferry_layout::config::Mapping;

    use super::*;

    fn guard(number: u16) -> DomainId {
        DomainId::new(number).unwrap()
    }

    #[test]
    fn a_flow_has_no_more_under_way_than_its_guards_have_room_for() {
        let record = |source, max_message| FlowRecord {
            max_message,
            verdict_within: 1,
            stages: 1,
            ..FlowRecord::plain(source, 9, false, Mapping::Each, 1)
        };
        let stage = StageRecord { members: 1 << 3, quorum: 1 };
        for (bytes, flows, expected) in
            [(1 << 20, 1, 64), (8192, 1, 8), (8192, 2, 4), (8192, 3, 2), (1024, 2, 1), (100, 1, 1)]
        {
            let mut guards = Guards::new();
            for source in 0..flows {
                let longest = if source == 0 { 1024 } else { 64 };
                guards.grant(guard(source), guard(9), &record(source, longest), &[stage]);
            }
            let mut members = ClientSet::EMPTY;
            members.insert(guard(3));
            guards.share_out(guard(0), guard(9), members, |_| bytes);
            let most = guards.flow(guard(0), guard(9)).most_under_way;
            assert_eq!(most, expected, "{bytes} bytes, {flows} flows");
        }
    }
}
