//! The two roles at a ring, each with a private shadow of the indices.
//!
//! Neither role computes with an index of its peer before it has checked it against the shadow. A peer whose
//! index is impossible broke the protocol ([`ProtocolViolation`]). That is never the same as "full" or
//! "empty", which are ordinary.
//!
//! ```text
//!               next             tail
//!  consumer ──────┼────to take─────┼──── free for the producer ───▶   all within one capacity
//! ```

/// The peer published an index that no behaviour within the protocol leads to. It ran backwards, or further
/// than the ring has room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProtocolViolation {
    /// The index before, as this side knew it.
    pub known: u32,
    /// The index that the peer published.
    pub published: u32,
}

/// The role that fills a ring of `N` slots.
#[derive(Debug)]
pub struct Producer<const N: usize> {
    next: u32,
    head: u32,
}

impl<const N: usize> Producer<N> {
    #[expect(clippy::cast_possible_truncation, reason = "rings have far fewer slots than 2^31")]
    const CAPACITY: u32 = {
        assert!(N.is_power_of_two() && N < 1 << 31);
        N as u32
    };

    /// A ring that is empty and whose indices all equal `start`.
    #[must_use]
    pub const fn new(start: u32) -> Self {
        Self { next: start, head: start }
    }

    /// A ring whose next entry has index `next` and which counts as full for now. The peer's index was lost,
    /// and [`refresh`](Self::refresh) learns it again.
    #[must_use]
    pub const fn resume(next: u32) -> Self {
        Self { next, head: next.wrapping_sub(Self::CAPACITY) }
    }

    /// The index that the next entry gets. It is also the value to publish after storing entries.
    #[must_use]
    #[inline]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// The oldest index that the peer has not given back, as far as this side knows.
    #[must_use]
    #[inline]
    pub const fn head(&self) -> u32 {
        self.head
    }

    /// Number of free slots as far as this side knows. It does not read the peer's index.
    #[must_use]
    #[inline]
    pub const fn free(&self) -> u32 {
        Self::CAPACITY - self.next.wrapping_sub(self.head)
    }

    /// Takes the next index, or `None` if the ring is full as far as this side knows.
    #[inline]
    pub const fn push(&mut self) -> Option<u32> {
        if self.free() == 0 {
            return None;
        }
        let index = self.next;
        self.next = index.wrapping_add(1);
        Some(index)
    }

    /// Batch form of [`push`](Self::push): the caller has checked `next` against [`free`](Self::free).
    #[inline]
    pub const fn push_to(&mut self, next: u32) {
        debug_assert!(next.wrapping_sub(self.next) <= self.free(), "more entries than free slots");
        self.next = next;
    }

    /// Learns the claim that the peer has given back everything before `published`. The claim is checked: an
    /// impossible one is an error and changes nothing.
    #[inline]
    pub const fn refresh(&mut self, published: u32) -> Result<(), ProtocolViolation> {
        let given_back = published.wrapping_sub(self.head);
        if given_back > self.next.wrapping_sub(self.head) {
            return Err(ProtocolViolation { known: self.head, published });
        }
        self.head = published;
        Ok(())
    }
}

/// The role that empties a ring of `N` slots. Taking an entry gives its slot back to the producer. It does
/// not say what became of the request in it: statuses and deliveries say that.
#[derive(Debug)]
pub struct Consumer<const N: usize> {
    next: u32,
    tail: u32,
}

impl<const N: usize> Consumer<N> {
    #[expect(clippy::cast_possible_truncation, reason = "rings have far fewer slots than 2^31")]
    const CAPACITY: u32 = {
        assert!(N.is_power_of_two() && N < 1 << 31);
        N as u32
    };

    /// A ring that is empty and whose indices all equal `start`.
    #[must_use]
    pub const fn new(start: u32) -> Self {
        Self { next: start, tail: start }
    }

    /// The index of the next entry to take. It is also the value to publish for the producer.
    #[must_use]
    #[inline]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// One past the newest entry, as far as this side knows.
    #[must_use]
    #[inline]
    pub const fn tail(&self) -> u32 {
        self.tail
    }

    /// Number of entries that can be taken without reading the peer's index again.
    #[must_use]
    #[inline]
    pub const fn available(&self) -> u32 {
        self.tail.wrapping_sub(self.next)
    }

