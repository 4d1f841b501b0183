//! The guard's side of the express lanes: what a guard has for a run of messages, and what is recorded when
//! they are handed to it, when it has passed them, and when they have ended. `guard.rs`, `quorum.rs` and
//! `verdict.rs` say which messages these are.

use core::hint::black_box;

use ferry_layout::config::Mapping;
use ferry_layout::geometry::{DELIVERY_SLOTS, INSPECTION_SLOTS};
use ferry_layout::{Delivery, DeliveryKind, DomainId, Post, Span, Standing};

use super::copies::{Copies, place_for_anyone};
use super::offer::Offer;
use crate::engine::Engine;
use crate::engine::client::Client;
use crate::inspections::{Inspections, Subject};
use crate::machine::{Machine, Side};

// A run that lies in one piece of one table lies in one piece of the other.
const _: () = assert!(DELIVERY_SLOTS == INSPECTION_SLOTS);

/// A guard that is handed messages of one flow.
pub(super) struct Hands<'a> {
    pub(super) receiver: &'a mut Client,
    pub(super) offer: Offer,
    pub(super) source: DomainId,
    pub(super) target: DomainId,
    pub(super) mapping: Mapping,
    /// Index of the first message. The others have the indices after it.
    pub(super) first: u32,
}

impl Engine {
    /// What `guard` has for messages of `source`. `None` if somebody waits for it, because then the ordinary
    /// path decides whose turn it is.
    pub(super) fn offer_of_guard(&mut self, source: DomainId, guard: DomainId) -> Option<Offer> {
        let receiver = &self.clients[guard];
        let ports = receiver.ports?;
        if receiver.standing != Standing::Open || receiver.waits.is_awaited() {
            return None;
        }
        let mut offer = self.requests_for(source, guard, ports);
        let receiver = &self.clients[guard];
        let places = receiver.room().min(receiver.inspections.free_run(receiver.deliveries.next()));
        // What is read from the ring is compared by granules only.
        if offer.is_fresh && receiver.inspections.granule_bits().is_none() {
            return None;
        }
        offer.count = offer.count.min(places);
        Some(offer)
    }

    /// Notes that messages were handed to `guard`, and that `client` is not idle: their source, or the guard
    /// that has passed them.
    pub(super) fn note_handed(&mut self, client: DomainId, guard: DomainId) {
        self.pending.inspect(guard);
        self.to_signal.insert(guard);
        self.active.insert(client);
        self.has_progressed = true;
    }

    /// Ends the inspections of messages that have ended, which are at other guards than `guard`: of each,
    /// those at the first `most` that it was handed to.
    pub(super) fn end_other_inspections(
        &mut self,
        source: DomainId,
        first: u32,
        count: u32,
        guard: DomainId,
        most: u8,
    ) {
        if count == 1 {
            let handed = self.clients[source].courses[first].handed();
            handed.filter(|(other, _)| *other != guard).for_each(|(other, slot)| {
                self.end_inspection(other, slot);
            });
            return;
        }
        for number in 0..most {
            let (mut done, mut is_last) = (0, true);
            while done != count {
                let index = first.wrapping_add(done);
                done += 1;
                let Some((other, slot)) = self.clients[source].courses[index].nth_handed(number) else {
                    continue;
                };
                is_last = false;
                if other != guard {
                    let subject = Subject::message(source, index);
                    let ended = self.end_run_about(other, slot, subject, count - done + 1);
                    // One that was handed to another guard as the `number`-th is looked at next.
                    let courses = self.clients[source].courses.run(index).iter().zip(0..ended).skip(1);
                    let others = courses.take_while(|(course, _)| course.is_nth_handed(number, other));
                    done += others.fold(0, |count, _| count + 1);
                }
            }
            if is_last {
                break;
            }
        }
    }

