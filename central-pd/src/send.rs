//! Sends that central has taken: its own checked copies of descriptors, in a table by transmit slot.
//!
//! A message is one part, or a chain of parts. The entry of the first part stands for the whole message. The
//! entries of the other parts only say which bytes they add, and which part comes next: between two parts
//! there may be slots that were in use.

use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{DomainId, Kind, Span, flags};

use crate::slots::SlotSet;
use crate::table::Table;

/// Sends of one flow that wait, in order: the free-running indices of the oldest and of the newest. The links
/// between them lie in the source's table.
pub(crate) type Queue = Option<(u32, u32)>;

/// One part of a message. The fields after `rest` have a meaning in the first part only.
#[derive(Clone, Copy)]
pub(crate) struct Send {
    /// The bytes, in the source's transmit buffer.
    pub(crate) span: Span,
    /// Index of the next part. Without a meaning in the last part.
    pub(crate) rest: u32,
    /// Where the bytes go: the place that the sender named, or the buffer that was claimed when the transfer
    /// began.
    pub(crate) destination: Span,
    pub(crate) header: Header,
    /// Index of the first descriptor.
    pub(crate) index: u32,
    pub(crate) tag: u64,
    /// Bytes of all parts.
    pub(crate) total: u32,
    /// Bytes already copied. More than 0 only while a large message is under way.
    pub(crate) copied: u32,
    /// Index of the target's receive request that the message has claimed.
    pub(crate) claimed: Option<u32>,
    /// Tick at which the message expires.
    pub(crate) deadline: Option<u32>,
    /// The next send that waits in the same flow. Without a meaning in the newest one.
    pub(crate) next: u32,
}

/// What sort of message it is, and where it goes.
///
/// Aligned so that it is one word to copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(4))]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// Those of the descriptor, and [`AUDITED`].
    pub(crate) flags: u8,
    /// Parts of the message, at least 1.
    pub(crate) parts: u8,
    pub(crate) target: DomainId,
}

const _: () = assert!(size_of::<Header>() == 4);

impl Header {
    /// That of a message of one part, for the next buffer.
    pub(crate) const fn simple(target: DomainId, flags: u8) -> Self {
        Self { kind: Kind::NextBuffer, flags, parts: 1, target }
    }

    /// The same, and the audit log gets the delivery.
    pub(crate) const fn audited(self) -> Self {
        Self { flags: self.flags | AUDITED, ..self }
    }
}

/// In [`Header::flags`]: the audit log gets the delivery of this message. No descriptor can have it.
pub(crate) const AUDITED: u8 = 0x40;
const _: () = assert!(flags::ALL & AUDITED == 0);

/// Which messages a turn carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Only urgent ones. Others are taken from the ring and wait.
    Urgent,
    /// All.
    Any,
}

impl Class {
    /// Whether messages with this header are not carried, and wait.
    #[inline]
    pub(crate) const fn passes_over(self, header: Header) -> bool {
        matches!(self, Self::Urgent) && header.flags & flags::URGENT == 0
    }
}

impl Send {
    const EMPTY: Self = Self {
        span: Span::EMPTY,
        rest: 0,
        destination: Span::EMPTY,
        header: Header::simple(DomainId::new(0).unwrap(), 0),
        index: 0,
        tag: 0,
        total: 0,
        copied: 0,
        claimed: None,
        deadline: None,
        next: 0,
    };

    /// Whether the transfer has begun, so that it can no longer expire. The step that claims a buffer also
    /// copies the first bytes, or ends the message.
    pub(crate) const fn is_under_way(&self) -> bool {
        self.copied > 0
    }

    /// Records send `index`, of one part, for the next buffer and without a deadline.
    /// [`Sends::enqueue_simple`] puts it at the end of its flow's queue.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) const fn put_simple(&mut self, index: u32, span: Span, header: Header, tag: u64) {
        // Written where it lies, field by field: a copy of the whole would cost more. The destination has no
        // meaning before a buffer is claimed, and there is no next part.
        (self.span, self.header) = (span, header);
        (self.index, self.tag) = (index, tag);
        (self.total, self.copied) = (span.length(), 0);
        (self.claimed, self.deadline) = (None, None);
        self.next = index.wrapping_add(1);
    }

    /// Whether the deadline lies in the past at tick `now`.
    const fn is_past(&self, now: u32) -> bool {
        match self.deadline {
            Some(deadline) => has_passed(deadline, now),
            None => false,
        }
    }
}

