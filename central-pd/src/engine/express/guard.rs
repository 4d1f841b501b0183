//! The express lane for flows with guards: messages that are plain in all but their flow are handed to the
//! guard of the first stage, many at a time. Everything that is not plain, or is wrong, is left to the
//! ordinary path (`guard.rs` beside `express.rs`). What cannot begin yet waits (`waiting.rs`). `quorum.rs`
//! has what there is to do for several members of a stage, and `verdict.rs` the way from there on.
//!
//! A message that was handed out is recorded as the ordinary path records it, in the same tables. So whatever
//! happens to it afterwards is the business of the same code.

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, DeliveryKind, DomainId, Plain, Post, Span, Standing, Status};

use super::Published;
use super::quorum::{FirstStage, Handed};
use crate::buffer::{Home, Reach};
use crate::engine::Engine;
use crate::engine::client::{Client, Ports};
use crate::engine::transfer::MINIMUM_COST;
use crate::guards::{Inspections, Subject};
use crate::machine::{Machine, Side};
use crate::requests::buffer_for_anyone;
use crate::send::AUDITED;

/// What a receiver of the express lane has for a run of messages: buffers, and places in its queue.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    pub(super) ports: Ports,
    /// Index of the first request.
    pub(super) request: u32,
    /// Number of requests and of places.
    pub(super) count: u32,
    /// The requests were not taken, and are read from the ring as they are used.
    pub(super) is_fresh: bool,
}

/// Frames that are not known to be mapped, and that the next message needs.
pub(super) struct Unmapped {
    pub(super) from: (DomainId, Side, Span),
    pub(super) to: (DomainId, Span),
}

impl Engine {
    /// Hands messages of `source` to guards, up to the first that needs the ordinary path, or the end of its
    /// share.
    #[cold]
    #[inline(never)]
    pub(in crate::engine) fn express_guarded(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
    ) {
        // Maps once for each message, however often the client changes the descriptor meanwhile.
        let mut may_map = true;
        while self
            .hand_out_run(machine, source, ports, &mut may_map)
            .or_else(|| self.let_run_wait(source, ports))
            .unwrap_or(false)
        {}
    }

    /// Hands out messages of one flow. Returns whether there is more to hand out.
    fn hand_out_run(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        may_map: &mut bool,
    ) -> Option<bool> {
        let Published { next, most, descriptors, route, target } = self.published(source, ports)?;
        let client = &self.clients[source];
        let flow = *self.guards.flow(source, target);
        // Messages begin in their order.
        let all_have_begun = flow.waiting.is_none_or(|(_, newest)| client.courses[newest].has_begun());
        if flow.max_message == 0 || !all_have_begun {
            return None;
        }
        let FirstStage { guard, others, most: of_others } = self.first_stage(source, &flow)?;
        let Offer { ports: guard_ports, request, count, is_fresh } = self.offer_of_guard(source, guard)?;
        let most = most.min(flow.room()).min(count).min(of_others) as usize;
        let descriptors = descriptors.get(..most.min(descriptors.len()))?;
        let mapping = self.flows.get(source, target).mapping;
        let deadline = self.now.wrapping_add(flow.verdict_within);
        let [client, receiver] = self.clients.each_mut([source, guard])?;
        let (transmit, from) = (client.transmit_buffer.reach(mapping), client.transmit_buffer.home());
        let mut hands = Hands::of(receiver, guard_ports, mapping, request, is_fresh);
        // What the copies to the others cost is left for them.
        let (whole, mut unmapped) = (client.budget.deficit(), None);
        let share = whole / (others.count() + 1);
        let mut deficit = share;
        let flags = if flow.audits_all { AUDITED } else { 0 };
        for (descriptor, index) in descriptors.iter().zip((0..).map(|number| next.wrapping_add(number))) {
            let Some(Plain { source: piece, length }) = Plain::load(descriptor, route) else { break };
            // Length 0 wraps and is left to the ordinary path, as in the other lanes.
            if length.wrapping_sub(1) >= flow.max_message || !Plain::may_wait(descriptor) {
                break;
            }
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            let Some(at) = hands.next_place(length) else { break };
            let Some(piece) = transmit.span(piece, length).filter(|_| at.is_mapped) else {
                let piece = piece.span(length, client.transmit_buffer.bytes());
                unmapped = piece
                    .map(|piece| Unmapped { from: (source, Side::Transmit, piece), to: (guard, at.span) });
                break;
            };
            if !hands.pin(&at) {
                break;
            }
            machine.copy(from.address(piece), hands.to.address(at.span), length);
            let tag = Plain::tag(descriptor);
            let slot = hands.file(at.span, tag, source, target, index);
            client.courses[index].begin_with(guard, slot, deadline);
            client.sends.put_simple(index, piece, target, tag, flags);
            deficit = rest;
        }
        let handed = hands.count;
        if handed == 0 {
            let needed = unmapped.filter(|_| core::mem::replace(may_map, false))?;
            return self.map_both(machine, &needed, mapping).map(|()| true);
        }
        hands.enter(source);
        ports.to_client.set_statuses(next, handed, Status::Queued);
        let mut waiting = flow.waiting;
        client.sends.enqueue_simple(&mut waiting, next, handed);
        client.transmit.take_to(next.wrapping_add(handed));
        client.sends.occupy_run(next, handed);
        client.budget.pay(share - deficit);
        client.waits.insert_target(target);
        let flow = self.guards.flow_mut(source, target);
        flow.waiting = waiting;
        flow.begin_run(handed);
        self.note_handed(source, guard);
        if !others.is_empty() {
            let handed = Handed { source, target, first: next, count: handed, guard, mapping };
            self.hand_to_others(machine, &handed, others);
        }
        *may_map = true;
        Some(true)
    }