    /// Ends the inspection that `guard` has in `slot`, and those after it that are about the messages after
    /// this one, at most `most` in all. Returns how many, at least 1.
    fn end_run_about(&mut self, guard: DomainId, slot: u32, subject: Subject, most: u32) -> u32 {
        let holder = &mut self.clients[guard];
        let (count, verdict) = holder.inspections.end_run_about(slot, subject, most);
        if count == 0 {
            self.end_inspection(guard, slot);
            return 1;
        }
        if let Some(verdict) = verdict {
            holder.settled_verdicts.insert_run(verdict, count);
            self.with_settled_verdicts.insert(guard);
        }
        count
    }

    /// Maps the frames for a message whose bytes are the span in `from`, and which goes into the first
    /// request of an offer of `receiver`, if it still `may_map`. Returns that no message was handed out
    /// before. `None` if that is not why: the frames are known to be mapped, or cannot be.
    #[cold]
    #[inline(never)]
    pub(super) fn map_for_next(
        &mut self,
        machine: &mut impl Machine,
        may_map: &mut bool,
        from: (DomainId, Side, Span),
        receiver: DomainId,
        offer: &Offer,
        mapping: Mapping,
    ) -> Option<u32> {
        let (owner, side, piece) = from;
        let place = self.clients[receiver].buffer_of(offer, 0)?.part(0, piece.length())?;
        let is_mapped = self.clients[owner].buffer_mut(side).reach(mapping).covers(piece)
            && self.clients[receiver].receive_buffer.reach(mapping).covers(place);
        if is_mapped || !core::mem::replace(may_map, false) {
            return None;
        }
        self.make_room_for_runs(machine, 2);
        self.map(machine, owner, side, piece, mapping).ok()?;
        self.map(machine, receiver, Side::Receive, place, mapping).ok()?;
        Some(0)
    }
}