    /// Learns the claim that the peer has published everything before `published`. The claim is checked: an
    /// impossible one is an error and changes nothing.
    #[inline]
    pub const fn refresh(&mut self, published: u32) -> Result<(), ProtocolViolation> {
        let available = published.wrapping_sub(self.next);
        if available > Self::CAPACITY || available < self.available() {
            return Err(ProtocolViolation { known: self.tail, published });
        }
        self.tail = published;
        Ok(())
    }

    /// Takes the next entry's index, or `None` if there is none as far as this side knows.
    #[inline]
    pub const fn take(&mut self) -> Option<u32> {
        if self.available() == 0 {
            return None;
        }
        let index = self.next;
        self.next = index.wrapping_add(1);
        Some(index)
    }

    /// Takes the next `count` entries, or all that are available if there are fewer.
    #[inline]
    pub const fn take_run(&mut self, count: u32) {
        let available = self.available();
        self.next = self.next.wrapping_add(if count < available { count } else { available });
    }

    /// Batch form of [`take_run`](Self::take_run): the caller has checked `next` against
    /// [`available`](Self::available).
    #[inline]
    pub const fn take_to(&mut self, next: u32) {
        debug_assert!(next.wrapping_sub(self.next) <= self.available(), "more entries than there are");
        self.next = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Just before indices wrap, so that every test crosses that point.
    const START: u32 = u32::MAX - 1;

    #[test]
    fn full_and_empty_are_no_violation() {
        let mut producer = Producer::<4>::new(START);
        let mut consumer = Consumer::<4>::new(START);
        assert_eq!(consumer.take(), None);
        for _ in 0..4 {
            assert!(producer.push().is_some());
        }
        assert_eq!(producer.push(), None);
        consumer.refresh(producer.next()).unwrap();
        assert_eq!(consumer.available(), 4);
        assert_eq!(consumer.take(), Some(START));
        producer.refresh(consumer.next()).unwrap();
        assert_eq!(producer.push(), Some(START.wrapping_add(4)));
    }

    #[test]
    fn a_tail_that_runs_backwards_or_too_far_is_a_violation() {
        let mut consumer = Consumer::<4>::new(START);
        consumer.refresh(START.wrapping_add(3)).unwrap();
        assert!(consumer.refresh(START.wrapping_add(2)).is_err());
        assert!(consumer.refresh(START.wrapping_add(5)).is_err());
        assert!(consumer.refresh(START.wrapping_add(3 + 4)).is_err());
        assert!(consumer.refresh(START.wrapping_sub(4)).is_err());
        assert_eq!(consumer.available(), 3, "a refused index leaves everything as it was");
    }

    #[test]
    fn a_slot_that_was_not_taken_is_not_the_producers() {
        let mut consumer = Consumer::<4>::new(0);
        consumer.refresh(4).unwrap();
        assert!(consumer.refresh(5).is_err(), "nothing was taken yet");
        consumer.take_run(1);
        assert_eq!((consumer.next(), consumer.available()), (1, 3));
        consumer.refresh(5).unwrap();
        assert!(consumer.refresh(6).is_err());
        consumer.take_run(u32::MAX);
        assert_eq!((consumer.next(), consumer.available()), (5, 0), "only what is there can be taken");
    }

    #[test]
    fn batch_forms_come_to_the_same() {
        let (mut counted, mut single) = (Producer::<4>::new(START), Producer::<4>::new(START));
        counted.push_to(START.wrapping_add(3));
        for _ in 0..3 {
            single.push();
        }
        assert_eq!((counted.next(), counted.free()), (single.next(), single.free()));
        let (mut counted, mut single) = (Consumer::<4>::new(START), Consumer::<4>::new(START));
        for consumer in [&mut counted, &mut single] {
            consumer.refresh(START.wrapping_add(4)).unwrap();
        }
        counted.take_to(START.wrapping_add(3));
        single.take_run(3);
        assert_eq!((counted.next(), counted.available()), (single.next(), single.available()));
    }

    #[test]
    fn a_head_past_what_was_pushed_is_a_violation() {
        let mut producer = Producer::<4>::new(START);
        producer.push();
        assert!(producer.refresh(START.wrapping_add(2)).is_err());
        assert!(producer.refresh(START.wrapping_sub(1)).is_err());
        producer.refresh(START.wrapping_add(1)).unwrap();
        assert!(producer.refresh(START).is_err());
    }
}
