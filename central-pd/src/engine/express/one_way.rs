//! The express lane for one-way flows: messages that are plain in all but their flow, many at a time. They
//! are delivered as those of other flows, or dropped. Flows with guards, and everything that is not plain or
//! is wrong, are left to the ordinary path (`one_way.rs` beside `express.rs`).
//!
//! What it does to the sender does not depend on which of the two it was.

use ferry_layout::config::Mapping;
use ferry_layout::{DomainId, InRegion, Plain, Route, Slot};

use super::{Ahead, Carried, Published, Sent};
use crate::engine::Engine;
use crate::engine::client::Ports;
use crate::engine::transfer::MINIMUM_COST;
use crate::machine::Machine;
use crate::pending::Finished;

impl Engine {
    /// Carries messages of `source` up to the first that needs the ordinary path, or the end of its share.
    #[cold]
    #[inline(never)]
    pub(in crate::engine) fn express_one_way(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        ahead: &mut Ahead,
    ) {
        while self.take_one_way_lane(machine, source, ports, ahead).unwrap_or(false) {}
    }

    /// Carries messages along one lane. Returns whether there is more to carry.
    fn take_one_way_lane(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        ahead: &mut Ahead,
    ) -> Option<bool> {
        let Published { most, descriptors, route, target, .. } = self.published(source, ports)?;
        let flow = self.one_way.flow(source, target);
        let is_guarded = self.guards.flow(source, target).stages() != 0;
        if flow.max_message == 0 || flow.waiting.is_some() || is_guarded {
            return None;
        }
        if self.clients[target].standing == ferry_layout::Standing::Open
            && let Some(carried) = self.carry_to_ready(machine, source, target, route, most, descriptors)
        {
            let has_carried = carried.run.messages != 0;
            if has_carried {
                self.enter_one_way(&carried, ports);
                ahead.note_carried(carried.run.messages);
            }
            if self.begins_another(source, ports, &carried) {
                return Some(true);
            }
            if carried.left != 0 && ahead.may_map() {
                self.map_next(machine, ports, &carried.next(), ahead)?;
                return Some(true);
            }
            if has_carried {
                return Some(self.has_more(source));
            }
        }
        if self.buffer_at_target(source, target).is_some() {
            return None;
        }
        let descriptors = descriptors.get(..(most as usize).min(descriptors.len()))?;
        let run = self.dropped_run(source, target, route, descriptors);
        if run.messages == 0 {
            return None;
        }
        if let Some(ports) = self.clients[target].ports {
            ports.to_client.dropped.add(run.messages.into());
        }
        self.spend_one_way(source, ports, target, None, &run);
        Some(self.has_more(source))
    }

    /// Whether `source` has more messages that it may send in this turn, as far as central knows.
    fn has_more(&self, source: DomainId) -> bool {
        let client = &self.clients[source];
        client.transmit.available() != 0 && client.budget.messages() != 0
    }

    /// The first of these messages that are right in themselves and that `source` can afford.
    fn dropped_run<const D: usize>(
        &self,
        source: DomainId,
        target: DomainId,
        route: Route,
        descriptors: &[Slot<D>],
    ) -> Sent {
        let client = &self.clients[source];
        let (longest, buffer) =
            (self.one_way.flow(source, target).max_message, client.transmit_buffer.bytes());
        let mut run = Sent { messages: 0, bytes: 0, deficit: client.budget.deficit() };
        for descriptor in descriptors {
            let Some(Plain { source, length }) = Plain::load(descriptor, route) else { break };
            let Some(rest) = run.deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            // Length 0 wraps and is left to the ordinary path, as in the other lane.
            if length.wrapping_sub(1) >= longest || source.span(length, buffer).is_none() {
                break;
            }
            run.messages += 1;
            run.bytes += u64::from(length);
            run.deficit = rest;
        }
        run
    }

    /// Records in the tables what was delivered along a lane.
    fn enter_one_way(&mut self, carried: &Carried, ports: Ports) {
        let Carried { source, target, ref offer, ref run, .. } = *carried;
        let to_client = offer.ports.to_client;
        let receiver = &mut self.clients[target];
        receiver.deliveries.push_to(receiver.deliveries.next().wrapping_add(run.messages));
        receiver.use_requests(offer, source, run.messages);
        if offer.is_fresh {
            receiver.requests_used_at = Some(self.now);
        }
        to_client.counters.received_messages.add(run.messages.into());
        to_client.counters.received_bytes.add(run.bytes);
        self.count_service(source, target, run.messages, run.bytes);
        self.to_signal.insert(target);
        self.spend_one_way(source, ports, target, Some(to_client), run);
    }

    /// Records at the source what was delivered or dropped. `settle_one_way` makes it visible, at once or at
    /// the end of the turn. `delivered_to` is the target's page, if the messages were delivered.
    #[inline(always)]
    fn spend_one_way(
        &mut self,
        source: DomainId,
        ports: Ports,
        target: DomainId,
        delivered_to: Option<&InRegion>,
        run: &Sent,
    ) {
        let Sent { messages, bytes, deficit } = *run;
        let flow = self.flows.get_mut(source, target);
        let (sequence, mapping) = (flow.sequence, flow.mapping);
        flow.sequence = sequence.wrapping_add(messages.into());
        let client = &mut self.clients[source];
        let index = client.transmit.next();
        // The ring has that many entries: they are part of one run of descriptors.
        client.transmit.take_to(index.wrapping_add(messages));
        client.budget.spend(messages, deficit);
        self.has_progressed = true;
        let run = Finished { index, messages, parts: 1, target, sequence, bytes };
        self.settle_one_way(source, ports, delivered_to, &run, mapping == Mapping::Keep);
    }
}
