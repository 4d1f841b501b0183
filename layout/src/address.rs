//! Places inside a client's transmit or receive buffer: [`Address`] is what a peer claims, [`Span`] is what
//! has been checked.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::geometry::{FRAME_BYTES, MAX_BUFFER_BYTES};

/// A place as a request names it: a frame of the region and a byte in that frame. It is a claim and nothing
/// more. Only [`Address::span`] makes something usable of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Address {
    /// Number of the 4 KiB frame within the region, counted from 0.
    pub frame: u32,
    /// Byte within the frame, below [`FRAME_BYTES`].
    pub offset: u32,
}

impl Address {
    /// The address of byte `position` of a region, or `None` from 16 TiB up.
    #[must_use]
    pub fn at(position: u64) -> Option<Self> {
        let frame = u32::try_from(position / u64::from(FRAME_BYTES)).ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "a remainder of 4096 fits")]
        let offset = (position % u64::from(FRAME_BYTES)) as u32;
        Some(Self { frame, offset })
    }

    /// Checks the claim that `length` bytes from here lie inside a region of `region_bytes` bytes.
    ///
    /// `None` if the offset is not inside a frame, or if the last byte would lie past the end. No sum can
    /// wrap, because all of them are taken in 64 bits from 32-bit numbers.
    #[must_use]
    #[inline]
    pub fn span(self, length: u32, region_bytes: u64) -> Option<Span> {
        let start = u64::from(self.frame) * u64::from(FRAME_BYTES) + u64::from(self.offset);
        let inside = self.offset < FRAME_BYTES && start + u64::from(length) <= region_bytes;
        inside.then_some(Span { start, length })
    }
}

/// A range of bytes that was checked to lie inside the region it was made for. Holding one proves that check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    start: u64,
    length: u32,
}

impl Span {
    /// The empty range at the beginning of any region.
    pub const EMPTY: Self = Self { start: 0, length: 0 };

    /// First byte, counted in bytes from the beginning of the region.
    #[must_use]
    #[inline]
    pub const fn start(self) -> u64 {
        self.start
    }

    /// First byte, in the 32 bits that a delivery has for it. No region has more than 2^32 bytes.
    #[must_use]
    #[inline]
    pub const fn position(self) -> u32 {
        const { assert!(MAX_BUFFER_BYTES <= 1 << 32) };
        #[expect(clippy::cast_possible_truncation, reason = "the line above")]
        {
            self.start as u32
        }
    }

    /// Length in bytes; may be 0.
    #[must_use]
    #[inline]
    pub const fn length(self) -> u32 {
        self.length
    }

    /// The place just past the last byte.
    #[must_use]
    #[inline]
    pub const fn end(self) -> u64 {
        self.start + self.length as u64
    }

    /// Whether all of `other` lies in this range. Both must be of the same region.
    #[must_use]
    #[inline]
    pub const fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end() <= self.end()
    }

    /// Whether a byte lies in both ranges. Both must be of the same region.
    #[must_use]
    #[inline]
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end() && other.start < self.end()
    }

    /// `length` bytes that begin `skip` bytes into this range, or `None` if they do not all lie inside it.
    #[must_use]
    #[inline]
    pub fn part(self, skip: u32, length: u32) -> Option<Self> {
        let end = skip.checked_add(length)?;
        (end <= self.length).then_some(Self { start: self.start + u64::from(skip), length })
    }

    /// The address that names this range's first byte.
    #[must_use]
    #[inline]
    pub const fn address(self) -> Address {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a span is made from an Address, whose frame is 32 bits"
        )]
        Address {
            frame: (self.start / FRAME_BYTES as u64) as u32,
            offset: (self.start % FRAME_BYTES as u64) as u32,
        }
    }

    /// Numbers of the 4 KiB frames that this range touches: from the first to one past the last. An empty
    /// range touches none.
    #[must_use]
    #[inline]
    pub const fn frames(self) -> core::ops::Range<u32> {
        let first = self.start / FRAME_BYTES as u64;
        let end = if self.length == 0 { first } else { self.end().div_ceil(FRAME_BYTES as u64) };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a span ends inside its region, below 2^32 frames"
        )]
        {
            first as u32..end as u32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_one_byte_past_the_end_is_refused() {
        let last = Address { frame: 1, offset: 4095 };
        assert_eq!(last.span(1, 8192).map(Span::end), Some(8192));
        assert_eq!(last.span(2, 8192), None);
        assert_eq!(last.span(0, 8192).map(Span::length), Some(0));
    }

    #[test]
    fn sums_that_would_wrap_are_refused() {
        let far = Address { frame: u32::MAX, offset: 4095 };
        assert_eq!(far.span(u32::MAX, 8192), None);
        assert_eq!(Address { frame: 0, offset: 4096 }.span(0, 8192), None);
        assert_eq!(Address { frame: 0, offset: u32::MAX }.span(1, u64::MAX), None);
    }

    #[test]
    fn a_position_and_an_address_say_the_same() {
        for (position, frame, offset) in [(0, 0, 0), (4095, 0, 4095), (8195, 2, 3), (12_388, 3, 100)] {
            let address = Address { frame, offset };
            assert_eq!(Address::at(position.into()), Some(address));
            let span = address.span(9, 1 << 20).unwrap();
            assert_eq!((span.start(), span.position(), span.length()), (position.into(), position, 9));
            assert_eq!(span.address(), address);
        }
    }

    #[test]
    fn a_span_covers_what_neither_begins_before_it_nor_ends_after_it() {
        let span = |offset, length| Address { frame: 0, offset }.span(length, 4096).unwrap();
        let whole = span(100, 100);
        assert!(whole.covers(whole) && whole.covers(span(100, 0)) && whole.covers(span(200, 0)));
        assert!(!whole.covers(span(99, 50)) && !whole.covers(span(150, 51)));
    }

    #[test]
    fn spans_overlap_if_they_share_a_byte() {
        let span = |offset, length| Address { frame: 0, offset }.span(length, 4096).unwrap();
        let whole = span(100, 100);
        for (other, shares) in [
            (span(0, 100), false),
            (span(0, 101), true),
            (span(199, 1), true),
            (span(200, 1), false),
            (span(120, 3), true),
            (span(0, 4096), true),
        ] {
            assert_eq!((whole.overlaps(other), other.overlaps(whole)), (shares, shares), "{other:?}");
        }
    }

    #[test]
    fn frames_of_a_span() {
        let span = Address { frame: 1, offset: 1 }.span(4096, 1 << 20).unwrap();
        assert_eq!(span.frames(), 1..3);
        assert_eq!(span.part(4095, 1).unwrap().frames(), 2..3);
        assert_eq!(span.part(4095, 2), None);
        assert_eq!(span.part(4096, 0).unwrap().frames(), 2..2);
        assert!(span.covers(span.part(5, 7).unwrap()));
        assert_eq!(Address::at(span.start()), Some(span.address()));
    }
}
