//! The compiled system of the classic platform: what `ferry image` writes and the initialiser (root task)
//! reads.
//!
//! A compiled system is a *description* (this crate's [`System`], encoded with postcard) followed by a
//! *payload* (the bytes of ELF segments and of prefilled memory regions). [`encode`] lays both out;
//! [`decode`] takes them apart again. The description refers to payload by [`Blob`]; a blob that starts on a
//! page boundary of the payload also starts on a page boundary in the initialiser's memory, so whole frames
//! can be handed on without a copy.
//!
//! ```text
//! 0        magic "FERRYSYS" (u64 LE)
//! 8        bytes of the encoded description (u64 LE)
//! 16       offset of the payload, a multiple of 4096 (u64 LE)
//! 24       bytes of the payload, a multiple of 4096 (u64 LE)
//! 32       the description (postcard)
//! payload  the payload
//! ```
//!
//! The initialiser calls [`check`] before it builds anything from what it has decoded.
//!
//! The encoding is private to one build of Ferry: image builder and initialiser come from the same source,
//! and nothing in this encoding is kept for later. The image builder (`ferry-classic-image`) appends a
//! compiled system to the initialiser's ELF file, and [`SYSTEM_SYMBOL`] tells the initialiser where it is.
//! The fixed slots of every PD's CSpace are in [`slots`], the fixed addresses of every PD's VSpace in
//! [`addresses`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod check;
mod encoding;
mod system;

/// The initialiser's symbol that the image builder fills: three 64-bit words, the address and the length of
/// the compiled system in the initialiser's memory, and the first address of the initialiser's image.
pub const SYSTEM_SYMBOL: &str = "FERRY_SYSTEM";

pub use ferry_classic_places::{addresses, slots};

pub use check::{Contradiction, MAXIMUM_PRIORITY, PERIODS_US, check};
pub use encoding::{DecodeError, PAGE_BYTES, Payload, decode, encode};
pub use system::{
    Blob, Channel, End, Grant, Map, MemoryRegion, ProtectionDomain, Rights, Segment, System, Tick, Window,
};
