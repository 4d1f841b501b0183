//! The atomics that shared memory is made of: the processor's, loom's when the protocol is model-checked, or
//! those that tell a test of each access.
//!
//! Only this module knows which. Loom's atomics are larger than the words they stand for, so the assertions
//! on sizes and offsets hold in ordinary builds only.

#[cfg(all(not(loom), feature = "observe"))]
pub(crate) use crate::observe::{AtomicU32, AtomicU64};
#[cfg(all(not(loom), not(feature = "observe")))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// A word that nobody reads. Atomic all the same: a peer may write to it, and a reference over plain memory
/// would be a promise that nobody does.
pub(crate) type Unused32 = core::sync::atomic::AtomicU32;
/// See [`Unused32`].
pub(crate) type Unused64 = core::sync::atomic::AtomicU64;
