//! Tables for one-way flows: what the configuration grants, and what of it waits for its sender's share.
//! `engine/one_way.rs` says what these flows guarantee.

use ferry_layout::DomainId;
use ferry_layout::config::FlowRecord;
use ferry_layout::geometry::MAX_CLIENTS;

use crate::flow::place;
use crate::relays::Relayed;
use crate::send::Queue;
use crate::slots::SlotSet;
use crate::table::{ClientSet, Table};

/// A one-way flow. The plain code takes it for a flow that is not granted.
#[derive(Clone, Copy)]
pub(crate) struct OneWayFlow {
    /// Longest message in bytes. 0 means that there is no such flow, or that it is not one-way.
    pub(crate) max_message: u32,
    pub(crate) urgent: bool,
    /// Messages that wait until their sender can afford them, in the order of the flow.
    pub(crate) waiting: Queue,
    /// Messages that are with guards.
    pub(crate) relayed: Relayed,
}

impl OneWayFlow {
    const NONE: Self = Self { max_message: 0, urgent: false, waiting: None, relayed: Relayed::NONE };
}

/// All one-way flows.
pub(crate) struct OneWay {
    flows: Table<OneWayFlow, { MAX_CLIENTS * MAX_CLIENTS }>,
    /// Clients that have a one-way flow to somebody.
    pub(crate) sources: ClientSet,
}

impl OneWay {
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub(crate) const fn new() -> Self {
        Self { flows: Table::new([OneWayFlow::NONE; MAX_CLIENTS * MAX_CLIENTS]), sources: ClientSet::EMPTY }
    }

    pub(crate) fn flow(&self, source: DomainId, target: DomainId) -> &OneWayFlow {
        &self.flows[place(source, target)]
    }

    pub(crate) fn flow_mut(&mut self, source: DomainId, target: DomainId) -> &mut OneWayFlow {
        &mut self.flows[place(source, target)]
    }

    /// Whether the configuration has this flow, and it is one-way.
    pub(crate) fn is_granted(&self, source: DomainId, target: DomainId) -> bool {
        self.flow(source, target).max_message != 0
    }

    /// Grants a flow of a checked configuration.
    pub(crate) fn grant(&mut self, source: DomainId, target: DomainId, record: &FlowRecord) {
        let flow = self.flow_mut(source, target);
        flow.max_message = record.max_message;
        flow.urgent = record.urgent != 0;
        self.sources.insert(source);
    }
}

/// Messages of one client's one-way flows that are delivered or dropped. The next tick shows that.
#[derive(Clone, Copy)]
pub(crate) struct CarriedSends {
    /// Their slots.
    pub(crate) slots: SlotSet,
    /// How many they are, and their bytes.
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl CarriedSends {
    pub(crate) const NONE: Self = Self { slots: SlotSet::EMPTY, messages: 0, bytes: 0 };
}
