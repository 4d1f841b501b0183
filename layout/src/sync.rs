//! The atomics that shared memory is made of: the processor's, loom's when the protocol is model-checked, or those
//! that tell a test of each access.
//!
//! Only this module knows which. Loom's atomics are larger than the words they stand for, so the assertions on
//! sizes and offsets hold in ordinary builds only.

#[cfg(all(not(loom), feature = "observe"))]
pub(crate) use crate::observe::{AtomicU32, AtomicU64};
#[cfg(all(not(loom), not(feature = "observe")))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
