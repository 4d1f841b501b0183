//! Records as they were kept: a copy of the region, records one after another, or lines of a console.

use std::fmt;

use ferry_layout::{AUDIT_MAGIC, AUDIT_SLOT_BYTES, AUDIT_VERSION, AuditRecord};
use zerocopy::FromBytes;

use crate::finding::Finding;
use crate::line::{LINE_MARK, read_line};

/// What a file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The records, in the order of the file; of a region, in the order of writing.
    pub records: Vec<AuditRecord>,
    /// What in the file is no record.
    pub findings: Vec<Finding>,
}

/// The file is no audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotKept {
    /// It is neither of the three forms.
    Unknown,
    /// A region of another version.
    Version(u64),
    /// A region that central has not begun.
    Empty,
    /// A copy of a region that does not have the size that its header states.
    Size {
        /// Records that there should be room for.
        capacity: u64,
    },
}

impl std::error::Error for NotKept {}

impl fmt::Display for NotKept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(
                formatter,
                "this is no audit log: neither a copy of the region, nor records of {AUDIT_SLOT_BYTES} bytes \
                 one after another, nor a console with lines that have `{}` in them",
                LINE_MARK.trim_end()
            ),
            Self::Version(version) => write!(
                formatter,
                "this audit log has version {version}, and this program reads {AUDIT_VERSION}; verify it with \
                 the program that belongs to the system"
            ),
            Self::Empty => formatter.write_str("this is a copy of a region that central has not begun"),
            Self::Size { capacity } => write!(
                formatter,
                "this copy of a region does not have the {} bytes that its header states; copy it again",
                capacity.saturating_add(1).saturating_mul(AUDIT_SLOT_BYTES as u64)
            ),
        }
    }
}

impl Kept {
    /// Reads a file of any form.
    pub fn read(bytes: &[u8]) -> Result<Self, NotKept> {
        let (slots, rest) = bytes.as_chunks::<AUDIT_SLOT_BYTES>();
        let is_text = bytes.windows(LINE_MARK.len()).any(|window| window == LINE_MARK.as_bytes());
        match slots {
            [header, records @ ..] if header.starts_with(&AUDIT_MAGIC.to_le_bytes()) => {
                Self::of_region(header, records)
            }
            _ if is_text => Ok(Self::of_lines(&String::from_utf8_lossy(bytes))),
            [first, ..] if first.iter().all(|byte| *byte == 0) => Err(NotKept::Empty),
            [_, ..] if is_made_of_records(slots) => Ok(Self::of_records(slots, rest)),
            _ => Err(NotKept::Unknown),
        }
    }

    /// Reads a copy of the region. Central may have been storing the next record while it was copied, over
    /// the oldest one. So the place of the next record is not looked at.
    fn of_region(header: &[u8; AUDIT_SLOT_BYTES], slots: &[[u8; AUDIT_SLOT_BYTES]]) -> Result<Self, NotKept> {
        let word = |number: usize| {
            let (words, _) = header.as_chunks::<8>();
            words.get(number).map_or(0, |word| u64::from_le_bytes(*word))
        };
        let (version, capacity, count) = (word(1), word(2), word(3));
        if version != u64::from(AUDIT_VERSION) {
            return Err(NotKept::Version(version));
        }
        // A copy may have been made of whole pages, and so be larger.
        let places = usize::try_from(capacity).ok().filter(|places| *places != 0);
        let Some(slots) = places.and_then(|places| slots.get(..places)) else {
            return Err(NotKept::Size { capacity });
        };
        let oldest = count.saturating_sub(capacity - 1);
        let at = |number: u64| usize::try_from(number % capacity).ok().and_then(|place| slots.get(place));
        let records = (oldest..count).filter_map(at).map(record).collect();
        Ok(Self { records, findings: Vec::new() })
    }

    fn of_records(slots: &[[u8; AUDIT_SLOT_BYTES]], rest: &[u8]) -> Self {
        let place = || format!("the last {} bytes", rest.len());
        let cut = (!rest.is_empty()).then(|| Finding::NoRecord { place: place() });
        Self { records: slots.iter().map(record).collect(), findings: cut.into_iter().collect() }
    }

    fn of_lines(text: &str) -> Self {
        let mut kept = Self { records: Vec::new(), findings: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            match read_line(line) {
                None => {}
                Some(Ok(record)) => kept.records.push(record),
                Some(Err(_)) => kept.findings.push(Finding::NoRecord { place: format!("line {number}") }),
            }
        }
        kept
    }
}

/// Whether one of the slots looks like a record. Any of them can have been changed.
fn is_made_of_records(slots: &[[u8; AUDIT_SLOT_BYTES]]) -> bool {
    slots.iter().map(record).any(|record| record.kind().is_some() && record.reserved == [0; 16])
}

fn record(slot: &[u8; AUDIT_SLOT_BYTES]) -> AuditRecord {
    AuditRecord::read_from_bytes(slot).unwrap_or_default()
}
