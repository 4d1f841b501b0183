//! Which bytes of a guard's receive buffer are in use: offered to messages, or pinned under an inspection. A
//! guard may offer nothing that overlaps them, and every buffer that it posts has to be compared with all of
//! them. So there is a bit for each granule of the buffer, and a comparison looks at few words.
//!
//! A bit is as good as a comparison of bytes while every offer begins at the beginning of a granule: two
//! ranges that begin so share a granule only if they share a byte. If a guard offers a buffer that begins
//! elsewhere, the bits are no longer used in this epoch, and ranges are compared one by one. Buffers of the
//! client library begin with a cache line, and so with a granule, up to 256 KiB of memory.

use ferry_layout::Span;

use crate::table::Table;

/// Granules of a buffer, and words for their bits.
const GRANULES: u64 = 4096;
const WORDS: usize = 64;
const _: () = assert!(WORDS as u64 * 64 == GRANULES);

/// Bytes of the smallest granule, as a binary logarithm: a cache line.
const LEAST_BITS: u32 = 6;

/// The bytes in use of one guard's receive buffer.
pub(crate) struct Places {
    /// Binary logarithm of the bytes of a granule.
    bits: u32,
    /// Every offer of this epoch began with a granule, so `used` says which bytes are in use.
    is_exact: bool,
    used: Table<u64, WORDS>,
}

impl Places {
    /// Nothing is in use.
    pub(crate) const NONE: Self = Self { bits: LEAST_BITS, is_exact: true, used: Table::new([0; WORDS]) };

    /// For a buffer of this many bytes.
    pub(crate) const fn configure(&mut self, bytes: u64) {
        while bytes > GRANULES << self.bits {
            self.bits += 1;
        }
    }

    /// Nothing is in use any more, at the beginning of an epoch.
    pub(crate) fn clear(&mut self) {
        self.is_exact = true;
        self.used = Table::new([0; WORDS]);
    }

    /// Whether no byte of `span`, which is not empty, is in use. `None` if only a comparison of ranges can
    /// tell.
    #[inline]
    pub(crate) fn are_free(&self, span: Span) -> Option<bool> {
        if !self.is_exact || !self.begins_granule(span) {
            return None;
        }
        let mut used = 0;
        each_word(self.bits, span.start(), span.end(), |word, bits| used |= self.used[word] & bits);
        Some(used == 0)
    }

    /// As [`are_free`](Self::are_free), and if it is so, as [`take`](Self::take).
    #[inline]
    pub(crate) fn take_if_free(&mut self, span: Span) -> Option<bool> {
        let is_free = self.are_free(span);
        if is_free == Some(true) {
            self.take(span);
        }
        is_free
    }

    /// For many short ranges: the binary logarithm of the bytes of a granule. `None` if only comparisons of
    /// ranges can tell what is in use.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn granule_bits(&self) -> Option<u32> {
        if self.is_exact { Some(self.bits) } else { None }
    }

    /// Takes a span of one granule, where granules are known to have 2 to the power of `bits` bytes, and bits
    /// are known to tell what is in use. Returns false, and takes nothing, if it is in use, is longer, or
    /// does not begin with a granule.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) fn take_short(&mut self, bits: u32, span: Span) -> bool {
        let (word, bit) = granule_at(bits, span.start());
        let entry = &mut self.used[word];
        let used = *entry;
        let is_short = span.start() >> bits << bits == span.start() && u64::from(span.length()) <= 1 << bits;
        if !is_short || used & bit != 0 {
            return false;
        }
        *entry = used | bit;
        true
    }

    /// As [`give_back`](Self::give_back), where granules have 2 to the power of `bits` bytes.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(crate) fn give_short_back(&mut self, bits: u32, span: Span) {
        // A range in use begins with a granule, if bits tell what is in use.
        if u64::from(span.length()) > 1 << bits {
            return self.give_long_back(span);
        }
        let (word, bit) = granule_at(bits, span.start());
        self.used[word] &= !bit;
    }

    #[cfg(feature = "express")]
    #[inline(never)]
    fn give_long_back(&mut self, span: Span) {
        self.give_back(span);
    }

    /// Notes that the bytes of `span` are in use from now on. None of them was.
    #[inline]
    pub(crate) fn take(&mut self, span: Span) {
        self.is_exact &= self.begins_granule(span);
        let used = &mut self.used;
        each_word(self.bits, span.start(), span.end(), |word, bits| used[word] |= bits);
    }

    /// Notes that the bytes of `span`, which was taken, are no longer in use.
    #[inline]
    pub(crate) fn give_back(&mut self, span: Span) {
        self.free(span.start(), span.end());
    }

    /// Notes that of `span`, which was taken, only `part` is still in use, its beginning.
    #[inline]
    pub(crate) fn keep_part(&mut self, span: Span, part: Span) {
        // The granule in which the part ends is still the part's.
        let rest = (1 << self.bits) - 1;
        self.free((part.end() + rest) & !rest, span.end());
    }

    fn free(&mut self, start: u64, end: u64) {
        let used = &mut self.used;
        each_word(self.bits, start, end, |word, bits| used[word] &= !bits);
    }

    const fn begins_granule(&self, span: Span) -> bool {
        span.start() & ((1 << self.bits) - 1) == 0
    }
}

