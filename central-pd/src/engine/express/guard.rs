//! The express lane for flows with guards: messages that are plain in all but their flow are taken many at a
//! time, and handed to the guards of the first stage many at a time. Those that cannot begin wait: there are
//! as many under way as the guards have room for. Everything that is not plain, or is wrong, is left to the
//! ordinary path (`guard.rs` beside `express.rs`). `hands.rs` has the guard's side, `quorum.rs` what there is
//! to do for several members of a stage, and `verdict.rs` the way from there on.
//!
//! Messages are recorded as the ordinary path records them, in the same tables. So whatever happens to them
//! afterwards is the business of the same code.

use ferry_layout::{DomainId, Plain, Route, Slot, Status};

use super::Published;
use super::copies::Copies;
use super::hands::Hands;
use super::quorum::{FirstStage, Handed};
use crate::engine::Engine;
use crate::engine::client::Ports;
use crate::machine::{Machine, Side};
use crate::send::{AUDITED, Header, Sends};

impl Engine {
    /// Takes messages of `source`, up to the first that needs the ordinary path, or the end of its share.
    #[cold]
    #[inline(never)]
    pub(in crate::engine) fn express_guarded(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
    ) {
        while self.take_guarded_run(machine, source, ports).is_some() {}
    }

    /// Takes messages of one flow of `source`, and hands out as many of them as can begin. The others wait.
    /// `None` if the first one needs the ordinary path.
    fn take_guarded_run(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) -> Option<()> {
        let Published { next, most, descriptors, route, target } = self.published(source, ports)?;
        let flow = self.guards.flow_mut(source, target);
        // The messages of a one-way flow are none here: the longest one has no bytes.
        if flow.stages() == 0 {
            return None;
        }
        let client = &mut self.clients[source];
        // Messages begin in their order.
        let can_begin = flow.waiting.is_none_or(|(_, newest)| client.courses[newest].has_begun());
        let simple = Simple {
            route,
            longest: flow.max_message,
            bytes: client.transmit_buffer.bytes(),
            header: Header::simple(target, if flow.audits_all { AUDITED } else { 0 }),
        };
        let count = simple.record(
            &mut client.sends,
            next,
            descriptors.get(..(most as usize).min(descriptors.len()))?,
        );
        if count == 0 {
            return None;
        }
        client.sends.enqueue_simple(&mut flow.waiting, next, count);
        client.sends.occupy_run(next, count);
        client.transmit.take_to(next.wrapping_add(count));
        self.wait_for_turn(source, target, false);
        self.has_progressed = true;
        let handed = if can_begin { self.hand_out(machine, source, target, next, count) } else { 0 };
        if handed != count {
            let client = &mut self.clients[source];
            for index in (handed..count).map(|number| next.wrapping_add(number)) {
                client.courses[index].wait();
            }
            // While there is no room, they need not be looked at. Whatever makes room lets them go on.
            if self.guards.flow(source, target).has_room() {
                client.waits.unblock_one(target);
            }
        }
        ports.to_client.set_statuses(next, count, Status::Queued);
        Some(())
    }

    /// Hands messages of a flow that wait to the guards of the first stage, if none of the flow is with
    /// guards. Returns whether none of those that still wait can begin before one of these has ended.
    pub(in crate::engine) fn express_waiting(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
    ) -> bool {
        let mut queue = self.guards.flow(source, target).waiting;
        let mut has_begun = false;
        while let Some((oldest, newest)) = queue {
            let client = &self.clients[source];
            // Messages begin in their order. So if the oldest one has not begun, none has.
            if client.courses[oldest].has_begun() || client.courses[oldest].is_refused {
                return false;
            }
            let most = client.sends.simple_run(oldest).min(client.budget.messages());
            let count = client.sends.linked_run(oldest, newest, most);
            let handed = self.hand_out(machine, source, target, oldest, count);
            if handed == 0 {
                break;
            }
            has_begun = true;
            queue = self.clients[source].sends.rest_of_queue(oldest.wrapping_add(handed - 1), newest);
        }
        has_begun && (queue.is_none() || !self.guards.flow(source, target).has_room())
    }

