//! Central's side of the log.
//!
//! A record is stored whole, and then the count of records is published. So if central is stopped at any
//! store, the record of the highest number that the count names is whole, and a new central goes on after it.
//! What lies behind it is written over.

use ferry_layout::{AuditKind, AuditLog, AuditRecord};

use crate::chain::{Hash, ORIGIN, is_sound, sealed};

/// Appends records to a log. There is one for each log.
pub struct Writer<'a> {
    log: AuditLog<'a>,
    /// Number of the next record.
    next: u64,
    /// Hash of the newest record.
    newest: Hash,
    start: u32,
}

impl<'a> Writer<'a> {
    /// Takes up a log where an earlier central has left it, or begins an empty one, and writes that central
    /// has started.
    ///
    /// If the newest record is not whole, somebody else has written to the region. Then the next record
    /// follows upon nothing, and whoever verifies the log finds the break.
    #[must_use]
    pub fn resume(log: AuditLog<'a>) -> Self {
        if !log.has_begun() {
            log.begin();
        }
        let next = log.count();
        let newest = next.checked_sub(1).map(|newest| (newest, log.load(newest)));
        let newest = newest.filter(|(number, record)| record.sequence == *number && is_sound(record));
        let newest = newest.map_or(ORIGIN, |(_, record)| record.hash);
        let start = log.starts().wrapping_add(1);
        log.set_starts(start);
        let mut writer = Self { log, next, newest, start };
        writer.append(AuditRecord::of(AuditKind::CentralStarted));
        writer
    }

    /// Appends a record. The writer fills in its number, the start and the hashes.
    pub fn append(&mut self, record: AuditRecord) {
        let record = AuditRecord { sequence: self.next, start: self.start, ..record };
        let record = sealed(record, self.newest);
        self.log.store(record);
        self.next = self.next.wrapping_add(1);
        self.newest = record.hash;
        self.log.publish(self.next);
    }

    /// How many records were written so far, by this central and those before it.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferry_layout::AuditSlot;

    #[test]
    fn a_second_central_goes_on_after_the_newest_record() {
        let slots: [AuditSlot; 5] = core::array::from_fn(|_| AuditSlot::default());
        let log = AuditLog::new(&slots).unwrap();
        let mut first = Writer::resume(log);
        first.append(AuditRecord::of(AuditKind::Quarantined));
        // The first central is stopped within its third record.
        log.store(AuditRecord { sequence: 2, tag: 9, ..AuditRecord::default() });
        let mut second = Writer::resume(log);
        second.append(AuditRecord::of(AuditKind::GuardLate));
        let records: Vec<AuditRecord> = (0..log.count()).map(|number| log.load(number)).collect();
        assert_eq!(records.iter().map(|record| record.start).collect::<Vec<_>>(), [1, 1, 2, 2]);
        assert_eq!(records[0].previous, ORIGIN);
        for (before, after) in records.iter().zip(&records[1..]) {
            assert!(is_sound(after) && after.previous == before.hash);
            assert_eq!(after.sequence, before.sequence + 1);
        }
    }

    #[test]
    fn after_a_record_that_central_did_not_write_the_chain_is_broken() {
        let slots: [AuditSlot; 5] = core::array::from_fn(|_| AuditSlot::default());
        let log = AuditLog::new(&slots).unwrap();
        drop(Writer::resume(log));
        log.store(AuditRecord { tag: 1, ..log.load(0) });
        assert_eq!(Writer::resume(log).count(), 2);
        assert_eq!(log.load(1).previous, ORIGIN);
    }
}
