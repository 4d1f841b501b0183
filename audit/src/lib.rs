//! The audit log: what central has refused and judged, in records of which each holds the hash of the one
//! before.
//!
//! [`Writer`] is central's side. [`AuditReader`] is for the protection domain that keeps the records.
//! `verify`, which needs the feature of that name, is for whoever looks at what was kept, on another machine
//! and much later. Where everything lies is in [`AuditLog`].
//!
//! What the hashes show: a record that was changed, taken out, put elsewhere or put in does not fit to its
//! neighbours. What they do not show: that a whole log was made anew, from some record to the end. Nothing in
//! a log is secret, so whoever holds it can compute every hash in it. Against that helps a hash that was
//! noted elsewhere: the newest one at some time.

#![cfg_attr(not(any(test, feature = "verify")), no_std)]
#![forbid(unsafe_code)]
// The writer is part of central, and no panic may be reached there.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod chain;
#[cfg(feature = "verify")]
mod finding;
#[cfg(feature = "verify")]
mod kept;
mod line;
mod reader;
#[cfg(feature = "verify")]
#[allow(clippy::indexing_slicing, reason = "this part never runs in central")]
mod verify;
mod words;
mod writer;

pub use ferry_layout::{AuditKind, AuditLog, AuditRecord, Offence};

pub use chain::{Hash, ORIGIN, is_sound};
#[cfg(feature = "verify")]
pub use finding::Finding;
#[cfg(feature = "verify")]
pub use kept::{Kept, NotKept};
pub use line::{LINE_MARK, Line, read_line};
pub use reader::{AuditReader, Missed};
#[cfg(feature = "verify")]
pub use verify::{Anchors, Verified, verify};
pub use words::Words;
pub use writer::Writer;
