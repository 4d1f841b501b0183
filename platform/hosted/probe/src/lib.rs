//! What the scenarios about rights ask of the hosted platform. A process has files and no capabilities, so
//! there is no `CSpace` to walk, and the scenarios that walk one are not played here. The launcher's own
//! trials (`platform/hosted/launcher/tests/isolation`) show which files a process has.

#![no_std]
#![forbid(unsafe_code)]

use core::ops::Range;

use ferry_harness::{Holding, Overreach};

/// Whether the platform gives every protection domain its own address space as a capability.
pub const GIVES_ADDRESS_SPACES: bool = false;

/// Where a stack begins. There is no fixed place: Linux chooses it. The stack's size is the user's limit.
pub const STACK_TOP: Option<usize> = None;

/// Walks over nothing.
pub fn walk(_: Range<u64>, _: &mut dyn FnMut(u64, Holding)) {}

/// Tries nothing.
pub fn overreach(_: Overreach) {}
