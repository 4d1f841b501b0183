//! Tables for one-way flows: what the configuration grants, and what of it waits for its sender's share.
//! `engine/one_way.rs` says what these flows guarantee.

use ferry_layout::DomainId;
use ferry_layout::config::FlowRecord;
use ferry_layout::geometry::MAX_CLIENTS;

use crate::flow::place;
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
    /// Messages that are with guards, in the order of the flow ([`crate::relays`]).
    pub(crate) relayed: Queue,
}

impl OneWayFlow {
    const NONE: Self = Self { max_message: 0, urgent: false, waiting: None, relayed: None };
}

/// All one-way flows.
pub(crate) struct OneWay {
    flows: Table<OneWayFlow, { MAX_CLIENTS * MAX_CLIENTS }>,
    /// Clients that have a one-way flow to somebody.
    pub(crate) sources: ClientSet,
    /// Clients whose acts a sender of a one-way flow may learn of, and the senders themselves.
    pub(crate) low: ClientSet,
}

impl OneWay {
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub(crate) const fn new() -> Self {
        Self {
            flows: Table::new([OneWayFlow::NONE; MAX_CLIENTS * MAX_CLIENTS]),
            sources: ClientSet::EMPTY,
            low: ClientSet::EMPTY,
        }
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
        self.low.insert(source);
    }

    /// Completes `low` when all flows are granted. Both ends of a flow that is not one-way learn of each
    /// other, and so do its guards.
    pub(crate) fn spread(&mut self, others: &(impl Iterator<Item = ClientSet> + Clone)) {
        loop {
            let before = self.low;
            for ends in others.clone().filter(|ends| !ends.intersection(before).is_empty()) {
                self.low = self.low.union(ends);
            }
            if self.low == before {
                return;
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_a_sender_may_learn_of_is_low() {
        let set = |bits| ClientSet::of_bits(bits);
        let mut one_way = OneWay::new();
        one_way.low = set(0b1);
        // In this order one pass does not reach the last one.
        let others = [set(0b1100), set(0b0110), set(0b0011), set(0b11_0000)];
        one_way.spread(&others.into_iter());
        assert_eq!(one_way.low, set(0b1111));
    }
}
