//! Three filters for guards, as a user would write them, each for a format that is in use:
//!
//! * [`schema`]: a message in CBOR has the fields that a table declares, and nothing else.
//! * [`syslog`]: a line of a log is one of RFC 5424 that no reader can take for something else.
//! * [`modbus`]: a request of Modbus/TCP is on a list of what is allowed, down to addresses and values.
//!
//! What holds for all of them: a filter passes only what it understands to the last byte. It allocates
//! nothing, keeps nothing from one message to the next, and its work is bounded by the length of the
//! message. No panic can be reached from a message (`tests/no_panic.rs`). A filter that refuses says why, by
//! the number of a `Reason`; nobody but an operator sees it.
//!
//! `corpus/` has messages that each filter has to pass and to refuse. The tests judge all of them, the fuzz
//! targets in `fuzz/` begin with them, and the system in this directory sends them through the guards.

#![no_std]
#![forbid(unsafe_code)]
// These lints point to a line that could panic.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]

pub mod corpus;
pub mod modbus;
pub mod schema;
pub mod syslog;

use ferry_guard::Verdict;

/// The verdict of a filter that has found nothing wrong, or the number of a reason.
fn verdict<R: Into<u32>>(judged: Result<(), R>) -> Verdict {
    match judged {
        Ok(()) => Verdict::Pass,
        Err(reason) => Verdict::Refuse { reason: reason.into() },
    }
}
