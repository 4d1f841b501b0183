//! Flows with guards: each message is handed to the guards of one stage after the other, and goes on as they
//! say.
//!
//! What always holds:
//!
//! * The sender's bytes are copied once, to the first guard. Everything after that is copied from a snapshot,
//!   which no guard can write and no other message overwrites ([`crate::guards`]).
//! * A message is delivered only if in every stage enough members have passed it. Each verdict counts once,
//!   for the message whose ticket it names, and only from the guard that has the ticket.
//! * Whatever else happens to a guard counts as its refusal: it is late, quarantined, restarts, or offers a
//!   buffer that is too short. When too few members are left that could pass the message, it is refused.
//! * The messages of a flow end in their order, but for those that expire.
//! * A place stays pinned until its message has ended. Then the guard's verdict about it gets its final
//!   status, and that tells the guard that the place is its own again.
//! * What waits for a target fills only the flow's own part of a guard's memory. So a flow that stands still
//!   stops no other flow of the same guard.
//! * A message waits for buffers of guards only before any guard has it. From then on each stage has a
//!   deadline, which members without a buffer miss too. So no two messages wait for each other's places for
//!   ever.
//!
//! Central's restart needs no note of all this: messages that have not ended begin anew with the first stage.

use ferry_layout::config::{FlowRecord, Mapping, StageRecord};
use ferry_layout::{Delivery, DeliveryKind, DomainId, Span, Standing, Status, Verdict, flags};

use super::Engine;
use super::client::Ports;
use super::transfer::{MINIMUM_COST, Step};
use super::turn::Class;
use crate::course::Course;
use crate::guards::Stage;
use crate::inspections::{Inspection, Inspections, Subject};
use crate::machine::{Machine, Side};
use crate::slots::SlotSet;
use crate::table::ClientSet;

/// What became of a message that a turn has looked at.
enum Walked {
    /// It has ended, and is no longer in the queue.
    Ended,
    /// It waits for guards, for the target, or for the messages before it.
    Waits,
    /// It waits until other senders have had their share of what the target has.
    NotItsTurn,
    /// The source has used up its share of the round.
    OutOfShare,
}

/// What a guard has for its next inspection: a slot, and an open buffer.
pub(super) struct Offered {
    pub(super) slot: u32,
    pub(super) request: u32,
    pub(super) buffer: Span,
}

/// A place for a message at a guard.
pub(super) struct AtGuard {
    /// The slot of its inspection.
    pub(super) slot: u32,
    pub(super) request: u32,
    pub(super) place: Span,
}

impl Engine {
    /// Grants a flow with these stages of guards. There may be none, if all its messages are audited.
    pub(super) fn grant_guarded(
        &mut self,
        source: DomainId,
        target: DomainId,
        record: &FlowRecord,
        stages: &[StageRecord],
    ) {
        if record.one_way == 0 && !stages.is_empty() {
            self.clients[source].guarded.insert(target);
        }
        for guard in self.guards.grant(source, target, record, stages).iter() {
            let inspects = &mut self.clients[guard].inspects;
            inspects.insert(source);
            inspects.insert(target);
        }
    }

    /// Shares out the inspections of each guard, and the table of relays, among the flows. Called when all
    /// flows are granted.
    pub(super) fn share_out_guards(&mut self) {
        let relayed_of = |source| self.relayed_targets(source).count();
        let relayed = self.one_way.sources.iter().map(relayed_of).sum();
        for source in (0..).map_while(DomainId::new) {
            for target in self.guarded_targets(source).iter() {
                let flow = self.guards.flow(source, target);
                let stages = (0..flow.stages()).map(|number| self.guards.stage(flow, number).members);
                let guards = stages.fold(ClientSet::EMPTY, ClientSet::union);
                let clients = &self.clients;
                let bytes = |guard: DomainId| clients[guard].inspections.bytes();
                self.guards.share_out(source, target, guards, bytes);
                if self.one_way.is_granted(source, target) {
                    let most = self.guards.flow(source, target).most_under_way();
                    let one_way = self.one_way.flow_mut(source, target);
                    self.relays.share_out(&mut one_way.relayed, most, relayed);
                }
            }
        }
    }