    /// Notes that messages of `source` were handed to `guard`.
    pub(super) fn note_handed(&mut self, source: DomainId, guard: DomainId) {
        self.pending.inspect(guard);
        self.to_signal.insert(guard);
        self.active.insert(source);
        self.has_progressed = true;
    }

    /// What `guard` has for messages of `source`. `None` if somebody waits for it, because then the ordinary
    /// path decides whose turn it is.
    pub(super) fn offer_of_guard(&mut self, source: DomainId, guard: DomainId) -> Option<Offer> {
        let receiver = &self.clients[guard];
        let ports = receiver.ports?;
        if receiver.standing != Standing::Open || receiver.waits.is_awaited() {
            return None;
        }
        let (mut request, mut count) = receiver.requests.open_run(source);
        let is_fresh = count == 0;
        if is_fresh {
            self.learn_requests(guard, ports);
            (request, count) = self.clients[guard].requests.fresh_run();
        }
        let receiver = &self.clients[guard];
        let places = receiver.room().min(receiver.inspections.free_run(receiver.deliveries.next()));
        // What is read from the ring is compared by granules only.
        if is_fresh && receiver.inspections.granule_bits().is_none() {
            return None;
        }
        Some(Offer { ports, request, count: count.min(places), is_fresh })
    }

    /// Maps the frames for the next message.
    #[cold]
    #[inline(never)]
    pub(super) fn map_both(
        &mut self,
        machine: &mut impl Machine,
        needed: &Unmapped,
        mapping: Mapping,
    ) -> Option<()> {
        let Unmapped { from: (owner, side, piece), to: (receiver, place) } = *needed;
        self.make_room_for_runs(machine, 2);
        self.map(machine, owner, side, piece, mapping).ok()?;
        self.map(machine, receiver, Side::Receive, place, mapping).ok()
    }
}

/// The guard's side of a run of messages.
pub(super) struct Hands<'a> {
    pub(super) to: Home,
    /// The bytes of its buffer whose frames are mapped.
    pub(super) reach: Reach,
    /// Messages that were handed to it in this run.
    pub(super) count: u32,
    receiver: &'a mut Client,
    ports: Ports,
    /// Index of the first request, and of the first delivery.
    request: u32,
    delivery: u32,
    is_fresh: bool,
    /// The ticket of the next message.
    ticket: u64,
    granule_bits: u32,
}

