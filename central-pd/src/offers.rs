//! The buffers and windows that one client offers to its peers and that no message has claimed: where each
//! lies, and which client it is for.
//!
//! Sets of ring slots say who may use which offer. A slot is in at most one set. It is in none while a
//! message under way has claimed its buffer.

use ferry_layout::geometry::{MAX_CLIENTS, POST_SLOTS};
use ferry_layout::{DomainId, Post, Span};

use crate::slots::SlotSet;
use crate::table::Table;

/// Slots of the ring of requests.
#[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
pub(crate) const RING: u32 = POST_SLOTS as u32;

/// Some client, to fill entries that have no meaning.
const FIRST: DomainId = DomainId::new(0).unwrap();

/// The buffer that `post` offers to anyone, in a receive buffer of `bytes` bytes. `None` if it offers none.
#[inline]
pub(crate) fn buffer_for_anyone(post: &Post, bytes: u64) -> Option<Span> {
    if post.length == 0 || !post.is_for_anyone() {
        return None;
    }
    post.place.span(post.length, bytes)
}

/// The offers, by the free-running index of the request that made them.
#[repr(C)]
pub(crate) struct Offers {
    for_all: SlotSet,
    for_one: Table<SlotSet, MAX_CLIENTS>,
    spans: Table<Span, POST_SLOTS>,
    /// Slots whose offer is for one client only; `only` names it. Neither has a meaning for slots without an
    /// offer.
    reserved: SlotSet,
    only: Table<DomainId, POST_SLOTS>,
    /// Indices of the requests that are for one client only: these may be more than a lap old.
    since: Table<u32, POST_SLOTS>,
    windows: Table<SlotSet, MAX_CLIENTS>,
}

impl Offers {
    pub(crate) const fn new() -> Self {
        Self {
            for_all: SlotSet::EMPTY,
            for_one: Table::new([SlotSet::EMPTY; MAX_CLIENTS]),
            spans: Table::new([Span::EMPTY; POST_SLOTS]),
            reserved: SlotSet::EMPTY,
            only: Table::new([FIRST; POST_SLOTS]),
            since: Table::new([0; POST_SLOTS]),
            windows: Table::new([SlotSet::EMPTY; MAX_CLIENTS]),
        }
    }

    /// Forgets all offers, at the beginning of an epoch.
    pub(crate) fn clear(&mut self) {
        self.for_all = SlotSet::EMPTY;
        self.for_one = Table::new([SlotSet::EMPTY; MAX_CLIENTS]);
        self.windows = Table::new([SlotSet::EMPTY; MAX_CLIENTS]);
        self.reserved = SlotSet::EMPTY;
    }

    /// Records buffer `index`, which is for anyone. It is not open before [`open_to_all`](Self::open_to_all).
    #[inline]
    pub(crate) fn put(&mut self, index: u32, span: Span) {
        self.spans[index] = span;
    }

    /// Opens `count` buffers from `index` on, which were recorded just before.
    #[inline]
    pub(crate) fn open_to_all(&mut self, index: u32, count: u32) {
        self.for_all.insert_run(index, count);
        if !self.reserved.is_empty() {
            self.reserved.remove_run(index, count);
        }
    }

    /// Opens buffer `index` for messages from `only`.
    pub(crate) fn open_to_one(&mut self, index: u32, span: Span, only: DomainId) {
        self.reserve(index, span, only);
        self.for_one[only].insert(index);
    }

    /// Opens window `index` for `from`.
    pub(crate) fn open_window(&mut self, index: u32, span: Span, from: DomainId) {
        self.reserve(index, span, from);
        self.windows[from].insert(index);
    }

    fn reserve(&mut self, index: u32, span: Span, only: DomainId) {
        self.spans[index] = span;
        self.since[index] = index;
        self.reserved.insert(index);
        self.only[index] = only;
    }

    /// Number of windows that are open for `from`.
    pub(crate) fn windows(&self, from: DomainId) -> usize {
        self.windows[from].count() as usize
    }

    /// Whether a window is open for `source` that covers `place`.
    #[inline]
    pub(crate) fn has_window(&self, source: DomainId, place: Span) -> bool {
        self.windows[source].from(0).any(|index| self.spans[index].covers(place))
    }

    /// Opens buffer `index` again, which a message had claimed.
    pub(crate) fn open(&mut self, index: u32) {
        if self.reserved.contains(index) {
            self.for_one[self.only[index]].insert(index);
        } else {
            self.for_all.insert(index);
        }
    }

    /// Whether offer `index` is open: it is not over, and no message has claimed it.
    pub(crate) fn is_open(&self, index: u32) -> bool {
        if self.reserved.contains(index) {
            let only = self.only[index];
            self.for_one[only].contains(index) || self.windows[only].contains(index)
        } else {
            self.for_all.contains(index)
        }
    }

    /// Closes offer `index`: it is over, or a message claims it.
    pub(crate) fn close(&mut self, index: u32) {
        if self.reserved.contains(index) {
            let only = self.only[index];
            self.for_one[only].remove(index);
            self.windows[only].remove(index);
        } else {
            self.for_all.remove(index);
        }
    }

