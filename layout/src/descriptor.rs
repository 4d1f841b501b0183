//! Transmit descriptors: what a client asks central to carry.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::Address;
use crate::entry::{Slot, entry};
use crate::geometry::DomainId;

/// One request to send. Forty bytes, in a slot of one cache line.
///
/// It has a source address and a destination address (r20). Everything in it is a claim until central has
/// checked its own copy.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Descriptor {
    /// First byte to send, in the client's own `_tx` region.
    pub source: Address,
    /// Where the message shall go in the target's `_rx` region. It is read only for [`Kind::Placed`].
    pub destination: Address,
    /// Bytes to send. 0 is a message too; central maps nothing for it.
    pub length: u32,
    /// Number of the client that shall receive the message.
    pub target: u16,
    /// One of [`Kind`].
    pub kind: u8,
    /// Any of [`flags`].
    pub flags: u8,
    /// Carried to the receiver unchanged. A chain has the tag of its first descriptor.
    pub tag: u64,
    /// Ticks that the message may wait before it expires; 0 means that it may wait for ever.
    pub time_to_live: u32,
    /// Zero.
    pub reserved: u32,
}

entry!(Descriptor, 5);

/// Target, kind and flags of a descriptor as one number. Messages of the same route are handled the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route(u32);

impl Route {
    /// Reads the route of a descriptor and nothing else of it.
    #[must_use]
    #[inline]
    pub fn of<const STRIDE: usize>(slot: &Slot<STRIDE>) -> Self {
        Self::in_word(slot.word::<2>())
    }

    #[inline]
    const fn in_word(word: u64) -> Self {
        Self((word >> 32) as u32)
    }

    /// Whether the client has marked this entry as [passed over](flags::PASSED_OVER): it is no message.
    #[must_use]
    #[inline]
    pub const fn is_passed_over(self) -> bool {
        self.0 >> 24 & flags::PASSED_OVER as u32 != 0
    }

    /// The number that the descriptor gives as that of its target.
    #[must_use]
    #[inline]
    pub const fn target(self) -> u16 {
        #[expect(clippy::cast_possible_truncation, reason = "kind and flags are the upper half")]
        {
            self.0 as u16
        }
    }

    /// The target of a plain message, else `None`. A message is plain if it is of kind [`Kind::NextBuffer`]
    /// and has no flags.
    #[must_use]
    #[inline]
    pub const fn plain_target(self) -> Option<DomainId> {
        // Kind and flags are the upper half.
        #[expect(clippy::cast_possible_truncation, reason = "the comparison before it bounds it by 2^16")]
        if self.0 < 1 << 16 { DomainId::new(self.0 as u16) } else { None }
    }
}

/// The fields of a plain message's descriptor that have to be checked, beyond its [`Route`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plain {
    /// First byte to send.
    pub source: Address,
    /// Bytes to send.
    pub length: u32,
}

impl Plain {
    /// The tag of a message, which is carried to the receiver unchanged.
    #[must_use]
    #[inline]
    pub fn tag<const STRIDE: usize>(slot: &Slot<STRIDE>) -> u64 {
        slot.word::<3>()
    }

    /// Whether a message may wait for ever.
    #[must_use]
    #[inline]
    pub fn may_wait<const STRIDE: usize>(slot: &Slot<STRIDE>) -> bool {
        // The time to live is the lower half.
        slot.word::<4>() << 32 == 0
    }

    /// Reads the descriptor of a plain message of the given route, which must be a
    /// [plain](Route::plain_target) one; `None` if the descriptor has another route. Each word is read once.
    /// Words that need no check, or mean nothing for plain messages, are not read.
    #[must_use]
    #[inline]
    pub fn load<const STRIDE: usize>(slot: &Slot<STRIDE>, route: Route) -> Option<Self> {
        let middle = slot.word::<2>();
        if Route::in_word(middle) != route {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the lower half of the word")]
        let length = middle as u32;
        Some(Self { source: zerocopy::transmute!(slot.word::<0>()), length })
    }
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::offset_of;
    assert!(offset_of!(Descriptor, source) == 0);
    assert!(offset_of!(Descriptor, length) == 16 && offset_of!(Descriptor, target) == 20);
    assert!(offset_of!(Descriptor, kind) == 22 && offset_of!(Descriptor, flags) == 23);
    assert!(offset_of!(Descriptor, tag) == 24 && offset_of!(Descriptor, time_to_live) == 32);
};

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
    /// The next descriptor continues this message. All parts go to one target and are published together, and
    /// they arrive as one delivery. A message has at most [`MAX_CHAIN`](crate::geometry::MAX_CHAIN) parts.
    pub const CHAINED: u8 = 1;
    /// Put the message in the urgent class. The flow must grant it.
    pub const URGENT: u8 = 2;
    /// Do not signal the target for this message; it will find the delivery when it polls.
    pub const NO_SIGNAL: u8 = 4;
    /// Not a message: the slot belongs to an earlier send that central holds, and for which it has written
    /// [`Queued`](crate::Status::Queued). The client sets this mark when the ring comes round to the slot,
    /// and central goes on to the next index.
    pub const PASSED_OVER: u8 = 128;
    /// Every flag that a message of this version can have.
    pub const ALL: u8 = CHAINED | URGENT | NO_SIGNAL;
}
