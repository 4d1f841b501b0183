//! A client's transmit or receive buffer, as central maps it: which frames it has, the window address of
//! each, and which of them are mapped.

use core::mem::offset_of;
use core::ops::Range;

use ferry_layout::config::{BufferRecord, Mapping};
use ferry_layout::geometry::{FRAME_BYTES, MAX_BUFFER_FRAMES};
use ferry_layout::{Address, DomainId, Span};

use crate::machine::{FrameRef, Machine, MapFailed, Side};
use crate::table::{LINE_BYTES, Table};

/// One buffer. Each frame has a window address of its own, so a mapping is never made over another.
///
/// The fields lie in memory in this order: what every message needs lies in one cache line.
#[repr(C, align(64))]
pub(crate) struct Buffer {
    bytes: u64,
    window_address: u64,
    /// One for each mapping policy. `Each`: frames that are mapped for the current turn, and noted for
    /// unmapping. `Keep`: frames that are mapped for flows that keep them.
    reaches: Table<Reach, 2>,
    first_capability: u64,
    frame_bits: u32,
    mapped_count: u32,
    side: Side,
    /// Bit `n` of all words together says whether frame `n` is mapped.
    mapped: Table<u64, { MAX_BUFFER_FRAMES / 64 }>,
}

const _: () = assert!(offset_of!(Buffer, side) <= LINE_BYTES);

/// A range of bytes of a buffer whose frames are all mapped. It answers a frequent question quickly. Frames
/// outside of it may be mapped too.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    low: u64,
    high: u64,
}

impl Reach {
    const NOTHING: Self = Self { low: 0, high: 0 };

    /// Whether no byte is known to be mapped.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn is_nothing(self) -> bool {
        self.high == 0
    }

    /// Whether all of `span`, a span of the same buffer, is within reach.
    #[inline]
    pub(crate) const fn covers(self, span: Span) -> bool {
        self.low <= span.start() && span.end() <= self.high
    }

    /// The span that `place` and `length` claim, if all of it is within reach, and so within the buffer.
    #[inline]
    pub(crate) fn span(self, place: Address, length: u32) -> Option<Span> {
        place.span(length, self.high).filter(|span| self.low <= span.start())
    }

    /// Both together, if there is no gap between them, else `other`.
    const fn joined(self, other: Self) -> Self {
        if other.low <= self.high && self.low <= other.high {
            Self {
                low: if self.low < other.low { self.low } else { other.low },
                high: if self.high > other.high { self.high } else { other.high },
            }
        } else {
            other
        }
    }
}

/// Window address of a buffer, whether or not its frames are mapped.
#[derive(Clone, Copy)]
pub(crate) struct Home(u64);

impl Home {
    /// Window address of the first byte of `span`, a span of this buffer.
    #[inline]
    pub(crate) const fn address(self, span: Span) -> u64 {
        self.0.wrapping_add(span.start())
    }
}

/// Number of frames that were mapped or unmapped, for the counters.
#[derive(Clone, Copy, Default)]
pub(crate) struct Changed(pub(crate) u32);

/// Both ranges of frames together, if there is no gap between them.
#[inline]
pub(crate) fn joined(one: &Range<u32>, other: &Range<u32>) -> Option<Range<u32>> {
    let is_one = other.start <= one.end && one.start <= other.end;
    is_one.then(|| one.start.min(other.start)..one.end.max(other.end))
}

impl Buffer {
    pub(crate) const fn new(side: Side) -> Self {
        Self {
            side,
            bytes: 0,
            window_address: 0,
            first_capability: 0,
            frame_bits: FRAME_BYTES.ilog2(),
            mapped: Table::new([0; MAX_BUFFER_FRAMES / 64]),
            mapped_count: 0,
            reaches: Table::new([Reach::NOTHING; 2]),
        }
    }

    /// Takes over the record of a checked configuration.
    pub(crate) const fn configure(&mut self, record: &BufferRecord) {
        self.bytes = record.bytes;
        self.window_address = record.window_address;
        self.first_capability = record.first_capability;
        self.frame_bits = record.frame_bits;
    }

    /// Size in bytes. Spans of this buffer are made against it.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// From now on its size reads as 0, so that every request for a place in it needs a closer look. What is
    /// mapped does not depend on the size.
    pub(crate) const fn hide_bytes(&mut self) {
        self.bytes = 0;
    }

