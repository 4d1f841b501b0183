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
use ferry_layout::{Delivery, DeliveryKind, DomainId, Slot, Span, Standing, Status, Verdict};

use super::copies::{Copies, place_for_anyone};
use super::hands::Hands;
use super::offer::Offer;
use super::passes::{Judged, Reasons};
use crate::engine::Engine;
use crate::engine::client::{Client, Ports};
use crate::inspections::{Inspection, Inspections};
use crate::machine::{Machine, Side};
use crate::pending::Finished;
use crate::places::Places;
use crate::send::Send;

/// A run of messages on its way from the last guard to the target.
struct CarryOn<'a, const D: usize> {
    copies: Copies,
    source: DomainId,
    /// Index of the first request, and the number of the first message.
    request: u32,
    sequence: u64,
    stages: u8,
    inspections: &'a [Inspection],
    sends: &'a [Send],
    deliveries: &'a [Slot<D>],
    places: &'a mut Places,
    granule_bits: u32,
    /// Bytes of all messages that were carried.
    bytes: u64,
}

impl<const D: usize> CarryOn<'_, D> {
    /// Carries one message for each request, up to the first that gets no place.
    #[inline(always)]
    fn carry<R>(
        &mut self,
        machine: &mut impl Machine,
        requests: impl Iterator<Item = R>,
        place: impl FnMut(R, u32) -> Option<Span>,
    ) -> u32 {
        let Self { source, stages, granule_bits, mut request, mut sequence, .. } = *self;
        let (places, mut bytes) = (&mut *self.places, 0);
        let records = self.sends.iter().zip(self.deliveries);
        let messages = self.inspections.iter().zip(records);
        let messages = messages.map(|(inspection, record)| ((inspection.place, record), inspection.place));
        let count = self.copies.copy_each(
            machine,
            messages.zip(requests),
            place,
            |(snapshot, (send, delivery)), place| {
                delivery.store(Delivery {
                    tag: send.tag,
                    sequence,
                    position: place.position(),
                    request,
                    length: place.length(),
                    source: source.number(),
                    kind: DeliveryKind::Message as u8,
                    detail: stages,
                });
                places.give_short_back(granule_bits, snapshot);
                bytes += u64::from(place.length());
                (request, sequence) = (request.wrapping_add(1), sequence.wrapping_add(1));
            },
        );
        self.bytes = bytes;
        count
    }

    /// Carries messages to `receiver`, into requests that are read from the ring as they are used.
    #[inline(never)]
    fn carry_to_fresh(
        &mut self,
        machine: &mut impl Machine,
        receiver: &Client,
        posts: &[Slot<2>],
        mapping: Mapping,
    ) -> u32 {
        let (reach, bytes) = (receiver.receive_buffer.reach(mapping), receiver.receive_buffer.bytes());
        self.carry(machine, posts.iter(), |post, length| place_for_anyone(post, length, reach, bytes))
    }

    /// Carries messages to `receiver`, into requests that have been taken.
    #[inline(never)]
    fn carry_to_taken(&mut self, machine: &mut impl Machine, receiver: &Client, mapping: Mapping) -> u32 {
        let (reach, first) = (receiver.receive_buffer.reach(mapping), self.request);
        self.carry(machine, 0.., |number, length| {
            let buffer = receiver.requests.span(first.wrapping_add(number));
            buffer.part(0, length).filter(|place| reach.covers(*place))
        })
    }
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
        while self.take_verdicts(machine, guard, ports, &mut may_map).is_some() {}
    }

    /// Takes the verdicts of one run, or maps the frames for the first of them. `None` if that one needs the
    /// ordinary path.
    fn take_verdicts(
        &mut self,
        machine: &mut impl Machine,
        guard: DomainId,
        ports: Ports,
        may_map: &mut bool,
    ) -> Option<()> {
        let client = &self.clients[guard];
        let next = client.transmit.next();
        let most = client.transmit.available().min(client.budget.messages());
        let most = client.sends.free_run(next, most);
        if most == 0 || client.in_refused_chain || !self.pending.has_nothing_to_show() {
            return None;
        }
        let verdicts = ports.from_client.descriptors.run(next);
        let Verdict { ticket, .. } = Verdict::load(verdicts.first()?)?;
        let Some((_, inspection)) = client.inspections.awaited(ticket) else {
            let verdicts = verdicts.get(..(most as usize).min(verdicts.len()))?;
            return self.take_late_verdicts(guard, ports, next, verdicts, ticket);
        };
        let subject = inspection.subject;
        if subject.is_relayed() {
            return None;
        }
        let (source, index) = (subject.source(), subject.index());
        let state = &self.clients[source];
        let (target, stage) = (state.sends.get(index).header.target, state.courses[index].stage);
        let flow = *self.guards.flow(source, target);
        if stage >= flow.stages() {
            return None;
        }
        // Behind it in the queue, and all of one part.
        let (_, newest) = flow.waiting?;
        let most = most.min(newest.wrapping_sub(index).wrapping_add(1)).min(state.sends.simple_run(index));
        let most = most.min(client.inspections.run_from(ticket)) as usize;
        let members = self.guards.stage(&flow, stage);
        let is_alone = members.members.only() == Some(guard);
        let passed = state.courses[index].passed.count();
        let run = Judged {
            guard,
            ports,
            next,
            verdicts: verdicts.get(..most.min(verdicts.len()))?,
            ticket,
            index,
            source,
            source_ports: state.ports?,
            target,
            flow,
            stage,
            is_alone,
            mapping: self.flows.get(source, target).mapping,
        };
        let taken = if passed + 1 < members.quorum {
            self.note_passes(&run, members)?
        } else if stage + 1 == flow.stages() {
            self.carry_on(machine, &run, members.quorum, may_map)?
        } else if is_alone {
            self.hand_on(machine, &run, may_map)?
        } else {
            return None;
        };
        if taken != 0 {
            *may_map = true;
        }
        Some(())
    }

    /// Carries messages that have passed their last guard to the target, from the oldest of the flow on.
    /// Returns how many verdicts were taken. If there are none, it has mapped the frames for the first one.
    #[inline(never)]
    fn carry_on<const D: usize>(
        &mut self,
        machine: &mut impl Machine,
        run: &Judged<'_, D>,
        quorum: u32,
        may_map: &mut bool,
    ) -> Option<u32> {
        let Judged { guard, ports, next, source, target, stage, mapping, is_alone, .. } = *run;
        let (head, newest) = run.flow.waiting?;
        // Each message of a flow that is audited has a record, and it is the ordinary path that writes it.
        if run.index != head || run.flow.audits_all {
            return None;
        }
        if self.clients[target].standing != Standing::Open {
            return None;
        }
        let offer = self.offer_of_target(source, target)?;
        let Offer { ports: Ports { from_client, to_client }, request, count, is_fresh } = offer;
        let sequence = self.flows.get(source, target).sequence;
        let granule_bits = self.clients[guard].inspections.granule_bits()?;
        let most = self.clients[source].budget.messages().min(count) as usize;
        let verdicts = run.verdicts.get(..most.min(run.verdicts.len()))?;
        let mut reasons = Reasons::new();
        let found = if is_alone {
            self.passes(run, verdicts, &mut reasons, |course| course.waits_for_all_of(stage, guard))
        } else {
            self.passes(run, verdicts, &mut reasons, |course| {
                course.awaits_of(stage, guard) && course.passed.count() + 1 == quorum
            })
        };
        if found == 0 {
            return None;
        }
        let [holder, client, receiver] = self.clients.each_mut([guard, source, target])?;
        client.budget.replenish_late();
        let delivery_at = receiver.deliveries.next();
        let (inspections, places) = holder.inspections.run_mut(Inspections::slot(run.ticket));
        let mut lane = CarryOn {
            copies: Copies::new(&holder.snapshot_buffer, receiver, mapping, client.budget.deficit()),
            source,
            request,
            sequence,
            // A configuration has at most 8 stages for each flow.
            stages: stage.to_le_bytes()[0] + 1,
            inspections: inspections.get(..found as usize)?,
            sends: client.sends.run(head),
            deliveries: to_client.deliveries.run(delivery_at),
            places,
            granule_bits,
            bytes: 0,
        };
        let taken = if is_fresh {
            lane.carry_to_fresh(machine, receiver, from_client.posts.run(request), mapping)
        } else {
            lane.carry_to_taken(machine, receiver, mapping)
        };
        let (deficit, bytes) = (lane.copies.deficit, lane.bytes);
        if taken == 0 {
            let snapshot = holder.inspections.place(Inspections::slot(run.ticket));
            let snapshot = (guard, Side::Snapshot, snapshot);
            return self.map_for_next(machine, may_map, snapshot, target, &offer, mapping);
        }
        holder.inspections.end_run(run.ticket, taken);
        holder.unanswered.remove_run(Inspections::delivery(run.ticket), taken);
        let waiting = client.sends.rest_of_queue(head.wrapping_add(taken - 1), newest);
        receiver.deliveries.push_to(delivery_at.wrapping_add(taken));
        receiver.use_requests(&offer, source, taken);
        client.budget.spend(taken, deficit);
        // What has not begun can do so now, and what was judged before its turn came can end.
        let goes_on = waiting.is_some_and(|(oldest, newest)| {
            let is_decided = client.courses[oldest].is_decided(run.flow.stages());
            is_decided || !client.courses[newest].has_begun()
        });
        if self.audit.is_kept() {
            self.audit_passes(run, taken, &reasons);
        }
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
            // What waits for one guard was handed to one in each stage.
            let most = if is_alone { stage.to_le_bytes()[0] } else { u8::MAX };
            self.end_other_inspections(source, head, taken, guard, most);
        }
        let finished = Finished { index: head, messages: taken, parts: 1, target, sequence, bytes };
        self.settle_run(source, run.source_ports, to_client, &finished, mapping == Mapping::Keep);
        if !self.pending.is_empty() {
            self.settle_pending(machine, source, run.source_ports);
        }
        self.show_slots(source, run.source_ports);
        ports.to_client.set_statuses(next, taken, Status::Done);
        self.to_signal.insert(guard);
        self.take_to(guard, next, taken);
        self.settle_verdicts();
        Some(taken)
    }

    /// Hands messages that a guard has passed to the guard of the next stage. Returns how many verdicts were
    /// taken. If there are none, it has mapped the frames for the first one.
    #[inline(never)]
    fn hand_on<const D: usize>(
        &mut self,
        machine: &mut impl Machine,
        run: &Judged<'_, D>,
        may_map: &mut bool,
    ) -> Option<u32> {
        let Judged { guard, ports, next, source, target, stage, mapping, index, .. } = *run;
        let next_guard = self.guards.only_member(&run.flow, stage + 1)?;
        let offer = self.offer_of_guard(source, next_guard)?;
        let deadline = self.now.wrapping_add(run.flow.verdict_within);
        let verdicts = run.verdicts.get(..(offer.count as usize).min(run.verdicts.len()))?;
        let mut reasons = Reasons::new();
        let found = self.passes(run, verdicts, &mut reasons, |course| course.waits_for_all_of(stage, guard));
        if found == 0 {
            return None;
        }
        let [holder, client, receiver] = self.clients.each_mut([guard, source, next_guard])?;
        client.budget.replenish_late();
        let deficit = client.budget.deficit();
        let mut copies = Copies::new(&holder.snapshot_buffer, receiver, mapping, deficit);
        let slot = Inspections::slot(run.ticket);
        let inspections = holder.inspections.run(slot).get(..found as usize)?;
        let records = client.sends.run(index).iter().zip(client.courses.run_mut(index));
        let taken = Hands { receiver, offer, source, target, mapping, first: index }.hand_each(
            machine,
            &mut copies,
            |from| inspections.get(from..).unwrap_or_default().iter().map(|snapshot| snapshot.place),
            records.map(|(send, course)| (send.tag, course)),
            // By value: what it refers to would be loaded for each message.
            move |course, slot| course.begin_stage(stage + 1, next_guard, slot, deadline),
        );
        if taken == 0 {
            let snapshot = (guard, Side::Snapshot, holder.inspections.place(slot));
            return self.map_for_next(machine, may_map, snapshot, next_guard, &offer, mapping);
        }
        client.budget.pay(deficit - copies.deficit);
        holder.keep_verdicts(run.ticket, next, taken);
        if self.audit.is_kept() {
            self.audit_passes(run, taken, &reasons);
        }
        ports.to_client.set_statuses(next, taken, Status::Queued);
        self.note_handed(guard, next_guard);
        self.settle_pending(machine, source, run.source_ports);
        self.take_to(guard, next, taken);
        Some(taken)
    }
}
