//! The express lane for stages with several members: messages that were handed to the first member are handed
//! to the others many at a time, and so are verdicts noted that do not decide alone, or come after the
//! decision.
//!
//! What a member of a quorum gets is copied from the snapshot of the first one, as on the ordinary path
//! (`guard.rs` beside `express.rs`), which has everything else to do with these messages.

use ferry_layout::config::Mapping;
use ferry_layout::{DomainId, Slot, Status, Verdict};

use super::guard::{Hands, Offer, Unmapped};
use super::verdict::Run;
use crate::engine::Engine;
use crate::engine::audit::passed;
use crate::engine::client::Ports;
use crate::engine::transfer::MINIMUM_COST;
use crate::guards::{GuardedFlow, Inspections, Stage, Subject};
use crate::machine::{Machine, Side};
use crate::table::ClientSet;

/// The members of the first stage of a flow.
pub(super) struct FirstStage {
    /// The one that is handed messages first, and the others.
    pub(super) guard: DomainId,
    pub(super) others: ClientSet,
    /// How many messages all of the others can take now, at least.
    pub(super) most: u32,
}

/// Messages of one flow in consecutive slots, which were just handed to the first member of their stage.
pub(super) struct Handed {
    pub(super) source: DomainId,
    pub(super) target: DomainId,
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) guard: DomainId,
    pub(super) mapping: Mapping,
}

impl Engine {
    /// The first stage of a flow of `source`. `None` if it has none, or if one of the other members can take
    /// no message now, because then the ordinary path decides whether to wait for it.
    #[inline(never)]
    pub(super) fn first_stage(&mut self, source: DomainId, flow: &GuardedFlow) -> Option<FirstStage> {
        let mut others = self.guards.members_of_first(flow)?;
        let guard = others.iter().next()?;
        others.remove(guard);
        let most = if others.is_empty() { u32::MAX } else { self.offer_of_all(source, others)? };
        Some(FirstStage { guard, others, most })
    }

    /// How many messages of `source` all `members` can take now, at least. `None` if one can take none.
    fn offer_of_all(&mut self, source: DomainId, members: ClientSet) -> Option<u32> {
        let mut most = u32::MAX;
        for member in members.iter() {
            most = most.min(self.offer_of_guard(source, member)?.count);
        }
        Some(most).filter(|most| *most != 0)
    }

    /// Hands messages to `members`, the other members of their stage. What is left to do for them is done on
    /// the ordinary path.
    #[inline(never)]
    pub(super) fn hand_to_others(&mut self, machine: &mut impl Machine, handed: &Handed, members: ClientSet) {
        for member in members.iter() {
            let (mut first, mut left, mut may_map) = (handed.first, handed.count, true);
            while left != 0 {
                let Some((count, unmapped)) = self.copy_run(machine, handed, first, left, member) else {
                    break;
                };
                (first, left) = (first.wrapping_add(count), left - count);
                may_map |= count != 0;
                // Maps once for each message.
                if left != 0
                    && (!core::mem::replace(&mut may_map, false)
                        || unmapped
                            .and_then(|needed| self.map_both(machine, &needed, handed.mapping))
                            .is_none())
                {
                    break;
                }
            }
            if left != 0 {
                self.clients[handed.source].waits.unblock_one(handed.target);
            }
        }
    }

    /// Copies messages to `member`, at most `count`, from `first` on. Returns how many.
    fn copy_run(
        &mut self,
        machine: &mut impl Machine,
        handed: &Handed,
        first: u32,
        count: u32,
        member: DomainId,
    ) -> Option<(u32, Option<Unmapped>)> {
        let Handed { source, target, guard, mapping, .. } = *handed;
        let Offer { ports, request, count: offered, is_fresh } = self.offer_of_guard(source, member)?;
        let [holder, client, receiver] = self.clients.each_mut([guard, source, member])?;
        let (snapshots, from) = (holder.snapshot_buffer.reach(mapping), holder.snapshot_buffer.home());
        let mut hands = Hands::of(receiver, ports, mapping, request, is_fresh);
        let (mut deficit, mut unmapped) = (client.budget.deficit(), None);
        for index in (0..count.min(offered)).map(|number| first.wrapping_add(number)) {
            let course = &mut client.courses[index];
            let Some(slot) = course.first_slot(guard) else { break };
            let snapshot = holder.inspections.place(slot);
            let length = snapshot.length();
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            let Some(at) = hands.next_place(length) else { break };
            if !at.is_mapped || !snapshots.covers(snapshot) {
                unmapped = Some(Unmapped { from: (guard, Side::Snapshot, snapshot), to: (member, at.span) });
                break;
            }
            if !hands.pin(&at) {
                break;
            }
            machine.copy(from.address(snapshot), hands.to.address(at.span), length);
            let slot = hands.file(at.span, client.sends.get(index).tag, source, target, index);
            course.hand(member, slot);
            deficit = rest;
        }
        let copied = hands.count;
        if copied != 0 {
            hands.enter(source);
            client.budget.pay(client.budget.deficit() - deficit);
            self.note_handed(source, member);
        }
        Some((copied, unmapped))
    }

