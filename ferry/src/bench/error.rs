//! Why there are no measurements.

use ferry_rows::case::Case;
use std::collections::BTreeSet;

/// Why a carrier could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("the program of `{0}` is not a usable ELF file: {1}; run the command again")]
    Program(String, object::Error),
    #[error(
        "QEMU counts instructions only where one processor runs at a time; leave out --config, or name one \
         without smp-"
    )]
    SeveralCores,
    #[error("the emulator could not be watched: {0}; supported: QEMU 7.2 to 8.0")]
    Watch(std::io::Error),
    #[error("{carrier}, {case}: {what}")]
    Case { carrier: String, case: Case, what: String },
    #[error(
        "the hosted platform has no emulator to count instructions; `ferry-bench hosted` counts them by stepping"
    )]
    Hosted,
    #[error(
        "no case has this payload, batch, policy, way, number of clients and size of frames; --payload takes one of \
         {payloads:?}, --batch one of {batches:?}, --clients one of {clients:?}"
    )]
    NoCase { payloads: BTreeSet<u32>, batches: BTreeSet<u32>, clients: BTreeSet<u16> },
}

impl BenchError {
    /// None of these cases was selected.
    pub(super) fn no_case(all: &[Case]) -> Self {
        Self::NoCase {
            payloads: all.iter().map(|case| case.payload).collect(),
            batches: all.iter().map(|case| case.batch).collect(),
            clients: all.iter().map(|case| case.clients).collect(),
        }
    }
}