    /// Window address of the buffer.
    #[inline]
    pub(crate) const fn home(&self) -> Home {
        Home(self.window_address)
    }

    /// The bytes that are known to be mapped for flows of this policy.
    #[inline]
    pub(crate) fn reach(&self, mapping: Mapping) -> Reach {
        self.reaches[mapping as u32]
    }

    /// Whether all of `frames` are known to be mapped for flows of this policy.
    #[inline]
    pub(crate) fn reaches(&self, frames: &Range<u32>, mapping: Mapping) -> bool {
        let (known, wanted) = (self.reach(mapping), self.bytes_of(frames.clone()));
        known.low <= wanted.low && wanted.high <= known.high
    }

    /// The frames that `span` touches, in units of this buffer's frame size.
    #[inline]
    pub(crate) const fn frames(&self, span: Span) -> Range<u32> {
        let first = span.start() >> self.frame_bits;
        let end = if span.length() == 0 { first } else { ((span.end() - 1) >> self.frame_bits) + 1 };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a span lies inside a buffer of at most 2^14 frames"
        )]
        {
            first as u32..end as u32
        }
    }

    /// Whether its frames are larger than a page.
    #[cfg(feature = "express")]
    pub(crate) const fn has_large_frames(&self) -> bool {
        self.frame_bits > FRAME_BYTES.ilog2()
    }

    /// Maps those of `frames` that are not mapped (r05, r06). On failure, the frames that it has mapped stay
    /// mapped.
    pub(crate) fn map(
        &mut self,
        client: DomainId,
        frames: Range<u32>,
        mapping: Mapping,
        machine: &mut impl Machine,
    ) -> (Changed, Result<(), MapFailed>) {
        let mut changed = Changed(0);
        for number in frames.clone() {
            let (word, bit) = Self::place(number);
            if self.mapped[word] & bit == 0 {
                if let Err(failed) = machine.map(self.frame(client, number)) {
                    return (changed, Err(failed));
                }
                self.mapped[word] |= bit;
                self.mapped_count += 1;
                changed.0 += 1;
            }
        }
        let mapped = match mapping {
            Mapping::Keep => self.run_around(frames),
            Mapping::Each => frames,
        };
        self.reaches[mapping as u32] = self.reach(mapping).joined(self.bytes_of(mapped));
        (changed, Ok(()))
    }

    /// The whole run of mapped frames around `frames`, which are mapped.
    fn run_around(&self, frames: Range<u32>) -> Range<u32> {
        let Range { mut start, mut end } = frames;
        // This goes through the set a word at a time.
        while start != 0 {
            let (word, last) = ((start - 1) / 64, (start - 1) % 64);
            let run = (self.mapped[word] << (63 - last)).leading_ones();
            start -= run;
            if run <= last {
                break;
            }
        }
        while end as usize != MAX_BUFFER_FRAMES {
            let (word, first) = (end / 64, end % 64);
            let run = (self.mapped[word] >> first).trailing_ones();
            end += run;
            if run < 64 - first {
                break;
            }
        }
        start..end
    }

    /// The bytes of `frames`. All of them are the buffer's, because a buffer has no part of a frame.
    const fn bytes_of(&self, frames: Range<u32>) -> Reach {
        Reach { low: (frames.start as u64) << self.frame_bits, high: (frames.end as u64) << self.frame_bits }
    }

    /// Unmaps those of `frames` that are mapped.
    pub(crate) fn unmap(
        &mut self,
        client: DomainId,
        frames: Range<u32>,
        machine: &mut impl Machine,
    ) -> Changed {
        let mut changed = Changed(0);
        self.reaches = Table::new([Reach::NOTHING; 2]);
        for number in frames {
            let (word, bit) = Self::place(number);
            if self.mapped[word] & bit != 0 {
                machine.unmap(self.frame(client, number));
                self.mapped[word] &= !bit;
                self.mapped_count = self.mapped_count.saturating_sub(1);
                changed.0 += 1;
            }
        }
        changed
    }

    /// Unmaps every frame of the buffer.
    pub(crate) fn unmap_all(&mut self, client: DomainId, machine: &mut impl Machine) -> Changed {
        let mut changed = Changed(0);
        if self.mapped_count == 0 {
            return changed;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a buffer has at most 2^14 frames")]
        for word in 0..(MAX_BUFFER_FRAMES / 64) as u32 {
            if self.mapped[word] != 0 {
                changed.0 += self.unmap(client, word * 64..word * 64 + 64, machine).0;
            }
        }
        changed
    }

    /// Word of `mapped` for a frame, and its bit in that word.
    #[inline]
    const fn place(number: u32) -> (u32, u64) {
        (number / 64, 1 << (number % 64))
    }

    const fn frame(&self, client: DomainId, number: u32) -> FrameRef {
        FrameRef {
            client,
            side: self.side,
            number,
            capability: self.first_capability.wrapping_add(number as u64),
            address: self.window_address.wrapping_add((number as u64) << self.frame_bits),
            bits: self.frame_bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;

    /// A machine that can map everything. It notes the numbers of the frames that it unmaps.
    #[derive(Default)]
    struct Willing(std::vec::Vec<u32>);

    impl Machine for Willing {
        fn map(&mut self, _: FrameRef) -> Result<(), MapFailed> {
            Ok(())
        }
        fn unmap(&mut self, frame: FrameRef) {
            self.0.push(frame.number);
        }
        fn copy(&mut self, _: u64, _: u64, _: u32) {}
        fn poll_tick(&mut self) -> bool {
            false
        }
        fn signal(&mut self, _: DomainId) {}
    }

    /// A frame that closes the last gap of a run brings the whole run within reach, and nothing beside it: no
    /// frame that is not mapped, and nothing past the end of the largest buffer.
    #[test]
    fn all_of_a_run_that_is_kept_is_within_reach_and_nothing_else() {
        const MOST: u32 = 1 << 14;
        const { assert!(MAX_BUFFER_FRAMES == MOST as usize) };
        let client = DomainId::new(0).unwrap();
        // The set has 64 frames in a word. One of them, or all, may be mapped at either end of a run.
        let ends = [0, 1, 62, 63, 64, 65, 127, 128, 192, MOST - 65, MOST - 64, MOST - 63, MOST - 1, MOST];
        for (start, end) in ends.iter().flat_map(|start| ends.map(|end| (*start, end))) {
            for gap in ends.into_iter().filter(|gap| (start..end).contains(gap)) {
                let mut buffer = Buffer::new(Side::Transmit);
                // The rest of the buffer is mapped too, but for one frame on each side of the run.
                let parts =
                    [0..start.saturating_sub(1), start..gap, gap + 1..end, end + 1..MOST, gap..gap + 1];
                for frames in parts.into_iter().filter(|frames| !frames.is_empty()) {
                    let (_, mapped) = buffer.map(client, frames, Mapping::Keep, &mut Willing::default());
                    assert!(mapped.is_ok());
                }
                let Reach { low, high } = buffer.reach(Mapping::Keep);
                assert_eq!((low >> 12, high >> 12), (start.into(), end.into()), "{gap} was the last");
            }
        }
    }
    /// Frames that touch what is within reach are joined with it, on whichever side they lie.
    #[test]
    fn what_a_turn_has_mapped_is_within_reach_together() {
        let client = DomainId::new(0).unwrap();
        let ways = [
            ([4..6, 6..8], 4..8),
            ([6..8, 4..6], 4..8),
            ([4..8, 5..7], 4..8),
            ([5..7, 4..8], 4..8),
            ([4..6, 7..8], 7..8),
            ([7..8, 4..6], 4..6),
        ];
        for (parts, expected) in ways {
            let mut buffer = Buffer::new(Side::Transmit);
            for frames in parts.clone() {
                let (_, mapped) = buffer.map(client, frames, Mapping::Each, &mut Willing::default());
                assert!(mapped.is_ok());
            }
            let Reach { low, high } = buffer.reach(Mapping::Each);
            assert_eq!((low >> 12, high >> 12), (expected.start, expected.end), "{parts:?}");
        }
    }

    #[test]
    fn every_mapped_frame_is_unmapped_and_counted() {
        let client = DomainId::new(0).unwrap();
        let (mut buffer, mut machine) = (Buffer::new(Side::Receive), Willing::default());
        let frames = [0, 1, 63, 64, 127, 128, (1 << 14) - 1];
        for number in frames {
            let (changed, mapped) = buffer.map(client, number..number + 1, Mapping::Keep, &mut machine);
            assert_eq!((changed.0, mapped.is_ok()), (1, true));
        }
        assert_eq!(buffer.unmap_all(client, &mut machine).0, 7);
        assert_eq!(machine.0, frames);
        assert_eq!(buffer.unmap_all(client, &mut machine).0, 0);
    }
}