impl Hands<'_> {
    /// Hands messages to the guard, as far as [`Copies::copy_each`] goes. `pieces` says where the bytes of
    /// all are from a given one on. For each there is its tag in `records`, and something that `note` gets
    /// with the slot of its inspection. Returns how many were handed out.
    #[inline(always)]
    pub(super) fn hand_each<I, P: Iterator<Item = Span>>(
        &mut self,
        machine: &mut impl Machine,
        copies: &mut Copies,
        pieces: impl Fn(usize) -> P,
        records: impl Iterator<Item = (u64, I)>,
        note: impl FnMut(I, u32),
    ) -> u32 {
        let count = if self.offer.is_fresh {
            self.copy_to_fresh(machine, copies, pieces)
        } else {
            self.copy_to_taken(machine, copies, pieces)
        };
        if count != 0 {
            self.file(count, records, note);
            self.enter(count);
        }
        count
    }

    /// Copies messages into requests that are read from the ring as they are used, and pins their places.
    #[inline(never)]
    fn copy_to_fresh<P: Iterator<Item = Span>>(
        &mut self,
        machine: &mut impl Machine,
        copies: &mut Copies,
        pieces: impl Fn(usize) -> P,
    ) -> u32 {
        let Client { inspections, receive_buffer, deliveries, .. } = &mut *self.receiver;
        let Some(granule_bits) = inspections.granule_bits() else { return 0 };
        let (reach, bytes) = (receive_buffer.reach(self.mapping), inspections.bytes());
        let (inspections, places) = inspections.run_mut(deliveries.next());
        let posts = self.offer.ports.from_client.posts.run(self.offer.request);
        // Short messages into buffers within reach. This loop calls nothing, so all that it needs stays in
        // registers.
        let short = copies.copy_each(
            machine,
            inspections.iter_mut().zip(pieces(0)).zip(posts),
            |post, length| {
                let post: Post = post.load();
                let buffer = reach.span(post.place, post.length).filter(|_| post.is_for_anyone())?;
                buffer.part(0, length).filter(|place| places.take_short(granule_bits, *place))
            },
            |inspection, place| inspection.place = place,
        );
        let done = short as usize;
        let (Some(inspections), Some(posts)) = (inspections.get_mut(done..), posts.get(done..)) else {
            return short;
        };
        short
            + copies.copy_each(
                machine,
                inspections.iter_mut().zip(pieces(done)).zip(posts),
                |post, length| {
                    let place = place_for_anyone(post, length, reach, bytes)?;
                    (places.take_if_free(place) == Some(true)).then_some(place)
                },
                |inspection, place| inspection.place = place,
            )
    }

    /// Copies messages into requests that have been taken, and pins their places.
    #[inline(never)]
    fn copy_to_taken<P: Iterator<Item = Span>>(
        &mut self,
        machine: &mut impl Machine,
        copies: &mut Copies,
        pieces: impl Fn(usize) -> P,
    ) -> u32 {
        let Client { inspections, receive_buffer, deliveries, requests, .. } = &mut *self.receiver;
        let reach = receive_buffer.reach(self.mapping);
        let (inspections, places) = inspections.run_mut(deliveries.next());
        let first = self.offer.request;
        copies.copy_each(
            machine,
            inspections.iter_mut().zip(pieces(0)).zip(0..),
            |number, length| {
                let buffer = requests.span(first.wrapping_add(number));
                let place = buffer.part(0, length).filter(|place| reach.covers(*place))?;
                places.keep_part(buffer, place);
                Some(place)
            },
            |inspection, place| inspection.place = place,
        )
    }

    /// Files the inspections of the first `count` messages, whose places are known.
    #[inline(never)]
    fn file<I>(&mut self, count: u32, records: impl Iterator<Item = (u64, I)>, mut note: impl FnMut(I, u32)) {
        let Self { source, target, first, offer: Offer { ports, mut request, .. }, .. } = *self;
        let delivery = self.receiver.deliveries.next();
        // The slot of each inspection is that of its delivery, so that a run is one of both.
        let mut ticket = Inspections::ticket_of_run(delivery, self.receiver.epoch);
        let mut subject = Subject::message(source, first);
        #[expect(clippy::cast_possible_truncation, reason = "the number of a client is below 32")]
        let detail = target.number() as u8;
        let (inspections, _) = self.receiver.inspections.run_mut(delivery);
        let Some(inspections) = inspections.get_mut(..count as usize) else { return };
        // They are then addressed from where they begin, so that one instruction stores two words.
        let inspections = black_box(inspections).iter_mut().zip(ports.to_client.deliveries.run(delivery));
        for ((inspection, delivery), (tag, message)) in inspections.zip(records) {
            delivery.store(Delivery {
                tag,
                sequence: ticket,
                position: inspection.place.position(),
                request,
                length: inspection.place.length(),
                source: source.number(),
                kind: DeliveryKind::Inspection as u8,
                detail,
            });
            inspection.begin(ticket, subject);
            note(message, Inspections::slot(ticket));
            request = request.wrapping_add(1);
            (ticket, subject) = (Inspections::next_ticket(ticket), subject.next());
        }
    }

    /// Records that `count` requests and places are used for inspections.
    fn enter(&mut self, count: u32) {
        let Self { receiver, source, offer, .. } = self;
        let delivery = receiver.deliveries.next();
        receiver.inspections.begin_run(delivery, count);
        receiver.unanswered.insert_run(delivery, count);
        receiver.deliveries.push_to(delivery.wrapping_add(count));
        receiver.use_requests(offer, *source, count);
    }
}

impl Client {
    /// Notes `count` verdicts of this guard, from index `next` on, about inspections in consecutive slots
    /// from the one with this ticket on. They end with their messages.
    pub(super) fn keep_verdicts(&mut self, ticket: u64, next: u32, count: u32) {
        let verdicts = (0..count).map(|number| next.wrapping_add(number));
        self.inspections.note_verdicts(Inspections::slot(ticket), verdicts);
        self.sends.put_verdicts(next, count);
        self.unanswered.remove_run(Inspections::delivery(ticket), count);
        self.sends.occupy_run(next, count);
    }
}
