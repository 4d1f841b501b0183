//! What a turn has done and not yet made visible. `settle.rs` makes it visible, in one order.

use core::ops::Range;

use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{DomainId, Status};
use heapless::Vec;

use crate::machine::Side;
use crate::table::ClientSet;

/// What is not visible yet. The fields lie in memory in this order.
#[repr(C)]
pub(crate) struct Pending {
    /// Something was noted since everything was last visible.
    is_used: bool,
    /// Clients whose requests were taken or used.
    requests: ClientSet,
    /// Clients to which something is delivered.
    targets: ClientSet,
    /// Frames to unmap before anything becomes visible.
    runs: Vec<MappedRun, RUNS>,
    /// Each entry stands for at least one slot of the source's ring, and no slot is in two entries. So there
    /// is room for all; see [`is_full`](Self::is_full).
    finished: Vec<Finished, TRANSMIT_SLOTS>,
    refused: Vec<Refused, TRANSMIT_SLOTS>,
    /// Messages of one-way flows that were delivered or dropped. What entries stand for does not depend on
    /// which of the two it was.
    carried: Vec<Finished, TRANSMIT_SLOTS>,
}

/// Most runs of frames that one turn can have mapped at a time.
const RUNS: usize = 32;

/// Frames of one buffer that were mapped for messages of this turn.
#[derive(Clone)]
pub(crate) struct MappedRun {
    pub(crate) client: DomainId,
    pub(crate) side: Side,
    pub(crate) frames: Range<u32>,
}

/// Messages that end with `Done`: one message, or several of one part each that lie in consecutive slots and
/// were carried one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Finished {
    /// First slot.
    pub(crate) index: u32,
    pub(crate) messages: u32,
    /// Parts of each message.
    pub(crate) parts: u32,
    pub(crate) target: DomainId,
    /// Number of the first message in its flow.
    pub(crate) sequence: u64,
    /// Bytes of all messages.
    pub(crate) bytes: u64,
}

/// A message that ends with a status other than `Done`.
#[derive(Clone, Copy)]
pub(crate) struct Refused {
    /// First slot.
    pub(crate) index: u32,
    pub(crate) status: Status,
}

/// There is no room to note another run.
pub(crate) struct NoRoom;

impl Finished {
    /// Whether `next` begins where this ends, so that one entry can stand for both.
    #[inline]
    fn is_followed_by(&self, next: &Self) -> bool {
        (self.parts, next.parts) == (1, 1)
            && self.target == next.target
            && next.index == self.index.wrapping_add(self.messages)
            && next.sequence == self.sequence.wrapping_add(self.messages.into())
    }
}

impl Pending {
    pub(crate) const fn new() -> Self {
        Self {
            is_used: false,
            requests: ClientSet::EMPTY,
            targets: ClientSet::EMPTY,
            runs: Vec::new(),
            finished: Vec::new(),
            refused: Vec::new(),
            carried: Vec::new(),
        }
    }

    /// Whether nothing is left to make visible.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        !self.is_used
    }

    /// Whether there may be no place for the end of another message. Then the turn ends.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.is_used && (self.finished.is_full() || self.refused.is_full())
    }

    /// Whether no end of a message waits to become visible, be it a delivery or a refusal.
    #[inline]
    pub(crate) fn has_no_end(&self) -> bool {
        !self.is_used || (self.finished.is_empty() && self.refused.is_empty())
    }

    /// Whether nothing waits to become visible. Frames may be mapped.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn has_nothing_to_show(&self) -> bool {
        self.has_no_end() && self.carried.is_empty() && self.requests.is_empty()
    }

    /// Notes a run. If it touches an earlier run, it becomes part of that one. Messages of one turn often
    /// share frames, which are then mapped and unmapped once. Must be called before the frames are mapped.
    #[inline]
    pub(crate) fn note_run(&mut self, run: MappedRun) -> Result<(), NoRoom> {
        self.is_used = true;
        for earlier in self.runs.iter_mut().rev() {
            let same = earlier.client == run.client && earlier.side == run.side;
            if same && run.frames.start <= earlier.frames.end && earlier.frames.start <= run.frames.end {
                earlier.frames.start = earlier.frames.start.min(run.frames.start);
                earlier.frames.end = earlier.frames.end.max(run.frames.end);
                return Ok(());
            }
        }
        self.runs.push(run).map_err(|_| NoRoom)
    }

    /// Whether `count` more runs can be noted.
    #[inline]
    pub(crate) fn has_room_for_runs(&self, count: usize) -> bool {
        self.runs.capacity() - self.runs.len() >= count
    }

    /// The runs.
    #[inline]
    pub(crate) fn runs(&self) -> &[MappedRun] {
        &self.runs
    }

    /// Forgets the runs, after all of them were unmapped.
    #[inline]
    pub(crate) fn forget_runs(&mut self) {
        self.runs.clear();
    }

    /// Notes messages that are delivered. If they continue the entry that was noted last, they become part of
    /// it. Returns `false` if there is no place, which [`is_full`](Self::is_full) has reported before.
    #[inline]
    pub(crate) fn finish(&mut self, finished: Finished) -> bool {
        self.is_used = true;
        if let Some(last) = self.finished.last_mut()
            && last.is_followed_by(&finished)
        {
            last.messages += finished.messages;
            last.bytes += finished.bytes;
            return true;
        }
        self.requests.insert(finished.target);
        self.targets.insert(finished.target);
        self.finished.push(finished).is_ok()
    }

    /// Notes a message that is refused. Returns `false` if there is no place, which
    /// [`is_full`](Self::is_full) has reported before.
    pub(crate) fn refuse(&mut self, refused: Refused) -> bool {
        self.is_used = true;
        self.refused.push(refused).is_ok()
    }

    /// Notes that something to inspect, or a message of a one-way flow, is delivered to `client`.
    pub(crate) const fn inspect(&mut self, client: DomainId) {
        self.is_used = true;
        self.requests.insert(client);
        self.targets.insert(client);
    }

    /// Notes a message of a one-way flow that was delivered or dropped. Returns `false` if there is no place.
    /// There is one for each slot of the ring, and a slot comes once in a turn.
    pub(crate) fn carry(&mut self, carried: Finished) -> bool {
        self.is_used = true;
        if let Some(last) = self.carried.last_mut()
            && last.is_followed_by(&carried)
        {
            last.messages += carried.messages;
            last.bytes += carried.bytes;
            return true;
        }
        self.carried.push(carried).is_ok()
    }

    /// Notes that requests of `client` were taken.
    pub(crate) const fn note_requests(&mut self, client: DomainId) {
        self.is_used = true;
        self.requests.insert(client);
    }

    /// Clients whose requests were taken or used.
    #[inline]
    pub(crate) const fn requests(&self) -> ClientSet {
        self.requests
    }

    /// Clients to which something is delivered.
    #[inline]
    pub(crate) const fn targets(&self) -> ClientSet {
        self.targets
    }

    #[inline]
    pub(crate) fn finished(&self) -> &[Finished] {
        &self.finished
    }

    #[inline]
    pub(crate) fn carried(&self) -> &[Finished] {
        &self.carried
    }

    #[inline]
    pub(crate) fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Forgets everything but the runs, after it has become visible.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.is_used = false;
        self.finished.clear();
        self.refused.clear();
        self.carried.clear();
        self.requests = ClientSet::EMPTY;
        self.targets = ClientSet::EMPTY;
    }
}
