//! Posted receive requests: what a client offers its peers to write to.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::Address;
use crate::entry::entry;

/// One receive request. Sixteen bytes.
///
/// A request that central cannot accept is answered by a delivery of kind
/// [`Refused`](crate::DeliveryKind::Refused) that names the request's slot.
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
    /// 0 in a new request. Later the client sets [`Post::WITHDRAWN`] to take the request back. It sets
    /// [`Post::PASSED_OVER`] when the ring comes round to the slot while the slot is in use.
    pub marks: u8,
}

entry!(Post, 2);

impl Post {
    /// In [`Post::marks`]: the entry at this index is no new request. Its slot belongs to an earlier request
    /// that still keeps it, and central goes on to the next index.
    pub const PASSED_OVER: u8 = 1;

    /// In [`Post::marks`]: the client wants this request back.
    /// [`OutRegion::withdrawals`](crate::OutRegion::withdrawals) announces the mark. Central answers with a
    /// delivery of kind [`Withdrawn`](crate::DeliveryKind::Withdrawn), and nothing is written to the place
    /// after that. If a message is already on its way into the buffer, that message is the answer instead.
    pub const WITHDRAWN: u8 = 2;

    /// In [`Post::from`]: any client that has a flow to this one.
    pub const ANYONE: u16 = u16::MAX;

    /// Whether it is a buffer for anyone, as most are. It looks at one half of a word.
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
    /// Any number of messages from one named source, until withdrawn. The source chooses their places.
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
