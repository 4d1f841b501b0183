//! Verdicts: what a guard says about a message that it has inspected.
//!
//! A verdict travels as a transmit descriptor of a kind of its own. It moves no byte. Central takes it only
//! from the guard that has the inspection, once, and before the message has ended.

use crate::address::Address;
use crate::descriptor::Descriptor;

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
}
