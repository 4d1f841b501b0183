//! What is wrong with a log.

use std::fmt;

/// One thing that is wrong. The numbers are those of records, which count from 0 when central first starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// The contents of a record do not have its hash.
    Changed {
        /// The number that the record must have had.
        record: u64,
    },
    /// A record has a hash of its contents, but not the one that the record after it names.
    Replaced {
        /// Its number.
        record: u64,
    },
    /// Records are missing between two others.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// A record stands where another one belongs.
    Misplaced {
        /// The record.
        record: u64,
        /// The one that belongs there.
        instead_of: u64,
    },
    /// A record is there again.
    Repeated {
        /// The record.
        record: u64,
    },
    /// Bytes or a line of the file that are no record.
    NoRecord {
        /// Where they are in the file.
        place: String,
    },
    /// The log does not begin after the hash that was given.
    OtherBeginning {
        /// The first record.
        first: u64,
    },
    /// The log does not contain the record whose hash was given.
    EndMissing {
        /// The last record.
        last: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { record } => write!(formatter, "record {record} was changed"),
            Self::Replaced { record } => write!(
                formatter,
                "record {record} was replaced: record {} names another hash",
                record.wrapping_add(1)
            ),
            Self::Missing { first, last } if first == last => write!(
                formatter,
                "record {first} is missing: it was taken out, or the reader was late and it was written over"
            ),
            Self::Missing { first, last } => write!(
                formatter,
                "records {first} to {last} are missing: they were taken out, or the reader was late and they \
                 were written over"
            ),
            Self::Misplaced { record, instead_of } => {
                write!(formatter, "record {record} stands where record {instead_of} belongs")
            }
            Self::Repeated { record } => write!(formatter, "record {record} is there more than once"),
            Self::NoRecord { place } => write!(formatter, "{place}: this is no whole record"),
            Self::OtherBeginning { first } => write!(
                formatter,
                "the log begins with record {first}, which does not follow the hash of --after: the beginning \
                 is missing, or this is another log"
            ),
            Self::EndMissing { last } => write!(
                formatter,
                "no record has the hash of --expect; the last one is record {last}: the end is missing, or this \
                 is another log"
            ),
        }
    }
}
