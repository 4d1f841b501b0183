//! Runs of verdicts: how many of those that a guard has sent pass messages that follow each other in their
//! flow. What becomes of the messages is the task of `verdict.rs` and `quorum.rs`.

use ferry_layout::config::Mapping;
use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{DomainId, Slot, Status, Verdict};
use heapless::Vec;

use crate::course::Course;
use crate::engine::Engine;
use crate::engine::client::Ports;
use crate::guards::GuardedFlow;
use crate::inspections::{Inspection, Inspections, Subject};
use crate::send::Send;

/// What all verdicts of a run have in common. They are about messages in consecutive slots, of which each is
/// as `put_simple` records it, as are their inspections.
pub(super) struct Judged<'a, const D: usize> {
    pub(super) guard: DomainId,
    pub(super) ports: Ports,
    /// Index of the first verdict, and the verdicts.
    pub(super) next: u32,
    pub(super) verdicts: &'a [Slot<D>],
    /// The first ticket, and the index of the message that it is about.
    pub(super) ticket: u64,
    pub(super) index: u32,
    pub(super) source: DomainId,
    pub(super) source_ports: Ports,
    pub(super) target: DomainId,
    pub(super) flow: GuardedFlow,
    /// The stage that the messages are in, and whether the guard is all of it.
    pub(super) stage: u16,
    pub(super) is_alone: bool,
    pub(super) mapping: Mapping,
}

/// The reasons that verdicts give, if there is an audit log.
pub(super) type Reasons = Vec<u32, TRANSMIT_SLOTS>;

/// Verdicts, and what they are about.
struct Found<'a, const D: usize> {
    verdicts: &'a [Slot<D>],
    inspections: &'a [Inspection],
    courses: &'a [Course],
    sends: &'a [Send],
    /// The first ticket, and what it is about.
    ticket: u64,
    subject: Subject,
}

impl<const D: usize> Found<'_, D> {
    /// How many of the verdicts pass messages that follow each other in their flow, each with the ticket of
    /// its inspection, where the verdict `counts`. Each verdict is read once, and `note` gets its reason.
    #[inline(never)]
    fn count(&self, mut note: impl FnMut(u32), counts: impl Fn(&Course) -> bool) -> u32 {
        let first = self.subject.index();
        let (mut ticket, mut subject, mut next) = (self.ticket, self.subject, first);
        let records = self.inspections.iter().zip(self.courses).zip(self.sends);
        for (verdict, ((inspection, course), send)) in self.verdicts.iter().zip(records) {
            let Some(reason) = Verdict::passing(verdict, ticket) else { break };
            if !inspection.is_about(ticket, subject) || !counts(course) {
                break;
            }
            note(reason);
            next = next.wrapping_add(1);
            if send.next != next {
                break;
            }
            (ticket, subject) = (Inspections::next_ticket(ticket), subject.next());
        }
        next.wrapping_sub(first)
    }
}

impl Engine {
    /// How many of these verdicts, the first ones of a run, pass messages that follow each other in their
    /// flow, where the verdict `counts`. If there is an audit log, their reasons go to `reasons`.
    #[inline(always)]
    pub(super) fn passes<const D: usize>(
        &self,
        run: &Judged<'_, D>,
        verdicts: &[Slot<D>],
        reasons: &mut Reasons,
        counts: impl Fn(&Course) -> bool,
    ) -> u32 {
        let Judged { guard, source, ticket, index, .. } = *run;
        let state = &self.clients[source];
        let found = Found {
            verdicts,
            inspections: self.clients[guard].inspections.run(Inspections::slot(ticket)),
            courses: state.courses.run(index),
            sends: state.sends.run(index),
            ticket,
            subject: Subject::message(source, index),
        };
        if self.audit.is_kept() {
            // There is a place for each verdict of a ring.
            return found.count(|reason| reasons.push(reason).unwrap_or_default(), counts);
        }
        found.count(|_| (), counts)
    }

    /// Writes the first `taken` verdicts of a run to the audit log.
    #[cold]
    pub(super) fn audit_passes<const D: usize>(
        &mut self,
        run: &Judged<'_, D>,
        taken: u32,
        reasons: &Reasons,
    ) {
        let mut ticket = run.ticket;
        for (number, reason) in (0..taken).zip(reasons) {
            let verdict = Verdict { ticket, passes: true, reason: *reason };
            self.audit_verdict(run.source, run.index.wrapping_add(number), run.guard, verdict, true);
            ticket = Inspections::next_ticket(ticket);
        }
    }

    /// Takes verdicts about messages that have ended without them, from the one with this `ticket` on, which
    /// is at index `next` of the guard's ring. `None` if there are none. If there is a log, the ordinary path
    /// writes each down.
    pub(super) fn take_late_verdicts<const D: usize>(
        &mut self,
        guard: DomainId,
        ports: Ports,
        next: u32,
        verdicts: &[Slot<D>],
        first: u64,
    ) -> Option<()> {
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
        self.to_signal.insert(guard);
        self.take_to(guard, next, taken);
        Some(())
    }

    /// Records that `taken` verdicts of `guard`, from index `next` on, are taken. The guard is signalled when
    /// they end, and not before.
    pub(super) fn take_to(&mut self, guard: DomainId, next: u32, taken: u32) {
        let client = &mut self.clients[guard];
        client.transmit.take_to(next.wrapping_add(taken));
        client.budget.count_descriptors(taken);
        self.has_progressed = true;
    }
}
