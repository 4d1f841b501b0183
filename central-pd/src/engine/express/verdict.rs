//! The express lane for verdicts: a message that its guard passes goes on at once, to the next guard or to
//! its target, many at a time. The verdicts of one run are about messages of one flow that are with one
//! guard.
//!
//! A message goes on in the turn of its guard, and not in the next turn of its source. It is the source that
//! pays for it, with what is left of its share, or with the whole share if it had no work in this round. What
//! the run has done becomes visible as in a turn of the source, in the order of `settle.rs`, before the run
//! ends; and the verdicts end after that. So nothing of a run is left to the rest of the guard's turn, and a
//! run begins only if nothing is pending.
//!
//! Everything else is left to the ordinary path (`guard.rs` beside `express.rs`): refusals, messages that
//! have to wait for the target, for older messages or for a share, what a quorum passes on to a next stage,
//! and messages of one-way flows.

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, DeliveryKind, DomainId, Post, Slot, Standing, Status, Verdict};

use super::guard::{Hands, Offer, Unmapped};
use crate::engine::Engine;
use crate::engine::audit::passed;
use crate::engine::client::Ports;
use crate::engine::transfer::MINIMUM_COST;
use crate::guards::{GuardedFlow, Inspections, Subject};
use crate::machine::{Machine, Side};
use crate::pending::Finished;
use crate::requests::buffer_for_anyone;

/// What all verdicts of a run have in common.
pub(super) struct Run<'a, const D: usize> {
    pub(super) guard: DomainId,
    pub(super) ports: Ports,
    /// Index of the first verdict, and the verdicts.
    pub(super) next: u32,
    pub(super) verdicts: &'a [Slot<D>],
    /// The first ticket, and the index of the message that it is about.
    pub(super) ticket: u64,
    pub(super) index: u32,
    pub(super) source: DomainId,
    source_ports: Ports,
    pub(super) target: DomainId,
    flow: GuardedFlow,
    /// The stage that the messages are in, and whether the guard is all of it.
    pub(super) stage: u16,
    is_alone: bool,
    mapping: Mapping,
}

impl Engine {
    /// Takes verdicts of `guard` and lets their messages go on, up to the first that needs the ordinary path.
    #[cold]
    #[inline(never)]
    pub(in crate::engine) fn express_verdicts(
        &mut self,
        machine: &mut impl Machine,
        guard: DomainId,
        ports: Ports,
    ) {
        // Maps once for each message, however often the guard changes the verdict meanwhile.
        let mut may_map = true;
        while self.take_verdicts(machine, guard, ports, &mut may_map).unwrap_or(false) {}
    }

    /// Takes the verdicts of one run. Returns whether there is more to take.
    fn take_verdicts(
        &mut self,
        machine: &mut impl Machine,
        guard: DomainId,
        ports: Ports,
        may_map: &mut bool,
    ) -> Option<bool> {
        let client = &self.clients[guard];
        let next = client.transmit.next();
        let most = client.transmit.available().min(client.budget.messages());
        let most = client.sends.free_run(next, most) as usize;
        if most == 0 || client.in_refused_chain || !self.pending.has_nothing_to_show() {
            return None;
        }
        let verdicts = ports.from_client.descriptors.run(next);
        let first = Verdict::load(verdicts.first()?)?;
        let verdicts = verdicts.get(..most.min(verdicts.len()))?;
        let Some((_, inspection)) = client.inspections.awaited(first.ticket) else {
            return self.take_late_verdicts(guard, ports, next, verdicts, first.ticket);
        };
        let subject = inspection.subject;
        if subject.is_relayed() {
            return None;
        }
        let (source, index) = (subject.source(), subject.index());
        let state = &self.clients[source];
        let (target, stage) = (state.sends.get(index).target, state.courses[index].stage);
        let flow = *self.guards.flow(source, target);
        if stage >= flow.stages() {
            return None;
        }
        let members = self.guards.stage(&flow, stage);
        let is_alone = members.members.only() == Some(guard);
        let passed = state.courses[index].passed.count();
        let run = Run {
            guard,
            ports,
            next,
            verdicts,
            ticket: first.ticket,
            index,
            source,
            source_ports: state.ports?,
            target,
            flow,
            stage,
            is_alone,
            mapping: self.flows.get(source, target).mapping,
        };
        if passed + 1 < members.quorum {
            return self.note_passes(&run, members).map(|_| true);
        }
        let (taken, unmapped) = if stage + 1 == flow.stages() {
            self.carry_on(machine, &run, members.quorum)?
        } else if is_alone {
            self.hand_on(machine, &run)?
        } else {
            return None;
        };
        if taken == 0 {
            let needed = unmapped.filter(|_| core::mem::replace(may_map, false))?;
            return self.map_both(machine, &needed, run.mapping).map(|()| true);
        }
        *may_map = true;
        Some(true)
    }

