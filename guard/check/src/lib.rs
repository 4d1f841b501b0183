//! Tests of filters on the host: one line for a corpus, one line for a fuzz target.
//!
//! A corpus is a directory with messages of a filter:
//!
//! ```text
//! corpus/syslog/pass/…            each file is a message that passes
//! corpus/syslog/refuse/…          each is one that is refused
//! corpus/syslog/refuse/4-leap_second.log     for this reason, in the filter's own numbers
//! ```
//!
//! A test of it, in a file below `tests/`:
//!
//! ```
//! # use ferry_guard::{Message, Verdict};
//! # fn printable(message: &Message<'_>) -> Verdict {
//! #     let bad = message.bytes.iter().find(|byte| !matches!(byte, b' '..=b'~'));
//! #     bad.map_or(Verdict::Pass, |byte| Verdict::Refuse { reason: u32::from(*byte) })
//! # }
//! ferry_guard_check::corpus!(syslog, "corpus/syslog", printable);
//! # fn main() {}
//! ```
//!
//! A fuzz target of it, as a whole file for `cargo fuzz`, which the crate `libfuzzer-sys` links:
//!
//! ```ignore
//! #![no_main]
//! ferry_guard_check::fuzz!(Syslog);
//! ```
//!
//! What both check beyond the verdict: the filter does not panic, and it says the same of the same bytes when
//! it is asked again, and when it is new.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ferry_guard::{Filter, Message, Verdict};

/// A test with this name: each message of a corpus gets the verdict of its directory. The directory is seen
/// from that of `Cargo.toml`. The filter is an expression that makes a new one.
#[macro_export]
macro_rules! corpus {
    ($name:ident, $directory:expr, $filter:expr) => {
        #[test]
        fn $name() {
            let directory = ::std::path::Path::new(::std::env!("CARGO_MANIFEST_DIR")).join($directory);
            if let Err(mistakes) = $crate::judge_corpus(&directory, || $filter) {
                ::std::panic!("{mistakes}");
            }
        }
    };
}

/// The fuzz target of a filter, an expression that makes a new one. The filter must not panic, and it must
/// say the same of the same bytes each time. For one that judges a message by those before it, write
/// `fuzz!(stateful: Limit::new())`: then the bytes are many messages, and a new filter must say the same of
/// all of them.
#[macro_export]
macro_rules! fuzz {
    (stateful: $filter:expr) => {
        ::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::judge_row_twice(|| $filter, bytes));
    };
    ($filter:expr) => {
        ::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            $crate::judge_twice(|| $filter, bytes);
        });
    };
}

/// The message that a filter gets for these bytes. Sender and target have no names.
#[must_use]
pub const fn message(bytes: &[u8]) -> Message<'_> {
    Message { source: "", target: "", tag: 0, bytes }
}

/// The verdict of a filter that judges each message by itself.
///
/// # Panics
/// If it changes its mind: about a message that it has seen before, or when it is new.
pub fn judge_twice<F: Filter>(filter: impl Fn() -> F, bytes: &[u8]) -> Verdict {
    let mut first = filter();
    let verdict = first.inspect(&message(bytes));
    assert_eq!(first.inspect(&message(bytes)), verdict, "a filter says the same of a message each time");
    assert_eq!(filter().inspect(&message(bytes)), verdict, "a new filter says what the first one says");
    verdict
}

/// Has a filter judge the messages that the bytes are: each begins with its length, in two bytes, and the
/// last one is what is left.
///
/// # Panics
/// If a new filter says anything else of the same messages in the same order.
pub fn judge_row_twice<F: Filter>(filter: impl Fn() -> F, bytes: &[u8]) {
    let judge = || {
        let mut filter = filter();
        row(bytes).map(|bytes| filter.inspect(&message(bytes))).collect::<Vec<_>>()
    };
    assert_eq!(judge(), judge(), "a new filter says what the first one says");
}

/// The messages of [`judge_row_twice`].
fn row(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (message, others) = after.split_at(length);
        rest = others;
        Some(message)
    })
}

/// Compares the verdicts of a filter with a corpus.
///
/// # Errors
/// One line for each message that has another verdict, for a directory that has no message, and for a reason
/// that is not a number.
pub fn judge_corpus<F: Filter>(directory: &Path, filter: impl Fn() -> F) -> Result<(), String> {
    let mut mistakes = String::new();
    for (folder, passes) in [("pass", true), ("refuse", false)] {
        let folder = directory.join(folder);
        let files = files(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        if files.is_empty() {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(mistakes, "{}: put a message into this directory", folder.display());
        }
        for file in files {
            let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let verdict = judge_twice(&filter, &bytes);
            if let Some(mistake) = mistake(&file, passes, verdict) {
                let _ = writeln!(mistakes, "{}: {mistake}", file.display());
            }
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// The files of a directory, by name.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
    let mut files = entries.collect::<io::Result<Vec<_>>>()?;
    // Some systems keep files of their own in every directory.
    files.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    files.sort();
    Ok(files)
}

/// What is wrong with the verdict about a file.
fn mistake(file: &Path, passes: bool, verdict: Verdict) -> Option<String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let expected = name.split_once('-').and_then(|(number, _)| number.parse::<u32>().ok());
    match verdict {
        Verdict::Pass if passes => None,
        Verdict::Pass => Some("it passes, and is to be refused".to_owned()),
        Verdict::Refuse { reason } if passes => Some(format!("it is refused for reason {reason}")),
        Verdict::Refuse { reason } => match expected {
            Some(expected) if expected != reason => {
                Some(format!("it is refused for reason {reason}, and not for the one in its name"))
            }
            _ => None,
        },
    }
}