    /// Notes verdicts of a member of `stage` that pass their messages, and do not decide alone. Returns how
    /// many.
    pub(super) fn note_passes<const D: usize>(&mut self, run: &Run<'_, D>, stage: Stage) -> Option<u32> {
        let Run { guard, ports, next, source, target, .. } = *run;
        let is_audited = self.audit.is_kept();
        let [holder, client] = self.clients.each_mut([guard, source])?;
        let most = holder.inspections.run_from(run.ticket) as usize;
        let verdicts = run.verdicts.get(..most.min(run.verdicts.len()))?;
        let (mut ticket, mut subject, mut taken) = (run.ticket, Subject::message(source, run.index), 0);
        for (verdict, at) in verdicts.iter().zip((0..).map(|number| next.wrapping_add(number))) {
            let Some(reason) = Verdict::passing(verdict, ticket) else { break };
            let (course, send) = (&mut client.courses[subject.index()], client.sends.get(subject.index()));
            let is_same = send.target == target && holder.inspections.place_of(ticket, subject).is_some();
            if !is_same || !course.awaits_of(run.stage, guard) || course.passed.count() + 1 >= stage.quorum {
                break;
            }
            if is_audited {
                self.audit
                    .append(self.now, passed(source, send, guard, Verdict { ticket, passes: true, reason }));
            }
            course.answer(guard, true);
            holder.inspections.note_verdict(Inspections::slot(ticket), at);
            holder.sends.put_verdict(at);
            taken += 1;
            (ticket, subject) = (Inspections::next_ticket(ticket), subject.next());
        }
        if taken == 0 {
            return None;
        }
        holder.unanswered.remove_run(Inspections::delivery(run.ticket), taken);
        // They end with their messages.
        holder.sends.occupy_run(next, taken);
        ports.to_client.set_statuses(next, taken, Status::Queued);
        self.take_to(run, taken);
        Some(taken)
    }

    /// Takes verdicts about messages that have ended without them, from the one with this `ticket` on, which
    /// is at index `next` of the guard's ring. Returns whether there are any. If there is a log, the ordinary
    /// path writes each down.
    pub(super) fn take_late_verdicts<const D: usize>(
        &mut self,
        guard: DomainId,
        ports: Ports,
        next: u32,
        verdicts: &[Slot<D>],
        first: u64,
    ) -> Option<bool> {
        if self.audit.is_kept() {
            return None;
        }
        let state = &mut self.clients[guard];
        let (mut ticket, mut taken) = (first, 0);
        for verdict in verdicts {
            let is_ended = Verdict::load(verdict).is_some_and(|verdict| verdict.ticket == ticket)
                && state.unanswered_inspection(ports, ticket).is_some()
                && state.inspections.awaited(ticket).is_none();
            if !is_ended {
                break;
            }
            taken += 1;
            ticket = Inspections::next_ticket(ticket);
        }
        if taken == 0 {
            return None;
        }
        state.unanswered.remove_run(Inspections::delivery(first), taken);
        ports.to_client.set_statuses(next, taken, Status::NoInspection);
        state.count(|counters| counters.refused.add(taken.into()));
        state.transmit.take_to(next.wrapping_add(taken));
        state.budget.count_descriptors(taken);
        self.to_signal.insert(guard);
        self.has_progressed = true;
        Some(true)
    }
}
