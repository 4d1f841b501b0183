//! What all platforms have in common. Their `runtime` crates take channels, handlers, regions, text for
//! consoles, and the copy routine from here. The programs that supervise protection domains take faults,
//! reports and the restart policy.
//!
//! A protection domain (PD) is written once, against the crate named `runtime`. Each platform has one, and
//! all of them offer the same names. Types that are the same on every platform are defined here. The model is
//! that of `sel4-microkit`, because Microkit users know it: a PD has an `init` and a [`Handler`] whose
//! `notified` runs once for each wake-up.
//!
//! In this crate only the modules `copy` and `region` touch the memory of regions. Each platform's `runtime`
//! maps frames in its `window` module and nowhere else.

#![no_std]

mod channel;
mod console;
mod copy;
mod fault;
mod frame;
mod region;
mod report;
mod restart;
mod symbol;
mod text;

pub use channel::{Channel, ChannelSet, Handler};
pub use console::{Console, Panic, SEPARATOR, lines};
pub use copy::copy_opaque;
pub use fault::{Fault, FaultKind};
pub use frame::{Frame, MapError};
pub use region::{Region, RegionError, Shared};
pub use report::Report;
pub use restart::{Outcome, Restarts};
pub use symbol::patched_word;
pub use text::in_pieces;
