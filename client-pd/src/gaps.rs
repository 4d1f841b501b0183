//! Which messages of a flow never came: a receiver's look at the numbers of what has come.

use ferry_layout::DomainId;
use ferry_layout::geometry::MAX_CLIENTS;

use crate::message::Event;
use crate::port::{Doorbell, Port};

/// Notices gaps in the numbers of flows to this client. Only a one-way flow has any: a message for which
/// there was no buffer, or no place in the receive queue, is dropped and uses up its number.
///
/// ```
/// use ferry_client::Gaps;
/// # let (mut here, mut there) = ferry_testbed::stage::pair();
/// # here.post();
/// # there.send(7, b"hello");
/// # let mut port = here.port;
/// let mut gaps = Gaps::new();
/// while let Some(event) = port.receive() {
///     if gaps.missed(&event) != 0 {
///         // Some readings were dropped. Do not take a mean over them.
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Gaps {
    /// For each source, one past the number of the newest message; `None` before the first.
    next: [Option<u64>; MAX_CLIENTS],
    total: u64,
}

impl Gaps {
    /// Nothing has come yet.
    ///
    /// ```
    /// let gaps = ferry_client::Gaps::new();
    /// assert_eq!(gaps.total(), 0);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { next: [None; MAX_CLIENTS], total: 0 }
    }

    /// How many messages of the same flow were dropped between the message before `event` and the one that
    /// `event` is about: 0 to 2^64 - 1. It is 0 for the first message of a flow since this began, whatever
    /// its number is, and for an event that is no message. Must be called with every event, in order.
    ///
    /// ```
    /// # use ferry_client::Gaps;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// let event = here.port.receive().unwrap();
    /// assert_eq!(Gaps::new().missed(&event), 0);
    /// ```
    pub fn missed(&mut self, event: &Event) -> u64 {
        match event {
            Event::Message { source, sequence, .. } | Event::Placed { source, sequence, .. } => {
                self.missed_before(*source, *sequence)
            }
            Event::Returned(_) => 0,
        }
    }

    /// As [`missed`](Self::missed), about the message of this number from `source`.
    ///
    /// ```
    /// use ferry_client::{DomainId, Gaps};
    ///
    /// let (mut gaps, sensor) = (Gaps::new(), DomainId::new(3).unwrap());
    /// assert_eq!([7, 8, 11].map(|sequence| gaps.missed_before(sensor, sequence)), [0, 0, 2]);
    /// ```
    pub fn missed_before(&mut self, source: DomainId, sequence: u64) -> u64 {
        let Some(next) = self.next.get_mut(source.index()) else { return 0 };
        let before = next.replace(sequence.wrapping_add(1));
        // A flow keeps its order, so no number is below the expected one.
        let missed = before.map_or(0, |expected| sequence.saturating_sub(expected));
        self.total = self.total.wrapping_add(missed);
        missed
    }

    /// All that [`missed`](Self::missed) has returned, modulo 2^64. [`Port::dropped`] also counts what was
    /// dropped before the first message and after the newest.
    ///
    /// ```
    /// # use ferry_client::Gaps;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// let mut gaps = Gaps::new();
    /// gaps.missed(&here.port.receive().unwrap());
    /// assert_eq!(gaps.total(), 0); // nothing is dropped in a flow that is not one-way
    /// ```
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }
}

impl Default for Gaps {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Doorbell> Port<D> {
    /// How many messages of one-way flows to this client were dropped since central started, modulo 2^64.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// assert_eq!(port.dropped(), 0);
    /// ```
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.directory().dropped()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flow_has_gaps_of_its_own() {
        let [one, other] = [3, 31].map(|number| DomainId::new(number).unwrap());
        let mut gaps = Gaps::new();
        assert_eq!(gaps.missed_before(one, 17), 0, "the first says nothing");
        assert_eq!(gaps.missed_before(other, 0), 0);
        assert_eq!(gaps.missed_before(one, 18), 0);
        assert_eq!(gaps.missed_before(other, 4), 3);
        assert_eq!(gaps.missed_before(one, 20), 1);
        assert_eq!(gaps.missed_before(one, u64::MAX), u64::MAX - 21);
        assert_eq!(gaps.missed_before(one, 0), 0, "after the last number comes the first");
        assert_eq!(gaps.total(), u64::MAX - 17);
    }
}