/// Whether a deadline lies in the past at tick `now`. Half the range of ticks is past, half is to come.
pub(crate) const fn has_passed(deadline: u32, now: u32) -> bool {
    now.wrapping_sub(deadline) < u32::MAX / 2
}

/// The sends of one client.
#[repr(C)]
pub(crate) struct Sends {
    /// No slot is occupied, and the client has been told of every late end. This may be false although it is
    /// so; [`ended_late`](Self::ended_late) finds that out.
    none_waits: bool,
    /// Slots of waiting sends, with all their parts.
    occupied: SlotSet,
    /// Slots of waiting sends that have become free in this epoch, and how many of these the client has been
    /// told of.
    ended_late: u32,
    shown_late: u32,
    /// Waiting sends with a deadline.
    pub(crate) with_deadline: u32,
    /// Slots of waiting sends that [`Send::put_simple`] has recorded. It has a meaning only for
    /// sends in flows with guards.
    simple: SlotSet,
    table: Table<Send, TRANSMIT_SLOTS>,
}

impl Sends {
    pub(crate) const fn new() -> Self {
        Self {
            none_waits: true,
            occupied: SlotSet::EMPTY,
            ended_late: 0,
            shown_late: 0,
            with_deadline: 0,
            simple: SlotSet::EMPTY,
            table: Table::new([Send::EMPTY; TRANSMIT_SLOTS]),
        }
    }

    /// Forgets everything, at the beginning of an epoch. Nothing waits any more, and entries are written
    /// before they are read.
    pub(crate) const fn clear(&mut self) {
        self.none_waits = true;
        self.occupied = SlotSet::EMPTY;
        (self.ended_late, self.shown_late) = (0, 0);
    }

    /// Takes over the number of late ends that an earlier central has told the client.
    pub(crate) const fn resume(&mut self, shown_late: u32) {
        (self.ended_late, self.shown_late) = (shown_late, shown_late);
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

    /// Records a part that is not the first, or any part of a message that is refused.
    pub(crate) fn put_part(&mut self, index: u32, span: Span) {
        self.table[index] = Send { span, ..Send::EMPTY };
    }

    /// The indices of a message's parts, the first one first.
    #[inline]
    pub(crate) fn parts(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        let parts = usize::from(self.table[first].header.parts);
        core::iter::successors(Some(first), |index| Some(self.table[*index].rest)).take(parts)
    }

    /// Notes that message `first` waits, so that its slots are not free when the ring comes round to them.
    pub(crate) fn occupy(&mut self, first: u32) {
        let mut occupied = self.occupied;
        self.parts(first).for_each(|part| occupied.insert(part));
        self.occupied = occupied;
        self.none_waits = false;
    }

    /// Notes that `count` messages of one part each wait, in consecutive slots from `first` on.
    pub(crate) const fn occupy_run(&mut self, first: u32, count: u32) {
        self.occupied.insert_run(first, count);
        self.none_waits = false;
    }

    /// Notes that the waiting messages in `slots`, of one part each, have their final status.
    pub(crate) const fn release_all(&mut self, slots: SlotSet) {
        self.occupied = self.occupied.without(slots);
        self.ended_late = self.ended_late.wrapping_add(slots.count());
    }

    /// Notes that `messages` messages have their final status, whether or not they waited. It is one message
    /// with all its parts, or several of one part each in consecutive slots from `first` on.
    #[inline]
    pub(crate) fn release(&mut self, first: u32, messages: u32) {
        if !self.none_waits {
            self.release_occupied(first, messages);
        }
    }

    #[inline(never)]
    fn release_occupied(&mut self, first: u32, messages: u32) {
        if self.occupied.is_empty() {
            return;
        }
        if messages != 1 {
            // All are of one part.
            let before = self.occupied.count();
            self.occupied.remove_run(first, messages);
            self.ended_late = self.ended_late.wrapping_add(before - self.occupied.count());
            return;
        }
        if self.occupied.contains(first) {
            let mut occupied = self.occupied;
            self.parts(first).for_each(|part| occupied.remove(part));
            self.ended_late = self.ended_late.wrapping_add(u32::from(self.table[first].header.parts));
            self.occupied = occupied;
        }
    }

    /// How many slots from `index` on are free, up to the first that a waiting send occupies. At most `most`.
    #[inline]
    pub(crate) fn free_run(&self, index: u32, most: u32) -> u32 {
        if self.none_waits { most } else { most.min(self.occupied.gap_from(index)) }
    }

    /// Whether the slot of `index` belongs to a waiting send.
    pub(crate) const fn is_occupied(&self, index: u32) -> bool {
        self.occupied.contains(index)
    }

    /// How many slots from `index` on waiting sends occupy, up to the first that is free.
    pub(crate) const fn occupied_run(&self, index: u32) -> u32 {
        self.occupied.run_from(index)
    }

    /// Number of slots of waiting sends that have become free in this epoch. `None` if the client has been
    /// told of all. The caller tells the client.
    #[inline]
    pub(crate) fn ended_late(&mut self) -> Option<u32> {
        if self.none_waits { None } else { self.untold_ends() }
    }

    #[inline(never)]
    fn untold_ends(&mut self) -> Option<u32> {
        self.none_waits = self.occupied.is_empty();
        let told = core::mem::replace(&mut self.shown_late, self.ended_late);
        (told != self.ended_late).then_some(self.ended_late)
    }

    /// Puts `count` sends, at least 1, from `first` on, which were just recorded, at the end of their flow's
    /// queue.
    #[cfg(feature = "express")]
    pub(crate) fn enqueue_simple(&mut self, queue: &mut Queue, first: u32, count: u32) {
        self.simple.insert_run(first, count);
        let newest = first.wrapping_add(count).wrapping_sub(1);
        *queue = match *queue {
            None => Some((first, newest)),
            Some((oldest, last)) => {
                self.table[last].next = first;
                Some((oldest, newest))
            }
        };
    }

    /// Notes that waiting send `index` was not recorded by [`Send::put_simple`].
    pub(crate) const fn note_ordinary(&mut self, index: u32) {
        self.simple.remove(index);
    }

    /// How many sends from `index` on [`Send::put_simple`] has recorded, without a gap.
    #[cfg(feature = "express")]
    pub(crate) const fn simple_run(&self, index: u32) -> u32 {
        self.simple.run_from(index)
    }

    /// The sends from `index` up to the end of the table.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn run(&self, index: u32) -> &[Send] {
        self.table.run(index)
    }

