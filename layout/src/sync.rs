//! The atomics that shared memory is made of: the processor's, or loom's when the protocol is model-checked.
//!
//! Only this module knows which. Loom's atomics are larger than the words they stand for, so the assertions on
//! sizes and offsets hold in ordinary builds only.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
