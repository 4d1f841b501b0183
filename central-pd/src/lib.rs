//! The engine of Ferry's central protection domain (PD): mediated transfer between clients that share no
//! memory.
//!
//! The engine does not know that it is a PD. It sees shared memory as `ferry_layout` describes it. It sees
//! the machine through the trait [`Machine`]: map a frame, unmap a frame, copy, signal. So it runs the same
//! on every platform and under tests on the host. The PD around it is in `src/pd/`.
//!
//! What holds whatever the clients do:
//!
//! * Work for one client in one round is bounded by constants and by the configuration, never by a number
//!   that a client wrote.
//! * No panic can be reached from shared memory. Tables are indexed through a mask, and sums are taken in
//!   widths that cannot overflow.
//! * A descriptor, a receive request or an index is fetched once, and the fetched copy is both checked and
//!   used. If it is fetched again, it is checked again. That happens a constant number of times.
//! * A byte moves only from the sender's `_tx` to a place that the target offered, over a granted flow.
//! * When a sender sees `Done`, or a receiver its delivery, both buffers are unmapped again (mapping policy
//!   `each`).
//! * A breach of the protocol has one consequence, applied in one place (`engine/epoch.rs`): quarantine of
//!   the client that broke it.
//!
//! Two things are not guaranteed. Payload may change while it is copied, because the sender may write to it.
//! And nothing is said about time: a client can learn from the duration of its own requests that others are
//! busy.
//!
//! ```text
//! engine.rs, engine/client.rs   the state; only the files below see it. Each calls only files below its own:
//!   engine/start.rs      central starts: it takes over its configuration
//!   engine/round.rs      whom to look at, and in what order to serve
//!   engine/partition.rs  under a domain schedule: which clients are served in which slots
//!   engine/tick.rs       what is due at a tick
//!   engine/sleep.rs      hints are armed before central sleeps
//!   engine/turn.rs       one client's turn
//!   engine/epoch.rs      a client starts, restarts, or is quarantined
//!   engine/resume.rs     central restarts from the pages that only it writes
//!   engine/ending.rs     sends that wait are dropped, ended, or expire
//!   engine/express.rs    plain messages to a receiver that is ready, many at a time;
//!                        below it those of one-way flows and of flows with guards
//!   engine/accept.rs     a descriptor is copied: a send, a verdict, or a status
//!   engine/check.rs      what a descriptor may ask for
//!   engine/guard.rs      messages that guards have to pass: handed out, judged, carried on
//!   engine/one_way.rs    messages of one-way flows: carried, or waiting for their sender's share
//!   engine/relay.rs      those of them that guards have to pass
//!   engine/arrival.rs    they arrive at their target, or are dropped
//!   engine/inspect.rs    what a guard is handed, and gets back
//!   engine/transfer.rs   one step of one message: match, map, copy, file
//!   engine/look.rs       what clients have published
//!   engine/share.rs      which of several senders gets a receiver's buffers and places
//!   engine/wait.rs       which client waits for which
//!   engine/settle.rs     the work of a turn becomes visible, in one order
//!   engine/served.rs     what each sender has got from a receiver
//!   engine/audit.rs      what is refused and judged goes into the audit log
//! audit.rs, budget.rs, buffer.rs, components.rs, course.rs, flow.rs, guards.rs, inspections.rs, offers.rs,
//! one_way.rs, partitions.rs, pending.rs, places.rs, relays.rs, requests.rs, send.rs, service.rs
//!                       tables
//! slots.rs, table.rs    sets and arrays that no index can leave
//! machine.rs            map, unmap, copy, signal
//! ```

#![no_std]
#![forbid(unsafe_code)]
// No panic may be reached from shared memory. `examples/panic_check.rs` checks that for the linked program.
// These lints point to the line that could panic. Arithmetic is not on the list: sums are bounded by what was
// checked, and tests and fuzzers run with overflow checks.
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]
#![cfg_attr(not(feature = "express"), allow(dead_code, reason = "what only the express lane uses"))]
#![expect(
    clippy::inline_always,
    reason = "on the way of every wake-up a call costs more than what is called; docs/performance.md has the counts"
)]

mod audit;
mod budget;
mod buffer;
mod components;
mod course;
#[cfg(test)]
mod dice;
mod engine;
mod flow;
mod guards;
mod inspections;
mod machine;
mod offers;
mod one_way;
mod partitions;
mod pending;
mod places;
mod relays;
mod requests;
mod send;
mod service;
mod slots;
mod table;

pub use engine::{Engine, Ports};
pub use flow::CHUNK_BYTES;
pub use machine::{FrameRef, Machine, MapFailed, Side};
pub use table::ClientSet;
