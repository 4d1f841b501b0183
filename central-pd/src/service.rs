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

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions wrap. One behind the least served position counts as being there.
    #[test]
    fn a_distance_is_never_negative() {
        let mut service = Service::NONE;
        for step in [5, u64::MAX - 7] {
            service.move_on(step);
            for ahead in [0, 1, 7, u64::MAX / 2] {
                assert_eq!(service.distance(service.place(ahead)), ahead);
            }
            for behind in [1, 7, u64::MAX / 2] {
                assert_eq!(service.distance(service.place(0).wrapping_sub(behind)), 0, "{behind} behind");
            }
        }
    }

    #[test]
    fn the_least_served_position_moves_on_and_others_come_nearer() {
        let mut service = Service::NONE;
        let place = service.place(10);
        service.move_on(4);
        assert_eq!((service.distance(place), service.place(6)), (6, place));
        service.move_on(4);
        assert_eq!(service.distance(place), 2);
    }
}
