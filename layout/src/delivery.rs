//! Deliveries: what central files in a client's receive queue (r17, r27).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::Address;
use crate::entry::{Slot, entry};
use crate::geometry::{DomainId, FRAME_BYTES, POST_SLOTS};

/// One entry of the receive queue: 32 bytes, in a page that only central can write. So `source` proves where
/// the message came from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Delivery {
    /// The sender's tag.
    pub tag: u64,
    /// Number of the message within its flow, from 0, counted over all epochs and restarts. For
    /// [`DeliveryKind::Inspection`] it is the ticket, which the verdict has to name.
    pub sequence: u64,
    /// First byte of what arrived, counted from the beginning of the client's own `_rx` region.
    pub position: u32,
    /// Index of the receive request that this used up, took back or refused; 0 for [`DeliveryKind::Placed`].
    /// Only the slot of this index counts, see [`Delivery::slot_of`]. The lap may be wrong if the request has
    /// been open for more than a lap of the ring, or if an earlier central had taken it.
    pub request: u32,
    /// Bytes that arrived.
    pub length: u32,
    /// The client that sent it, as central knows it.
    pub source: u16,
    /// One of [`DeliveryKind`].
    pub kind: u8,
    /// For a message, how many stages of guards have passed it; 0 if its flow has no guards. For
    /// [`DeliveryKind::Inspection`], the number of the client that shall receive the message. Else 0.
    pub detail: u8,
}

impl Delivery {
    /// First byte of what arrived, in the form in which requests name places.
    #[must_use]
    pub const fn place(&self) -> Address {
        Address { frame: self.position / FRAME_BYTES, offset: self.position % FRAME_BYTES }
    }

    /// The slot of the request ring that a delivery names by its `request`.
    #[must_use]
    #[inline]
    pub const fn slot_of(request: u32) -> usize {
        request as usize % POST_SLOTS
    }
}

entry!(Delivery, 4);

/// A delivery of kind [`DeliveryKind::Message`], read where it lies, and each word only if it is asked for.
/// Its reader knows the request that it used up, and so its place.
pub struct Arrival<'a> {
    slot: &'a Slot<4>,
    source: DomainId,
    length: u32,
}

impl<'a> Arrival<'a> {
    /// The delivery in this slot; `None` if it is of another kind, or from nobody.
    #[must_use]
    #[inline]
    pub fn at(slot: &'a Slot<4>) -> Option<Self> {
        let last = slot.word::<3>();
        // The assertions below pin which part of the word holds which field.
        #[expect(clippy::cast_possible_truncation, reason = "parts of the word")]
        let (length, source, kind) = (last as u32, (last >> 32) as u16, (last >> 48) as u8);
        // Both in one comparison, because nothing else is read in between.
        match DomainId::new(source) {
            Some(source) if kind == DeliveryKind::Message as u8 => Some(Self { slot, source, length }),
            _ => None,
        }
    }

    /// Where the delivery lies.
    #[must_use]
    #[inline]
    pub const fn slot(&self) -> &'a Slot<4> {
        self.slot
    }

    /// The sender's tag.
    #[must_use]
    #[inline]
    pub fn tag(&self) -> u64 {
        self.slot.word::<0>()
    }

    /// Number of the message within its flow.
    #[must_use]
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.slot.word::<1>()
    }

    /// Bytes that arrived.
    #[must_use]
    #[inline]
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// The client that sent it.
    #[must_use]
    #[inline]
    pub const fn source(&self) -> DomainId {
        self.source
    }

    /// Index of the request that it used up.
    #[must_use]
    #[inline]
    pub fn request(&self) -> u32 {
        (self.slot.word::<2>() >> 32) as u32
    }
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::offset_of;
    assert!(offset_of!(Delivery, tag) == 0 && offset_of!(Delivery, sequence) == 8);
    assert!(offset_of!(Delivery, length) == 24 && offset_of!(Delivery, source) == 28);
    assert!(offset_of!(Delivery, position) == 16 && offset_of!(Delivery, request) == 20);
    assert!(offset_of!(Delivery, kind) == 30 && offset_of!(Delivery, detail) == 31);
};

/// What an entry of the receive queue reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum DeliveryKind {
    /// A message has arrived in a posted buffer. The buffer is the client's again.
    Message = 0,
    /// A receive request was taken back, as the client asked. Its place belongs to the client alone again.
    Withdrawn = 1,
    /// A receive request was not accepted: its place is outside `_rx`, it is empty, it names no possible
    /// source, its kind or marks are unknown, or it is one window too many.
    Refused = 2,
    /// A message has arrived in an open window, at a place that its sender chose.
    Placed = 3,
    /// A message that this client, a guard, has to inspect. It has arrived in a posted buffer, which stays
    /// central's until the guard's [`Verdict`](crate::Verdict) has its final status.
    Inspection = 4,
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
            4 => Some(Self::Inspection),
            _ => None,
        }
    }
}
