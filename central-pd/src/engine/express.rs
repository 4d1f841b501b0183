//! The express lane: plain messages to a receiver that is ready, many at a time, with nothing done twice.
//!
//! A message is plain if it is one unchained, unflagged descriptor for the next posted buffer and fits one
//! step. Its receiver is ready if it has a place and an open buffer, and nothing waits in the flow. Most
//! traffic is like that. Facts of the flow are looked up once, as a [`Lane`]. Fields of a message are read
//! and checked once each.
//!
//! The lane refuses nothing and waits for nothing. A message that is not plain, or is wrong, is left as it is
//! to the ordinary path (`accept.rs`, `transfer.rs`). That path reads the descriptor again, and only it gives
//! a status other than `Done`. A turn calls the lane before each message of the ordinary path.

mod ahead;
mod copies;
mod guard;
mod hands;
mod offer;
mod one_way;
mod passes;
mod quorum;
mod verdict;

use ferry_layout::config::Mapping;
use ferry_layout::{
    Delivery, DeliveryKind, DescriptorSlot, DomainId, InRegion, OutRegion, Plain, Post, Route, Slot, Span,
    Standing,
};

pub(super) use self::ahead::Ahead;
use self::ahead::Next;
use self::offer::Offer;
use super::Engine;
use super::client::Ports;
use super::transfer::MINIMUM_COST;
use crate::buffer::{Home, Reach};
use crate::flow::CHUNK_BYTES;
use crate::machine::Machine;
use crate::offers::buffer_for_anyone;
use crate::pending::Finished;
use crate::requests::Requests;

/// What a client has published, beginning with a plain message.
struct Published {
    /// Index of the first message.
    next: u32,
    /// How many messages can be taken at most: those whose ends have slots, within the client's share.
    most: u32,
    /// Their descriptors, and more up to the end of the ring.
    descriptors: &'static [DescriptorSlot],
    /// Those of the first message.
    route: Route,
    target: DomainId,
}

/// What holds for the messages of one flow in one turn.
struct Lane<'a> {
    source: DomainId,
    route: Route,
    /// Messages are at most this long, in bytes.
    limit: u32,
    /// Bytes that the source may still have copied.
    deficit: u32,
    /// The bytes of each buffer whose frames are mapped. These frames are noted for unmapping, unless the
    /// flow keeps them.
    transmit: Reach,
    receive: Reach,
    from: Home,
    to: Home,
    /// Bytes of the target's buffer.
    target_bytes: u64,
    requests: &'a Requests,
    /// Index of the first request, and the number of the first message in its flow.
    request: u32,
    sequence: u64,
}

/// What was carried along a lane.
struct Carried {
    source: DomainId,
    target: DomainId,
    /// The requests that were used, from the first one on.
    offer: Offer,
    /// Messages that could have been carried and were not. Perhaps the next one has frames that are not known
    /// to be mapped.
    left: u32,
    run: Sent,
}

/// Messages that were carried one after the other.
struct Sent {
    messages: u32,
    bytes: u64,
    /// Bytes that the source may still have copied.
    deficit: u32,
}

impl Engine {
    /// Carries messages of `source` up to the first that is not plain, or the end of its share.
    #[inline]
    pub(super) fn express(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        ahead: &mut Ahead,
    ) {
        while self.take_lane(machine, source, ports, ahead) {}
    }

    /// Whether the next message of `source` is plain, no message of its flow waits, and it costs more than
    /// what is left of the share. Such a message stays in the ring. If it were taken, it would wait, the
    /// messages of its flow behind it would wait too, and none of them could take the express lane in the
    /// next round.
    pub(super) fn is_beyond_share(&mut self, source: DomainId, ports: Ports) -> bool {
        let client = &self.clients[source];
        let next = client.transmit.next();
        // One step never costs more than `CHUNK_BYTES`.
        if client.budget.deficit() >= CHUNK_BYTES
            || client.transmit.available() == 0
            || client.sends.is_occupied(next)
        {
            return false;
        }
        let descriptor = ports.from_client.descriptors.slot(next);
        let route = Route::of(descriptor);
        let (Some(target), Some(plain)) = (route.plain_target(), Plain::load(descriptor, route)) else {
            return false;
        };
        let flow = self.flows.get(source, target);
        let is_one_step = plain.length <= flow.in_one_step && flow.waiting.is_none();
        is_one_step && !self.clients[source].budget.can_afford(plain.length.max(MINIMUM_COST))
    }

