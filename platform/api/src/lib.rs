//! What the `runtime` crates of all platforms have in common: channels, handlers, regions, text for consoles, and the
//! copy routine.
//!
//! A protection domain (PD) is written once, against the crate named `runtime`. Each platform has one, and all of
//! them offer the same names; the types behind those names that no platform changes are here. The model is
//! `sel4-microkit`'s, because that is what Microkit users know: a PD has an `init` and a [`Handler`] whose
//! `notified` runs once for each wake-up.
//!
//! Raw memory is touched in two modules of this crate and in the `window` module of each platform, nowhere else.

#![no_std]

mod channel;
mod copy;
mod fault;
mod frame;
mod region;
mod symbol;
mod text;

pub use channel::{Channel, ChannelSet, Handler};
pub use copy::copy_opaque;
pub use fault::{Fault, FaultKind};
pub use frame::{Frame, MapError};
pub use region::{Region, RegionError, Shared};
pub use symbol::patched_word;
pub use text::in_pieces;
