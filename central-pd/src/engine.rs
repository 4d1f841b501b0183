//! The state of central. Its fields are private to this module. The files below it do the work, with one kind
//! of effect in each; `lib.rs` has the list.

mod accept;
mod arrival;
mod audit;
mod check;
mod client;
mod ending;
mod epoch;
#[cfg(feature = "express")]
mod express;
mod guard;
mod inspect;
mod look;
#[cfg(not(feature = "express"))]
mod no_express;
mod one_way;
mod partition;
mod relay;
mod resume;
mod round;
mod served;
mod settle;
mod share;
mod sleep;
mod start;
mod tick;
mod transfer;
mod turn;
mod wait;

use core::mem::offset_of;

use ferry_layout::geometry::MAX_CLIENTS;

use crate::audit::Audit;
use crate::components::Components;
use crate::flow::Flows;
use crate::guards::Guards;
use crate::one_way::OneWay;
use crate::partitions::Partitions;
use crate::pending::Pending;
use crate::relays::Relays;
use crate::table::{ClientSet, LINE_BYTES, Table};

use client::Client;
pub use client::Ports;

/// The whole state of central. About a megabyte: it belongs in a `static`.
///
/// The fields lie in memory in this order. What every round needs comes first and lies in one cache line, and
/// the large tables come last.
#[repr(C, align(64))]
pub struct Engine {
    /// Those that central serves now: all, or those of one partition.
    served: ClientSet,
    /// All clients are one component.
    is_connected: bool,
    /// Some flow grants the urgent class, so rounds have two passes.
    has_urgent: bool,
    /// Something was taken, carried or ended in this round. If the system is not one component: in this pass
    /// of the component that is served now.
    has_progressed: bool,
    /// The number of the client with which the next round begins. It moves on, so that no client is always
    /// first. If the system is not one component: of the component that is served now.
    rotation: u32,
    /// Rounds since the start. Of 64 bits, so that no number comes twice.
    round: u64,
    /// Clients to signal at the end of the round, if they ask for it.
    to_signal: ClientSet,
    /// Clients to signal at the end of the next round: a sender with work left, and those it sends to. So one
    /// batch causes one signal. The delay is bounded because rings fill or drain.
    to_signal_later: ClientSet,
    /// Clients with sends that may go on, for example because a target has acted. They get a turn even if
    /// nobody looks at them.
    roused: ClientSet,
    /// Clients to look at in the next round even without a signal: something was found that only `look` may
    /// answer.
    look_again: ClientSet,
    /// Clients that were found to have broken the protocol. [`Engine::expel_offenders`] quarantines them.
    offenders: ClientSet,
    /// Clients that were to be signalled, or whose frames were needed, since the last tick. The next tick
    /// unmaps the frames of all others.
    active: ClientSet,
    /// Clients whose wake hint for requests is armed, because sends wait for what they may post or take, or
    /// an answer waits for a place in their receive queue.
    asking: ClientSet,
    /// Clients for which `asking` may have to change.
    reconsider: ClientSet,
    /// What the current turn has done and not yet made visible.
    pending: Pending,
    /// The clients of this system.
    all: ClientSet,
    /// Ticks since the start, wrapping.
    now: u32,
    clients: Table<Client, MAX_CLIENTS>,
    flows: Flows,
    guards: Guards,
    one_way: OneWay,
    relays: Relays,
    components: Components,
    /// If the system is not one component: clients that were served in this round, of the components in which
    /// something was taken, carried or ended.
    progressed: ClientSet,
    /// Guards with verdicts whose messages have ended.
    with_settled_verdicts: ClientSet,
    /// Clients for which the last tick is still to be done.
    overdue: ClientSet,
    partitions: Partitions,
    /// The audit log.
    audit: Audit,
}

const _: () = assert!(offset_of!(Engine, pending) + Pending::BYTES_OF_EVERY_ROUND <= LINE_BYTES);

impl Engine {
    /// An engine without any client. It must be configured before it runs.
    #[must_use]
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub const fn new() -> Self {
        Self {
            served: ClientSet::EMPTY,
            is_connected: true,
            has_urgent: false,
            has_progressed: false,
            rotation: 0,
            round: 0,
            to_signal: ClientSet::EMPTY,
            to_signal_later: ClientSet::EMPTY,
            roused: ClientSet::EMPTY,
            look_again: ClientSet::EMPTY,
            offenders: ClientSet::EMPTY,
            active: ClientSet::EMPTY,
            asking: ClientSet::EMPTY,
            reconsider: ClientSet::EMPTY,
            pending: Pending::new(),
            all: ClientSet::EMPTY,
            now: 0,
            clients: Table::new([const { Client::new() }; MAX_CLIENTS]),
            flows: Flows::new(),
            guards: Guards::new(),
            one_way: OneWay::new(),
            relays: Relays::new(),
            components: Components::new(),
            progressed: ClientSet::EMPTY,
            with_settled_verdicts: ClientSet::EMPTY,
            overdue: ClientSet::EMPTY,
            partitions: Partitions::NONE,
            audit: Audit::NONE,
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
