//! The engine of Ferry's central protection domain (PD): mediated transfer between clients that share no
//! memory.
//!
//! The engine does not know that it is a PD. It sees shared memory as `ferry_layout` describes it, and the
//! machine through the trait [`Machine`]: map a frame, unmap a frame, copy, signal. So it runs the same on
//! every platform and under tests on the host. The PD around it, `src/pd/central.rs`, is a page.
//!
//! What holds whatever the clients do:
//!
//! * Work for one client in one round is bounded by constants and by the configuration, never by a number
//!   that a client wrote. No panic can be reached from shared memory: tables are indexed through a mask, sums
//!   are taken in widths that cannot overflow.
//! * What is used of a descriptor, a receive request or an index is what was checked, from one fetch. Looked
//!   at again, it is checked again, and that happens a constant number of times.
//! * A byte moves only from the sender's `_tx` to a place that the target offered, over a granted flow.
//! * When a sender sees `Done`, or a receiver its delivery, both buffers are unmapped again (mapping policy
//!   `each`).
//! * A breach of the protocol has one consequence, applied in one place (`epoch.rs`): quarantine of the
//!   offender.
//!
//! Not guaranteed: that payload stays the same while it is copied (the sender may write to it), and anything
//! about time; a client can learn from how long its own requests take that others are busy.
//!
//! ```text
//!  round.rs     whom to look at, in what order, when to sleep           ── calls ──┐
//!  look.rs      what clients have published                                        │
//!  turn.rs      one client's turn                                                  │
//!  express.rs   plain messages to a receiver that is ready, many at a time         │
//!  accept.rs    a descriptor is checked and copied: a send, or a status            │
//!  transfer.rs  one step of one message: match, map, copy, file                    │
//!  share.rs     who of several senders gets what a receiver has to give            ▼
//!  wait.rs      who waits for whom
//!  settle.rs    what a turn has done becomes visible, in one order        machine.rs  map, unmap, copy, signal
//!  epoch.rs     a client starts, restarts, or is shut out
//!  start.rs, resume.rs    central starts, and restarts from the pages that only it can write
//!  engine.rs, client.rs, requests.rs, offers.rs, send.rs, flow.rs, buffer.rs, pending.rs, table.rs, slots.rs    state
//! ```

#![no_std]
#![forbid(unsafe_code)]
// No panic may be reached from shared memory; `panic-check/` shows it for the linked program, this says where
// it begins. Arithmetic is not on the list: sums are bounded by what was checked, and tests and fuzzers run
// with overflow checks.
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
#![expect(
    clippy::inline_always,
    reason = "on the way of every wake-up a call costs more than what is called; docs/performance.md has the counts"
)]

mod accept;
mod buffer;
mod client;
mod engine;
mod epoch;
mod express;
mod flow;
mod look;
mod machine;
mod offers;
mod pending;
mod requests;
mod resume;
mod round;
mod send;
mod settle;
mod share;
mod slots;
mod start;
mod table;
mod transfer;
mod turn;
mod wait;

pub use client::Ports;
pub use engine::Engine;
pub use flow::CHUNK_BYTES;
pub use machine::{FrameRef, Machine, MapFailed, Side};
pub use table::ClientSet;