    /// Carries messages of `source` along one lane. If it stops early, maps the frames for the next messages,
    /// as far as it may map `ahead`. Returns whether there is more to carry.
    #[inline(never)]
    fn take_lane(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        ahead: &mut Ahead,
    ) -> bool {
        let Some(carried) = self.carry_along(machine, source, ports) else { return false };
        if carried.run.messages != 0 {
            self.enter(&carried, ports);
            ahead.note_carried(carried.run.messages);
        }
        if self.begins_another(source, ports, &carried) {
            return true;
        }
        if carried.left != 0 && ahead.may_map() {
            return self.map_next(machine, ports, &carried.next(), ahead).is_some();
        }
        let client = &self.clients[source];
        carried.run.messages != 0 && client.transmit.available() != 0 && client.budget.messages() != 0
    }

    /// Whether a run has ended before a message for another target, which may begin a lane of its own.
    #[inline(always)]
    fn begins_another(&self, source: DomainId, ports: Ports, carried: &Carried) -> bool {
        let next = || Route::of(ports.from_client.descriptors.slot(self.clients[source].transmit.next()));
        carried.left != 0 && carried.run.messages != 0 && next().plain_target() != Some(carried.target)
    }

    /// The messages of `source` with which a lane begins. `None` if there are none that can be taken, or if
    /// the first one is not plain.
    #[inline(always)]
    fn published(&self, source: DomainId, ports: Ports) -> Option<Published> {
        let client = &self.clients[source];
        let next = client.transmit.next();
        let most = client.transmit.available().min(client.budget.messages());
        let most = client.sends.free_run(next, most);
        if most == 0 || client.in_refused_chain || self.pending.is_full() {
            return None;
        }
        let descriptors = ports.from_client.descriptors.run(next);
        let route = Route::of(descriptors.first()?);
        Some(Published { next, most, descriptors, route, target: route.plain_target()? })
    }

    /// Carries plain messages of `source`, as long as they have the route of the first one and lie in one
    /// piece of each ring. `None` if the first one is not plain, or its receiver is not ready.
    #[inline]
    fn carry_along(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) -> Option<Carried> {
        let Published { most, descriptors, route, target, .. } = self.published(source, ports)?;
        let flow = self.flows.get(source, target);
        if !flow.is_granted() || flow.waiting.is_some() || self.clients[target].standing != Standing::Open {
            return None;
        }
        self.carry_to_ready(machine, source, target, route, most, descriptors)
    }

    /// Carries messages that lie one after the other in `descriptors`, at most `most`, to a receiver that is
    /// open, as long as they have this route, and lie in one piece of each ring.
    #[inline(always)]
    fn carry_to_ready<const D: usize>(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        route: Route,
        most: u32,
        descriptors: &[Slot<D>],
    ) -> Option<Carried> {
        let offer = self.offer_of_target(source, target)?;
        let (client, receiver) = (&self.clients[source], &self.clients[target]);
        let most = most.min(offer.count);
        let Ports { from_client, to_client } = offer.ports;
        let flow = self.flows.get(source, target);
        let descriptors = descriptors.get(..(most as usize).min(descriptors.len()))?;
        let all = u32::try_from(descriptors.len()).unwrap_or(u32::MAX);
        let (deficit, transmit) = (client.budget.deficit(), client.transmit_buffer.reach(flow.mapping));
        if transmit.is_nothing() {
            // The first message of a turn under `each`, or of some time under `keep`: no need to look.
            let run = Sent { messages: 0, bytes: 0, deficit };
            return Some(Carried { source, target, offer, left: all, run });
        }
        let lane = Lane {
            source,
            route,
            limit: flow.in_one_step,
            deficit,
            transmit,
            receive: receiver.receive_buffer.reach(flow.mapping),
            from: client.transmit_buffer.home(),
            to: receiver.receive_buffer.home(),
            target_bytes: receiver.receive_buffer.bytes(),
            requests: &receiver.requests,
            request: offer.request,
            sequence: flow.sequence,
        };
        let run = if offer.is_fresh {
            lane.carry_fresh(machine, descriptors, from_client, to_client, receiver.deliveries.next())
        } else {
            lane.carry_taken(machine, descriptors, to_client, receiver.deliveries.next())
        };
        Some(Carried { source, target, offer, left: all - run.messages, run })
    }

