//! How far a message of a flow with guards has come. `engine/guard.rs` decides by it.
//!
//! A message of such a flow goes through *stages*. In a stage it is handed to the members, and goes on when
//! enough of them have passed it.

use ferry_layout::DomainId;
use ferry_layout::geometry::MAX_GUARDS;

use crate::guards::Stage;
use crate::inspections::{FIRST, both};
use crate::send::has_passed;
use crate::table::ClientSet;

/// How far one message has come among the guards of its flow.
///
/// Aligned so that its first fields are one word to compare.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Course {
    /// Stages that have passed it. The present stage has this number.
    pub(crate) stage: u16,
    /// It can no longer be passed.
    pub(crate) is_refused: bool,
    /// How many guards it was handed to.
    count: u8,
    /// Members of the present stage that it was handed to.
    pub(crate) asked: ClientSet,
    /// Of those, the ones that have passed it, and the ones that have not and no longer can.
    pub(crate) passed: ClientSet,
    pub(crate) refused: ClientSet,
    /// The tick at which the members that have not answered are too late, whether or not they were asked.
    /// Without a meaning before it was handed to anybody.
    pub(crate) deadline: u32,
    /// The guards that it was handed to, and the slot of the inspection at each of them.
    handed: [(DomainId, u8); MAX_GUARDS],
}

impl Course {
    pub(crate) const BEGIN: Self = Self {
        stage: 0,
        is_refused: false,
        count: 0,
        asked: ClientSet::EMPTY,
        passed: ClientSet::EMPTY,
        refused: ClientSet::EMPTY,
        deadline: 0,
        handed: [(FIRST, 0); MAX_GUARDS],
    };

