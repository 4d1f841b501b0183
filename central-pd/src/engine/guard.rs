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

use ferry_layout::{DomainId, Standing, Status, Verdict};

use super::Engine;
use super::client::Ports;
use super::inspect::{AtGuard, Offered};
use super::transfer::{MINIMUM_COST, Step};
use crate::course::Course;
use crate::guards::Stage;
use crate::inspections::{Inspection, Inspections, Subject};
use crate::machine::Machine;
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

impl Engine {
    /// Lets message `index`, which was just taken, wait at the end of its flow, and makes it `Queued`.
    pub(super) fn begin_course(&mut self, source: DomainId, ports: Ports, index: u32) {
        let client = &mut self.clients[source];
        let target = client.sends.get(index).header.target;
        client.courses[index] = Course::BEGIN;
        client.sends.note_ordinary(index);
        client.sends.enqueue(&mut self.guards.flow_mut(source, target).waiting, index);
        for part in client.sends.parts(index) {
            ports.to_client.status(part).set(part, Status::Queued);
        }
        client.sends.occupy(index);
        self.wait_for_turn(source, target, true);
    }

    /// Looks at the messages of a flow in their order, and does for each what can be done. Returns false when
    /// the share is used up. Bounded by the slots of the source's ring and the guards of a flow.
    pub(super) fn walk(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        passed_over: &mut ClientSet,
    ) -> bool {
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

    /// Carries the oldest message of a flow, which all guards have passed, on to its target.
    fn forward(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        index: u32,
    ) -> Walked {
        // From now on it waits for the target like any other message.
        if self.wait_for_target(source, target) {
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
        self.stop_waiting_for_target(source, target);
        self.leave_guards(source, index);
        if let Some(status) = status {
            self.refuse(source, index, status);
        }
        Walked::Ended
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

    /// Looks at what the guards of a message have said by now, and gives its source a turn.
    fn go_on(&mut self, source: DomainId, index: u32) {
        let target = self.clients[source].sends.get(index).header.target;
        self.decide(source, target, index);
        self.clients[source].waits.unblock_one(target);
        self.rouse_source(source);
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
        for source in self.forget_waiters(guard).iter() {
            self.forget_wait(source, guard);
            let client = &mut self.clients[source];
            client.waits.unblock(client.guarded.intersection(client.waits.targets()));
            self.rouse_source(source);
        }
    }
}
