//! The state of central. Its fields are private to this module: the files below it do the work, one kind of
//! effect in each. `lib.rs` has the list.

mod accept;
mod client;
mod epoch;
#[cfg(feature = "express")]
mod express;
mod look;
#[cfg(not(feature = "express"))]
mod no_express;
mod resume;
mod round;
mod settle;
mod share;
mod start;
mod transfer;
mod turn;
mod wait;

use ferry_layout::geometry::MAX_CLIENTS;

use crate::flow::Flows;
use crate::pending::Pending;
use crate::table::{ClientSet, Table};

use client::Client;
pub use client::Ports;

/// The whole state of central. About half a megabyte: it belongs in a `static`.
pub struct Engine {
    clients: Table<Client, MAX_CLIENTS>,
    /// The clients of this system.
    all: ClientSet,
    flows: Flows,
    /// Some flow grants the urgent class, so rounds have two passes.
    has_urgent: bool,
    /// Ticks since the start, wrapping.
    now: u32,
    /// The client with which the next round begins, so that nobody is always first.
    rotation: u32,
    /// Rounds since the start, wrapping.
    round: u32,
    /// Something was taken, carried or ended in this round.
    has_progressed: bool,
    /// Clients to signal at the end of the round, if they ask for it.
    to_signal: ClientSet,
    /// Clients to signal at the end of the next round: a sender with work left, and those it sends to. So one
    /// batch causes one signal. The delay is bounded because rings fill or drain.
    to_signal_later: ClientSet,
    /// Clients with sends that may go on, because a target has acted.
    roused: ClientSet,
    /// Clients to look at again in the next round: a turn has met something that only a look may do.
    look_again: ClientSet,
    /// Clients that were found to have broken the protocol, until [`Engine::expel_offenders`].
    offenders: ClientSet,
    /// Clients that had news, or a frame used, since the last tick.
    active: ClientSet,
    /// Clients that are asked to signal when they post or take, because something waits for that.
    asking: ClientSet,
    /// Clients for which that may have changed.
    reconsider: ClientSet,
    /// What the turn at hand has done and not yet made visible.
    pending: Pending,
}

impl Engine {
    /// Without any client. To be configured before it runs.
    #[must_use]
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub const fn new() -> Self {
        Self {
            clients: Table::new([const { Client::new() }; MAX_CLIENTS]),
            all: ClientSet::EMPTY,
            flows: Flows::new(),
            has_urgent: false,
            now: 0,
            rotation: 0,
            round: 0,
            has_progressed: false,
            to_signal: ClientSet::EMPTY,
            to_signal_later: ClientSet::EMPTY,
            roused: ClientSet::EMPTY,
            look_again: ClientSet::EMPTY,
            offenders: ClientSet::EMPTY,
            active: ClientSet::EMPTY,
            asking: ClientSet::EMPTY,
            reconsider: ClientSet::EMPTY,
            pending: Pending::new(),
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
