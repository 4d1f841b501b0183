//! Central's notes in `<client>_in` for its own restart, so that nothing is lost or done twice.
//!
//! A restart also needs the indices, the statuses and the receive queue, which are in `<client>_in` anyway.
//! The journal adds what those do not say. It tells the client nothing that it could not know: it holds
//! numbers of the client's own messages, requests and windows. The order of stores that makes it sound is in
//! `ferry_central` (`settle.rs`, and `resume.rs` explains it).
//!
//! A note releases what was stored before it. So wherever central is stopped, a note is never there without
//! what it is about. Reading is relaxed, because the central that reads was started after the one that wrote
//! was stopped.

use crate::geometry::{DomainId, MAX_CLIENTS};
use crate::sync::{AtomicU64, Ordering, Unused64};

/// Words that hold a bit for each slot of the request ring.
const OPEN_WORDS: usize = 2;

/// Central's notes on one client. Only central reads them.
#[derive(Default)]
#[repr(C)]
pub struct Journal {
    /// For the flow to each client, the messages that were delivered and whose statuses are all written.
    acknowledged: [AtomicU64; MAX_CLIENTS],
    /// Slots of the request ring whose request central holds: it was taken, and is neither used up nor
    /// withdrawn.
    open: [AtomicU64; OPEN_WORDS],
    _unused: [Unused64; 30],
}

impl Journal {
    /// Notes that the statuses of the first `count` messages of this client's flow to `target` are written.
    #[inline]
    pub fn acknowledge(&self, target: DomainId, count: u64) {
        // The mask keeps it below the number of words, so the bounds check folds away.
        self.acknowledged[target.index() & (MAX_CLIENTS - 1)].store(count, Ordering::Release);
    }

    /// Number of messages of this client's flow to `target` whose statuses are written.
    #[must_use]
    pub fn acknowledged(&self, target: DomainId) -> u64 {
        self.acknowledged.get(target.index()).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Notes the slots of the request ring whose request central holds: bit `n % 64` of word `n / 64` is slot
    /// `n`. A word that equals its value in `before` is not stored.
    #[inline]
    pub fn set_open(&self, open: [u64; OPEN_WORDS], before: [u64; OPEN_WORDS]) {
        for ((word, now), before) in self.open.iter().zip(open).zip(before) {
            if now != before {
                word.store(now, Ordering::Release);
            }
        }
    }

    /// The slots of the request ring whose request central holds, in the form of
    /// [`set_open`](Self::set_open).
    #[must_use]
    pub fn open(&self) -> [u64; OPEN_WORDS] {
        let [low, high] = &self.open;
        [low.load(Ordering::Relaxed), high.load(Ordering::Relaxed)]
    }

    /// Clears all receive requests, at the beginning of an epoch. The counts of the flows go on. Relaxed: a
    /// client that observes the new epoch sees this too. Before that it does not matter, because the client
    /// is about to begin anew.
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
