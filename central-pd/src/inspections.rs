//! What each guard has to inspect. The bytes that a guard was handed are a *snapshot*. It stays as it is
//! until the message has ended: the place is *pinned*, and the guard can post nothing that overlaps it.

use ferry_layout::geometry::INSPECTION_SLOTS;
use ferry_layout::{Address, DomainId, Post, Span};

use crate::offers::buffer_for_anyone;
use crate::places::Places;
use crate::slots::SlotSet;
use crate::table::Table;

/// Some client, to fill entries that have no meaning.
pub(crate) const FIRST: DomainId = DomainId::new(0).unwrap();

/// What an inspection is about, and whether it has a verdict, in one word: so one comparison tells.
///
/// ```text
///  63        32        17        16 15       0
///  │   index   │  judged │ relayed │  source  │
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Subject(u64);

impl Subject {
    const RELAYED: u64 = 1 << 16;
    const JUDGED: u64 = 1 << 17;

    /// Message `index` of `source`, without a verdict.
    #[inline]
    pub(crate) const fn message(source: DomainId, index: u32) -> Self {
        Self((index as u64) << 32 | source.number() as u64)
    }

    /// The message of a one-way flow of `source` that is in `slot` of the table of relays.
    pub(crate) const fn relay(source: DomainId, slot: u32) -> Self {
        Self(Self::message(source, slot).0 | Self::RELAYED)
    }

    /// The message that `source` has sent after this one.
    #[inline]
    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1 << 32))
    }

    pub(crate) fn source(self) -> DomainId {
        #[expect(clippy::cast_possible_truncation, reason = "the lowest 16 bits")]
        DomainId::new(self.0 as u16).unwrap_or(FIRST)
    }

    /// Index of the message at its source, or its slot in the table of relays.
    pub(crate) const fn index(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether the message is one of a one-way flow ([`crate::relays`]).
    pub(crate) const fn is_relayed(self) -> bool {
        self.0 & Self::RELAYED != 0
    }

    /// The same message, with a verdict.
    const fn judged(self) -> Self {
        Self(self.0 | Self::JUDGED)
    }

    const fn is_judged(self) -> bool {
        self.0 & Self::JUDGED != 0
    }
}

/// One message that a guard has to inspect, or has inspected.
#[derive(Clone, Copy)]
pub(crate) struct Inspection {
    pub(crate) ticket: u64,
    pub(crate) subject: Subject,
    /// The snapshot, in the guard's receive buffer.
    pub(crate) place: Span,
    /// Index of the verdict in the guard's ring, once there is one.
    verdict: u32,
}

impl Inspection {
    /// Whether it has this ticket, is about `subject`, and has no verdict.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) fn is_about(&self, ticket: u64, subject: Subject) -> bool {
        both(self.ticket, self.subject.0) == both(ticket, subject.0)
    }

    /// Writes over an earlier inspection, as one without a verdict. Its `place` is written already.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) const fn begin(&mut self, ticket: u64, subject: Subject) {
        (self.ticket, self.subject) = (ticket, subject);
    }

    /// Notes that the verdict about it is at index `verdict` of the guard's ring.
    #[inline(always)]
    const fn note_verdict(&mut self, verdict: u32) {
        self.verdict = verdict;
        self.subject = self.subject.judged();
    }

    /// An inspection without a verdict.
    #[inline]
    pub(crate) const fn new(ticket: u64, subject: Subject, place: Span) -> Self {
        Self { ticket, subject, place, verdict: 0 }
    }
}

/// The inspections of one guard.
pub(crate) struct Inspections {
    /// Size of the receive buffer of a guard, in bytes; 0 for any other client.
    bytes: u64,
    used: SlotSet,
    /// What is offered and what is pinned of a guard's receive buffer.
    places: Places,
    table: Table<Inspection, INSPECTION_SLOTS>,
}

/// Slots of the table.
#[expect(clippy::cast_possible_truncation, reason = "far fewer than 2^32")]
const SLOTS: u32 = INSPECTION_SLOTS as u32;

impl Inspections {
    pub(crate) const fn new() -> Self {
        let nothing = Inspection::new(0, Subject::message(FIRST, 0), Span::EMPTY);
        let table = Table::new([nothing; INSPECTION_SLOTS]);
        Self { bytes: 0, used: SlotSet::EMPTY, places: Places::NONE, table }
    }

    /// Makes its client a guard whose receive buffer has this size.
    pub(crate) const fn configure(&mut self, bytes: u64) {
        self.bytes = bytes;
        self.places.configure(bytes);
    }

    /// Size of the receive buffer of a guard, in bytes; 0 for any other client.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets all inspections, and what is offered.
    pub(crate) fn clear(&mut self) {
        self.used = SlotSet::EMPTY;
        self.places.clear();
    }

