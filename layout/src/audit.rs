//! The audit log: a ring of records in a region that central alone writes and one protection domain reads.
//!
//! The region is a row of slots of 128 bytes. The first one is the header, and each other one holds a record.
//! Record `n`, counted from 0, lies in slot `1 + n mod capacity`. This file says where everything lies, and
//! nothing about what a record proves: the crate `ferry-audit` has the hashes that connect the records.
//!
//! Central stores a record and then publishes how many there are. Nothing stops central from storing over the
//! oldest record while it is being read. A reader notices that, because each record has a hash of itself.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::entry::{Slot, entry};

/// First word of the header, `"FERRYLOG"` read as a little-endian number.
pub const AUDIT_MAGIC: u64 = u64::from_le_bytes(*b"FERRYLOG");

/// Version of the audit log's format.
pub const AUDIT_VERSION: u32 = 1;

/// Bytes of the header, and of each record.
pub const AUDIT_SLOT_BYTES: usize = 128;

/// Bytes of the smallest region that can hold an audit log: a page.
pub const MIN_AUDIT_BYTES: usize = 4096;

/// Words of a slot.
const WORDS: usize = AUDIT_SLOT_BYTES / 8;

/// The header, or the place of one record.
pub type AuditSlot = Slot<WORDS>;

/// One record. A field that has no meaning for its kind is 0, or [`AuditRecord::NOBODY`] for a client.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AuditRecord {
    /// Number of the record, from 0, over all starts of central.
    pub sequence: u64,
    /// The tag of the message.
    pub tag: u64,
    /// The ticket of an inspection, or the number of a delivered message in its flow.
    pub number: u64,
    /// Ticks since this start of central.
    pub tick: u32,
    /// Which start of central this was, from 1.
    pub start: u32,
    /// Bytes of the message.
    pub length: u32,
    /// A guard's reason, a client's epoch, the index of a receive request, or an offence.
    pub detail: u32,
    /// One of [`AuditKind`].
    pub kind: u8,
    /// The [`Status`](crate::Status) that a send ended with. Of a verdict: `NoInspection` if it came too late
    /// to count, else 0.
    pub status: u8,
    /// Number of the client that sent the message, or that the record is about.
    pub source: u16,
    /// Number of the client that it was for. A sender can claim a number that no client has.
    pub target: u16,
    /// Number of the guard.
    pub guard: u16,
    /// Zero.
    pub reserved: [u8; 16],
    /// The hash of the record before, or zeros in the first record.
    pub previous: [u8; 32],
    /// SHA-256 of everything before this field.
    pub hash: [u8; 32],
}

entry!(AuditRecord, 16);

impl AuditRecord {
    /// In the fields that name a client: nobody.
    pub const NOBODY: u16 = u16::MAX;

    /// A record of this kind about nobody.
    #[must_use]
    pub fn of(kind: AuditKind) -> Self {
        Self {
            kind: kind as u8,
            source: Self::NOBODY,
            target: Self::NOBODY,
            guard: Self::NOBODY,
            ..Self::default()
        }
    }

    /// What the record tells, if its number is known.
    #[must_use]
    pub fn kind(&self) -> Option<AuditKind> {
        AuditKind::ALL.into_iter().find(|kind| *kind as u8 == self.kind)
    }
}

/// What a record tells. The numbers are ABI. 0 is none of them, so an empty slot is no record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum AuditKind {
    /// Central has started. The second start and all others are restarts.
    CentralStarted = 1,
    /// A client has begun an epoch: for the first time, or because it was started again. `detail` is the
    /// epoch.
    ClientStarted = 2,
    /// A client was quarantined. `detail` is an [`Offence`].
    Quarantined = 3,
    /// A send has ended with another status than `Done`.
    SendRefused = 4,
    /// A receive request was not accepted. `detail` is its index.
    RequestRefused = 5,
    /// A guard has passed a message.
    GuardPassed = 6,
    /// A guard has refused a message. `detail` is the guard's reason.
    GuardRefused = 7,
    /// A guard has not answered in time, which counts as a refusal.
    GuardLate = 8,
    /// A message was delivered. Only for flows with `audit = "all"`.
    Delivered = 9,
}

impl AuditKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 9] = [
        Self::CentralStarted,
        Self::ClientStarted,
        Self::Quarantined,
        Self::SendRefused,
        Self::RequestRefused,
        Self::GuardPassed,
        Self::GuardRefused,
        Self::GuardLate,
        Self::Delivered,
    ];
}

/// How a client broke the protocol: which of its indices was impossible. The numbers are ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Offence {
    /// The transmit tail.
    TransmitTail = 1,
    /// The post tail.
    PostTail = 2,
    /// The delivery head.
    DeliveryHead = 3,
}

impl Offence {
    /// Every offence, in the order of its number.
    pub const ALL: [Self; 3] = [Self::TransmitTail, Self::PostTail, Self::DeliveryHead];
}

/// The words of the header.
mod header {
    pub(super) const MAGIC: usize = 0;
    pub(super) const VERSION: usize = 1;
    pub(super) const CAPACITY: usize = 2;
    pub(super) const COUNT: usize = 3;
    pub(super) const STARTS: usize = 4;
}

/// An audit log in memory.
#[derive(Clone, Copy)]
pub struct AuditLog<'a> {
    header: &'a AuditSlot,
    records: &'a [AuditSlot],
}

