//! The express lane for stages with several members: messages that were handed to the first member are handed
//! to the others many at a time, and so are verdicts noted that do not decide alone, or come after the
//! decision.
//!
//! What a member of a quorum gets is copied from the snapshot of the first one, as on the ordinary path
//! (`guard.rs` beside `express.rs`), which has everything else to do with these messages.

use ferry_layout::config::Mapping;
use ferry_layout::{DomainId, Status};

use super::copies::Copies;
use super::hands::Hands;
use super::passes::{Judged, Reasons};
use crate::engine::Engine;
use crate::guards::{GuardedFlow, Stage};
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
            // Maps once for each message.
            let (mut first, mut left, mut may_map) = (handed.first, handed.count, true);
            while left != 0 {
                let Some(count) = self.copy_run(machine, handed, first, left, member, &mut may_map) else {
                    self.clients[handed.source].waits.unblock_one(handed.target);
                    break;
                };
                (first, left) = (first.wrapping_add(count), left - count);
            }
        }
    }

    /// Copies messages to `member`, at most `count`, from `first` on. Returns how many. If there are none, it
    /// has mapped the frames for the next one. `None` if that one cannot be copied here.
    fn copy_run(
        &mut self,
        machine: &mut impl Machine,
        handed: &Handed,
        first: u32,
        count: u32,
        member: DomainId,
        may_map: &mut bool,
    ) -> Option<u32> {
        let Handed { source, target, guard, mapping, .. } = *handed;
        let offer = self.offer_of_guard(source, member).filter(|offer| offer.count != 0)?;
        let [holder, client, receiver] = self.clients.each_mut([guard, source, member])?;
        // Those of the others are in the slots after it.
        let slot = client.courses[first].first_slot(guard)?;
        let deficit = client.budget.deficit();
        let mut copies = Copies::new(&holder.snapshot_buffer, receiver, mapping, deficit);
        let sends = client.sends.run(first);
        let sends = sends.get(..(count.min(offer.count) as usize).min(sends.len()))?;
        let snapshots = holder.inspections.run(slot);
        let snapshots = snapshots.get(..sends.len().min(snapshots.len()))?;
        let records = sends.iter().zip(client.courses.run_mut(first));
        let copied = Hands { receiver, offer, source, target, mapping, first }.hand_each(
            machine,
            &mut copies,
            |from| snapshots.get(from..).unwrap_or_default().iter().map(|snapshot| snapshot.place),
            records.map(|(send, course)| (send.tag, course)),
            |course, slot| course.hand(member, slot),
        );
        if copied == 0 {
            let snapshot = (guard, Side::Snapshot, holder.inspections.place(slot));
            return self.map_for_next(machine, may_map, snapshot, member, &offer, mapping);
        }
        *may_map = true;
        client.budget.pay(deficit - copies.deficit);
        self.note_handed(source, member);
        Some(copied)
    }

    /// Notes verdicts of a member of a stage that pass their messages, and do not decide alone. Returns how
    /// many.
    #[inline(never)]
    pub(super) fn note_passes<const D: usize>(&mut self, run: &Judged<'_, D>, stage: Stage) -> Option<u32> {
        let Judged { guard, ports, next, source, .. } = *run;
        let mut reasons = Reasons::new();
        let taken = self.passes(run, run.verdicts, &mut reasons, |course| {
            course.awaits_of(run.stage, guard) && course.passed.count() + 1 < stage.quorum
        });
        if taken == 0 {
            return None;
        }
        if self.audit.is_kept() {
            self.audit_passes(run, taken, &reasons);
        }
        let [holder, client] = self.clients.each_mut([guard, source])?;
        for course in client.courses.run_mut(run.index).iter_mut().take(taken as usize) {
            course.answer(guard, true);
        }
        holder.keep_verdicts(run.ticket, next, taken);
        ports.to_client.set_statuses(next, taken, Status::Queued);
        self.take_to(guard, next, taken);
        Some(taken)
    }
}
