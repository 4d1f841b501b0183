//! The posted buffers of one client that wait for a message: where each lies, and whom it is for.
//!
//! Who may fill a buffer is answered by sets of ring slots, so that the oldest buffer for a source, and how many follow it, is
//! found without a search. A slot is in at most one set, and in none while a message under way has claimed it.

use ferry_layout::geometry::{MAX_CLIENTS, POST_SLOTS};
use ferry_layout::{DomainId, Span};

use crate::slots::SlotSet;
use crate::table::Table;

/// Any client, where none is meant.
const FIRST: DomainId = DomainId::new(0).unwrap();

/// The buffers, by the free-running index of the request that posted them.
#[repr(C)]
pub(crate) struct Offers {
    for_all: SlotSet,
    for_one: Table<SlotSet, MAX_CLIENTS>,
    spans: Table<Span, POST_SLOTS>,
    /// Slots whose buffer is for one client only, and that client. Says nothing of other slots.
    reserved: SlotSet,
    only: Table<DomainId, POST_SLOTS>,
}

impl Offers {
    pub(crate) const fn new() -> Self {
        Self {
            for_all: SlotSet::EMPTY,
            for_one: Table::new([SlotSet::EMPTY; MAX_CLIENTS]),
            spans: Table::new([Span::EMPTY; POST_SLOTS]),
            reserved: SlotSet::EMPTY,
            only: Table::new([FIRST; POST_SLOTS]),
        }
    }

    /// Forgets all of them, at the beginning of an epoch.
    pub(crate) fn clear(&mut self) {
        self.for_all = SlotSet::EMPTY;
        self.for_one = Table::new([SlotSet::EMPTY; MAX_CLIENTS]);
    }

    /// Writes down buffer `index`, which is for anyone and not open before [`open_to_all`](Self::open_to_all).
    #[inline]
    pub(crate) fn put(&mut self, index: u32, span: Span) {
        self.spans[index] = span;
    }

    /// `count` buffers from `index` on, written down just before, wait for messages.
    #[inline]
    pub(crate) fn open_to_all(&mut self, index: u32, count: u32) {
        self.for_all.insert_run(index, count);
        if !self.reserved.is_empty() {
            self.reserved.remove_run(index, count);
        }
    }

    /// Writes down buffer `index`, which waits for a message from `only`.
    pub(crate) fn open_to_one(&mut self, index: u32, span: Span, only: DomainId) {
        self.spans[index] = span;
        self.reserved.insert(index);
        self.only[index] = only;
        self.for_one[only].insert(index);
    }

    /// Those among which buffer `index` is while it waits.
    fn set_of(&mut self, index: u32) -> &mut SlotSet {
        if self.reserved.contains(index) { &mut self.for_one[self.only[index]] } else { &mut self.for_all }
    }

    /// Buffer `index` waits again.
    pub(crate) fn open(&mut self, index: u32) {
        self.set_of(index).insert(index);
    }

    /// Whether buffer `index` waits for a message.
    pub(crate) fn is_open(&self, index: u32) -> bool {
        let only = self.only[index];
        if self.reserved.contains(index) { &self.for_one[only] } else { &self.for_all }.contains(index)
    }

    /// Buffer `index` waits no more.
    pub(crate) fn close(&mut self, index: u32) {
        self.set_of(index).remove(index);
    }

    /// `count` buffers from `index` on, which `source` may fill, wait no more.
    #[inline]
    pub(crate) fn close_run(&mut self, source: DomainId, index: u32, count: u32) {
        self.for_all.remove_run(index, count);
        if !self.for_one[source].is_empty() {
            self.for_one[source].remove_run(index, count);
        }
    }

    /// The first buffer from request `oldest` on that `source` may fill, and how many there are, at least, from it on without a gap.
    #[inline(always)]
    pub(crate) fn first_run(&self, source: DomainId, oldest: u32) -> (u32, u32) {
        let both = self.for_all.union(&self.for_one[source]);
        if both.is_empty() { (oldest, 0) } else { both.first_run(oldest) }
    }

    /// The bytes of buffer `index`.
    #[inline]
    pub(crate) fn span(&self, index: u32) -> Span {
        self.spans[index]
    }
}