    /// Closes `count` buffers from `index` on, which `source` has filled.
    #[inline]
    pub(crate) fn close_run(&mut self, source: DomainId, index: u32, count: u32) {
        self.for_all.remove_run(index, count);
        if !self.for_one[source].is_empty() {
            self.for_one[source].remove_run(index, count);
        }
    }

    /// The buffer that `source` fills next, and how many buffers it can fill, at least, from that one on
    /// without a gap. It is one buffer for `source` alone, or else those for anyone from request `oldest` on.
    #[inline(always)]
    pub(crate) fn first_run(&self, source: DomainId, oldest: u32) -> (u32, u32) {
        if !self.for_one[source].is_empty() {
            return (self.oldest_for(source, oldest), 1);
        }
        if self.for_all.is_empty() { (oldest, 0) } else { self.for_all.first_run(oldest) }
    }

    /// The oldest of the buffers that are for `source` alone. `oldest` if there are none.
    #[cold]
    fn oldest_for(&self, source: DomainId, oldest: u32) -> u32 {
        let next = oldest.wrapping_add(RING);
        let requests = self.for_one[source].from(oldest).map(|index| self.since[index]);
        requests.max_by_key(|index| next.wrapping_sub(*index)).unwrap_or(oldest)
    }

    /// Number of open buffers that anyone may fill.
    pub(crate) const fn open_to_anyone(&self) -> u32 {
        self.for_all.count()
    }

    /// The bytes of offer `index`.
    #[inline]
    pub(crate) fn span(&self, index: u32) -> Span {
        self.spans[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferry_layout::Address;

    fn span(number: u32) -> Span {
        Address { frame: number, offset: 0 }.span(16, 1 << 30).unwrap()
    }

    fn peer(number: u16) -> DomainId {
        DomainId::new(number).unwrap()
    }

    /// The buffer that `source` fills next, for a central whose next request has index `next`.
    fn find(offers: &Offers, source: DomainId, next: u32) -> Option<u32> {
        let (index, count) = offers.first_run(source, next.wrapping_sub(128));
        (count != 0).then_some(index)
    }

    #[test]
    fn a_buffer_for_one_peer_comes_before_those_for_anyone() {
        let mut offers = Offers::new();
        offers.put(0, span(0));
        offers.open_to_all(0, 1);
        offers.open_to_one(1, span(1), peer(1));
        assert_eq!(find(&offers, peer(1), 2), Some(1));
        assert_eq!(find(&offers, peer(2), 2), Some(0), "the other is not for it");
        offers.close(1);
        assert_eq!(find(&offers, peer(1), 2), Some(0));
        assert_eq!(offers.open_to_anyone(), 1);
    }

    #[test]
    fn the_oldest_buffer_for_a_peer_comes_first_however_long_it_is_open() {
        let mut offers = Offers::new();
        // Slots 70, 40 and 10, in the order in which they were posted. From the index of the last one, a walk
        // over slots alone would begin elsewhere.
        let indices = [70, 40 + 128, 10 + 3 * 128];
        for index in indices {
            offers.open_to_one(index, span(index % 128), peer(1));
        }
        for next in [500, 550, 600, 1000] {
            let mut left = indices.map(Some);
            for index in indices {
                assert_eq!(find(&offers, peer(1), next), Some(index), "at {next}, of {left:?}");
                offers.close(index);
                left[indices.iter().position(|other| *other == index).unwrap()] = None;
            }
            assert_eq!(find(&offers, peer(1), next), None);
            for index in indices {
                offers.open(index);
            }
        }
    }

    #[test]
    fn a_claimed_offer_opens_again_for_whom_it_was() {
        let mut offers = Offers::new();
        offers.open_to_one(0, span(0), peer(1));
        offers.put(1, span(1));
        offers.open_to_all(1, 1);
        for index in [0, 1] {
            offers.close(index);
            assert!(!offers.is_open(index));
            offers.open(index);
            assert!(offers.is_open(index));
        }
        assert_eq!((find(&offers, peer(1), 2), find(&offers, peer(2), 2)), (Some(0), Some(1)));
        // The same slot in its next use, for anyone.
        offers.close(0);
        offers.put(128, span(2));
        offers.open_to_all(128, 1);
        assert_eq!(offers.open_to_anyone(), 2);
        offers.close(128);
        assert_eq!((offers.is_open(128), offers.open_to_anyone()), (false, 1));
        offers.open(128);
        assert_eq!(offers.open_to_anyone(), 2, "nobody's in particular any more");
    }

    #[test]
    fn a_window_is_for_one_peer_and_for_what_lies_inside() {
        let mut offers = Offers::new();
        offers.open_window(5, span(3), peer(1));
        let inside = span(3).part(4, 12).unwrap();
        assert!(offers.has_window(peer(1), inside) && !offers.has_window(peer(2), inside));
        assert!(!offers.has_window(peer(1), span(4)));
        assert_eq!((offers.windows(peer(1)), offers.windows(peer(2))), (1, 0));
        assert_eq!(find(&offers, peer(1), 6), None, "a window is no buffer");
        offers.close(5);
        assert!(!offers.has_window(peer(1), inside) && offers.windows(peer(1)) == 0);
    }
}
