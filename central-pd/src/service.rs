//! How far the senders of one receiver have been served; `engine/share.rs` says what for.

use ferry_layout::DomainId;

use crate::table::ClientSet;

/// How far the service of a receiver has come. All places wrap; a distance is what is between two.
#[derive(Clone, Copy)]
pub(crate) struct Service {
    /// Where the least served of those stood who waited last.
    least: u64,
    /// The last round in which somebody was given something while nobody else waited, and who was.
    round: u32,
    uncounted: ClientSet,
}

/// What a flow was given in one round while nobody else waited for it.
#[derive(Clone, Copy)]
pub(crate) struct Uncounted {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

impl Uncounted {
    pub(crate) const NOTHING: Self = Self { messages: 0, bytes: 0 };
}

impl Service {
    pub(crate) const NONE: Self = Self { least: 0, round: 0, uncounted: ClientSet::EMPTY };

    /// How far beyond the least served a flow is that was served up to `served`. One that is behind begins
    /// there.
    pub(crate) const fn distance(&self, served: u64) -> u64 {
        let distance = served.wrapping_sub(self.least);
        if distance > u64::MAX / 2 { 0 } else { distance }
    }

    /// The place at this distance.
    pub(crate) const fn place(&self, distance: u64) -> u64 {
        self.least.wrapping_add(distance)
    }

    /// The least served of those who wait stands at this distance now.
    pub(crate) const fn move_on(&mut self, distance: u64) {
        self.least = self.place(distance);
    }

    /// `source` was given something in `round` while nobody else waited. Whether that is the first time in
    /// this round.
    #[inline]
    pub(crate) const fn note_uncounted(&mut self, round: u32, source: DomainId) -> bool {
        if self.round != round {
            (self.round, self.uncounted) = (round, ClientSet::EMPTY);
        }
        let first = !self.uncounted.contains(source);
        self.uncounted.insert(source);
        first
    }

    /// Who was given something in `round` while nobody else waited; none of it is noted any more.
    pub(crate) const fn take_uncounted(&mut self, round: u32) -> ClientSet {
        if self.round == round {
            core::mem::replace(&mut self.uncounted, ClientSet::EMPTY)
        } else {
            ClientSet::EMPTY
        }
    }
}