/// A place for a message at a guard.
pub(super) struct Place {
    /// The buffer that it is the beginning of.
    buffer: Span,
    pub(super) span: Span,
    /// Its frames are known to be mapped.
    pub(super) is_mapped: bool,
}

impl<'a> Hands<'a> {
    pub(super) fn of(
        receiver: &'a mut Client,
        ports: Ports,
        mapping: Mapping,
        request: u32,
        is_fresh: bool,
    ) -> Self {
        Self {
            to: receiver.receive_buffer.home(),
            reach: receiver.receive_buffer.reach(mapping),
            count: 0,
            ports,
            request,
            delivery: receiver.deliveries.next(),
            is_fresh,
            // The slot of each inspection is that of its delivery, so that a run is one of both.
            ticket: Inspections::ticket_of_run(receiver.deliveries.next(), receiver.epoch),
            granule_bits: receiver.inspections.granule_bits().unwrap_or(0),
            receiver,
        }
    }

    /// The place for the next message, of `length` bytes. `None` if there is none, or if its buffer needs a
    /// closer look.
    #[inline(always)]
    pub(super) fn next_place(&self, length: u32) -> Option<Place> {
        let Client { inspections, requests, .. } = &*self.receiver;
        let request = self.request.wrapping_add(self.count);
        let at =
            |buffer: Span, is_mapped| buffer.part(0, length).map(|span| Place { buffer, span, is_mapped });
        if !self.is_fresh {
            let buffer = requests.span(request);
            return at(buffer, self.reach.covers(buffer));
        }
        let post: Post = self.ports.from_client.posts.load(request);
        // Mostly, the whole buffer is within reach. Then this is the only comparison with a size.
        match self.reach.span(post.place, post.length) {
            Some(buffer) if post.is_for_anyone() => at(buffer, true),
            _ => at(buffer_for_anyone(&post, inspections.bytes())?, false),
        }
    }

    /// Pins a place. Returns false, and pins nothing, if it may share bytes with what is in use.
    #[inline(always)]
    pub(super) fn pin(&mut self, at: &Place) -> bool {
        let inspections = &mut self.receiver.inspections;
        if self.is_fresh {
            return inspections.pin_at_once(self.granule_bits, at.span);
        }
        inspections.pin(at.buffer, at.span);
        true
    }

    /// Files the inspection of a message whose bytes are in `place`, which is pinned. Returns its slot.
    #[inline(always)]
    pub(super) fn file(
        &mut self,
        place: Span,
        tag: u64,
        source: DomainId,
        target: DomainId,
        index: u32,
    ) -> u32 {
        let (request, delivery) =
            (self.request.wrapping_add(self.count), self.delivery.wrapping_add(self.count));
        let ticket = self.ticket;
        self.ticket = Inspections::next_ticket(ticket);
        #[expect(clippy::cast_possible_truncation, reason = "the number of a client is below 32")]
        let detail = target.number() as u8;
        let inspection = Delivery {
            tag,
            sequence: ticket,
            position: place.position(),
            request,
            length: place.length(),
            source: source.number(),
            kind: DeliveryKind::Inspection as u8,
            detail,
        };
        self.ports.to_client.deliveries.store(delivery, inspection);
        self.receiver.inspections.put(delivery, ticket, Subject::message(source, index), place);
        self.count += 1;
        Inspections::slot(ticket)
    }

    /// Records that requests and places are used.
    pub(super) fn enter(&mut self, source: DomainId) {
        let Self { receiver, count, request, delivery, is_fresh, .. } = self;
        receiver.inspections.begin_run(*delivery, *count);
        receiver.unanswered.insert_run(*delivery, *count);
        receiver.deliveries.push_to(delivery.wrapping_add(*count));
        if *is_fresh {
            receiver.requests.use_fresh(*count);
        } else {
            receiver.requests.consume_run(source, *request, *count);
        }
    }
}
