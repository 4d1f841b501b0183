//! Verdicts: what a guard says about a message that it has inspected.
//!
//! A verdict travels as a transmit descriptor of a kind of its own. It moves no byte. Central takes it only
//! from the guard that has the inspection, once, and before the message has ended.

use crate::address::Address;
use crate::descriptor::Descriptor;
use crate::entry::Slot;

/// A guard's answer to an inspection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The ticket of the inspection, from its delivery.
    pub ticket: u64,
    /// Whether the message may go on. Everything else refuses it.
    pub passes: bool,
    /// Why, in the guard's own numbers. It is for the operator. No sender and no receiver sees it.
    pub reason: u32,
}

impl Verdict {
    /// The kind of a descriptor that carries a verdict. [`Kind`](crate::Kind) has those that carry messages.
    pub const KIND: u8 = 2;

    /// In the descriptor's word for the decision: the message passes.
    const PASSES: u32 = 1;

    /// The descriptor that carries this verdict.
    #[must_use]
    pub fn descriptor(self) -> Descriptor {
        Descriptor {
            destination: Address { frame: u32::from(self.passes) * Self::PASSES, offset: self.reason },
            kind: Self::KIND,
            tag: self.ticket,
            ..Descriptor::default()
        }
    }

    /// Reads the verdict that the descriptor in `slot` carries, each word once. `None` if it carries none, as
    /// [`of`](Self::of) says.
    #[must_use]
    #[inline]
    pub fn load<const STRIDE: usize>(slot: &Slot<STRIDE>) -> Option<Self> {
        // Kind and flags are the upper quarter.
        if slot.word::<2>() >> 48 != u64::from(Self::KIND) {
            return None;
        }
        let decision = slot.word::<1>();
        #[expect(clippy::cast_possible_truncation, reason = "the lower half of the word")]
        let passes = decision as u32 == Self::PASSES;
        Some(Self { ticket: slot.word::<3>(), passes, reason: (decision >> 32) as u32 })
    }

    /// The reason that the descriptor in `slot` gives, if it is a verdict with this ticket that passes the
    /// message. Each word is read once.
    #[must_use]
    #[inline]
    pub fn passing<const STRIDE: usize>(slot: &Slot<STRIDE>, ticket: u64) -> Option<u32> {
        // All are read first, so that one branch decides.
        let (decision, middle, about) = (slot.word::<1>(), slot.word::<2>(), slot.word::<3>());
        // Kind and flags are the upper quarter.
        #[expect(clippy::cast_possible_truncation, reason = "the lower half of the word")]
        let passes =
            about == ticket && decision as u32 == Self::PASSES && middle >> 48 == u64::from(Self::KIND);
        passes.then_some((decision >> 32) as u32)
    }

    /// The verdict that a descriptor carries. `None` if it carries none, or has flags, which no verdict has.
    #[must_use]
    pub const fn of(descriptor: &Descriptor) -> Option<Self> {
        if descriptor.kind != Self::KIND || descriptor.flags != 0 {
            return None;
        }
        Some(Self {
            ticket: descriptor.tag,
            passes: descriptor.destination.frame == Self::PASSES,
            reason: descriptor.destination.offset,
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::descriptor::flags;

    #[test]
    fn a_verdict_comes_back_and_only_one_number_passes() {
        for passes in [false, true] {
            let verdict = Verdict { ticket: 1 << 63 | 5, passes, reason: u32::MAX };
            assert_eq!(Verdict::of(&verdict.descriptor()), Some(verdict));
        }
        let passing = Verdict { ticket: 1, passes: true, reason: 0 }.descriptor();
        for frame in [0, 2, 3, u32::MAX] {
            let other = Descriptor { destination: Address { frame, offset: 0 }, ..passing };
            assert!(Verdict::of(&other).is_some_and(|verdict| !verdict.passes));
        }
        for flags in [flags::CHAINED, flags::URGENT, flags::NO_SIGNAL, flags::PASSED_OVER] {
            assert_eq!(Verdict::of(&Descriptor { flags, ..passing }), None);
        }
        assert_eq!(Verdict::of(&Descriptor { kind: 0, ..passing }), None);
    }

    #[test]
    fn a_verdict_that_is_read_from_its_slot_is_the_same() {
        let slot = Slot::<8>::default();
        let verdict = Verdict { ticket: 1 << 63 | 5, passes: true, reason: u32::MAX };
        let descriptor = verdict.descriptor();
        for descriptor in [
            descriptor,
            Verdict { passes: false, ..verdict }.descriptor(),
            Descriptor { kind: 0, ..descriptor },
            Descriptor { flags: flags::PASSED_OVER, ..descriptor },
            // What means nothing in a verdict.
            Descriptor { target: u16::MAX, length: u32::MAX, ..descriptor },
        ] {
            slot.store(descriptor);
            assert_eq!(Verdict::load(&slot), Verdict::of(&descriptor));
            for ticket in [verdict.ticket, 5] {
                let expected = Verdict::of(&descriptor).filter(|it| it.passes && it.ticket == ticket);
                assert_eq!(Verdict::passing(&slot, ticket), expected.map(|it| it.reason));
            }
        }
    }
}
