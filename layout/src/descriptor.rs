//! Transmit descriptors: what a client asks central to carry.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::Address;
use crate::entry::entry;

/// One request to send. Forty bytes, in a slot of one cache line.
///
/// It has a source address and a destination address (r20). Everything in it is a claim until central has checked
/// its own copy.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Descriptor {
    /// First byte to send, in the client's own `_tx` region.
    pub source: Address,
    /// Where it shall go in the target's `_rx` region. Looked at only for [`Kind::Placed`].
    pub destination: Address,
    /// Bytes to send. 0 is a message too; central maps nothing for it.
    pub length: u32,
    /// Number of the client that shall receive it.
    pub target: u16,
    /// One of [`Kind`].
    pub kind: u8,
    /// Any of [`flags`].
    pub flags: u8,
    /// Carried to the receiver as it is. Of a chain, the first descriptor's.
    pub tag: u64,
    /// Ticks that the message may wait before it expires; 0 lets it wait for ever.
    pub time_to_live: u32,
    /// Zero.
    pub reserved: u32,
}

entry!(Descriptor, 5);

/// What a descriptor's destination means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The next buffer that the target posted and that this sender may fill.
    NextBuffer = 0,
    /// The explicit destination address, inside a window that the target holds open for this sender.
    Placed = 1,
}

impl Kind {
    /// The kind of this number, if there is one.
    #[must_use]
    #[inline]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::NextBuffer),
            1 => Some(Self::Placed),
            _ => None,
        }
    }
}

/// Flags of a descriptor.
pub mod flags {
    /// The next descriptor continues this message. All parts go to one target, are published together, and arrive
    /// as one delivery; at most [`MAX_CHAIN`](crate::geometry::MAX_CHAIN) parts.
    pub const CHAINED: u8 = 1;
    /// Put the message in the urgent class. The flow must grant it.
    pub const URGENT: u8 = 2;
    /// Do not signal the target for this message; it will find the delivery when it polls.
    pub const NO_SIGNAL: u8 = 4;
    /// Every flag that this version knows.
    pub const ALL: u8 = CHAINED | URGENT | NO_SIGNAL;
}