/// The word and the bit of the granule that begins at byte `start`. Granules have 2 to the power of `bits`
/// bytes.
#[cfg(feature = "express")]
#[inline(always)]
const fn granule_at(bits: u32, start: u64) -> (u32, u64) {
    #[expect(clippy::cast_possible_truncation, reason = "a buffer has at most 4096 granules")]
    let granule = (start >> bits) as u32;
    (granule / 64, 1 << (granule % 64))
}

/// Calls `each` for the words that have bits of the granules from byte `start` to byte `end`, with these
/// bits. Granules have 2 to the power of `bits` bytes.
#[inline]
fn each_word(bits: u32, start: u64, end: u64, mut each: impl FnMut(u32, u64)) {
    if start >= end {
        return;
    }
    // The table masks an index, and no span goes past the end of its buffer, so nothing is cut off here.
    #[expect(clippy::cast_possible_truncation, reason = "a buffer has at most 4096 granules")]
    let (first, last) = ((start >> bits) as u32, ((end - 1) >> bits) as u32);
    let (low, high) = (u64::MAX << (first % 64), u64::MAX >> (63 - last % 64));
    // Nearly always.
    if first / 64 == last / 64 {
        return each(first / 64, low & high);
    }
    each(first / 64, low);
    for word in first / 64 + 1..last / 64 {
        each(word, u64::MAX);
    }
    each(last / 64, high);
}

#[cfg(test)]
mod tests {
    use super::Places;
    extern crate std;
    use ferry_layout::{Address, Span};

    const BYTES: u64 = 256 << 10;

    fn span(start: u64, length: u32) -> Span {
        Address::at(start).unwrap().span(length, BYTES).unwrap()
    }

    fn places() -> Places {
        let mut places = Places::NONE;
        places.configure(BYTES);
        places
    }

    #[test]
    fn ranges_that_share_a_byte_are_told_from_those_that_do_not() {
        // All begin with a granule. Some go over the end of a word, some end with the buffer.
        let ends = [64, 65, 128, 4095, 4096, 4097, 8192, 200_000, BYTES - 1, BYTES];
        let spans: std::vec::Vec<Span> = [0, 64, 128, 4032, 4096, 131_072, BYTES - 64]
            .into_iter()
            .flat_map(|start| ends.map(|end| (start, end)))
            .filter(|(start, end)| start < end)
            .map(|(start, end)| span(start, u32::try_from(end - start).unwrap()))
            .collect();
        for first in &spans {
            let mut places = places();
            assert_eq!(places.are_free(*first), Some(true));
            places.take(*first);
            for second in &spans {
                let is_free = !first.overlaps(*second);
                assert_eq!(places.are_free(*second), Some(is_free), "{first:?} {second:?}");
                assert_eq!(places.take_if_free(*second), Some(is_free), "{first:?} {second:?}");
                #[cfg(feature = "express")]
                if is_free {
                    let bits = places.granule_bits().unwrap();
                    places.give_short_back(bits, *second);
                    let is_short = second.length() <= 64;
                    assert_eq!(places.take_short(bits, *second), is_short, "{first:?} {second:?}");
                    assert!(!places.take_short(bits, *second), "{second:?}");
                    places.take(*second);
                }
                if is_free {
                    assert_eq!(places.are_free(*second), Some(false), "{first:?} {second:?}");
                    places.give_back(*second);
                }
                assert_eq!(places.are_free(*first), Some(false), "{first:?} {second:?}");
            }
            places.give_back(*first);
            assert_eq!(places.are_free(*first), Some(true));
        }
    }

    #[test]
    fn what_a_message_does_not_fill_is_free_and_what_it_fills_is_not() {
        for length in [1, 63, 64, 65, 2047, 2048] {
            let (whole, mut places) = (span(4096, 2048), places());
            places.take(whole);
            let part = whole.part(0, length).unwrap();
            places.keep_part(whole, part);
            for start in (4096..6144).step_by(64) {
                let probe = span(start, 64);
                assert_eq!(places.are_free(probe), Some(!probe.overlaps(part)), "{length} {start}");
            }
            places.give_back(part);
            assert_eq!(places.are_free(whole), Some(true));
        }
    }

    #[test]
    fn a_range_that_begins_elsewhere_needs_a_comparison_and_so_does_everything_after_it() {
        let mut places = places();
        assert_eq!(places.are_free(span(1, 10)), None);
        #[cfg(feature = "express")]
        assert!(!places.take_short(places.bits, span(1, 10)));
        places.take(span(1, 10));
        assert_eq!(places.are_free(span(64, 10)), None);
        #[cfg(feature = "express")]
        assert_eq!(places.granule_bits(), None);
        places.clear();
        assert_eq!(places.are_free(span(64, 10)), Some(true));
    }

    #[test]
    fn a_large_buffer_has_large_granules() {
        let mut places = Places::NONE;
        places.configure(1 << 30);
        let at = |start| Address::at(start).unwrap().span(64, 1 << 30).unwrap();
        assert_eq!(places.are_free(at(64)), None, "a granule has 256 KiB");
        places.take(at(256 << 10));
        assert_eq!(
            (places.are_free(at(256 << 10)), places.are_free(at(512 << 10))),
            (Some(false), Some(true))
        );
    }
}
