//! The status of a transmit slot (r15, r25).

use crate::geometry::DomainId;
use crate::sync::{AtomicU64, Ordering};

/// What became of a send. Central writes it, once for each outcome. The numbers are ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Status {
    /// The slot was never used in this epoch.
    Free = 0,
    /// Central has taken the descriptor, and it waits: for a posted buffer, for room at the target, or for
    /// its turn. In a one-way flow it waits for the next tick.
    Queued = 1,
    /// Copied, filed with the target, and (mapping policy `each`) both buffers are unmapped again. In a
    /// one-way flow: central has done with it, whether it was delivered or dropped.
    Done = 2,
    /// The system has no flow from this client to that target, or the flow does not grant the urgent class,
    /// or the flow is one-way and the message is a chain or placed.
    Denied = 3,
    /// The system has no client of that number.
    NoTarget = 4,
    /// The source range does not lie inside the client's transmit region.
    BadSource = 5,
    /// The destination range does not lie inside a window that the target holds open for this client.
    BadDestination = 6,
    /// The message is longer than the flow allows, or its chain has too many parts or parts for several
    /// targets.
    BadLength = 7,
    /// The message is longer than the buffer that the target posted for it. The buffer stays posted.
    TooLong = 8,
    /// The time-to-live ran out before the transfer began.
    Expired = 9,
    /// The target broke the protocol and is in quarantine.
    Quarantined = 10,
    /// The target restarted while the message waited.
    PeerReset = 11,
    /// The descriptor's kind or flags mean nothing in this version of the ABI.
    Malformed = 12,
    /// Central could not map a frame. Not the client's fault; it may try again.
    Failed = 13,
    /// The guards of the flow have not passed the message. The sender learns neither which guard nor why.
    Refused = 14,
    /// A verdict about nothing: the guard has no inspection with this ticket, or has answered it already, or
    /// the message has ended meanwhile.
    NoInspection = 15,
}

impl Status {
    /// Every status, in the order of its number.
    pub const ALL: [Self; 16] = [
        Self::Free,
        Self::Queued,
        Self::Done,
        Self::Denied,
        Self::NoTarget,
        Self::BadSource,
        Self::BadDestination,
        Self::BadLength,
        Self::TooLong,
        Self::Expired,
        Self::Quarantined,
        Self::PeerReset,
        Self::Malformed,
        Self::Failed,
        Self::Refused,
        Self::NoInspection,
    ];

    /// Whether the send has ended, so that the slot may be reaped.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Free | Self::Queued)
    }
}

/// A status and the index that it is for, in one 64-bit word. So the status of an earlier use of the slot is
/// never taken for one of the present use.
///
/// ```text
///  63         32 31        30      16 15    8 7      0
///  │   index    │ delivered│ sequence │ target │ status │
/// ```
///
/// The middle is a note that central writes for its own restart. It tells which message of which flow this
/// was, even when the descriptor is overwritten already. It is 0 in everything but the first slot of a
/// delivered message, and the slot of a message of a one-way flow that is carried, whose status is still
/// `Queued`. Clients look at the index and the status only.
///
/// Pairing: [`set`](Self::set), [`set_delivered`](Self::set_delivered), [`set_carried`](Self::set_carried)
/// and [`finish`](Self::finish) (release, central) with [`get`](Self::get) and [`ended`](Self::ended)
/// (acquire, client).
#[derive(Default)]
#[repr(transparent)]
pub struct StatusWord(AtomicU64);

/// Central's note in the status word of a delivered message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeliveredNote {
    /// The receiver.
    pub target: u16,
    /// The message's number in its flow, modulo [`SEQUENCE_RANGE`].
    pub sequence: u16,
}

/// The note counts the messages of a flow modulo this. More than twice the number of status words is enough.
/// If a slot stays unused while its flow carries this many messages, a restarted central could take the old
/// note for a new one (`docs/abi.md`, Slots).
pub const SEQUENCE_RANGE: u64 = 1 << 15;