    /// Carries messages that have passed their last guard to the target, from the oldest of the flow on.
    /// Returns how many verdicts were taken.
    #[expect(
        clippy::too_many_lines,
        reason = "most of it is one loop, and what the loop needs before and after"
    )]
    fn carry_on<const D: usize>(
        &mut self,
        machine: &mut impl Machine,
        run: &Run<'_, D>,
        quorum: u32,
    ) -> Option<(u32, Option<Unmapped>)> {
        let Run { guard, ports, next, source, target, stage, mapping, is_alone, .. } = *run;
        let (head, newest) = run.flow.waiting?;
        if run.index != head {
            return None;
        }
        let Offer { ports: target_ports, request, count, is_fresh } = self.offer_of_target(source, target)?;
        let to_client = target_ports.to_client;
        let sequence = self.flows.get(source, target).sequence;
        let is_audited = self.audit.is_kept();
        let [holder, client, receiver] = self.clients.each_mut([guard, source, target])?;
        // The oldest messages of the flow, in consecutive slots, and their inspections too.
        let most = newest.wrapping_sub(head).wrapping_add(1).min(client.sends.simple_run(head));
        let most = most.min(holder.inspections.run_from(run.ticket)).min(client.budget.messages()).min(count);
        let verdicts = run.verdicts.get(..(most as usize).min(run.verdicts.len()))?;
        let granule_bits = holder.inspections.granule_bits()?;
        let snapshots = holder.snapshot_buffer.reach(mapping);
        let (from, to) = (holder.snapshot_buffer.home(), receiver.receive_buffer.home());
        let reach = receiver.receive_buffer.reach(mapping);
        let bytes_of_target = receiver.receive_buffer.bytes();
        let delivery_at = receiver.deliveries.next();
        client.budget.replenish_late();
        let mut deficit = client.budget.deficit();
        let (mut taken, mut bytes, mut unmapped) = (0_u32, 0, None);
        let (mut ticket, mut subject) = (run.ticket, Subject::message(source, head));
        for verdict in verdicts {
            let Some(reason) = Verdict::passing(verdict, ticket) else { break };
            let index = subject.index();
            let Some(snapshot) = holder.inspections.place_of(ticket, subject) else { break };
            let (course, send) = (&mut client.courses[index], client.sends.get(index));
            let length = snapshot.length();
            let is_decided = if is_alone {
                course.waits_for_all_of(stage, guard)
            } else {
                course.awaits_of(stage, guard) && course.passed.count() + 1 == quorum
            };
            if !is_decided || send.flags != 0 || send.total != length {
                break;
            }
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            let request_at = request.wrapping_add(taken);
            let (place, is_mapped) = if is_fresh {
                let post: Post = target_ports.from_client.posts.load(request_at);
                // As in the lane of plain messages.
                match reach.span(post.place, post.length) {
                    Some(buffer) if post.is_for_anyone() => (buffer.part(0, length), true),
                    _ => {
                        let buffer = buffer_for_anyone(&post, bytes_of_target);
                        (buffer.and_then(|buffer| buffer.part(0, length)), false)
                    }
                }
            } else {
                let buffer = receiver.requests.span(request_at);
                (buffer.part(0, length), reach.covers(buffer))
            };
            let Some(place) = place else { break };
            if !is_mapped || !snapshots.covers(snapshot) {
                unmapped = Some(Unmapped { from: (guard, Side::Snapshot, snapshot), to: (target, place) });
                break;
            }
            if is_audited {
                self.audit
                    .append(self.now, passed(source, send, guard, Verdict { ticket, passes: true, reason }));
            }
            machine.copy(from.address(snapshot), to.address(place), length);
            to_client.deliveries.store(
                delivery_at.wrapping_add(taken),
                Delivery {
                    tag: send.tag,
                    sequence: sequence.wrapping_add(taken.into()),
                    position: place.position(),
                    request: request_at,
                    length,
                    source: source.number(),
                    kind: DeliveryKind::Message as u8,
                    // A configuration has at most 8 stages for each flow.
                    detail: stage.to_le_bytes()[0] + 1,
                },
            );
            if stage == 0 && is_alone {
                course.end();
            }
            holder.inspections.unpin(granule_bits, snapshot);
            (deficit, taken, bytes) = (rest, taken + 1, bytes + u64::from(length));
            if !client.sends.is_followed_at_once(index) {
                break;
            }
            (ticket, subject) = (Inspections::next_ticket(ticket), subject.next());
        }
        if taken == 0 {
            return Some((0, unmapped));
        }
        holder.inspections.end_run(run.ticket, taken);
        holder.unanswered.remove_run(Inspections::delivery(run.ticket), taken);
        let waiting = client.sends.rest_of_queue(head.wrapping_add(taken - 1), newest);
        receiver.deliveries.push_to(delivery_at.wrapping_add(taken));
        if is_fresh {
            receiver.requests.use_fresh(taken);
        } else {
            receiver.requests.consume_run(source, request, taken);
        }
        client.budget.spend(taken, deficit);
        // What has not begun can do so now, and what was judged before its turn came can end.
        let goes_on = waiting.is_some_and(|(oldest, newest)| {
            let is_decided = client.courses[oldest].is_decided(run.flow.stages());
            is_decided || !client.courses[newest].has_begun()
        });
        self.pending.finish(Finished { index: head, messages: taken, parts: 1, target, sequence, bytes });
        self.flows.get_mut(source, target).sequence = sequence.wrapping_add(taken.into());
        let flow = self.guards.flow_mut(source, target);
        flow.waiting = waiting;
        flow.end_run(taken);
        self.count_service(source, target, taken, bytes);
        self.to_signal.insert(target);
        if waiting.is_none() {
            self.forget_wait(source, target);
        } else if goes_on {
            self.clients[source].waits.unblock_one(target);
            self.rouse_source(source);
        }
        if stage != 0 || !is_alone {
            self.end_other_inspections(source, head, taken, guard);
        }
        self.settle_pending(machine, source, run.source_ports);
        self.show_slots(source, run.source_ports);
        ports.to_client.set_statuses(next, taken, Status::Done);
        self.take_to(run, taken);
        self.settle_verdicts();
        Some((taken, None))
    }

    /// Hands messages that a guard has passed to the guard of the next stage. Returns how many verdicts were
    /// taken.
    fn hand_on<const D: usize>(
        &mut self,
        machine: &mut impl Machine,
        run: &Run<'_, D>,
    ) -> Option<(u32, Option<Unmapped>)> {
        let Run { guard, ports, next, source, target, stage, mapping, .. } = *run;
        let next_guard = self.guards.only_member(&run.flow, stage + 1)?;
        let offer = self.offer_of_guard(source, next_guard)?;
        let deadline = self.now.wrapping_add(run.flow.verdict_within);
        let is_audited = self.audit.is_kept();
        let [holder, client, receiver] = self.clients.each_mut([guard, source, next_guard])?;
        let most = offer.count.min(holder.inspections.run_from(run.ticket));
        let verdicts = run.verdicts.get(..(most as usize).min(run.verdicts.len()))?;
        let (snapshots, from) = (holder.snapshot_buffer.reach(mapping), holder.snapshot_buffer.home());
        let mut hands = Hands::of(receiver, offer.ports, mapping, offer.request, offer.is_fresh);
        client.budget.replenish_late();
        let (mut deficit, mut unmapped) = (client.budget.deficit(), None);
        let (mut ticket, mut subject) = (run.ticket, Subject::message(source, run.index));
        for (verdict, at) in verdicts.iter().zip((0..).map(|number| next.wrapping_add(number))) {
            let Some(reason) = Verdict::passing(verdict, ticket) else { break };
            let index = subject.index();
            let Some(snapshot) = holder.inspections.place_of(ticket, subject) else { break };
            let (course, send) = (&mut client.courses[index], client.sends.get(index));
            let length = snapshot.length();
            let is_same = send.target == target && course.waits_for_all_of(stage, guard);
            // An empty message is left to the ordinary path.
            if !is_same || length == 0 || send.total != length {
                break;
            }
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            let Some(place) = hands.next_place(length) else { break };
            if !place.is_mapped || !snapshots.covers(snapshot) {
                unmapped =
                    Some(Unmapped { from: (guard, Side::Snapshot, snapshot), to: (next_guard, place.span) });
                break;
            }
            if !hands.pin(&place) {
                break;
            }
            if is_audited {
                self.audit
                    .append(self.now, passed(source, send, guard, Verdict { ticket, passes: true, reason }));
            }
            machine.copy(from.address(snapshot), hands.to.address(place.span), length);
            let slot = hands.file(place.span, send.tag, source, target, index);
            course.pass_stage(deadline);
            course.hand(next_guard, slot);
            holder.inspections.note_verdict(Inspections::slot(ticket), at);
            holder.sends.put_verdict(at);
            deficit = rest;
            (ticket, subject) = (Inspections::next_ticket(ticket), subject.next());
        }
        let taken = hands.count;
        if taken == 0 {
            return Some((0, unmapped));
        }
        hands.enter(source);
        holder.unanswered.remove_run(Inspections::delivery(run.ticket), taken);
        ports.to_client.set_statuses(next, taken, Status::Queued);
        client.budget.pay(client.budget.deficit() - deficit);
        // They end with their messages.
        holder.sends.occupy_run(next, taken);
        self.pending.inspect(next_guard);
        self.to_signal.insert(next_guard);
        self.active.insert(guard);
        self.settle_pending(machine, source, run.source_ports);
        self.take_to(run, taken);
        Some((taken, None))
    }

    /// Ends the inspections of messages that have ended, which are at other guards than `guard`.
    fn end_other_inspections(&mut self, source: DomainId, first: u32, count: u32, guard: DomainId) {
        for index in (0..count).map(|number| first.wrapping_add(number)) {
            let mut number = 0;
            while let Some((other, slot)) = self.clients[source].courses[index].nth_handed(number) {
                if other != guard {
                    self.end_inspection(other, slot);
                }
                number += 1;
            }
            self.clients[source].courses[index].end();
        }
    }

    /// What `target` has for messages of `source`.
    fn offer_of_target(&mut self, source: DomainId, target: DomainId) -> Option<Offer> {
        let receiver = &self.clients[target];
        let ports = receiver.ports?;
        if receiver.standing != Standing::Open {
            return None;
        }
        let (mut request, mut count) = receiver.requests.open_run(source);
        let is_awaited = receiver.waits.is_awaited();
        let is_fresh = count == 0 && !is_awaited;
        if is_fresh {
            self.learn_requests(target, ports);
            (request, count) = self.clients[target].requests.fresh_run();
        }
        if is_awaited {
            count = count.min(self.fair_part(source, target));
        }
        Some(Offer { ports, request, count: count.min(self.clients[target].room()), is_fresh })
    }

    /// Records that the guard's first `taken` verdicts of a run are taken.
    pub(super) fn take_to<const D: usize>(&mut self, run: &Run<'_, D>, taken: u32) {
        let client = &mut self.clients[run.guard];
        client.transmit.take_to(run.next.wrapping_add(taken));
        client.budget.count_descriptors(taken);
        self.to_signal.insert(run.guard);
        self.has_progressed = true;
    }
}