    /// Begins anew, with a message that was not handed to anybody.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) const fn wait(&mut self) {
        // Written where it lies, field by field: a copy of the whole would cost more than all else here.
        (self.stage, self.is_refused, self.count) = (0, false, 0);
        (self.asked, self.passed, self.refused) = (ClientSet::EMPTY, ClientSet::EMPTY, ClientSet::EMPTY);
    }

    /// Begins `stage`, with a message that was just handed to `guard`, which is all of it. The message was
    /// handed to one guard in each stage before, or the stage is the first one and the message begins anew.
    #[inline(always)]
    pub(crate) fn begin_stage(&mut self, stage: u16, guard: DomainId, slot: u32, deadline: u32) {
        // Written where it lies, field by field: a copy of the whole would cost more than all else here.
        // A flow has at most as many stages as guards.
        (self.stage, self.is_refused, self.count) = (stage, false, stage.to_le_bytes()[0].wrapping_add(1));
        (self.asked, self.passed, self.refused) = (ClientSet::EMPTY, ClientSet::EMPTY, ClientSet::EMPTY);
        self.asked.insert(guard);
        self.deadline = deadline;
        if let Some(place) = self.handed.get_mut(usize::from(stage)) {
            #[expect(clippy::cast_possible_truncation, reason = "the number of a slot is below 128")]
            let slot = slot as u8;
            *place = (guard, slot);
        }
    }

    /// Whether it is in `stage`, of which `guard` is all, was handed to one guard in each stage so far, and
    /// only waits for what this one says.
    #[inline(always)]
    pub(crate) fn waits_for_all_of(&self, stage: u16, guard: DomainId) -> bool {
        let mut only = ClientSet::EMPTY;
        only.insert(guard);
        let said = u64::from(self.passed.bits()) | u64::from(self.refused.bits()) << 32;
        both(self.place(), said) == both(Self::place_of(stage, false, stage.wrapping_add(1), only), 0)
    }

    /// Whether it is in `stage`, and waits for what `guard`, which has it, says.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn awaits_of(&self, stage: u16, guard: DomainId) -> bool {
        self.stage == stage && self.awaits(guard) && !self.passed.contains(guard)
    }

    /// The slot of the inspection at the guard with the snapshot that it goes on from, if that is `guard`.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn first_slot(&self, guard: DomainId) -> Option<u32> {
        let [(first, slot), ..] = self.handed;
        (self.count != 0 && first == guard).then_some(slot.into())
    }

    /// The guard that it was handed to as the `number`-th, and the slot of the inspection there.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) fn nth_handed(&self, number: u8) -> Option<(DomainId, u32)> {
        let (guard, slot) = *self.handed.get(usize::from(number)).filter(|_| number < self.count)?;
        Some((guard, slot.into()))
    }

    /// Whether it was handed to `guard` as the `number`-th.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) fn is_nth_handed(&self, number: u8, guard: DomainId) -> bool {
        self.nth_handed(number).is_some_and(|(nth, _)| nth == guard)
    }

    /// Where it is, in one word.
    #[inline(always)]
    fn place(&self) -> u64 {
        Self::place_of(self.stage, self.is_refused, self.count.into(), self.asked)
    }

    #[inline(always)]
    const fn place_of(stage: u16, is_refused: bool, count: u16, asked: ClientSet) -> u64 {
        stage as u64 | (is_refused as u64) << 16 | (count as u64) << 24 | (asked.bits() as u64) << 32
    }

    /// Whether nothing that a guard says can change what becomes of it, in a flow with so many stages.
    #[inline]
    pub(crate) const fn is_decided(&self, stages: u16) -> bool {
        self.is_refused || self.stage >= stages
    }

    /// Whether it was handed to a guard.
    pub(crate) const fn has_begun(&self) -> bool {
        self.count != 0
    }

    /// The guards that it was handed to, each with the slot of the inspection.
    pub(crate) fn handed(&self) -> impl Iterator<Item = (DomainId, u32)> + use<> {
        self.handed.into_iter().take(self.count.into()).map(|(guard, slot)| (guard, slot.into()))
    }

    /// The guard with the snapshot that it goes on from, and the slot of the inspection. All snapshots of a
    /// message are the same bytes, and no guard can change its own. `None` before it was handed to anybody.
    pub(crate) fn snapshot(&self) -> Option<(DomainId, u32)> {
        self.handed().next()
    }

    /// Notes that it was handed to a member of the present stage. The checked configuration names at most
    /// [`MAX_GUARDS`] guards for a flow, each once.
    pub(crate) fn hand(&mut self, guard: DomainId, slot: u32) {
        self.asked.insert(guard);
        if let Some(place) = self.handed.get_mut(usize::from(self.count)) {
            #[expect(clippy::cast_possible_truncation, reason = "the number of a slot is below 128")]
            let slot = slot as u8;
            *place = (guard, slot);
            self.count += 1;
        }
    }

    /// Notes what a member of the present stage has said. What comes after its refusal has no effect: a
    /// member that is late has refused.
    pub(crate) const fn answer(&mut self, guard: DomainId, passes: bool) {
        if self.refused.contains(guard) {
            return;
        }
        let side = if passes { &mut self.passed } else { &mut self.refused };
        side.insert(guard);
    }

    /// Whether what `guard` says can still count: it was asked in the present stage, is not too late, and
    /// the message is not refused without it.
    pub(crate) const fn awaits(&self, guard: DomainId) -> bool {
        self.asked.contains(guard) && !self.refused.contains(guard) && !self.is_refused
    }

    /// Goes on to the next stage, whose members have until `deadline`, or is refused, if the members of the
    /// present one have said enough.
    pub(crate) const fn decide(&mut self, stage: Stage, deadline: u32) {
        if self.passed.count() >= stage.quorum {
            self.pass_stage(deadline);
        } else if stage.members.without(self.refused).count() < stage.quorum {
            self.is_refused = true;
        }
    }

    /// The members that were asked, and are too late at tick `now`.
    pub(crate) const fn late(&self, now: u32) -> ClientSet {
        let silent = self.asked.without(self.passed.union(self.refused));
        if self.is_overdue(now) { silent } else { ClientSet::EMPTY }
    }

    /// Whether the members have no more time at tick `now`.
    pub(crate) const fn is_overdue(&self, now: u32) -> bool {
        has_passed(self.deadline, now)
    }

    /// Goes on to the next stage, whose members have until `deadline`.
    pub(crate) const fn pass_stage(&mut self, deadline: u32) {
        self.stage += 1;
        self.deadline = deadline;
        (self.asked, self.passed, self.refused) = (ClientSet::EMPTY, ClientSet::EMPTY, ClientSet::EMPTY);
    }

    /// Notes that `guard` no longer has what it was handed.
    pub(crate) fn lose(&mut self, guard: DomainId) {
        if self.asked.contains(guard) {
            self.passed.remove(guard);
            self.refused.insert(guard);
        }
        let before = core::mem::replace(&mut self.count, 0);
        let kept = self.handed.into_iter().take(before.into()).filter(|(holder, _)| *holder != guard);
        for (place, kept) in self.handed.iter_mut().zip(kept) {
            *place = kept;
            self.count += 1;
        }
        // The sender's own bytes may have changed meanwhile, so they are not copied again.
        self.is_refused |= self.count == 0;
    }
}

#[cfg(test)]
mod tests;