/// In the lower half of a status word: the word holds a note.
const DELIVERED: u64 = 1 << 31;

/// The bits in which a word that says `Queued` differs from the same word with `Done`.
const BETWEEN_QUEUED_AND_DONE: u64 = Status::Queued as u64 ^ Status::Done as u64;

/// The distance of the words of two sends in consecutive slots, of which each notes its number.
const NUMBERED: u64 = 1 << 32 | 1 << 16;

impl StatusWord {
    /// Sets the status of the send with free-running index `index`. For central.
    #[inline]
    pub fn set(&self, index: u32, status: Status) {
        self.store(Self::word(index, status));
    }

    /// Sets [`Status::Done`] for the message that begins at free-running index `index`. Also notes, for
    /// central's restart, that it was number `sequence` of the flow to `target`. For central.
    #[inline]
    pub fn set_delivered(&self, index: u32, target: DomainId, sequence: u64) {
        self.store(Self::delivered_word(index, target, sequence));
    }

    /// Sets [`Status::Queued`] for a message of a one-way flow, with the note that it was number `sequence`
    /// of the flow to `target`. It was delivered or dropped, and only `Done` is outstanding. For central.
    #[inline]
    pub fn set_carried(&self, index: u32, target: DomainId, sequence: u64) {
        self.store(Self::carried_word(index, target, sequence));
    }