    /// The clients to which `source` has flows with guards, one-way or not.
    pub(super) fn guarded_targets(&self, source: DomainId) -> ClientSet {
        let mut targets = ClientSet::EMPTY;
        for target in (0..).map_while(DomainId::new).filter(|it| self.guards.flow(source, *it).stages() != 0)
        {
            targets.insert(target);
        }
        targets
    }

    /// The clients to which `source` has one-way flows with guards.
    pub(super) fn relayed_targets(&self, source: DomainId) -> ClientSet {
        self.guarded_targets(source).without(self.clients[source].guarded)
    }

    /// The number of stages of a flow, for its deliveries. A configuration has at most 8 for each.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most MAX_GUARDS, because every stage has a guard"
    )]
    pub(super) fn stages_of(&self, source: DomainId, target: DomainId) -> u8 {
        self.guards.flow(source, target).stages() as u8
    }

    /// The clients that have a flow with guards to `target`.
    pub(super) fn guarded_sources(&self, target: DomainId) -> ClientSet {
        let mut sources = ClientSet::EMPTY;
        for source in self.all.iter().filter(|source| self.clients[*source].guarded.contains(target)) {
            sources.insert(source);
        }
        sources
    }

    /// Lets message `index`, which was just taken, wait at the end of its flow, and makes it `Queued`.
    pub(super) fn begin_course(&mut self, source: DomainId, ports: Ports, index: u32) {
        let client = &mut self.clients[source];
        let target = client.sends.get(index).header.target;
        client.courses[index] = Course::BEGIN;
        client.sends.note_ordinary(index);
        client.sends.enqueue(&mut self.guards.flow_mut(source, target).waiting, index);
        client.waits.insert_target(target);
        client.waits.unblock_one(target);
        for part in client.sends.parts(index) {
            ports.to_client.status(part).set(part, Status::Queued);
        }
        client.sends.occupy(index);
    }

    /// Serves what waits for `target` although no plain message does: it is a guard that may be able to take
    /// something now, or the target of a flow with guards or of a one-way flow. Returns false when the share
    /// is used up.
    #[cold]
    pub(super) fn serve_guarded(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        class: Class,
        passed_over: &mut ClientSet,
    ) -> bool {
        let client = &mut self.clients[source];
        client.next_target = u32::from(target.number()) + 1;
        if self.one_way.is_granted(source, target) {
            return self.serve_one_way(machine, source, target, class, passed_over);
        }
        let Some((first, _)) = self.guards.flow(source, target).waiting else {
            self.forget_wait(source, target);
            if self.clients[target].is_guard {
                let client = &mut self.clients[source];
                client.waits.unblock(client.guarded.intersection(client.waits.targets()));
            }
            return true;
        };
        if class == Class::Urgent && client.sends.get(first).header.flags & flags::URGENT == 0 {
            client.waits.block(target);
            passed_over.insert(target);
            return true;
        }
        self.walk(machine, source, target, passed_over)
    }

    /// Looks at the messages of a flow in their order, and does for each what can be done. Returns false when
    /// the share is used up. Bounded by the slots of the source's ring and the guards of a flow.
    fn walk(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        passed_over: &mut ClientSet,
    ) -> bool {
        if self.express_waiting(machine, source, target) {
            self.clients[source].waits.block(target);
            return true;
        }
        let mut is_first = true;
        let mut queue = self.guards.flow(source, target).waiting;
        // Messages begin in their order. Otherwise a later one could use up what the flow may have under way,
        // and wait for an older one that never begins.
        let mut begins = true;
        while let Some((index, last)) = queue.filter(|_| begins) {
            queue = self.clients[source].sends.rest_of_queue(index, last);
            if self.clients[source].budget.messages() == 0 || self.pending.is_full() {
                return false;
            }
            match self.advance(machine, source, target, index, is_first) {
                Walked::Ended => {}
                Walked::Waits => is_first = false,
                Walked::NotItsTurn => {
                    is_first = false;
                    passed_over.insert(target);
                }
                Walked::OutOfShare => return false,
            }
            let course = &self.clients[source].courses[index];
            begins = is_first || course.has_begun() || course.is_refused;
        }
        let client = &mut self.clients[source];
        client.waits.block(target);
        if self.guards.flow(source, target).waiting.is_none() {
            self.forget_wait(source, target);
        }
        true
    }

    /// Does for one message what can be done. `is_first` means that it is the oldest of its flow.
    fn advance(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        index: u32,
        is_first: bool,
    ) -> Walked {
        loop {
            let course = self.clients[source].courses[index];
            let flow = *self.guards.flow(source, target);
            if course.is_refused {
                return if is_first {
                    self.end_first(source, target, Some(Status::Refused))
                } else {
                    Walked::Waits
                };
            }
            if course.stage == flow.stages() {
                return if is_first { self.forward(machine, source, target, index) } else { Walked::Waits };
            }
            let stage = self.guards.stage(&flow, course.stage);
            let may_begin = course.has_begun() || flow.has_room() && self.enough_can_take(source, stage);
            if !may_begin {
                return Walked::Waits;
            }
            let members = stage.members;
            for guard in members.without(course.asked.union(course.refused)).iter() {
                match self.hand(machine, source, index, guard) {
                    Ok(true) => {}
                    Ok(false) => self.wait_for_guard(source, guard),
                    Err(Step::OutOfShare) => return Walked::OutOfShare,
                    // The bytes could not be read or written, whoever is at fault.
                    Err(_) => self.clients[source].courses[index].answer(guard, false),
                }
            }
            self.decide(source, target, index);
            let after = &self.clients[source].courses[index];
            if !after.is_refused && after.stage == course.stage {
                return Walked::Waits;
            }
        }
    }

    /// Lets the message go on to the next stage, or refuses it, if its guards have said enough.
    fn decide(&mut self, source: DomainId, target: DomainId, index: u32) {
        let flow = self.guards.flow(source, target);
        let course = &mut self.clients[source].courses[index];
        if course.is_refused || course.stage >= flow.stages() {
            return;
        }
        course.decide(self.guards.stage(flow, course.stage), self.now.wrapping_add(flow.verdict_within));
    }

    /// Whether so many members of its first stage can take a message of `source` now that they can pass it.
    /// The source waits for the others. Members in quarantine are no reason to wait.
    fn enough_can_take(&mut self, source: DomainId, stage: Stage) -> bool {
        // With one member, handing it out finds out.
        if stage.quorum < 2 {
            return true;
        }
        let (mut able, mut others) = (0, 0);
        for guard in stage.members.iter() {
            if self.place_at(source, guard).is_some() {
                able += 1;
            } else if self.clients[guard].standing != Standing::Quarantined {
                others += 1;
                self.wait_for_guard(source, guard);
            }
        }
        able >= stage.quorum || able + others < stage.quorum
    }

    /// Where `guard` can take a message of `source`, if it can.
    pub(super) fn place_at(&mut self, source: DomainId, guard: DomainId) -> Option<Offered> {
        let client = &self.clients[guard];
        let ports = client.ports.filter(|_| client.standing == Standing::Open)?;
        if !self.has_room(guard, ports) {
            return None;
        }
        let slot = self.clients[guard].inspections.free_slot()?;
        let found = self.clients[guard].requests.find(source).or_else(|| {
            self.look_for_requests(guard, ports);
            self.clients[guard].requests.find(source)
        });
        found.map(|(request, buffer)| Offered { slot, request, buffer })
    }

    /// Hands message `index` to `guard`: copies it into the guard's next buffer, and files an inspection.
    /// Returns whether the guard could take it.
    fn hand(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
        guard: DomainId,
    ) -> Result<bool, Step> {
        let send = *self.clients[source].sends.get(index);
        if self.clients[guard].standing == Standing::Quarantined {
            return Err(Step::Failed(Status::Quarantined));
        }
        let cost = send.total.max(MINIMUM_COST);
        if !self.clients[source].budget.can_afford(cost) {
            return Err(Step::OutOfShare);
        }
        let Some(offered) = self.place_at(source, guard) else { return Ok(false) };
        let Offered { slot, request, buffer } = offered;
        let place = buffer.part(0, send.total).ok_or(Step::Failed(Status::TooLong))?;
        let found = AtGuard { slot, request, place };
        self.has_progressed = true;
        self.clients[source].budget.pay(cost);
        let from = self.clients[source].courses[index].snapshot();
        let copied = match from {
            None => self.carry_to(machine, source, index, guard, place, 0, send.total),
            Some(_) => self.carry_snapshot(machine, source, index, guard, place),
        };
        copied.map_err(Step::Failed)?;
        self.file_inspection(source, index, guard, &found);
        Ok(true)
    }

    /// Files an inspection, whose bytes are copied.
    fn file_inspection(&mut self, source: DomainId, index: u32, guard: DomainId, at: &AtGuard) {
        let send = *self.clients[source].sends.get(index);
        let Some(ticket) = self.store_inspection(guard, at, send.tag, source, send.header.target) else {
            return;
        };
        let inspection = Inspection::new(ticket, Subject::message(source, index), at.place);
        self.clients[guard].inspections.begin(at.slot, inspection);
        let flow = self.guards.flow_mut(source, send.header.target);
        let course = &mut self.clients[source].courses[index];
        if !course.has_begun() {
            flow.begin();
            course.deadline = self.now.wrapping_add(flow.verdict_within);
        }
        course.hand(guard, at.slot);
    }

    /// Stores the delivery of an inspection. It becomes visible in `settle`. Returns its ticket.
    pub(super) fn store_inspection(
        &mut self,
        guard: DomainId,
        at: &AtGuard,
        tag: u64,
        source: DomainId,
        target: DomainId,
    ) -> Option<u64> {
        let state = &mut self.clients[guard];
        let ports = state.ports?;
        let delivery = state.deliveries.push()?;
        let ticket = Inspections::ticket(at.slot, delivery, state.epoch);
        #[expect(clippy::cast_possible_truncation, reason = "the number of a client is below 32")]
        let target = target.number() as u8;
        let inspection = Delivery {
            tag,
            sequence: ticket,
            position: at.place.position(),
            request: at.request,
            length: at.place.length(),
            source: source.number(),
            kind: DeliveryKind::Inspection as u8,
            detail: target,
        };
        ports.to_client.deliveries.store(delivery, inspection);
        state.unanswered.insert(delivery);
        state.inspections.pin(state.requests.span(at.request), at.place);
        state.requests.use_at_once(at.request);
        self.pending.inspect(guard);
        self.to_signal.insert(guard);
        Some(ticket)
    }

    /// Copies message `index` from its snapshot to a place in the receive buffer of `receiver`.
    pub(super) fn carry_snapshot(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
        receiver: DomainId,
        place: Span,
    ) -> Result<(), Status> {
        let course = &self.clients[source].courses[index];
        let (holder, slot) = course.snapshot().ok_or(Status::Failed)?;
        let target = self.clients[source].sends.get(index).header.target;
        let mapping = self.flows.get(source, target).mapping;
        self.copy_snapshot(machine, holder, slot, receiver, place, mapping)
    }

    /// Copies the snapshot that `holder` has in `slot` to a place in the receive buffer of `receiver`.
    pub(super) fn copy_snapshot(
        &mut self,
        machine: &mut impl Machine,
        holder: DomainId,
        slot: u32,
        receiver: DomainId,
        place: Span,
        mapping: Mapping,
    ) -> Result<(), Status> {
        let snapshot = self.clients[holder].inspections.place(slot);
        if place.length() == 0 {
            return Ok(());
        }
        if snapshot.length() != place.length() {
            return Err(Status::Failed);
        }
        self.make_room_for_runs(machine, 2);
        self.map(machine, holder, Side::Snapshot, snapshot, mapping)?;
        self.map(machine, receiver, Side::Receive, place, mapping)?;
        let from = self.clients[holder].snapshot_buffer.home().address(snapshot);
        machine.copy(from, self.clients[receiver].receive_buffer.home().address(place), place.length());
        Ok(())
    }

    /// Carries the oldest message of a flow, which all guards have passed, on to its target.
    fn forward(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        index: u32,
    ) -> Walked {
        // From now on it waits for the target like any other message.
        if self.clients[target].waits.insert_source(source) {
            self.begin_to_share(source, target);
            self.reconsider.insert(target);
        }
        match self.step_from::<true>(machine, source, index) {
            Step::Done => self.end_first(source, target, None),
            Step::Failed(status) => self.end_first(source, target, Some(status)),
            Step::OutOfShare => Walked::OutOfShare,
            Step::NotItsTurn => Walked::NotItsTurn,
            // A message of a flow with guards is carried in one step, so there is no progress without an end.
            Step::Blocked | Step::Progress => Walked::Waits,
        }
    }

    /// Ends the oldest message of a flow: with `Done` if `status` is `None`.
    fn end_first(&mut self, source: DomainId, target: DomainId, status: Option<Status>) -> Walked {
        let client = &mut self.clients[source];
        let Some(index) = client.sends.dequeue(&mut self.guards.flow_mut(source, target).waiting) else {
            return Walked::Waits;
        };
        client.spend(index);
        self.clients[target].waits.remove_source(source);
        self.leave_guards(source, index);
        if let Some(status) = status {
            self.refuse(source, index, status);
        }
        Walked::Ended
    }

    /// Lets `source` wait until `guard` can take something.
    fn wait_for_guard(&mut self, source: DomainId, guard: DomainId) {
        self.clients[source].waits.insert_target(guard);
        self.clients[source].waits.block(guard);
        self.clients[guard].waits.insert_source(source);
        self.reconsider.insert(guard);
    }

    /// Takes what a guard says. Returns false if it is about nothing, or about a message that has ended.
    #[cold]
    pub(super) fn judge(&mut self, guard: DomainId, verdict_at: u32, verdict: Verdict) -> bool {
        let client = &mut self.clients[guard];
        let Some(inspection) = client.inspections.judge(verdict.ticket, verdict_at) else {
            return false;
        };
        client.unanswered.remove(Inspections::delivery(verdict.ticket));
        client.sends.get_mut(verdict_at).index = verdict_at;
        client.sends.occupy(verdict_at);
        let (source, index) = (inspection.subject.source(), inspection.subject.index());
        if inspection.subject.is_relayed() {
            self.judge_relay(guard, index, verdict);
            return true;
        }
        let counts = self.clients[source].courses[index].awaits(guard);
        self.audit_verdict(source, index, guard, verdict, counts);
        if counts {
            self.clients[source].courses[index].answer(guard, verdict.passes);
            self.go_on(source, index);
        }
        true
    }

    /// The inspection that a verdict of `guard` is about, if its message has ended without that verdict. Such
    /// a verdict is as honest as any other: a quorum has decided before it, or central has restarted. `None`
    /// for a ticket that the guard has not been given in this epoch, or has answered. The delivery tells it,
    /// so this is true after a restart of central too.
    pub(super) fn ended_inspection(&mut self, guard: DomainId, ticket: u64) -> Option<Delivery> {
        let state = &mut self.clients[guard];
        let inspection = state.unanswered_inspection(state.ports?, ticket)?;
        // Another answer would be the guard's fault.
        state.unanswered.remove(Inspections::delivery(ticket));
        Some(inspection)
    }

    /// Looks at what the guards of a message have said by now, and gives its source a turn.
    fn go_on(&mut self, source: DomainId, index: u32) {
        let target = self.clients[source].sends.get(index).header.target;
        self.decide(source, target, index);
        self.clients[source].waits.unblock_one(target);
        self.rouse_source(source);
    }

    /// Ends all inspections of a message that has ended. What its guards were handed is theirs again.
    pub(super) fn leave_guards(&mut self, source: DomainId, index: u32) {
        let target = self.clients[source].sends.get(index).header.target;
        let course = core::mem::replace(&mut self.clients[source].courses[index], Course::BEGIN);
        if !course.has_begun() {
            return;
        }
        self.guards.flow_mut(source, target).end();
        self.give_snapshots_back(&course);
    }

    /// Ends the inspections of a message that has ended.
    pub(super) fn give_snapshots_back(&mut self, course: &Course) {
        for (guard, slot) in course.handed() {
            if self.end_inspection(guard, slot) {
                // A look settles them, between two turns.
                self.look_again.insert(guard);
            }
        }
    }

    /// Ends the inspection that `guard` has in `slot`. Returns whether it has a verdict, which is to be
    /// settled.
    pub(super) fn end_inspection(&mut self, guard: DomainId, slot: u32) -> bool {
        let client = &mut self.clients[guard];
        let Some(verdict) = client.inspections.end(slot) else { return false };
        client.settled_verdicts.insert(verdict);
        self.with_settled_verdicts.insert(guard);
        true
    }

    /// Gives the verdicts whose messages have ended their final status. Must be called between turns.
    pub(super) fn settle_verdicts(&mut self) {
        for guard in core::mem::replace(&mut self.with_settled_verdicts, ClientSet::EMPTY).iter() {
            let client = &mut self.clients[guard];
            let settled = core::mem::replace(&mut client.settled_verdicts, SlotSet::EMPTY);
            let Some(ports) = client.ports else { continue };
            for slot in settled.from(0) {
                let index = client.sends.get(slot).index;
                ports.to_client.status(index).set(index, Status::Done);
            }
            client.sends.release_all(settled);
            self.to_signal.insert(guard);
            self.show_slots(guard, ports);
        }
    }

    /// Refuses what the guards of `source` have not passed in time. Must be called between turns.
    pub(super) fn end_late_inspections(&mut self, source: DomainId) {
        for target in self.clients[source].guarded.iter() {
            let mut queue = self.guards.flow(source, target).waiting;
            while let Some((index, last)) = queue {
                queue = self.clients[source].sends.rest_of_queue(index, last);
                let flow = self.guards.flow(source, target);
                let course = &mut self.clients[source].courses[index];
                if !course.has_begun() || course.is_refused || course.stage >= flow.stages() {
                    continue;
                }
                let members = self.guards.stage(flow, course.stage).members;
                let silent = members.without(course.passed.union(course.refused));
                if !silent.is_empty() && course.is_overdue(self.now) {
                    for guard in silent.iter() {
                        self.audit_silence(source, index, guard);
                        self.clients[source].courses[index].answer(guard, false);
                    }
                    self.go_on(source, index);
                }
            }
        }
    }

    /// Takes everything back that `guard` was handed, because it restarts or is quarantined. It has passed
    /// none of it.
    pub(super) fn lose_guard(&mut self, guard: DomainId) {
        while let Some(inspection) = self.clients[guard].inspections.take_any() {
            let (source, index) = (inspection.subject.source(), inspection.subject.index());
            if inspection.subject.is_relayed() {
                self.lose_relay(guard, index);
                continue;
            }
            let target = self.clients[source].sends.get(index).header.target;
            let course = &mut self.clients[source].courses[index];
            course.lose(guard);
            if !course.has_begun() {
                self.guards.flow_mut(source, target).end();
            }
            self.go_on(source, index);
        }
        self.clients[guard].settled_verdicts = SlotSet::EMPTY;
        self.with_settled_verdicts.remove(guard);
        for source in self.clients[guard].waits.take_sources().iter() {
            self.clients[source].waits.remove_target(guard);
            let client = &mut self.clients[source];
            client.waits.unblock(client.guarded.intersection(client.waits.targets()));
            self.rouse_source(source);
        }
    }

    /// Drops the messages of a flow with guards without a status. None of them has claimed a buffer of the
    /// target: each is carried there in one step.
    pub(super) fn drop_guarded(&mut self, source: DomainId, target: DomainId) {
        while let Some(index) = self.take_oldest_guarded(source, target) {
            self.leave_guards(source, index);
        }
    }

    /// Ends all messages of a flow with guards with `status`. Must be called between turns.
    pub(super) fn end_guarded(&mut self, source: DomainId, target: DomainId, ports: Ports, status: Status) {
        while let Some(index) = self.take_oldest_guarded(source, target) {
            self.leave_guards(source, index);
            self.end_at_once(source, ports, index, status);
        }
    }

    fn take_oldest_guarded(&mut self, source: DomainId, target: DomainId) -> Option<u32> {
        self.clients[source].sends.dequeue(&mut self.guards.flow_mut(source, target).waiting)
    }
}
