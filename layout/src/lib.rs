//! The memory that Ferry's central protection domain (PD) and one client look at together.
//!
//! Principle: **every page has one writer.** A client writes [`OutRegion`] and nothing else that central
//! reads as control data; central writes [`InRegion`] and the client can only read it. The MMU enforces that,
//! so a status, a delivery or a sender's identity cannot be forged, and central can always rebuild its state
//! from pages that only it could have written.
//!
//! Memory that a peer can write is only ever accessed through atomics: [`Index`], [`WakeHint`] and the words
//! of entries. They are the only kind of Rust reference to such memory. They promise the compiler nothing
//! about the value behind them. An entry is copied out word by word, once, and the copy is what gets checked
//! and used.
//!
//! Not guaranteed: payload. It lies in the transmit and receive buffers, which this crate never touches. If a
//! sender rewrites its buffer during the copy, the receiver gets *some* bytes that this sender wrote.
//!
//! ```text
//!  <client>_out  (client writes)            <client>_in  (central writes)
//!  0x0000 magic, epoch wanted               0x0000 magic, epoch, standing
//!  0x0040 transmit tail, post tail,         0x0040 transmit head, post head, delivery tail,
//!         delivery head, withdrawals              settled, ended late
//!  0x0080 wake hint of the client           0x0080 wake hint of central
//!                                           0x00c0 counters, journal
//!                                           0x0400 status words
//!  0x0800 posted receive requests           0x0800 directory of peers
//!  0x1000 transmit descriptors (2 pages)    0x1000 deliveries
//! ```
//!
//! The [audit log](AuditLog) is the one region here that no client sees: central writes it for a protection
//! domain that keeps records.

#![no_std]
#![forbid(unsafe_code)]

mod address;
mod audit;
pub mod config;
mod delivery;
mod descriptor;
mod directory;
mod entry;
pub mod geometry;
mod in_region;
mod index;
mod journal;
#[cfg(all(not(loom), feature = "observe"))]
pub mod observe;
mod out_region;
mod post;
mod ring;
mod status;
mod sync;
mod verdict;
mod wake;

pub use address::{Address, Span};
pub use audit::{
    AUDIT_MAGIC, AUDIT_SLOT_BYTES, AUDIT_VERSION, AuditKind, AuditLog, AuditRecord, AuditSlot,
    MIN_AUDIT_BYTES, Offence,
};
pub use delivery::{Arrival, Delivery, DeliveryKind};
pub use descriptor::{Descriptor, Kind, Plain, Route, flags};
pub use directory::{DomainName, InvalidName, Peer};
pub use entry::{Entry, Slot, Slots};
pub use geometry::{ABI_VERSION, DomainId, FRAME_BYTES, MAGIC};
pub use in_region::{Counters, InRegion, Standing};
pub use index::Index;
pub use journal::Journal;
pub use out_region::{DescriptorSlot, OutRegion};
pub use post::{Post, PostKind};
pub use ring::{Consumer, Producer, ProtocolViolation};
pub use status::{DeliveredNote, SEQUENCE_RANGE, Status, StatusWord};
pub use verdict::Verdict;
pub use wake::{WakeHint, announce};

#[cfg(target_endian = "big")]
compile_error!("the shared memory is little-endian; no port to a big-endian machine exists");
