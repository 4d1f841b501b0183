//! Whatever is done to a log, the verification names the record that it was done to.

use ferry_audit::{Anchors, Finding, Kept, Line, NotKept, Writer, verify};
use ferry_layout::{AUDIT_SLOT_BYTES, AuditKind, AuditLog, AuditRecord, AuditSlot, Status};
use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

/// A log of this many records, the first of which has the number `first`.
fn log_of(first: u64, length: usize) -> Vec<AuditRecord> {
    let end = first + length as u64;
    let slots: Vec<AuditSlot> = (0..=end).map(|_| AuditSlot::default()).collect();
    let log = AuditLog::new(&slots).unwrap();
    let mut writer = Writer::resume(log);
    for (tag, kind) in (1..end).zip(AuditKind::ALL.into_iter().cycle()) {
        writer.append(AuditRecord { tag, status: Status::Denied as u8, ..AuditRecord::of(kind) });
    }
    (first..end).map(|number| log.load(number)).collect()
}

fn findings(records: &[AuditRecord]) -> Vec<Finding> {
    verify(records, Anchors::default()).findings
}

fn lengths() -> impl Strategy<Value = (u64, usize)> {
    (0..40_u64, 2..40_usize)
}

proptest! {
    #[test]
    fn a_log_as_it_was_written_is_intact((first, length) in lengths()) {
        let records = log_of(first, length);
        let verified = verify(&records, Anchors::default());
        prop_assert_eq!(verified.findings, []);
        prop_assert_eq!(verified.range, Some((first, first + length as u64 - 1)));
        prop_assert_eq!(verified.newest, Some(records[length - 1].hash));
    }

    #[test]
    fn a_changed_bit_is_found_at_its_record(
        (first, length) in lengths(), place in any::<prop::sample::Index>(), bit in 0..1024_usize,
    ) {
        let mut records = log_of(first, length);
        let place = place.index(length);
        let bytes = records[place].as_mut_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(findings(&records), [Finding::Changed { record: first + place as u64 }]);
    }

    #[test]
    fn a_dropped_run_is_named((first, length) in lengths(), from in any::<prop::sample::Index>(), more in 0..3_usize) {
        // The ends are not dropped: without an anchor nobody can miss them.
        prop_assume!(length > 3);
        let mut records = log_of(first, length);
        let from = 1 + from.index(length - 2);
        let to = (from + more).min(length - 2);
        records.drain(from..=to);
        let missing = Finding::Missing { first: first + from as u64, last: first + to as u64 };
        prop_assert_eq!(findings(&records), [missing]);
    }

    #[test]
    fn two_records_that_change_places_are_both_named(
        (first, length) in lengths(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let mut records = log_of(first, length);
        let (one, other) = (one.index(length), other.index(length));
        prop_assume!(one < other);
        records.swap(one, other);
        let (one, other) = (first + one as u64, first + other as u64);
        prop_assert_eq!(findings(&records), [
            Finding::Misplaced { record: other, instead_of: one },
            Finding::Misplaced { record: one, instead_of: other },
        ]);
    }

    /// Somebody changes a record and computes its hash anew.
    #[test]
    fn a_replaced_record_is_named_unless_it_is_the_last(
        (first, length) in lengths(), place in any::<prop::sample::Index>(), field in 0..2,
    ) {
        let mut records = log_of(first, length);
        let place = place.index(length - 1);
        // The field decides whether the record still fits to the one before.
        prop_assume!(field == 0 || place != 0);
        let mut forged = records[place];
        if field == 0 { forged.tag ^= 1 } else { forged.previous[0] ^= 1 }
        records[place] = resealed(forged);
        prop_assert_eq!(findings(&records), [Finding::Replaced { record: first + place as u64 }]);
    }

    #[test]
    fn a_repeated_record_is_named((first, length) in lengths(), place in any::<prop::sample::Index>()) {
        let mut records = log_of(first, length);
        let place = place.index(length);
        records.insert(place, records[place]);
        prop_assert_eq!(findings(&records), [Finding::Repeated { record: first + place as u64 }]);
    }

    #[test]
    fn an_anchor_finds_a_missing_end((first, length) in lengths(), left in any::<prop::sample::Index>()) {
        let records = log_of(first, length);
        let left = 1 + left.index(length - 1);
        let expect = Some(records[length - 1].hash);
        let after = Some(records[0].previous);
        let anchors = Anchors { expect, after };
        prop_assert_eq!(verify(&records, anchors).findings, []);
        prop_assert_eq!(
            verify(&records[..left], anchors).findings,
            [Finding::EndMissing { last: first + left as u64 - 1 }]
        );
        prop_assert_eq!(
            verify(&records[left..], anchors).findings,
            [Finding::OtherBeginning { first: first + left as u64 }]
        );
    }

    #[test]
    fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), marked in any::<bool>()) {
        let mut bytes = bytes;
        if marked {
            bytes.splice(0..0, *b"FERRYLOG\x01\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0");
        }
        if let Ok(kept) = Kept::read(&bytes) {
            let _ = verify(&kept.records, Anchors::default());
        }
    }
}

