//! Sends that central has taken: its own copies of descriptors, checked, in a table by transmit slot.
//!
//! A message is one part, or a chain of parts in consecutive slots. The first part's entry speaks for the whole
//! message; the entries of the others only say which bytes they add.

use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{DomainId, Kind, Span};

use crate::flow::Flow;
use crate::slots::SlotSet;
use crate::table::Table;

/// One part of a message. The fields after `span` count in the first part only.
#[derive(Clone, Copy)]
pub(crate) struct Send {
    /// The bytes, in the source's transmit buffer.
    pub(crate) span: Span,
    /// Where they go: what the sender placed, or the buffer that was claimed when the transfer began.
    pub(crate) destination: Span,
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    /// Parts of the message, at least 1.
    pub(crate) parts: u8,
    pub(crate) target: DomainId,
    pub(crate) tag: u64,
    /// Bytes of all parts.
    pub(crate) total: u32,
    /// Bytes already copied. More than 0 only while a large message is under way.
    pub(crate) copied: u32,
    /// Index of the target's receive request that was claimed.
    pub(crate) claimed: Option<u32>,
    /// Tick at which it expires.
    pub(crate) deadline: Option<u32>,
    /// The next send that waits in the same flow.
    pub(crate) next: Option<u32>,
}

impl Send {
    const EMPTY: Self = Self {
        span: Span::EMPTY,
        destination: Span::EMPTY,
        kind: Kind::NextBuffer,
        flags: 0,
        parts: 1,
        target: DomainId::new(0).unwrap(),
        tag: 0,
        total: 0,
        copied: 0,
        claimed: None,
        deadline: None,
        next: None,
    };

    /// Whether the transfer has begun, so that it can no longer expire.
    pub(crate) const fn is_under_way(&self) -> bool {
        self.copied > 0 || self.claimed.is_some()
    }

    /// Whether its deadline lies in the past at tick `now`.
    const fn is_past(&self, now: u32) -> bool {
        match self.deadline {
            // Half the range of ticks is past, half is to come.
            Some(deadline) => now.wrapping_sub(deadline) < u32::MAX / 2,
            None => false,
        }
    }
}

/// The sends of one client.
#[repr(C)]
pub(crate) struct Sends {
    /// Slots whose send has come to its end but could not be released yet, because an older one has not.
    finished: SlotSet,
    /// Waiting sends with a deadline.
    pub(crate) with_deadline: u32,
    table: Table<Send, TRANSMIT_SLOTS>,
}

impl Sends {
    pub(crate) const fn new() -> Self {
        Self { table: Table::new([Send::EMPTY; TRANSMIT_SLOTS]), finished: SlotSet::EMPTY, with_deadline: 0 }
    }

    /// Forgets everything, at the beginning of an epoch. Entries are written before they are read.
    pub(crate) const fn clear(&mut self) {
        self.finished = SlotSet::EMPTY;
        self.with_deadline = 0;
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> &Send {
        &self.table[index]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> &mut Send {
        &mut self.table[index]
    }

    #[inline]
    pub(crate) fn put(&mut self, index: u32, send: Send) {
        self.table[index] = send;
    }

    /// Notes that `count` slots from `index` on have their final status, although an older one has not.
    #[inline]
    pub(crate) const fn finish(&mut self, index: u32, count: u32) {
        self.finished.insert_run(index, count);
    }

    /// Whether no slot waits for an older one to come to its end.
    #[inline]
    pub(crate) const fn none_finished(&self) -> bool {
        self.finished.is_empty()
    }

    /// How many slots from the oldest, `released`, on are finished; they are forgotten here.
    #[inline]
    pub(crate) fn finished_run(&mut self, released: u32) -> u32 {
        let run = self.finished.run_from(released);
        self.finished.remove_run(released, run);
        run
    }

    /// Puts send `index` at the end of its flow's queue.
    pub(crate) fn enqueue(&mut self, flow: &mut Flow, index: u32) {
        self.table[index].next = None;
        self.with_deadline += u32::from(self.table[index].deadline.is_some());
        flow.waiting = match flow.waiting {
            None => Some((index, index)),
            Some((first, last)) => {
                self.table[last].next = Some(index);
                Some((first, index))
            }
        };
    }

    /// Takes the oldest waiting send out of its flow's queue.
    pub(crate) fn dequeue(&mut self, flow: &mut Flow) -> Option<u32> {
        let (first, last) = flow.waiting?;
        let send = &self.table[first];
        self.with_deadline = self.with_deadline.saturating_sub(u32::from(send.deadline.is_some()));
        flow.waiting = send.next.filter(|_| first != last).map(|next| (next, last));
        Some(first)
    }

    /// Takes those out of a flow's queue whose deadline is past at tick `now`, unless their transfer has begun.
    pub(crate) fn dequeue_expired(&mut self, flow: &mut Flow, now: u32) -> SlotSet {
        let mut expired = SlotSet::EMPTY;
        let mut queue = core::mem::take(&mut flow.waiting);
        while let Some((first, last)) = queue {
            let send = self.table[first];
            queue = send.next.filter(|_| first != last).map(|next| (next, last));
            self.with_deadline = self.with_deadline.saturating_sub(u32::from(send.deadline.is_some()));
            if send.is_past(now) && !send.is_under_way() {
                expired.insert(first);
            } else {
                self.enqueue(flow, first);
            }
        }
        expired
    }
}
