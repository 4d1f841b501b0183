//! The atomics that shared memory is made of. They are the processor's in ordinary builds, loom's when the
//! protocol is model-checked, and with the feature `observe` those that report each access to a test.
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

/// A word that nobody reads. It is atomic all the same: a peer may write to it, and a reference to plain
/// memory would promise the compiler that nobody does.
pub(crate) type Unused32 = core::sync::atomic::AtomicU32;
/// See [`Unused32`].
pub(crate) type Unused64 = core::sync::atomic::AtomicU64;
