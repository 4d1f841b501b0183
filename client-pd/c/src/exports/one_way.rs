//! The functions of `ferry.h` by which the receiver of a one-way flow learns what it has missed.

use ferry_client::{Directory, DomainId, Gaps};

use super::directory;
use crate::global::Global;

/// The gaps are apart from the client, so a program that never asks does not have them. And so the function
/// that `ferry_receive_each` calls may ask.
static GAPS: Global<Gaps> = Global::new(Gaps::new());

/// How many messages of the same flow were dropped between the message before this one and this one. `source`
/// and `sequence` are those of an event or arrival. Ask it of every message that comes, in order, once. It is
/// 0 for the first message of a flow. Only a one-way flow drops messages: those for which there was no
/// buffer.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_missed(source: u16, sequence: u64) -> u64 {
    let Some(source) = DomainId::new(source) else { return 0 };
    GAPS.with(|gaps| gaps.missed_before(source, sequence)).unwrap_or(0)
}

/// All that `ferry_missed` has returned, modulo 2^64. `ferry_dropped` also counts what was dropped before the
/// first message and after the newest.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_missed_in_all() -> u64 {
    GAPS.with(|gaps| gaps.total()).unwrap_or(0)
}

/// How many messages of one-way flows to this client were dropped since central started, modulo 2^64; 0
/// before the client is let in.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_dropped() -> u64 {
    directory().map_or(0, Directory::dropped)
}
