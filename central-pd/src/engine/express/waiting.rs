//! The express lane for messages of flows with guards that cannot begin yet: there are as many under way as
//! the guards have room for. They are taken many at a time, and wait. When there is room, they are handed to
//! the guard of the first stage many at a time.
//!
//! They are recorded as the ordinary path records them (`guard.rs` beside `express.rs`), which has everything
//! else to do with them.

use ferry_layout::{DomainId, Plain, Status};

use super::Published;
use super::guard::{Hands, Offer, Unmapped};
use super::quorum::{FirstStage, Handed};
use crate::engine::Engine;
use crate::engine::client::Ports;
use crate::engine::transfer::MINIMUM_COST;
use crate::machine::{Machine, Side};
use crate::send::{AUDITED, Queue};

impl Engine {
    /// Takes messages of one flow of `source`, which wait until they can begin. Returns whether there is more
    /// to take. `None` if the first one needs the ordinary path.
    pub(super) fn let_run_wait(&mut self, source: DomainId, ports: Ports) -> Option<bool> {
        let Published { next, most, descriptors, route, target } = self.published(source, ports)?;
        let flow = *self.guards.flow(source, target);
        if flow.max_message == 0 || flow.stages() == 0 {
            return None;
        }
        let client = &mut self.clients[source];
        let bytes = client.transmit_buffer.bytes();
        let flags = if flow.audits_all { AUDITED } else { 0 };
        let mut count = 0;
        let descriptors = descriptors.get(..(most as usize).min(descriptors.len()))?;
        for (descriptor, index) in descriptors.iter().zip((0..).map(|number| next.wrapping_add(number))) {
            let Some(Plain { source: piece, length }) = Plain::load(descriptor, route) else { break };
            // Length 0 wraps and is left to the ordinary path, as in the other lanes.
            if length.wrapping_sub(1) >= flow.max_message || !Plain::may_wait(descriptor) {
                break;
            }
            let Some(piece) = piece.span(length, bytes) else { break };
            client.courses[index].wait();
            client.sends.put_simple(index, piece, target, Plain::tag(descriptor), flags);
            count += 1;
        }
        if count == 0 {
            return None;
        }
        ports.to_client.set_statuses(next, count, Status::Queued);
        let mut waiting = flow.waiting;
        client.sends.enqueue_simple(&mut waiting, next, count);
        client.transmit.take_to(next.wrapping_add(count));
        client.sends.occupy_run(next, count);
        client.waits.insert_target(target);
        // While there is no room, they need not be looked at. Whatever makes room lets them go on.
        if flow.has_room() {
            client.waits.unblock_one(target);
        }
        self.guards.flow_mut(source, target).waiting = waiting;
        self.has_progressed = true;
        Some(true)
    }

    /// Hands messages of a flow that wait to the guard of the first stage, if none of the flow is with
    /// guards. Returns whether none of those that still wait can begin before one of these has ended.
    pub(in crate::engine) fn express_waiting(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
    ) -> bool {
        let mut queue = self.guards.flow(source, target).waiting;
        // Messages begin in their order. So if the oldest one has not begun, none has.
        if queue.is_none_or(|(oldest, _)| self.clients[source].courses[oldest].has_begun()) {
            return false;
        }
        // Maps once for each message.
        let (mut may_map, mut has_begun) = (true, false);
        while let Some(handed) = self.hand_waiting_run(machine, source, target, &mut queue, &mut may_map) {
            has_begun |= handed;
        }
        has_begun && (queue.is_none() || !self.guards.flow(source, target).has_room())
    }

    /// Hands a run of the messages in `queue` out, which have not begun, and takes them out of it. Returns
    /// whether it has handed any out, or only mapped frames. `None` if there is none that can be handed out
    /// here.
    fn hand_waiting_run(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        queue: &mut Queue,
        may_map: &mut bool,
    ) -> Option<bool> {
        let (oldest, newest) = (*queue)?;
        let flow = *self.guards.flow(source, target);
        let FirstStage { guard, others, most: of_others } = self.first_stage(source, &flow)?;
        let Offer { ports, request, count, is_fresh } = self.offer_of_guard(source, guard)?;
        let mapping = self.flows.get(source, target).mapping;
        let deadline = self.now.wrapping_add(flow.verdict_within);
        let [client, receiver] = self.clients.each_mut([source, guard])?;
        let most = newest.wrapping_sub(oldest).wrapping_add(1).min(client.sends.simple_run(oldest));
        let most = most.min(flow.room()).min(count).min(of_others).min(client.budget.messages());
        let (transmit, from) = (client.transmit_buffer.reach(mapping), client.transmit_buffer.home());
        let mut hands = Hands::of(receiver, ports, mapping, request, is_fresh);
        // What the copies to the others cost is left for them.
        let share = client.budget.deficit() / (others.count() + 1);
        let (mut deficit, mut unmapped) = (share, None);
        for index in (0..most).map(|number| oldest.wrapping_add(number)) {
            let send = client.sends.get(index);
            let (piece, length) = (send.span, send.total);
            if client.courses[index].is_refused {
                break;
            }
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            let Some(at) = hands.next_place(length) else { break };
            if !at.is_mapped || !transmit.covers(piece) {
                unmapped = Some(Unmapped { from: (source, Side::Transmit, piece), to: (guard, at.span) });
                break;
            }
            if !hands.pin(&at) {
                break;
            }
            machine.copy(from.address(piece), hands.to.address(at.span), length);
            let slot = hands.file(at.span, send.tag, source, target, index);
            client.courses[index].begin_with(guard, slot, deadline);
            deficit = rest;
            if !client.sends.is_followed_at_once(index) {
                break;
            }
        }
        let handed = hands.count;
        if handed == 0 {
            let needed = unmapped.filter(|_| core::mem::replace(may_map, false))?;
            return self.map_both(machine, &needed, mapping).map(|()| false);
        }
        hands.enter(source);
        *queue = client.sends.rest_of_queue(oldest.wrapping_add(handed - 1), newest);
        client.budget.pay(share - deficit);
        self.guards.flow_mut(source, target).begin_run(handed);
        self.note_handed(source, guard);
        if !others.is_empty() {
            let handed = Handed { source, target, first: oldest, count: handed, guard, mapping };
            self.hand_to_others(machine, &handed, others);
        }
        *may_map = true;
        Some(true)
    }
}
