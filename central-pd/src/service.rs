//! How far the senders of one receiver have been served; see `engine/share.rs`.

use ferry_layout::DomainId;

use crate::table::ClientSet;

/// How far a receiver has served its senders. Each flow has a position. Positions wrap, and a distance is the
/// difference between two positions.
#[derive(Clone, Copy)]
pub(crate) struct Service {
    /// Position of the least served sender, when positions were last compared.
    least: u64,
    /// The last round in which a sender got something while nobody else waited, and the senders that got
    /// something in it.
    round: u64,
    uncounted: ClientSet,
    /// The last round in which a sender got something while another one waited.
    contested: u64,
}

/// What a flow got in one round while nobody else waited for its target.
#[derive(Clone, Copy)]
pub(crate) struct Uncounted {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

impl Uncounted {
    pub(crate) const NOTHING: Self = Self { messages: 0, bytes: 0 };
}

impl Service {
    pub(crate) const NONE: Self = Self { least: 0, round: 0, uncounted: ClientSet::EMPTY, contested: 0 };

    /// Distance from the least served position to position `served`. A flow that is behind the least served
    /// position counts as being there: its distance is 0.
    pub(crate) const fn distance(&self, served: u64) -> u64 {
        let distance = served.wrapping_sub(self.least);
        if distance > u64::MAX / 2 { 0 } else { distance }
    }

    /// The position at this distance.
    pub(crate) const fn place(&self, distance: u64) -> u64 {
        self.least.wrapping_add(distance)
    }

    /// Moves the least served position forward by this distance.
    pub(crate) const fn move_on(&mut self, distance: u64) {
        self.least = self.place(distance);
    }

    /// Notes that `source` got something in `round` while nobody else waited. Returns whether that is the
    /// first time in this round.
    #[inline]
    pub(crate) const fn note_uncounted(&mut self, round: u64, source: DomainId) -> bool {
        if self.round != round {
            (self.round, self.uncounted) = (round, ClientSet::EMPTY);
        }
        let first = !self.uncounted.contains(source);
        self.uncounted.insert(source);
        first
    }

    /// Forgets what `source` got in `round` while nobody else waited.
    pub(crate) const fn forget_noted(&mut self, round: u64, source: DomainId) {
        if self.round == round {
            self.uncounted.remove(source);
        }
    }

    /// Whether a sender has got something in `round` while another one waited. Then everything counts.
    #[inline]
    pub(crate) const fn is_contested(&self, round: u64) -> bool {
        self.contested == round
    }

    /// From now on, everything in `round` counts. Returns the senders that got something in it before, which
    /// was only noted.
    pub(crate) const fn contest(&mut self, round: u64) -> ClientSet {
        self.contested = round;
        if self.round == round {
            core::mem::replace(&mut self.uncounted, ClientSet::EMPTY)
        } else {
            ClientSet::EMPTY
        }
    }
}
