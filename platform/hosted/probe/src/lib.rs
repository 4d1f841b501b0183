//! What the scenarios about rights ask of the hosted platform. A process has files and no capabilities, so
//! there is no `CSpace` to walk, and the scenarios that walk one are not played here. The launcher's own
//! trials (`platform/hosted/launcher/tests/isolation`) show which files a process has.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::OnceLock;
use std::time::Instant;

use ferry_harness::{Holding, Overreach};

/// Whether the platform gives every protection domain its own address space as a capability.
pub const GIVES_ADDRESS_SPACES: bool = false;

/// Where a stack begins. There is no fixed place: Linux chooses it. The stack's size is the user's limit.
pub const STACK_TOP: Option<usize> = None;

/// Microseconds on the machine's clock, since this process first asked.
#[must_use]
pub fn clock() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed().as_micros().try_into().unwrap_or(u64::MAX)
}

/// Walks over nothing.
pub fn walk(_: Range<u64>, _: &mut dyn FnMut(u64, Holding)) {}

/// Tries nothing.
pub fn overreach(_: Overreach) {}