    /// As [`run`](Self::run), to record them.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn run_mut(&mut self, index: u32) -> &mut [Send] {
        self.table.run_mut(index)
    }

    /// How many sends from `first` on follow each other in a flow's queue, whose newest is `newest`, and lie
    /// in consecutive slots. At most `most`.
    #[cfg(feature = "express")]
    pub(crate) fn linked_run(&self, first: u32, newest: u32, most: u32) -> u32 {
        let most = most.min(newest.wrapping_sub(first).wrapping_add(1));
        let is_last = |number: &u32| !self.is_followed_at_once(first.wrapping_add(*number));
        (0..most).find(is_last).map_or(most, |last| last + 1)
    }

    /// Whether the send after waiting send `index` in its flow's queue, of which that is not the last, is in
    /// the next slot.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) fn is_followed_at_once(&self, index: u32) -> bool {
        self.table[index].next == index.wrapping_add(1)
    }

    /// Records that `count` slots, from `first` on up to the end of the table at most, have a guard's
    /// verdicts, which are not messages.
    #[cfg(feature = "express")]
    pub(crate) fn put_verdicts(&mut self, first: u32, count: u32) {
        for (entry, number) in self.table.run_mut(first).iter_mut().zip(0..count) {
            entry.index = first.wrapping_add(number);
        }
    }

    /// Puts send `index` at the end of its flow's queue.
    pub(crate) fn enqueue(&mut self, queue: &mut Queue, index: u32) {
        self.with_deadline += u32::from(self.table[index].deadline.is_some());
        *queue = match *queue {
            None => Some((index, index)),
            Some((first, last)) => {
                self.table[last].next = index;
                Some((first, index))
            }
        };
    }

    /// What follows the oldest send of a queue that begins with `first` and ends with `last`.
    #[inline]
    pub(crate) fn rest_of_queue(&self, first: u32, last: u32) -> Queue {
        (first != last).then(|| (self.table[first].next, last))
    }

    /// Takes the oldest waiting send out of its flow's queue.
    pub(crate) fn dequeue(&mut self, queue: &mut Queue) -> Option<u32> {
        let (first, last) = (*queue)?;
        let send = &self.table[first];
        self.with_deadline = self.with_deadline.saturating_sub(u32::from(send.deadline.is_some()));
        *queue = self.rest_of_queue(first, last);
        Some(first)
    }

    /// Takes out of a flow's queue the sends whose deadline is past at tick `now`, unless their transfer has
    /// begun. Returns their slots.
    pub(crate) fn dequeue_expired(&mut self, waiting: &mut Queue, now: u32) -> SlotSet {
        let mut expired = SlotSet::EMPTY;
        let mut queue = core::mem::take(waiting);
        while let Some((first, last)) = queue {
            let send = self.table[first];
            queue = self.rest_of_queue(first, last);
            self.with_deadline = self.with_deadline.saturating_sub(u32::from(send.deadline.is_some()));
            if send.is_past(now) && !send.is_under_way() {
                expired.insert(first);
            } else {
                self.enqueue(waiting, first);
            }
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The express lane writes over an earlier send.
    #[cfg(feature = "express")]
    #[test]
    fn nothing_is_left_of_an_earlier_send() {
        let mut sends = Sends::new();
        let span = ferry_layout::Address { frame: 1, offset: 2 }.span(3, 1 << 20).unwrap();
        let target = DomainId::new(4).unwrap();
        let earlier = Send {
            destination: span,
            header: Header { kind: Kind::Placed, flags: u8::MAX, parts: 16, target },
            copied: 7,
            claimed: Some(1),
            deadline: Some(2),
            next: 3,
            ..Send::EMPTY
        };
        sends.put(5, earlier);
        sends.put(6, earlier);
        let [plain, audited] = [0, AUDITED].map(|flags| Header::simple(DomainId::new(5).unwrap(), flags));
        sends.get_mut(5).put_simple(5, span, audited, 8);
        sends.get_mut(6).put_simple(6, span, plain, 9);
        sends.get_mut(9).put_simple(9, span, plain, 10);
        let Send { header, index, total, copied, claimed, deadline, .. } = *sends.get(5);
        assert_eq!((header.kind, header.flags, header.parts), (Kind::NextBuffer, AUDITED, 1));
        assert_eq!((index, total, copied, claimed, deadline), (5, 3, 0, None, None));
        assert_eq!((sends.get(5).span, sends.get(5).tag), (span, 8));
        assert_eq!((header.target.number(), plain.audited()), (5, audited));
        let mut queue = None;
        sends.enqueue_simple(&mut queue, 5, 2);
        sends.enqueue_simple(&mut queue, 9, 1);
        assert_eq!((sends.simple_run(5), sends.simple_run(6), sends.simple_run(7)), (2, 1, 0));
        assert!(sends.is_followed_at_once(5) && !sends.is_followed_at_once(6));
        assert_eq!([(); 3].map(|()| sends.dequeue(&mut queue)), [5, 6, 9].map(Some));
        assert_eq!((sends.dequeue(&mut queue), queue), (None, None));
        sends.note_ordinary(6);
        assert_eq!((sends.simple_run(5), sends.simple_run(6)), (1, 0));
    }

    #[test]
    fn deadlines_wrap() {
        for (deadline, now, is_past) in [
            (5, 4, false),
            (5, 5, true),
            (5, 6, true),
            (2, u32::MAX, false),
            (u32::MAX, 1, true),
            (0, u32::MAX / 2 - 1, true),
            (0, u32::MAX / 2, false),
        ] {
            let send = Send { deadline: Some(deadline), ..Send::EMPTY };
            assert_eq!(send.is_past(now), is_past, "{deadline} at {now}");
        }
        assert!(!Send::EMPTY.is_past(u32::MAX));
    }

    /// Messages of two flows lie in turn in the ring. Those of one flow are a run up to where a message of
    /// the other one lies between, or to where the flow ends.
    #[cfg(feature = "express")]
    #[test]
    fn a_linked_run_ends_where_the_next_send_of_the_flow_is_elsewhere() {
        let mut sends = Sends::new();
        for index in 0..8 {
            let header = Header::simple(DomainId::new(4).unwrap(), 0);
            sends.get_mut(index).put_simple(index, Span::EMPTY, header, 0);
        }
        let (mut one, mut other) = (None, None);
        sends.enqueue_simple(&mut one, 0, 3);
        sends.enqueue_simple(&mut other, 3, 1);
        sends.enqueue_simple(&mut one, 4, 2);
        assert_eq!((one, other), (Some((0, 5)), Some((3, 3))));
        for (first, most, run) in
            [(0, 9, 3), (1, 9, 2), (2, 9, 1), (0, 2, 2), (0, 3, 3), (4, 9, 2), (5, 9, 1)]
        {
            assert_eq!(sends.linked_run(first, 5, most), run, "from {first}, at most {most}");
        }
        assert_eq!((sends.linked_run(3, 3, 9), sends.linked_run(3, 3, 0)), (1, 0));
    }
}