    /// Whether the word was last written by [`set_carried`](Self::set_carried). For central. Relaxed, because
    /// only central writes it.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (DELIVERED | 0xff) == DELIVERED | Status::Queued as u64
    }

    /// Sets [`Status::Done`] after [`set_carried`](Self::set_carried). The index and the note stay. For
    /// central.
    #[inline]
    pub fn finish(&self) {
        self.store(self.0.load(Ordering::Relaxed) ^ BETWEEN_QUEUED_AND_DONE);
    }

    /// As [`finish`](Self::finish), for all these words.
    #[inline]
    pub(crate) fn finish_all(slots: &[Self]) {
        // Four at a time, because the loop itself would take a third of the instructions.
        let (fours, rest) = slots.as_chunks::<4>();
        for four in fours {
            for slot in four {
                slot.finish();
            }
        }
        for slot in rest {
            slot.finish();
        }
    }

    /// Sets words of consecutive slots, of which `word` is the first, for messages whose numbers do not
    /// [wrap](Self::numbers_from) among them: each word is the one before plus a constant.
    #[inline]
    pub(crate) fn set_all(slots: &[Self], word: u64) {
        Self::count_up::<NUMBERED>(slots, word);
    }

    /// As [`set`](Self::set), for sends of consecutive slots.
    #[inline]
    pub(crate) fn set_all_to(slots: &[Self], index: u32, status: Status) {
        Self::count_up::<{ 1 << 32 }>(slots, Self::word(index, status));
    }

    /// Sets words of consecutive slots: `word`, and then each the one before plus `NEXT`.
    #[inline]
    fn count_up<const NEXT: u64>(slots: &[Self], mut word: u64) {
        for slot in slots {
            slot.store(word);
            word = word.wrapping_add(NEXT);
        }
    }

    const fn word(index: u32, status: Status) -> u64 {
        (index as u64) << 32 | status as u64
    }

    /// How many messages from number `sequence` on have notes that count up without wrapping.
    #[inline]
    pub(crate) const fn numbers_from(sequence: u64) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "at most the range")]
        {
            (SEQUENCE_RANGE - sequence % SEQUENCE_RANGE) as u32
        }
    }

    /// The word that [`set_delivered`](Self::set_delivered) stores.
    pub(crate) const fn delivered_word(index: u32, target: DomainId, sequence: u64) -> u64 {
        let note = DELIVERED | ((sequence % SEQUENCE_RANGE) << 16) | ((target.number() as u64) << 8);
        (index as u64) << 32 | note | Status::Done as u64
    }

    /// The word that [`set_carried`](Self::set_carried) stores.
    pub(crate) const fn carried_word(index: u32, target: DomainId, sequence: u64) -> u64 {
        Self::delivered_word(index, target, sequence) ^ BETWEEN_QUEUED_AND_DONE
    }

    #[inline]
    pub(crate) fn store(&self, word: u64) {
        self.0.store(word, Ordering::Release);
    }

    /// The status of the send with free-running index `index`, or `None` if central has not written one for
    /// it yet.
    #[must_use]
    #[inline]
    pub fn get(&self, index: u32) -> Option<Status> {
        let word = self.0.load(Ordering::Acquire);
        // What nearly always comes, in one comparison.
        if word & (u64::MAX << 32 | 0xff) == u64::from(index) << 32 | Status::Done as u64 {
            return Some(Status::Done);
        }
        let status = *Status::ALL.get((word & 0xff) as usize)?;
        (word >> 32 == u64::from(index) && status != Status::Free).then_some(status)
    }

    /// The final status of a send that central has taken; `None` while it waits. Call it only after observing
    /// a [`transmit_head`](crate::InRegion::transmit_head) past the send.
    ///
    /// The word is then of this use of the slot, so its index need not be compared: central publishes the
    /// head (release) after it has written that the send is queued or how it ended.
    ///
    /// Pairing: acquire all the same, as in [`get`](Self::get). A send that was queued when the head passed
    /// it may have ended since, and the head does not order that.
    #[must_use]
    #[inline]
    pub fn ended(&self) -> Option<Status> {
        let word = self.observe();
        // What comes mostly, in one comparison each.
        if word & 0xff == Status::Done as u64 {
            return Some(Status::Done);
        }
        if word & 0xff == Status::Queued as u64 {
            return None;
        }
        Self::other_end(word)
    }

    /// How many of these sends have not ended, up to the first that has. As [`ended`](Self::ended) of each.
    #[inline]
    pub(crate) fn not_ended(slots: &[Self]) -> usize {
        let is_queued = |slot: &Self| slot.observe() & 0xff == Status::Queued as u64;
        // Four at a time, with one branch for all of them.
        let (fours, _) = slots.as_chunks::<4>();
        let queued =
            fours.iter().take_while(|four| four.iter().fold(true, |all, slot| all & is_queued(slot)));
        let queued = queued.count() * 4;
        queued + slots.iter().skip(queued).take_while(|slot| slot.ended().is_none()).count()
    }

    #[inline]
    fn observe(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    // A function of its own, because it is rare, and in the way of the others.
    #[cold]
    #[inline(never)]
    fn other_end(word: u64) -> Option<Status> {
        Status::ALL.get((word & 0xff) as usize).copied().filter(|status| status.is_final())
    }

    /// The index and the status that were last written here. For central, when it restarts. Relaxed, because
    /// only central writes it.
    #[must_use]
    pub fn latest(&self) -> (u32, Status) {
        let word = self.0.load(Ordering::Relaxed);
        let status = Status::ALL.get((word & 0xff) as usize).copied().unwrap_or(Status::Free);
        ((word >> 32) as u32, status)
    }

    /// Central's note on the last use of this slot. For central, when it restarts. Relaxed, because only
    /// central writes it.
    #[must_use]
    pub fn delivered(&self) -> Option<DeliveredNote> {
        let word = self.0.load(Ordering::Relaxed);
        let note = DeliveredNote {
            target: ((word >> 8) & 0xff) as u16,
            sequence: ((word >> 16) & (SEQUENCE_RANGE - 1)) as u16,
        };
        (word & DELIVERED != 0).then_some(note)
    }

    /// Clears the word at the beginning of an epoch. For central. Relaxed: a client that observes the new
    /// epoch sees this store too.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_region::InRegion;

    #[test]
    fn many_notes_are_as_many_single_ones() {
        let target = DomainId::new(5).unwrap();
        for first in [0, 100, u32::MAX - 20] {
            for sequence in [0, SEQUENCE_RANGE - 1, SEQUENCE_RANGE - 30, u64::MAX - 9] {
                let [many, single, many_carried, single_carried] = [(); 4].map(|()| InRegion::default());
                many.set_delivered(first, 60, target, sequence);
                many_carried.set_carried(first, 60, target, sequence);
                for number in 0..60 {
                    let index = first.wrapping_add(number);
                    let sequence = sequence.wrapping_add(number.into());
                    single.status(index).set_delivered(index, target, sequence);
                    single_carried.status(index).set_carried(index, target, sequence);
                }
                for slot in 0..128 {
                    let word = |region: &InRegion| region.status(slot).0.load(Ordering::Relaxed);
                    assert_eq!(word(&many), word(&single));
                    assert_eq!(word(&many_carried), word(&single_carried));
                }
            }
        }
    }

    #[test]
    fn the_first_send_that_has_ended_is_found_wherever_it_is() {
        for first in [0, 61, 64, 126, u32::MAX - 2] {
            for count in (0..12).step_by(if cfg!(miri) { 5 } else { 1 }) {
                for ended in 0..=count {
                    let region = InRegion::default();
                    region.set_statuses(first, count, Status::Queued);
                    if ended != count {
                        let index = first.wrapping_add(ended);
                        region.status(index).set(index, Status::Expired);
                    }
                    assert_eq!(region.not_ended(first, count), ended, "{ended} of {count} from {first}");
                }
            }
        }
    }

    #[test]
    fn many_are_finished_as_single_ones_are() {
        let target = DomainId::new(5).unwrap();
        for first in [0, 61, u32::MAX - 2] {
            for count in (0..12).step_by(if cfg!(miri) { 11 } else { 1 }) {
                let [carried, delivered] = [(); 2].map(|()| InRegion::default());
                carried.set_carried(first, count, target, 9);
                carried.finish(first, count);
                delivered.set_delivered(first, count, target, 9);
                for slot in 0..128 {
                    let word = |region: &InRegion| region.status(slot).0.load(Ordering::Relaxed);
                    assert_eq!(word(&carried), word(&delivered), "slot {slot}, {count} from {first}");
                }
            }
        }
    }

    #[test]
    fn a_carried_message_is_queued_until_it_is_finished() {
        let word = StatusWord::default();
        assert!(!word.is_carried());
        word.set(7, Status::Queued);
        assert!(!word.is_carried());
        let target = DomainId::new(9).unwrap();
        word.set_carried(7, target, SEQUENCE_RANGE + 3);
        assert_eq!((word.get(7), word.ended(), word.is_carried()), (Some(Status::Queued), None, true));
        assert_eq!(word.delivered(), Some(DeliveredNote { target: 9, sequence: 3 }));
        let delivered = StatusWord::default();
        delivered.set_delivered(7, target, SEQUENCE_RANGE + 3);
        assert!(!delivered.is_carried());
        word.finish();
        assert_eq!(word.0.load(Ordering::Relaxed), delivered.0.load(Ordering::Relaxed));
    }

    #[test]
    fn a_note_does_not_show_in_the_status() {
        let word = StatusWord::default();
        assert_eq!((word.get(0), word.delivered()), (None, None));
        let target = DomainId::new(31).unwrap();
        word.set_delivered(u32::MAX, target, SEQUENCE_RANGE + 5);
        assert_eq!((word.get(u32::MAX), word.get(0)), (Some(Status::Done), None));
        assert_eq!(word.delivered(), Some(DeliveredNote { target: 31, sequence: 5 }));
        word.set(7, Status::Expired);
        assert_eq!((word.get(7), word.delivered()), (Some(Status::Expired), None));
    }
}