    /// Hands `count` messages of a flow, from `first` on, to the guards of the first stage. They wait in
    /// consecutive slots, and have not begun. Returns how many were handed out.
    fn hand_out(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        first: u32,
        count: u32,
    ) -> u32 {
        // Maps once for each message, however often the guard changes a request meanwhile.
        let (mut handed, mut may_map) = (0, true);
        while handed != count {
            let (at, most) = (first.wrapping_add(handed), count - handed);
            match self.hand_out_run(machine, source, target, at, most, &mut may_map) {
                Some(run) => handed += run,
                None => break,
            }
        }
        handed
    }

    /// Hands out one run of messages, at most `most`. Returns how many. If there are none, it has mapped the
    /// frames for the next one. `None` if that one cannot be handed out here.
    fn hand_out_run(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        first: u32,
        most: u32,
        may_map: &mut bool,
    ) -> Option<u32> {
        let flow = *self.guards.flow(source, target);
        let FirstStage { guard, others, most: of_others } = self.first_stage(source, &flow)?;
        let offer = self.offer_of_guard(source, guard)?;
        let mapping = self.flows.get(source, target).mapping;
        let deadline = self.now.wrapping_add(flow.verdict_within);
        let [client, receiver] = self.clients.each_mut([source, guard])?;
        let most = most.min(flow.room()).min(offer.count).min(of_others);
        if most == 0 {
            return None;
        }
        let sends = client.sends.run(first);
        let sends = sends.get(..(most as usize).min(sends.len()))?;
        // What the copies to the others cost is left for them.
        let share = client.budget.deficit() / (others.count() + 1);
        let mut copies = Copies::new(&client.transmit_buffer, receiver, mapping, share);
        let records = sends.iter().zip(client.courses.run_mut(first));
        let handed = Hands { receiver, offer, source, target, mapping, first }.hand_each(
            machine,
            &mut copies,
            |from| sends.get(from..).unwrap_or_default().iter().map(|send| send.span),
            records.map(|(send, course)| (send.tag, course)),
            |course, slot| course.begin_stage(0, guard, slot, deadline),
        );
        if handed == 0 {
            let piece = (source, Side::Transmit, client.sends.get(first).span);
            return self.map_for_next(machine, may_map, piece, guard, &offer, mapping);
        }
        *may_map = true;
        client.budget.pay(share - copies.deficit);
        self.guards.flow_mut(source, target).begin_run(handed);
        self.note_handed(source, guard);
        if !others.is_empty() {
            let handed = Handed { source, target, first, count: handed, guard, mapping };
            self.hand_to_others(machine, &handed, others);
        }
        Some(handed)
    }
}

/// What the simple messages of a flow have in common: those of one part, for the next buffer, that may wait.
struct Simple {
    route: Route,
    header: Header,
    /// They are at most this long, in bytes.
    longest: u32,
    /// Size of the buffer that they come from.
    bytes: u64,
}

impl Simple {
    /// Records messages up to the first that is not like that. Each descriptor is read once. Returns how many
    /// they are.
    #[inline(never)]
    fn record<const D: usize>(&self, sends: &mut Sends, next: u32, descriptors: &[Slot<D>]) -> u32 {
        let mut index = next;
        for (descriptor, send) in descriptors.iter().zip(sends.run_mut(next)) {
            let Some(Plain { source, length }) = Plain::load(descriptor, self.route) else { break };
            // Length 0 wraps and is left to the ordinary path, as in the other lanes.
            if length.wrapping_sub(1) >= self.longest || !Plain::may_wait(descriptor) {
                break;
            }
            let Some(piece) = source.span(length, self.bytes) else { break };
            send.put_simple(index, piece, self.header, Plain::tag(descriptor));
            index = index.wrapping_add(1);
        }
        index.wrapping_sub(next)
    }
}
