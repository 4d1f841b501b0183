//! Posted receive requests: what a client offers its peers to write to.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::Address;
use crate::entry::entry;

/// One receive request. Sixteen bytes.
///
/// A request that central cannot accept is answered by a delivery of kind
/// [`Refused`](crate::DeliveryKind::Refused) that carries the request's index as its tag.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Post {
    /// First byte of the buffer, in the client's own `_rx` region.
    pub place: Address,
    /// Bytes of the buffer; at least 1.
    pub length: u32,
    /// Number of the client that may fill it, or [`Post::ANYONE`].
    pub from: u16,
    /// One of [`PostKind`].
    pub kind: u8,
    /// 0 in a new request. Later the client sets [`Post::WITHDRAWN`] to take it back, and
    /// [`Post::PASSED_OVER`] where its slot is in use when the ring comes round to it.
    pub marks: u8,
}

entry!(Post, 2);

impl Post {
    /// In [`Post::marks`]: the entry at this index is no new request. Its slot belongs to an earlier request,
    /// which is still the client's, and central goes on to the next index.
    pub const PASSED_OVER: u8 = 1;

    /// In [`Post::marks`]: the client wants this request back. Announced by
    /// [`OutRegion::withdrawals`](crate::OutRegion::withdrawals); answered by a delivery of kind
    /// [`Withdrawn`](crate::DeliveryKind::Withdrawn), after which nothing is written to the place, or, where
    /// a message is already on its way into the buffer, by that message.
    pub const WITHDRAWN: u8 = 2;

    /// In [`Post::from`]: any client that has a flow to this one.
    pub const ANYONE: u16 = u16::MAX;

    /// Whether it is a buffer for anyone, which most are. Looks at one half of a word.
    #[must_use]
    #[inline]
    pub const fn is_for_anyone(&self) -> bool {
        let [_, last]: [u64; 2] = zerocopy::transmute!(*self);
        last >> 32 == Self::ANYONE as u64
    }
}

/// What a receive request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PostKind {
    /// One message, into this buffer, from anyone or from a named source (r08).
    Buffer = 0,
    /// Any number of messages from one named source, which places them itself, until withdrawn.
    Window = 1,
}

impl PostKind {
    /// The kind of this number, if there is one.
    #[must_use]
    #[inline]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Buffer),
            1 => Some(Self::Window),
            _ => None,
        }
    }
}
