//! Deliveries: what central files in a client's receive queue (r17, r27).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::Address;
use crate::entry::entry;

/// One entry of the receive queue. Thirty-two bytes, in a page that only central can write: `source` is proof of
/// origin.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Delivery {
    /// The sender's tag; for [`DeliveryKind::Withdrawn`] and [`DeliveryKind::Refused`] the index of the request that
    /// was withdrawn or refused.
    pub tag: u64,
    /// Number of the message within its flow, from 0, counted over all epochs and restarts; for
    /// [`DeliveryKind::Withdrawn`] and [`DeliveryKind::Refused`] the index of the request that this answers.
    pub sequence: u64,
    /// First byte of what arrived, in the client's own `_rx` region.
    pub place: Address,
    /// Bytes that arrived.
    pub length: u32,
    /// The client that sent it, as central knows it.
    pub source: u16,
    /// One of [`DeliveryKind`].
    pub kind: u8,
    /// For [`DeliveryKind::Message`], the lowest eight bits of the index of the request that it used up; else 0.
    pub request: u8,
}

entry!(Delivery, 4);

/// What an entry of the receive queue tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum DeliveryKind {
    /// A message has arrived in a posted buffer, which is the client's again.
    Message = 0,
    /// A receive request was taken back, as asked; its place belongs to the client alone again.
    Withdrawn = 1,
    /// A receive request was not accepted: outside `_rx`, empty, from nobody, or one window too many.
    Refused = 2,
    /// A message has arrived in an open window, at a place that its sender chose.
    Placed = 3,
}

impl DeliveryKind {
    /// The kind of this number, if there is one.
    #[must_use]
    #[inline]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Message),
            1 => Some(Self::Withdrawn),
            2 => Some(Self::Refused),
            3 => Some(Self::Placed),
            _ => None,
        }
    }
}