impl<'a> AuditLog<'a> {
    /// The log in these slots. `None` if they are fewer than two.
    #[must_use]
    pub const fn new(slots: &'a [AuditSlot]) -> Option<Self> {
        match slots {
            [header, records @ ..] if !records.is_empty() => Some(Self { header, records }),
            _ => None,
        }
    }

    /// Number of records that there is room for, at least 1.
    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.records.len() as u64
    }

    /// Whether central has begun the log, in this version and for this many slots. Pairs with
    /// [`begin`](Self::begin). Each of the three words may be left from an earlier log, so each is observed.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.header.observe::<{ header::MAGIC }>() == AUDIT_MAGIC
            && self.header.observe::<{ header::VERSION }>() == u64::from(AUDIT_VERSION)
            && self.header.observe::<{ header::CAPACITY }>() == self.capacity()
    }

    /// Begins an empty log. For central.
    pub fn begin(&self) {
        self.header.publish::<{ header::COUNT }>(0);
        self.header.publish::<{ header::STARTS }>(0);
        self.header.publish::<{ header::VERSION }>(u64::from(AUDIT_VERSION));
        self.header.publish::<{ header::CAPACITY }>(self.capacity());
        self.header.publish::<{ header::MAGIC }>(AUDIT_MAGIC);
    }

    /// How many records were written so far. The newest has one number less.
    ///
    /// Pairing: acquire, with the release of [`publish`](Self::publish).
    #[must_use]
    pub fn count(&self) -> u64 {
        self.header.observe::<{ header::COUNT }>()
    }

    /// Makes all records stored so far visible to whoever sees this count. For central.
    pub fn publish(&self, count: u64) {
        self.header.publish::<{ header::COUNT }>(count);
    }

    /// How often central has started. Only central reads it.
    #[must_use]
    pub fn starts(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "set_starts stores a u32")]
        {
            self.header.word::<{ header::STARTS }>() as u32
        }
    }

    /// Notes how often central has started. For central.
    pub fn set_starts(&self, starts: u32) {
        self.header.publish::<{ header::STARTS }>(u64::from(starts));
    }

    /// Copies out what lies where record `number` has its place. It may be an older or a newer record, or
    /// parts of both.
    #[must_use]
    pub fn load(&self, number: u64) -> AuditRecord {
        self.place(number).load()
    }

    /// Stores a record at its place. The caller publishes it afterwards. For central.
    pub fn store(&self, record: AuditRecord) {
        self.place(record.sequence).store(record);
    }

    fn place(&self, number: u64) -> &'a AuditSlot {
        // There is at least one record, so neither the remainder nor the access can fail.
        let place = number.checked_rem(self.capacity()).unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, reason = "below the length of a slice")]
        self.records.get(place as usize).unwrap_or(self.header)
    }
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(size_of::<AuditSlot>() == AUDIT_SLOT_BYTES);
    assert!(size_of::<AuditRecord>() == AUDIT_SLOT_BYTES);
    assert!(offset_of!(AuditRecord, sequence) == 0);
    assert!(offset_of!(AuditRecord, tag) == 8);
    assert!(offset_of!(AuditRecord, number) == 16);
    assert!(offset_of!(AuditRecord, tick) == 24);
    assert!(offset_of!(AuditRecord, start) == 28);
    assert!(offset_of!(AuditRecord, length) == 32);
    assert!(offset_of!(AuditRecord, detail) == 36);
    assert!(offset_of!(AuditRecord, kind) == 40);
    assert!(offset_of!(AuditRecord, status) == 41);
    assert!(offset_of!(AuditRecord, source) == 42);
    assert!(offset_of!(AuditRecord, target) == 44);
    assert!(offset_of!(AuditRecord, guard) == 46);
    assert!(offset_of!(AuditRecord, previous) == 64);
    assert!(offset_of!(AuditRecord, hash) == 96);
};

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_a_header_and_at_least_one_record() {
        let slots: [AuditSlot; 4] = core::array::from_fn(|_| AuditSlot::default());
        assert!(AuditLog::new(&slots[..0]).is_none() && AuditLog::new(&slots[..1]).is_none());
        let log = AuditLog::new(&slots).unwrap();
        assert_eq!(log.capacity(), 3);
        assert!(!log.has_begun());
        log.begin();
        assert!(log.has_begun());
        // The same memory with another size is no log that was begun.
        assert!(!AuditLog::new(&slots[..3]).unwrap().has_begun());
    }

    #[test]
    fn records_lie_one_after_another_and_the_fourth_on_the_first() {
        let slots: [AuditSlot; 4] = core::array::from_fn(|_| AuditSlot::default());
        let log = AuditLog::new(&slots).unwrap();
        for sequence in [0, 1, 2, 3, u64::MAX] {
            let record = AuditRecord { sequence, ..AuditRecord::of(AuditKind::Quarantined) };
            log.store(record);
            assert_eq!(log.load(sequence), record);
        }
        // 2^64 - 1 is a multiple of 3.
        assert_eq!([0, 1, 2, 3].map(|number| log.load(number).sequence), [u64::MAX, 1, 2, u64::MAX]);
        assert!(!log.has_begun() && log.count() == 0);
    }

    #[test]
    fn every_number_of_a_kind_comes_back() {
        for (kind, number) in AuditKind::ALL.into_iter().zip(1..) {
            assert_eq!((kind as u8, AuditRecord::of(kind).kind()), (number, Some(kind)));
        }
        assert_eq!(AuditRecord::default().kind(), None);
    }
}
