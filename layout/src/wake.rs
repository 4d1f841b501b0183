//! Wake hints: how one side tells the other that it sleeps and wants a signal, without losing a wake-up.
//!
//! The two sides run the two halves of Dekker's pattern:
//!
//! ```text
//!   the side that publishes              the side about to sleep
//!   index.publish(new)                   hint.arm()
//!   fence(SeqCst)          ── or ──      fence(SeqCst)
//!   hint armed? then signal              new value at index? then stay awake
//! ```
//!
//! One of the two fences comes first in the single total order of `SeqCst` fences. If the sleeper's fence is
//! first, the other side reads the armed hint and signals. If it is second, the sleeper sees the new index.
//! In either case somebody acts; if both act, that costs one needless round. Without one of the fences both
//! sides may read the old value, and the entry waits for the next tick. The loom tests in
//! `tests/loom/wakes.rs` find that execution.

use crate::index::Index;
use crate::sync::{AtomicU32, Ordering, fence};

/// One side's request to be signalled, in a page that only this side writes.
#[derive(Default)]
#[repr(transparent)]
pub struct WakeHint(AtomicU32);

impl WakeHint {
    /// States that this side is about to sleep. It must look at its rings once more after this call, before
    /// it sleeps.
    #[inline]
    pub fn arm(&self) {
        self.0.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// States that this side is awake and looks at its rings by itself, so that the peer need not signal.
    #[inline]
    pub fn disarm(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether the peer asks for a signal. Call it after everything was published; see [`announce`].
    ///
    /// The fence pairs with the one in [`arm`](Self::arm).
    #[must_use]
    #[inline]
    pub fn asks_for_signal(&self) -> bool {
        fence(Ordering::SeqCst);
        self.0.load(Ordering::Relaxed) != 0
    }
}

/// Publishes `value` and returns whether the peer must be signalled.
#[must_use = "a signal that is due and not sent is a lost wake-up"]
#[inline]
pub fn announce(index: &Index, value: u32, peer: &WakeHint) -> bool {
    index.publish(value);
    peer.asks_for_signal()
}
