//! What all platforms have in common. For their `runtime` crates: channels, handlers, regions, text for
//! consoles, and the copy routine. For whoever supervises protection domains there: faults, reports and the
//! restart policy.
//!
//! A protection domain (PD) is written once, against the crate named `runtime`. Each platform has one, and
//! all of them offer the same names; the types behind those names that no platform changes are here. The
//! model is `sel4-microkit`'s, because that is what Microkit users know: a PD has an `init` and a [`Handler`]
//! whose `notified` runs once for each wake-up.
//!
//! Raw memory is touched in two modules of this crate and in the `window` module of each platform, nowhere
//! else.

#![no_std]

mod channel;
mod copy;
mod fault;
mod frame;
mod region;
mod report;
mod restart;
mod symbol;
mod text;

pub use channel::{Channel, ChannelSet, Handler};
pub use copy::copy_opaque;
pub use fault::{Fault, FaultKind};
pub use frame::{Frame, MapError};
pub use region::{Region, RegionError, Shared};
pub use report::Report;
pub use restart::{Outcome, Restarts};
pub use symbol::patched_word;
pub use text::in_pieces;
