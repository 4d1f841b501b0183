//! Flows: which client may send to which, and the sends that wait there in order.

use ferry_layout::DomainId;
use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::geometry::MAX_CLIENTS;

use crate::send::Queue;
use crate::service::Uncounted;
use crate::table::{LINE_BYTES, Table};

/// Most bytes that one step copies. A longer message is carried in several steps. Others have their turn
/// between these steps.
pub const CHUNK_BYTES: u32 = 64 * 1024;

/// What the configuration grants, and the ends of the queue of waiting sends. The sends themselves, and the
/// links between them, lie in the source's table ([`crate::send::Sends`]). It is one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Flow {
    /// Longest message in bytes. 0 means that there is no flow, or that it is in [`crate::guards`]: it has
    /// guards, or all its messages are audited. Or it is a one-way flow ([`crate::one_way`]).
    pub(crate) max_message: u32,
    /// Longest message in bytes that one step carries whole.
    pub(crate) in_one_step: u32,
    pub(crate) urgent: bool,
    pub(crate) mapping: Mapping,
    /// Number of the next message to be delivered.
    pub(crate) sequence: u64,
    /// The sends that wait.
    pub(crate) waiting: Queue,
    /// Position of this flow in the order in which the target's senders are served; see `engine/share.rs`.
    pub(crate) served: u64,
    /// What this flow got in one round while nobody else waited for the target.
    pub(crate) uncounted: Uncounted,
}

const _: () = assert!(size_of::<Flow>() == LINE_BYTES);

impl Flow {
    const NONE: Self = Self {
        max_message: 0,
        in_one_step: 0,
        urgent: false,
        mapping: Mapping::Each,
        sequence: 0,
        waiting: None,
        served: 0,
        uncounted: Uncounted::NOTHING,
    };

    /// Whether the configuration has this flow.
    #[inline]
    pub(crate) const fn is_granted(&self) -> bool {
        self.max_message != 0
    }
}

/// The place of a flow in a table that has one for each pair of clients.
#[inline]
pub(crate) fn place(source: DomainId, target: DomainId) -> u32 {
    const { assert!(MAX_CLIENTS == 1 << 5) };
    u32::from(source.number()) << 5 | u32::from(target.number())
}

/// All flows, granted or not, so that a lookup is a shift.
pub(crate) struct Flows(Table<Flow, { MAX_CLIENTS * MAX_CLIENTS }>);

impl Flows {
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub(crate) const fn new() -> Self {
        Self(Table::new([Flow::NONE; MAX_CLIENTS * MAX_CLIENTS]))
    }

    #[inline]
    pub(crate) fn get(&self, source: DomainId, target: DomainId) -> &Flow {
        &self.0[place(source, target)]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, source: DomainId, target: DomainId) -> &mut Flow {
        &mut self.0[place(source, target)]
    }

    /// Grants the flow of a checked configuration. Of a flow with guards, or one whose messages are all
    /// audited, only the mapping policy is noted here. Of a one-way flow, also how much one step carries.
    pub(crate) fn grant(&mut self, source: DomainId, target: DomainId, record: &FlowRecord) {
        let flow = self.get_mut(source, target);
        flow.mapping = record.mapping();
        if record.stages == 0 && record.audit == 0 {
            flow.max_message = if record.one_way == 0 { record.max_message } else { 0 };
            flow.in_one_step = record.max_message.min(CHUNK_BYTES);
            flow.urgent = record.urgent != 0;
        }
    }
}
