//! The express lane for flows with guards: messages that are plain in all but their flow are handed to the
//! guard of the first stage, many at a time. Everything that is not plain, is wrong, or has to wait before it
//! begins is left to the ordinary path (`guard.rs` beside `express.rs`), and so are stages with several
//! members. `verdict.rs` has the way from there on.
//!
//! A message that was handed out is recorded as the ordinary path records it, in the same tables. So whatever
//! happens to it afterwards is the business of the same code.

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, DeliveryKind, DomainId, Plain, Post, Span, Standing, Status};

use super::Published;
use crate::buffer::{Home, Reach};
use crate::engine::Engine;
use crate::engine::client::{Client, Ports};
use crate::engine::transfer::MINIMUM_COST;
use crate::guards::{Inspection, Inspections};
use crate::machine::{Machine, Side};
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
        while self.hand_out_run(machine, source, ports, &mut may_map).unwrap_or(false) {}
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
        let guard = self.guards.only_member(&flow, 0)?;
        // Messages begin in their order.
        let all_have_begun = flow.waiting.is_none_or(|(_, newest)| client.courses[newest].has_begun());
        if flow.max_message == 0 || !all_have_begun {
            return None;
        }
        let Offer { ports: guard_ports, request, count, is_fresh } = self.offer_of_guard(source, guard)?;
        let most = most.min(flow.room()).min(count) as usize;
        let descriptors = descriptors.get(..most.min(descriptors.len()))?;
        let mapping = self.flows.get(source, target).mapping;
        let deadline = self.now.wrapping_add(flow.verdict_within);
        let [client, receiver] = self.clients.each_mut([source, guard])?;
        let (transmit, from) = (client.transmit_buffer.reach(mapping), client.transmit_buffer.home());
        let mut hands = Hands::of(receiver, guard_ports, mapping, request, is_fresh);
        let (mut deficit, mut waiting, mut unmapped) = (client.budget.deficit(), flow.waiting, None);
        let flags = if flow.audits_all { AUDITED } else { 0 };
        for (descriptor, index) in descriptors.iter().zip((0..).map(|number| next.wrapping_add(number))) {
            let Some(Plain { source: piece, length }) = Plain::load(descriptor, route) else { break };
            // Length 0 wraps and is left to the ordinary path, as in the other lanes.
            if length.wrapping_sub(1) >= flow.max_message || !Plain::may_wait(descriptor) {
                break;
            }
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            let Some((slot, buffer, place)) = hands.next_place(length) else { break };
            let Some(piece) = transmit.span(piece, length).filter(|_| hands.reach.covers(place)) else {
                let piece = piece.span(length, client.transmit_buffer.bytes());
                unmapped =
                    piece.map(|piece| Unmapped { from: (source, Side::Transmit, piece), to: (guard, place) });
                break;
            };
            machine.copy(from.address(piece), hands.to.address(place), length);
            let tag = Plain::tag(descriptor);
            hands.file(slot, buffer, place, tag, source, target, index);
            client.courses[index].begin_with(guard, slot, deadline);
            client.sends.put_last(&mut waiting, index, piece, target, tag, flags);
            ports.to_client.status(index).set(index, Status::Queued);
            deficit = rest;
        }
        let handed = hands.count;
        if handed == 0 {
            let needed = unmapped.filter(|_| core::mem::replace(may_map, false))?;
            return self.map_both(machine, &needed, mapping).map(|()| true);
        }
        hands.enter(source);
        client.transmit.take_to(next.wrapping_add(handed));
        client.sends.occupy_run(next, handed);
        client.budget.pay(client.budget.deficit() - deficit);
        client.waits.insert_target(target);
        let flow = self.guards.flow_mut(source, target);
        flow.waiting = waiting;
        flow.begin_run(handed);
        self.pending.inspect(guard);
        self.to_signal.insert(guard);
        self.active.insert(source);
        self.has_progressed = true;
        *may_map = true;
        Some(true)
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
        Some(Offer { ports, request, count: count.min(self.clients[guard].room()), is_fresh })
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
            receiver,
        }
    }

    /// The slot, the buffer and the place in it for the next message, of `length` bytes. `None` if there is
    /// none, or if its buffer needs a closer look.
    #[inline(always)]
    pub(super) fn next_place(&self, length: u32) -> Option<(u32, Span, Span)> {
        let Client { inspections, requests, .. } = &*self.receiver;
        let request = self.request.wrapping_add(self.count);
        let buffer = if self.is_fresh {
            let post: Post = self.ports.from_client.posts.load(request);
            inspections.buffer_for_anyone(&post)?
        } else {
            requests.span(request)
        };
        Some((inspections.free_slot()?, buffer, buffer.part(0, length)?))
    }

    /// Files the inspection of a message whose bytes are in `place`, the beginning of `buffer`.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "what a delivery and an inspection say")]
    pub(super) fn file(
        &mut self,
        slot: u32,
        buffer: Span,
        place: Span,
        tag: u64,
        source: DomainId,
        target: DomainId,
        index: u32,
    ) {
        let (request, delivery) =
            (self.request.wrapping_add(self.count), self.delivery.wrapping_add(self.count));
        let Client { inspections, epoch, .. } = &mut *self.receiver;
        let ticket = Inspections::ticket(slot, delivery, *epoch);
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
        if self.is_fresh {
            inspections.pin_at_once(place);
        } else {
            inspections.pin(buffer, place);
        }
        inspections
            .begin(slot, Inspection { ticket, source, index, is_relayed: false, place, verdict: None });
        self.count += 1;
    }

    /// Records that requests and places are used.
    pub(super) fn enter(&mut self, source: DomainId) {
        let Self { receiver, count, request, delivery, is_fresh, .. } = self;
        receiver.unanswered.insert_run(*delivery, *count);
        receiver.deliveries.push_to(delivery.wrapping_add(*count));
        if *is_fresh {
            receiver.requests.use_fresh(*count);
        } else {
            receiver.requests.consume_run(source, *request, *count);
        }
    }
}