    /// Records in the tables what was carried along a lane. `settle_run` makes it visible, at once or at the
    /// end of the turn.
    #[inline]
    fn enter(&mut self, carried: &Carried, ports: Ports) {
        let Carried { source, target, ref offer, run: Sent { messages, bytes, deficit }, .. } = *carried;
        let flow = self.flows.get_mut(source, target);
        let (sequence, mapping) = (flow.sequence, flow.mapping);
        flow.sequence = sequence.wrapping_add(messages.into());
        let client = &mut self.clients[source];
        let index = client.transmit.next();
        // Every ring has that many entries: `carry_along` took the minimum over all rings.
        client.transmit.take_to(index.wrapping_add(messages));
        client.budget.spend(messages, deficit);
        let receiver = &mut self.clients[target];
        receiver.deliveries.push_to(receiver.deliveries.next().wrapping_add(messages));
        receiver.use_requests(offer, source, messages);
        self.count_service(source, target, messages, bytes);
        self.to_signal.insert(target);
        self.has_progressed = true;
        let run = Finished { index, messages, parts: 1, target, sequence, bytes };
        self.settle_run(source, ports, offer.ports.to_client, &run, mapping == Mapping::Keep);
    }
}

impl Carried {
    /// Where the lane has come to.
    #[inline(always)]
    const fn next(&self) -> Next {
        let request = self.offer.request.wrapping_add(self.run.messages);
        let offer = Offer { request, count: self.left, ..self.offer };
        Next { source: self.source, target: self.target, offer }
    }
}

impl Lane<'_> {
    /// Carries messages into requests that are read from the ring as they are used.
    #[inline(never)]
    fn carry_fresh<const D: usize>(
        &self,
        machine: &mut impl Machine,
        descriptors: &[Slot<D>],
        from_client: &OutRegion,
        to_client: &InRegion,
        slot: u32,
    ) -> Sent {
        let (reach, bytes) = (self.receive, self.target_bytes);
        let place = |post: &Slot<2>, length| {
            let post: Post = post.load();
            // Mostly, the whole buffer is within reach. Then this is the only comparison with a size.
            match reach.span(post.place, post.length) {
                Some(buffer) if post.is_for_anyone() => buffer.part(0, length),
                _ => buffer_for_anyone(&post, bytes)?.part(0, length).filter(|place| reach.covers(*place)),
            }
        };
        self.carry(machine, descriptors, from_client.posts.run(self.request).iter(), place, to_client, slot)
    }

    /// Carries messages into requests that have been taken.
    #[inline(never)]
    fn carry_taken<const D: usize>(
        &self,
        machine: &mut impl Machine,
        descriptors: &[Slot<D>],
        to_client: &InRegion,
        slot: u32,
    ) -> Sent {
        let place = |number: u32, length| {
            let buffer = self.requests.span(self.request.wrapping_add(number));
            buffer.part(0, length).filter(|place| self.receive.covers(*place))
        };
        self.carry(machine, descriptors, 0.., place, to_client, slot)
    }

    /// Carries one message for each descriptor. `place` returns the first bytes of a request's buffer, as
    /// many as asked for (at least 1), if the buffer has them and their frames are known to be mapped.
    #[inline]
    fn carry<const D: usize, R>(
        &self,
        machine: &mut impl Machine,
        descriptors: &[Slot<D>],
        requests: impl Iterator<Item = R>,
        place: impl Fn(R, u32) -> Option<Span>,
        to_client: &InRegion,
        slot: u32,
    ) -> Sent {
        let (from, to) = (self.from, self.to);
        let (mut request, mut sequence, mut deficit, mut bytes) =
            (self.request, self.sequence, self.deficit, 0);
        for ((descriptor, delivery), request_at) in
            descriptors.iter().zip(to_client.deliveries.run(slot)).zip(requests)
        {
            let Some(Plain { source, length }) = Plain::load(descriptor, self.route) else { break };
            // Length 0 wraps and is left to the ordinary path. Nothing has to be mapped for it.
            if length.wrapping_sub(1) >= self.limit {
                break;
            }
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            let Some(piece) = self.transmit.span(source, length) else { break };
            let Some(place) = place(request_at, length) else { break };
            machine.copy(from.address(piece), to.address(place), length);
            delivery.store(Delivery {
                tag: Plain::tag(descriptor),
                sequence,
                position: place.position(),
                request,
                length,
                source: self.source.number(),
                kind: DeliveryKind::Message as u8,
                detail: 0,
            });
            deficit = rest;
            bytes += u64::from(length);
            request = request.wrapping_add(1);
            sequence = sequence.wrapping_add(1);
        }
        Sent { messages: request.wrapping_sub(self.request), bytes, deficit }
    }
}