    /// A slot for another inspection.
    #[inline]
    pub(crate) fn free_slot(&self) -> Option<u32> {
        Some(self.used.first_gap()).filter(|slot| *slot < SLOTS)
    }

    /// The ticket of the inspection in `slot` whose delivery has index `delivery`, in this epoch of the
    /// guard. No other inspection of any central has the same ticket, before the indices of deliveries wrap.
    pub(crate) const fn ticket(slot: u32, delivery: u32, epoch: u32) -> u64 {
        (epoch as u64) << 40 | (delivery as u64) << 8 | slot as u64 & 0xff
    }

    /// The index of the delivery of the inspection with this ticket.
    #[expect(clippy::cast_possible_truncation, reason = "the 32 bits above the slot")]
    pub(crate) const fn delivery(ticket: u64) -> u32 {
        (ticket >> 8) as u32
    }

    /// The slot of the inspection with this ticket. It may be none of the table.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lowest byte")]
    pub(crate) const fn slot(ticket: u64) -> u32 {
        ticket as u32 & 0xff
    }

    /// Whether a ticket is one of this epoch of the guard.
    pub(crate) const fn is_of_epoch(ticket: u64, epoch: u32) -> bool {
        ticket >> 40 == (epoch as u64) & 0xff_ffff
    }

    /// Begins an inspection in a free slot.
    #[inline]
    pub(crate) fn begin(&mut self, slot: u32, inspection: Inspection) {
        self.table[slot] = inspection;
        self.used.insert(slot);
    }

