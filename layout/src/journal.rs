//! What central notes in `<client>_in` so that it can be restarted and nothing is lost or done twice.
//!
//! Everything else that a restart needs is in `<client>_in` anyway: indices, statuses, the receive queue. The
//! journal adds what those do not say, and nothing that the client could not know: numbers of its own
//! messages, requests and windows. `ferry_central` has the order of stores that makes it sound (`resume.rs`).
//!
//! A note releases what was stored before it, so that wherever central is stopped, no note is there without
//! what it is about. Reading is relaxed: the central that reads has been started after the one that wrote was
//! stopped.

use crate::geometry::{DomainId, MAX_CLIENTS};
use crate::sync::{AtomicU64, Ordering, Unused64};

/// Words with a bit for each slot of the request ring.
const OPEN_WORDS: usize = 2;

/// Central's notes on one client. Only central reads them.
#[derive(Default)]
#[repr(C)]
pub struct Journal {
    /// Messages of the flow to each client that were delivered and whose statuses all say so.
    acknowledged: [AtomicU64; MAX_CLIENTS],
    /// Slots of the request ring whose request central holds: taken, and neither used up nor withdrawn.
    open: [AtomicU64; OPEN_WORDS],
    _unused: [Unused64; 30],
}

impl Journal {
    /// Notes that the first `count` messages of this client's flow to `target` have their statuses.
    #[inline]
    pub fn acknowledge(&self, target: DomainId, count: u64) {
        // The mask keeps it below the number of words, so the bounds check folds away.
        self.acknowledged[target.index() & (MAX_CLIENTS - 1)].store(count, Ordering::Release);
    }

    /// Messages of this client's flow to `target` that have their statuses.
    #[must_use]
    pub fn acknowledged(&self, target: DomainId) -> u64 {
        self.acknowledged.get(target.index()).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Notes which slots of the request ring have a request that central holds: bit `n % 64` of word `n / 64`
    /// for slot `n`. Words that stay as they were are left alone.
    #[inline]
    pub fn set_open(&self, open: [u64; OPEN_WORDS], before: [u64; OPEN_WORDS]) {
        for ((word, now), before) in self.open.iter().zip(open).zip(before) {
            if now != before {
                word.store(now, Ordering::Release);
            }
        }
    }

    /// The slots of the request ring whose request central holds, as [`set_open`](Self::set_open) takes them.
    #[must_use]
    pub fn open(&self) -> [u64; OPEN_WORDS] {
        let [low, high] = &self.open;
        [low.load(Ordering::Relaxed), high.load(Ordering::Relaxed)]
    }

    /// Forgets all receive requests, at the beginning of an epoch. Flows are counted on. Relaxed: who sees
    /// the epoch sees this, and until then it does not matter, because the client is about to begin anew.
    pub fn forget_requests(&self) {
        for word in &self.open {
            word.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::offset_of;
    assert!(offset_of!(Journal, acknowledged) == 0x000);
    assert!(offset_of!(Journal, open) == 0x100);
};

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_comes_back() {
        let journal = Journal::default();
        journal.set_open([1, 1 << 63], [0, 0]);
        assert_eq!(journal.open(), [1, 1 << 63]);
        journal.set_open([1, 5], [1, 1 << 63]);
        assert_eq!(journal.open(), [1, 5]);
        journal.forget_requests();
        assert_eq!(journal.open(), [0, 0]);
    }
}
