//! What a turn has done and not yet made visible. `settle.rs` makes it visible, in one order.

use core::mem::offset_of;
use core::ops::Range;

use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{DomainId, Status};
use heapless::Vec;

use crate::buffer::joined;
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
    /// The fields before this offset are read in every round.
    pub(crate) const BYTES_OF_EVERY_ROUND: usize = offset_of!(Self, requests);

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
            if same && let Some(frames) = joined(&earlier.frames, &run.frames) {
                earlier.frames = frames;
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

#[cfg(test)]
mod tests {
    use super::*;

    type Act = fn(&mut Pending);
    /// How a message is noted, and what is noted.
    type Note = fn(&mut Pending, Finished) -> bool;
    type Noted = fn(&Pending) -> &[Finished];
    /// The first frame of a run, and the one behind it.
    type Frames = (u32, u32);

    fn client(number: u16) -> DomainId {
        DomainId::new(number).unwrap()
    }

    fn one(index: u32, target: u16, sequence: u64) -> Finished {
        Finished { index, messages: 1, parts: 1, target: client(target), sequence, bytes: 10 }
    }

    /// Only a message of one part that lies behind the noted ones, in the ring and in their flow, becomes
    /// part of their entry.
    #[test]
    fn an_entry_stands_for_messages_that_follow_each_other() {
        let chain = Finished { parts: 2, ..one(6, 1, 8) };
        let others =
            [one(6, 2, 8), one(7, 1, 8), one(4, 1, 8), one(6, 1, 9), chain, Finished { index: 5, ..chain }];
        let ways: [(Note, Noted); 2] =
            [(Pending::finish, Pending::finished), (Pending::carry, Pending::carried)];
        for (note, noted) in ways {
            for other in others {
                let mut pending = Pending::new();
                assert!(note(&mut pending, one(5, 1, 7)) && note(&mut pending, other));
                assert_eq!(noted(&pending).len(), 2, "{} {}", other.index, other.sequence);
            }
            let mut pending = Pending::new();
            assert!(note(&mut pending, one(5, 1, 7)) && note(&mut pending, one(6, 1, 8)));
            assert!(note(&mut pending, one(7, 1, 9)));
            let [entry] = noted(&pending) else { panic!("one entry stands for all") };
            assert_eq!((entry.index, entry.messages, entry.sequence, entry.bytes), (5, 3, 7, 30));
        }
    }

    #[test]
    fn whoever_gets_something_is_noted() {
        let mut pending = Pending::new();
        assert!(pending.finish(one(5, 1, 7)) && pending.finish(one(6, 2, 0)));
        pending.inspect(client(3));
        pending.note_requests(client(4));
        let set = |numbers: &[u16]| {
            let mut set = ClientSet::EMPTY;
            for number in numbers {
                set.insert(client(*number));
            }
            set
        };
        assert_eq!((pending.targets(), pending.requests()), (set(&[1, 2, 3]), set(&[1, 2, 3, 4])));
        assert!(!pending.is_empty());
        pending.clear();
        assert!(pending.is_empty() && pending.targets().is_empty() && pending.requests().is_empty());
    }

    /// A turn ends when there may be no place for another end, be it a delivery or a refusal.
    #[test]
    fn it_is_full_when_either_kind_of_end_has_no_place() {
        let slots = u32::try_from(TRANSMIT_SLOTS).unwrap();
        let (mut finished, mut refused) = (Pending::new(), Pending::new());
        for index in 0..slots {
            assert!(!finished.is_full() && !refused.is_full());
            assert!(finished.finish(one(index, u16::try_from(index % 2).unwrap(), index.into())));
            assert!(refused.refuse(Refused { index, status: Status::Denied }));
        }
        assert!(finished.is_full() && refused.is_full());
    }

    #[test]
    fn what_waits_to_become_visible_is_told_apart() {
        let cases: [(Act, bool, bool); 7] = [
            (|_| {}, true, true),
            (|it| assert!(it.note_run(run(0..1)).is_ok()), true, true),
            (|it| it.note_requests(client(1)), true, false),
            (|it| it.inspect(client(1)), true, false),
            (|it| assert!(it.carry(one(0, 1, 0))), true, false),
            (|it| assert!(it.finish(one(0, 1, 0))), false, false),
            (|it| assert!(it.refuse(Refused { index: 0, status: Status::Denied })), false, false),
        ];
        for (number, (act, has_no_end, has_nothing)) in cases.into_iter().enumerate() {
            let mut pending = Pending::new();
            act(&mut pending);
            assert_eq!(pending.has_no_end(), has_no_end, "{number}");
            let shows_nothing =
                pending.has_no_end() && pending.carried().is_empty() && pending.requests().is_empty();
            assert_eq!(shows_nothing, has_nothing, "{number}");
            #[cfg(feature = "express")]
            assert_eq!(pending.has_nothing_to_show(), has_nothing, "{number}");
        }
    }

    fn run(frames: Range<u32>) -> MappedRun {
        MappedRun { client: client(1), side: Side::Receive, frames }
    }

    /// Runs of one buffer that touch are one run, whichever comes first. Others are not.
    #[test]
    fn runs_that_touch_are_one() {
        let ways: [(Frames, &[Frames]); 6] = [
            ((6, 8), &[(4, 8)]),
            ((2, 4), &[(2, 6)]),
            ((3, 9), &[(3, 9)]),
            ((5, 6), &[(4, 6)]),
            ((7, 8), &[(4, 6), (7, 8)]),
            ((1, 3), &[(4, 6), (1, 3)]),
        ];
        for ((start, end), expected) in ways {
            let mut pending = Pending::new();
            assert!(pending.note_run(run(4..6)).is_ok() && pending.note_run(run(start..end)).is_ok());
            let runs = pending.runs().iter().map(|run| (run.frames.start, run.frames.end));
            assert_eq!(runs.collect::<Vec<_, 2>>(), expected);
        }
        for other in
            [MappedRun { client: client(2), ..run(6..8) }, MappedRun { side: Side::Transmit, ..run(6..8) }]
        {
            let mut pending = Pending::new();
            assert!(pending.note_run(run(4..6)).is_ok() && pending.note_run(other).is_ok());
            assert_eq!(pending.runs().len(), 2);
        }
    }
}
