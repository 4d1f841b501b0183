//! The audit log: a record that the reader may read is whole, and a log that has begun is an empty one.

use ferry_layout::{AuditKind, AuditLog, AuditRecord, AuditSlot};
use loom::sync::Arc;
use loom::thread;

type Memory = [AuditSlot; 3];

fn memory() -> Arc<Memory> {
    Arc::new(core::array::from_fn(|_| AuditSlot::default()))
}

fn log(memory: &Memory) -> AuditLog<'_> {
    AuditLog::new(memory).unwrap()
}

fn record(sequence: u64) -> AuditRecord {
    AuditRecord { sequence, tag: 7, length: 8, hash: [9; 32], ..AuditRecord::of(AuditKind::Delivered) }
}

/// Central writes as `Writer::append` does. The reader reads as `AuditReader::next` does.
#[test]
fn a_record_that_is_counted_is_whole() {
    crate::check(None, || {
        let memory = memory();
        log(&memory).begin();
        let central = thread::spawn({
            let memory = Arc::clone(&memory);
            move || {
                for sequence in 0..2 {
                    log(&memory).store(record(sequence));
                    log(&memory).publish(sequence + 1);
                }
            }
        });
        for sequence in 0..log(&memory).count() {
            assert_eq!(log(&memory).load(sequence), record(sequence), "a record is not whole");
        }
        central.join().unwrap();
    });
}

/// The memory is of a log of another size, and central begins a new one in it.
#[test]
fn a_log_that_has_begun_is_empty() {
    crate::check(None, || {
        let memory = memory();
        AuditLog::new(&memory[..2]).unwrap().begin();
        log(&memory).publish(1);
        let central = thread::spawn({
            let memory = Arc::clone(&memory);
            move || log(&memory).begin()
        });
        if log(&memory).has_begun() {
            assert_eq!(log(&memory).count(), 0, "a record of the earlier log is taken for one of this");
        }
        central.join().unwrap();
    });
}
