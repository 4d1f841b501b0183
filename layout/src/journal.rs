//! What central notes in `<client>_in` so that it can be restarted and nothing is lost or done twice.
//!
//! Everything else that a restart needs is in `<client>_in` anyway: indices, statuses, the receive queue. The journal
//! adds what those do not say, and nothing that the client could not know: numbers of its own messages, requests and
//! windows. `ferry_central` has the order of stores that makes it sound (`resume.rs`).
//!
//! A note releases what was stored before it, so that wherever central is stopped, no note is there without what it is
//! about. Reading is relaxed: the central that reads has been started after the one that wrote was stopped.

use crate::address::Address;
use crate::geometry::{DomainId, MAX_CLIENTS, MAX_WINDOWS};
use crate::sync::{AtomicU64, Ordering};

/// Requests whose end is noted in one word.
const GROUP: u32 = 32;

/// Words for such groups: more than the four or five that a ring of requests touches at a time.
const GROUPS: usize = 8;

/// Central's notes on one client. Only central reads them.
#[derive(Default)]
#[repr(C)]
pub struct Journal {
    /// Messages of the flow to each client that were delivered and whose statuses all say so.
    acknowledged: [AtomicU64; MAX_CLIENTS],
    /// Receive requests that are over although an older one is not: the number of a group of 32 requests in the upper
    /// half, a bit for each in the lower. A word of another group than the one looked for says nothing, so none is
    /// ever cleared within an epoch.
    consumed: [AtomicU64; GROUPS],
    /// Open windows: place; length and source; request and a mark, stored last, that makes the record valid.
    windows: [[AtomicU64; 3]; MAX_WINDOWS],
}

/// A window as the journal holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenWindow {
    /// Index of the request that opened it.
    pub request: u32,
    /// First byte, in the client's `_rx` region.
    pub place: Address,
    /// Bytes.
    pub length: u32,
    /// Number of the client that may place messages there.
    pub from: u16,
}

/// In the last word of a window's record: there is a window.
const IS_OPEN: u64 = 1 << 32;

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

    /// Notes that the receive request with free-running index `request` is over.
    pub fn consume(&self, request: u32) {
        let (word, group, bit) = self.consumption(request);
        let known = word.load(Ordering::Relaxed);
        let bits = if known & !0xffff_ffff == group { known } else { group };
        word.store(bits | bit, Ordering::Release);
    }

    /// Whether the receive request with free-running index `request`, one that is not before the client's
    /// `post_head`, is over.
    #[must_use]
    pub fn is_consumed(&self, request: u32) -> bool {
        let (word, group, bit) = self.consumption(request);
        let known = word.load(Ordering::Relaxed);
        known & !0xffff_ffff == group && known & bit != 0
    }

    fn consumption(&self, request: u32) -> (&AtomicU64, u64, u64) {
        let group = request / GROUP;
        // The mask keeps it below the number of words, so the bounds check folds away.
        (&self.consumed[group as usize & (GROUPS - 1)], u64::from(group) << 32, 1 << (request % GROUP))
    }

    /// Notes that `slot` (taken modulo [`MAX_WINDOWS`]) holds `window`, or none.
    pub fn set_window(&self, slot: u32, window: Option<OpenWindow>) {
        const { assert!(MAX_WINDOWS.is_power_of_two()) };
        let [place, extent, valid] = &self.windows[slot as usize & (MAX_WINDOWS - 1)];
        valid.store(0, Ordering::Release);
        if let Some(window) = window {
            place.store(
                u64::from(window.place.frame) << 32 | u64::from(window.place.offset),
                Ordering::Release,
            );
            extent.store(u64::from(window.length) << 32 | u64::from(window.from), Ordering::Release);
            valid.store(IS_OPEN | u64::from(window.request), Ordering::Release);
        }
    }

    /// The window in `slot` (taken modulo [`MAX_WINDOWS`]).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a word")]
    pub fn window(&self, slot: u32) -> Option<OpenWindow> {
        let [place, extent, valid] = &self.windows[slot as usize & (MAX_WINDOWS - 1)];
        let valid = valid.load(Ordering::Relaxed);
        let (place, extent) = (place.load(Ordering::Relaxed), extent.load(Ordering::Relaxed));
        (valid & IS_OPEN != 0).then_some(OpenWindow {
            request: valid as u32,
            place: Address { frame: (place >> 32) as u32, offset: place as u32 },
            length: (extent >> 32) as u32,
            from: extent as u16,
        })
    }

    /// Forgets all receive requests, at the beginning of an epoch. Flows are counted on. Relaxed: who sees the epoch
    /// sees this, and until then it does not matter, because the client is about to begin anew.
    pub fn forget_requests(&self) {
        for word in &self.consumed {
            word.store(0, Ordering::Relaxed);
        }
        for [_, _, valid] in &self.windows {
            valid.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_consumed_request_is_not_taken_for_one_a_lap_later() {
        let journal = Journal::default();
        for request in [0, 5, 31, 32, 127, u32::MAX] {
            journal.consume(request);
            assert!(journal.is_consumed(request));
            assert!(!journal.is_consumed(request.wrapping_add(256)));
            assert!(!journal.is_consumed(request.wrapping_add(1)) || request == 31 || request == u32::MAX);
        }
        journal.consume(256);
        assert!(journal.is_consumed(256) && !journal.is_consumed(0));
    }

    #[test]
    fn a_window_comes_back_as_it_was() {
        let journal = Journal::default();
        let window =
            OpenWindow { request: u32::MAX, place: Address { frame: 7, offset: 4095 }, length: 9, from: 31 };
        journal.set_window(3, Some(window));
        assert_eq!((journal.window(3), journal.window(2)), (Some(window), None));
        journal.set_window(3, None);
        assert_eq!(journal.window(3), None);
    }
}
