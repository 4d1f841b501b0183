//! The free-running indices that publish the entries of a ring and give their slots back.

use crate::sync::{AtomicU32, Ordering};

/// A free-running 32-bit index in shared memory, with one writer. The entry that it counts lies in slot
/// `index mod capacity`. Only differences of indices mean anything, so wrapping is harmless.
///
/// Pairing: [`publish`](Self::publish) (release) with [`observe`](Self::observe) (acquire). Everything the
/// writer stored before it published is visible to a reader that observed the value.
#[derive(Default)]
#[repr(transparent)]
pub struct Index(AtomicU32);

impl Index {
    /// Makes everything stored so far visible to whoever observes `value`. Only the one writer calls this.
    #[inline]
    pub fn publish(&self, value: u32) {
        self.0.store(value, Ordering::Release);
    }

    /// The peer's value, read once. It is a claim: check it with
    /// [`Producer::refresh`](crate::Producer::refresh) or [`Consumer::refresh`](crate::Consumer::refresh)
    /// before use.
    #[must_use]
    #[inline]
    pub fn observe(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
}
