//! The free-running indices by which a ring's entries are published and given back.

use crate::sync::{AtomicU32, Ordering};

/// A free-running 32-bit index in shared memory with one writer. The entry it counts lies in slot
/// `index mod capacity`; only differences of indices mean anything, so wrapping is harmless.
///
/// Pairing: [`publish`](Self::publish) (release) with [`observe`](Self::observe) (acquire). Everything the
/// writer stored before it published is visible to a reader that observed the value.
#[derive(Default)]
#[repr(transparent)]
pub struct Index(AtomicU32);

impl Index {
    /// Makes everything stored so far visible to whoever observes `value`. For the one writer.
    #[inline]
    pub fn publish(&self, value: u32) {
        self.0.store(value, Ordering::Release);
    }

    /// The peer's value, read once. It is a claim: give it to [`Producer::refresh`](crate::Producer::refresh)
    /// or [`Consumer::refresh`](crate::Consumer::refresh) before use.
    #[must_use]
    #[inline]
    pub fn observe(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
}
