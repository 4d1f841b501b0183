//! The client library for programs in C: the functions of `ferry.h`, over the very code that Rust programs
//! link (`ferry_client`). There is one implementation of the protocol.
//!
//! Principle: **a handle is used up.** Rust programs hold buffers as tokens that cannot be copied. C can copy
//! everything, so the tokens stay here, and C gets numbers. Sending, posting or giving back a buffer ends its
//! number. Whatever is done with an ended, forged or foreign number is refused with `FERRY_STALE`, and
//! touches nothing.
//!
//! ```text
//!  ferry.h            exports/            client.rs           buffers.rs          ferry_client
//!  C program   ──►    checks pointers ──► one client ──────►  numbers, tokens ──► the port
//! ```
//!
//! What holds always: no function panics, allocates, blocks, or trusts a number or a null pointer that C
//! passes. Not guaranteed: what no library can check. A pointer that is neither null nor valid is the
//! program's own fault, and so is writing through the address of a buffer that was sent.
//!
//! `exports/`, `global.rs` and `console.rs` hold all unsafe code. `include/ferry.h` is made from this crate
//! by cbindgen; a test compares the two.

#![no_std]

mod buffers;
mod callers;
mod calling;
mod client;
mod console;
pub mod exports;
mod global;
mod inspections;
mod names;
mod platform;
mod types;

pub use console::print_line;
pub use platform::Given;
pub use types::{
    ABI_VERSION, ANYONE, Arrival, CallEnd, CallEndKind, CallOptions, Caller, Done, Event, EventKind, Fill,
    Incoming, IncomingKind, Inspection, InspectionTicket, MAX_BUFFERS, MAX_CALLERS, MAX_CALLS, MAX_PARTS,
    Message, NAME_BYTES, NO_SIGNAL, NOBODY, Next, Part, Peer, Place, Request, Result, RxBuffer, Take, Ticket,
    TxBuffer, URGENT,
};
