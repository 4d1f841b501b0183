//! The hash of a record, which connects it with the next one.

use ferry_layout::AuditRecord;
use sha2::{Digest, Sha256};
use zerocopy::IntoBytes;

/// A hash: SHA-256.
pub type Hash = [u8; 32];

/// What stands for the hash of the record before the first one.
pub const ORIGIN: Hash = [0; 32];

/// Bytes of a record that its hash covers: all but the hash itself.
const COVERED: usize = size_of::<AuditRecord>() - size_of::<Hash>();

/// The hash that a record with these contents has.
pub(crate) fn hash_of(record: &AuditRecord) -> Hash {
    let covered = record.as_bytes().first_chunk::<COVERED>().unwrap_or(&[0; COVERED]);
    Sha256::digest(covered).into()
}

/// Whether a record has the hash of its contents. Parts of two records have not, and an empty slot neither.
#[must_use]
pub fn is_sound(record: &AuditRecord) -> bool {
    record.hash == hash_of(record)
}

/// The record with the hash of the one before, and its own.
pub(crate) fn sealed(record: AuditRecord, previous: Hash) -> AuditRecord {
    let record = AuditRecord { previous, ..record };
    AuditRecord { hash: hash_of(&record), ..record }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferry_layout::AuditKind;

    #[test]
    fn every_byte_of_a_record_counts() {
        use zerocopy::FromBytes;
        let record = sealed(AuditRecord::of(AuditKind::CentralStarted), [7; 32]);
        assert!(is_sound(&record) && !is_sound(&AuditRecord::default()));
        for number in 0..size_of::<AuditRecord>() {
            let mut bytes = [0; size_of::<AuditRecord>()];
            bytes.copy_from_slice(record.as_bytes());
            bytes[number] ^= 1;
            assert!(!is_sound(&AuditRecord::read_from_bytes(&bytes).unwrap()), "byte {number}");
        }
    }

    #[test]
    fn the_hash_is_that_of_other_programs() {
        // printf '\1%.0s' $(seq 96) | sha256sum
        let record = zerocopy::transmute!([1_u8; 128]);
        let hash = hash_of(&record).map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hash, "8b3274a4709a50d0254b2cf4833edd91a724c6c60fc50ce94503055093db7fb0");
    }
}
