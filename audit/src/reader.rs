//! The side of the protection domain that keeps the records.
//!
//! Central never waits for a reader. If a reader is late, central writes over records that it has not read.
//! The reader notices each of them by its number, and goes on with the oldest record that is left.

use ferry_layout::{AuditLog, AuditRecord};

use crate::chain::is_sound;

/// Reads each record once, in order.
pub struct AuditReader<'a> {
    log: AuditLog<'a>,
    next: u64,
}

/// Records that were written over before they were read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missed {
    /// Number of the first of them.
    pub first: u64,
    /// How many, at least 1.
    pub count: u64,
}

impl<'a> AuditReader<'a> {
    /// A reader that begins with record `next`: 0, or one more than the newest that was kept.
    #[must_use]
    pub const fn new(log: AuditLog<'a>, next: u64) -> Self {
        Self { log, next }
    }

    /// The next record, or `None` if there is no other yet. If records were written over before they were
    /// read, says which, once; the call after that goes on behind them.
    ///
    /// Every record that it returns has the hash of its contents, so it is whole.
    #[expect(clippy::should_implement_trait, reason = "what comes after `None` is not the end")]
    pub fn next(&mut self) -> Option<Result<AuditRecord, Missed>> {
        if !self.log.has_begun() {
            return None;
        }
        let count = self.log.count();
        // Central may be storing the next record, over the oldest one.
        let oldest = count.saturating_sub(self.log.capacity() - 1);
        let ahead = count.checked_sub(self.next).filter(|ahead| *ahead != 0)?;
        if self.next >= oldest {
            let record = self.log.load(self.next);
            if record.sequence == self.next && is_sound(&record) {
                self.next = self.next.wrapping_add(1);
                return Some(Ok(record));
            }
        }
        // Central has come round meanwhile. What it writes now comes after the count that it has published.
        let oldest = self.log.count().saturating_sub(self.log.capacity() - 1);
        let missed = oldest.saturating_sub(self.next).clamp(1, ahead.max(oldest.saturating_sub(self.next)));
        let first = self.next;
        self.next = self.next.wrapping_add(missed);
        Some(Err(Missed { first, count: missed }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Writer;
    use ferry_layout::{AuditKind, AuditSlot};

    fn slots() -> [AuditSlot; 5] {
        core::array::from_fn(|_| AuditSlot::default())
    }

    fn write(writer: &mut Writer<'_>, count: u64) {
        for _ in 0..count {
            writer.append(AuditRecord::of(AuditKind::GuardLate));
        }
    }

    #[test]
    fn a_reader_in_time_gets_every_record_once() {
        let slots = slots();
        let log = AuditLog::new(&slots).unwrap();
        let mut reader = AuditReader::new(log, 0);
        assert_eq!(reader.next(), None);
        let mut writer = Writer::resume(log);
        for sequence in 0..20 {
            assert_eq!(reader.next().unwrap().unwrap().sequence, sequence);
            assert_eq!(reader.next(), None);
            write(&mut writer, 1);
        }
    }

    #[test]
    fn a_late_reader_learns_which_records_it_has_missed() {
        let slots = slots();
        let log = AuditLog::new(&slots).unwrap();
        let mut writer = Writer::resume(log);
        let mut reader = AuditReader::new(log, 0);
        assert!(reader.next().unwrap().is_ok());
        // Records 0 to 10 are written, there are places for 4, and one of these may be written over just now.
        write(&mut writer, 10);
        assert_eq!(reader.next(), Some(Err(Missed { first: 1, count: 7 })));
        for sequence in 8..11 {
            assert_eq!(reader.next().unwrap().unwrap().sequence, sequence);
        }
        assert_eq!(reader.next(), None);
        // Record 7 is still there. But it is in the place that the next record gets.
        let mut reader = AuditReader::new(log, 7);
        assert_eq!(reader.next(), Some(Err(Missed { first: 7, count: 1 })));
    }

    #[test]
    fn a_record_that_is_half_written_over_is_missed() {
        let slots = slots();
        let log = AuditLog::new(&slots).unwrap();
        let mut writer = Writer::resume(log);
        write(&mut writer, 3);
        log.store(AuditRecord { tag: 5, ..log.load(1) });
        let mut reader = AuditReader::new(log, 1);
        assert_eq!(reader.next(), Some(Err(Missed { first: 1, count: 1 })));
        assert_eq!(reader.next().unwrap().unwrap().sequence, 2);
    }

    #[test]
    fn a_reader_that_is_ahead_waits() {
        let slots = slots();
        let log = AuditLog::new(&slots).unwrap();
        let _ = Writer::resume(log);
        assert_eq!(AuditReader::new(log, 7).next(), None);
    }
}