    /// The slots for a run of inspections whose deliveries have indices from `delivery` on: how many are
    /// free, at most. The slot of each has the number of the slot of its delivery.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn free_run(&self, delivery: u32) -> u32 {
        self.used.gap_from(delivery)
    }

    /// The inspections in `slot` and those after it, up to the end of the table.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn run(&self, slot: u32) -> &[Inspection] {
        self.table.run(slot)
    }

    /// As [`run`](Self::run), and the places, to change both. The slots of a run are those of its deliveries.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn run_mut(&mut self, slot: u32) -> (&mut [Inspection], &mut Places) {
        (self.table.run_mut(slot), &mut self.places)
    }

    /// Begins `count` inspections that were written, whose deliveries have indices from `delivery` on.
    #[cfg(feature = "express")]
    pub(crate) const fn begin_run(&mut self, delivery: u32, count: u32) {
        self.used.insert_run(delivery, count);
    }

    /// The ticket of the inspection of a run whose delivery has index `delivery`.
    #[cfg(feature = "express")]
    pub(crate) const fn ticket_of_run(delivery: u32, epoch: u32) -> u64 {
        Self::ticket(delivery % SLOTS, delivery, epoch)
    }

    /// The ticket after `ticket` of a run.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) const fn next_ticket(ticket: u64) -> u64 {
        const { assert!(SLOTS == 128) };
        // Slot 128 is slot 0.
        ticket.wrapping_add(1 << 8 | 1) & !0x80
    }

    /// How many inspections there are in consecutive slots, from the one with this ticket on.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn run_from(&self, ticket: u64) -> u32 {
        self.used.run_from(Self::slot(ticket))
    }

    /// Ends `count` inspections in consecutive slots from the one with this ticket on, which have no
    /// verdicts. Their snapshots are given back already.
    #[cfg(feature = "express")]
    pub(crate) const fn end_run(&mut self, ticket: u64, count: u32) {
        self.used.remove_run(Self::slot(ticket), count);
    }

    /// The slot of the inspection that this ticket names, and the inspection. `None` if there is none, or it
    /// has a verdict.
    #[inline]
    pub(crate) fn awaited(&self, ticket: u64) -> Option<(u32, &Inspection)> {
        let slot = Self::slot(ticket);
        if slot >= SLOTS || !self.used.contains(slot) {
            return None;
        }
        let inspection = &self.table[slot];
        (inspection.ticket == ticket && !inspection.subject.is_judged()).then_some((slot, inspection))
    }

    /// Takes a verdict, which is at index `verdict` of the guard's ring. Returns the inspection. `None` if
    /// there is none with this ticket, or it has a verdict.
    pub(crate) fn judge(&mut self, ticket: u64, verdict: u32) -> Option<Inspection> {
        let (slot, inspection) = self.awaited(ticket)?;
        let inspection = *inspection;
        self.table[slot].note_verdict(verdict);
        Some(inspection)
    }

    /// Ends inspections because their messages have ended: those in consecutive slots from `slot` on, the
    /// first one about `subject` and the others about the messages after it. All of them have verdicts, in
    /// consecutive slots too, or none has. At most `most`. Returns how many have ended, and the index of the
    /// first verdict.
    #[cfg(feature = "express")]
    pub(crate) fn end_run_about(&mut self, slot: u32, subject: Subject, most: u32) -> (u32, Option<u32>) {
        let most = most.min(self.used.run_from(slot));
        let (inspections, places) = (self.table.run(slot), &mut self.places);
        let (Some(first), Some(bits)) = (inspections.first(), places.granule_bits()) else {
            return (0, None);
        };
        let verdict = first.subject.is_judged().then_some(first.verdict);
        let (mut subject, mut count) = (if verdict.is_some() { subject.judged() } else { subject }, 0);
        for (inspection, number) in inspections.iter().zip(0..most) {
            let is_next = verdict.is_none_or(|verdict| inspection.verdict == verdict.wrapping_add(number));
            if inspection.subject != subject || !is_next {
                break;
            }
            places.give_short_back(bits, inspection.place);
            subject = subject.next();
            count = number + 1;
        }
        self.used.remove_run(slot, count);
        (count, verdict)
    }

    /// Forgets one inspection, and returns it. `None` if there is none left.
    pub(crate) fn take_any(&mut self) -> Option<Inspection> {
        let slot = self.used.from(0).next()?;
        self.used.remove(slot);
        Some(self.table[slot])
    }

    /// The snapshot of the inspection in `slot`.
    pub(crate) fn place(&self, slot: u32) -> Span {
        self.table[slot].place
    }

    /// Notes the verdicts about inspections in consecutive slots from `slot` on, one for each of `verdicts`,
    /// which are indices of the guard's ring.
    #[cfg(feature = "express")]
    pub(crate) fn note_verdicts(&mut self, slot: u32, verdicts: impl Iterator<Item = u32>) {
        for (inspection, verdict) in self.table.run_mut(slot).iter_mut().zip(verdicts) {
            inspection.note_verdict(verdict);
        }
    }

    /// For runs: the [granules](Places::granule_bits) of the places.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn granule_bits(&self) -> Option<u32> {
        self.places.granule_bits()
    }

    /// Ends the inspection in `slot`, because its message has ended. Returns the index of its verdict, if it
    /// has one. `None` if the inspection has ended already.
    #[inline]
    pub(crate) fn end(&mut self, slot: u32) -> Option<u32> {
        if !self.used.contains(slot) {
            return None;
        }
        self.used.remove(slot);
        let Inspection { place, verdict, subject, .. } = self.table[slot];
        self.places.give_back(place);
        subject.is_judged().then_some(verdict)
    }

    /// The inspections that have not ended.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Inspection> {
        self.used.from(0).map(|slot| &self.table[slot])
    }

    /// The bytes that a guard offers with this place and length. `None` if they are not all inside the
    /// receive buffer, if some are pinned or offered already, or if the client is no guard. `offered` are the
    /// buffers that it offers already.
    pub(crate) fn buffer(
        &self,
        place: Address,
        length: u32,
        mut offered: impl Iterator<Item = Span>,
    ) -> Option<Span> {
        let span = place.span(length, self.bytes).filter(|span| span.length() > 0)?;
        let is_free = self.places.are_free(span).unwrap_or_else(|| {
            self.iter().all(|inspection| !inspection.place.overlaps(span))
                && !offered.any(|buffer| buffer.overlaps(span))
        });
        is_free.then_some(span)
    }

    /// The bytes that a guard offers to anyone with `post`, and notes that it offers them. `None` if it
    /// offers none, or if that needs a closer look.
    #[inline]
    pub(crate) fn offer_for_anyone(&mut self, post: &Post) -> Option<Span> {
        let span = buffer_for_anyone(post, self.bytes)?;
        (self.places.take_if_free(span) == Some(true)).then_some(span)
    }

    /// Notes that a guard offers `buffer`.
    #[inline]
    pub(crate) fn offer(&mut self, buffer: Span) {
        if self.bytes != 0 {
            self.places.take(buffer);
        }
    }

    /// Notes that a guard no longer offers `buffer`.
    pub(crate) fn withdraw(&mut self, buffer: Span) {
        if self.bytes != 0 {
            self.places.give_back(buffer);
        }
    }

    /// Notes that `place`, the beginning of `buffer`, is pinned, and that the rest of the buffer is no longer
    /// offered.
    #[inline]
    pub(crate) fn pin(&mut self, buffer: Span, place: Span) {
        self.places.keep_part(buffer, place);
    }
}

/// Two words as one, so that both are read first, and one branch decides.
#[inline(always)]
pub(crate) const fn both(low: u64, high: u64) -> u128 {
    low as u128 | (high as u128) << 64
}

#[cfg(test)]
mod tests;
