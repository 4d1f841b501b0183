//! The state of central. What is done with it lies in the other files, one kind of effect in each; `lib.rs`
//! has the list.

use ferry_layout::geometry::MAX_CLIENTS;

use crate::client::Client;
use crate::flow::Flows;
use crate::pending::Pending;
use crate::table::{ClientSet, Table};

/// The whole state of central. About half a megabyte: it belongs in a `static`.
pub struct Engine {
    pub(crate) clients: Table<Client, MAX_CLIENTS>,
    /// The clients of this system.
    pub(crate) all: ClientSet,
    pub(crate) flows: Flows,
    /// Some flow grants the urgent class, so rounds have two passes.
    pub(crate) has_urgent: bool,
    /// Ticks since the start, wrapping.
    pub(crate) now: u32,
    /// The client with which the next round begins, so that nobody is always first.
    pub(crate) rotation: u32,
    /// Rounds since the start, wrapping.
    pub(crate) round: u32,
    /// Something was taken, carried or ended in this round.
    pub(crate) has_progressed: bool,
    /// Clients to signal at the end of the round, if they ask for it.
    pub(crate) to_signal: ClientSet,
    /// Clients to signal at the end of the next round: a sender with work left, and those it sends to. So one
    /// batch causes one signal. The delay is bounded because rings fill or drain.
    pub(crate) to_signal_later: ClientSet,
    /// Clients with sends that may go on, because a target has acted.
    pub(crate) roused: ClientSet,
    /// Clients to look at again in the next round: a turn has met something that only a look may do.
    pub(crate) look_again: ClientSet,
    /// Clients that were found to have broken the protocol, until [`Engine::expel_offenders`].
    pub(crate) offenders: ClientSet,
    /// Clients that had news, or a frame used, since the last tick.
    pub(crate) active: ClientSet,
    /// Clients that are asked to signal when they post or take, because something waits for that.
    pub(crate) asking: ClientSet,
    /// Clients for which that may have changed.
    pub(crate) reconsider: ClientSet,
    /// What the turn at hand has done and not yet made visible.
    pub(crate) pending: Pending,
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