/// The number of a record that was changed is what its neighbours say, if that was changed too, and its own,
/// if there is a gap beside it.
#[test]
fn a_changed_record_has_the_number_that_its_neighbours_leave() {
    for place in 0..5 {
        for bit in 0..1024 {
            let mut records = log_of(3, 5);
            records[place].as_mut_bytes()[bit / 8] ^= 1 << (bit % 8);
            let changed = Finding::Changed { record: 3 + place as u64 };
            assert_eq!(findings(&records), [changed], "bit {bit} of record {place}");
        }
    }
    let mut records = log_of(3, 5);
    records.remove(1);
    records[1].tag ^= 1;
    assert_eq!(findings(&records), [Finding::Changed { record: 5 }, Finding::Missing { first: 4, last: 4 }]);
}

/// The record with the hash of its contents.
fn resealed(record: AuditRecord) -> AuditRecord {
    // The writer computes the hash of what it is given: a log whose newest record has the right hash.
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(&record.as_bytes()[..96]).into();
    AuditRecord { hash, ..record }
}

#[test]
fn records_come_back_from_each_form_of_file() {
    let slots: Vec<AuditSlot> = (0..9).map(|_| AuditSlot::default()).collect();
    let log = AuditLog::new(&slots).unwrap();
    let mut writer = Writer::resume(log);
    for tag in 1..20 {
        writer.append(AuditRecord { tag, ..AuditRecord::of(AuditKind::GuardLate) });
    }
    // 20 records in 8 places, of which one may be written over just now.
    let expected: Vec<AuditRecord> = (13..20).map(|number| log.load(number)).collect();
    let mut region: Vec<u8> =
        slots.iter().flat_map(|slot| slot.load::<AuditRecord>().as_bytes().to_vec()).collect();
    region.resize(4096, 0);
    let bytes: Vec<u8> = expected.iter().flat_map(|record| record.as_bytes().to_vec()).collect();
    let lines: Vec<String> = expected.iter().map(|record| format!("[logger] {}\r\n", Line(record))).collect();
    let console = format!("boot\r\n{}ferry: exit 0\r\n", lines.concat());
    for file in [region.clone(), bytes.clone(), console.clone().into_bytes()] {
        let kept = Kept::read(&file).unwrap();
        assert_eq!((&kept.records, kept.findings.len()), (&expected, 0));
        assert_eq!(findings(&kept.records), []);
    }

    // What is cut, or no log.
    let cut = Kept::read(&bytes[..bytes.len() - 5]).unwrap();
    assert_eq!(cut.findings, [Finding::NoRecord { place: "the last 123 bytes".into() }]);
    let cut = Kept::read(console.replace("00\r\nferry", "\r\nferry").replace("13", "1").as_bytes());
    assert!(!cut.unwrap().findings.is_empty());
    assert_eq!(Kept::read(b"hello"), Err(NotKept::Unknown));
    assert_eq!(Kept::read(&[0; 4096]), Err(NotKept::Empty));
    assert_eq!(Kept::read(&[7; 4096]), Err(NotKept::Unknown));
    assert_eq!(Kept::read(&region[..5 * AUDIT_SLOT_BYTES]), Err(NotKept::Size { capacity: 8 }));
    region[8] = 9;
    assert_eq!(Kept::read(&region), Err(NotKept::Version(9)));
    assert!(AuditRecord::read_from_bytes(&region[128..256]).is_ok());
}
