//! Sets of ring slots: one bit for each of 128 slots, addressed by free-running indices.
//!
//! Central works on runs of slots several times in each turn, so there are operations for runs. They go a
//! word at a time, because a shift of 128 bits by an unknown amount takes any processor some twenty
//! instructions.

#![expect(clippy::indexing_slicing, reason = "words are indexed modulo 2")]

/// A set of ring slots.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct SlotSet([u64; 2]);

/// One word's part of a run: which word, and which bits of it.
#[derive(Clone, Copy)]
struct Piece {
    word: usize,
    bits: u64,
    /// Number of slots in it.
    count: u32,
}

impl Piece {
    /// The part of the run of `count` slots, at least 1, from `start` on that lies in the word of `start`.
    #[inline]
    const fn first(start: u32, count: u32) -> Self {
        let within = start % 64;
        let room = 64 - within;
        let count = if count < room { count } else { room };
        Self { word: (start / 64 % 2) as usize, bits: (u64::MAX >> (64 - count)) << within, count }
    }
}

impl SlotSet {
    pub(crate) const EMPTY: Self = Self([0; 2]);

    /// The set in which slot `n` is a member if bit `n % 64` of word `n / 64` is set.
    pub(crate) const fn from_words(words: [u64; 2]) -> Self {
        Self(words)
    }

    /// The words, in the form that [`from_words`](Self::from_words) takes.
    #[inline]
    pub(crate) const fn words(&self) -> [u64; 2] {
        self.0
    }

    /// How many slots are in the set.
    #[inline]
    pub(crate) const fn count(&self) -> u32 {
        self.0[0].count_ones() + self.0[1].count_ones()
    }

    /// The slots that are in either set.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// The slots of this set that are not in `other`.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self([self.0[0] & !other.0[0], self.0[1] & !other.0[1]])
    }

    #[inline]
    pub(crate) const fn insert(&mut self, index: u32) {
        self.insert_run(index, 1);
    }

    #[inline]
    pub(crate) const fn remove(&mut self, index: u32) {
        self.remove_run(index, 1);
    }

    #[inline]
    pub(crate) const fn contains(&self, index: u32) -> bool {
        self.touches_run(index, 1)
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0[0] | self.0[1] == 0
    }

    /// Puts `count` slots from `start` on into the set.
    #[inline]
    pub(crate) const fn insert_run(&mut self, mut start: u32, mut count: u32) {
        while count != 0 {
            let piece = Piece::first(start, count);
            self.0[piece.word] |= piece.bits;
            (start, count) = (start.wrapping_add(piece.count), count - piece.count);
        }
    }

    /// Takes `count` slots from `start` on out of the set.
    #[inline]
    pub(crate) const fn remove_run(&mut self, mut start: u32, mut count: u32) {
        while count != 0 {
            let piece = Piece::first(start, count);
            self.0[piece.word] &= !piece.bits;
            (start, count) = (start.wrapping_add(piece.count), count - piece.count);
        }
    }

    /// Whether any of `count` slots from `start` on is in the set.
    #[inline]
    pub(crate) const fn touches_run(&self, mut start: u32, mut count: u32) -> bool {
        while count != 0 {
            let piece = Piece::first(start, count);
            if self.0[piece.word] & piece.bits != 0 {
                return true;
            }
            (start, count) = (start.wrapping_add(piece.count), count - piece.count);
        }
        false
    }

    /// How many slots from `start` on are not in the set, up to the first that is; 128 if none is.
    #[inline]
    pub(crate) const fn gap_from(&self, start: u32) -> u32 {
        if self.is_empty() { 128 } else { self.first_run(start).0.wrapping_sub(start) }
    }

    /// The first slot that is not in the set; 128 if all are.
    #[inline]
    pub(crate) const fn first_gap(&self) -> u32 {
        let ones = self.0[0].trailing_ones();
        if ones < 64 { ones } else { 64 + self.0[1].trailing_ones() }
    }

    /// How many slots from `start` on are in the set without a gap.
    #[inline]
    pub(crate) const fn run_from(&self, start: u32) -> u32 {
        let mut run = 0;
        while run < 128 {
            let at = start.wrapping_add(run);
            let ones = (self.word(at) >> (at % 64)).trailing_ones();
            run += ones;
            if ones < 64 - at % 64 {
                break;
            }
        }
        if run < 128 { run } else { 128 }
    }

    /// The first slot of the set, in ring order from `start` on, and a number of slots that are in the set
    /// from there on without a gap. The number counts all of them, or those up to where the next word begins.
    /// It is 0 if the set is empty.
    #[inline(never)]
    pub(crate) const fn first_run(&self, start: u32) -> (u32, u32) {
        if self.is_empty() {
            return (start, 0);
        }
        let within = start % 64;
        let next = start.wrapping_sub(within).wrapping_add(64);
        let here = self.word(start) >> within;
        if here != 0 {
            return Self::lowest_run(start, here);
        }
        let there = self.word(next);
        if there != 0 {
            return Self::lowest_run(next, there);
        }
        Self::lowest_run(next.wrapping_add(64), self.word(start))
    }

    /// The lowest run of bits in `word`, whose bit 0 is slot `start`.
    #[inline]
    const fn lowest_run(start: u32, word: u64) -> (u32, u32) {
        let gap = word.trailing_zeros();
        // The callers have checked that the word has a bit. Without one, the shift would be by the whole
        // word.
        (start.wrapping_add(gap), word.unbounded_shr(gap).trailing_ones())
    }

    /// The members as free-running indices in ring order, beginning with `start` or the first member after
    /// it.
    pub(crate) fn from(self, start: u32) -> impl Iterator<Item = u32> {
        // From the word of `start` on, the part of that word before `start` last.
        let (mut word, before) = (start.wrapping_sub(start % 64), (1 << (start % 64)) - 1);
        let (mut rest, mut later) =
            (self.word(start) & !before, [self.word(word.wrapping_add(64)), self.word(start) & before]);
        core::iter::from_fn(move || {
            while rest == 0 {
                if later == [0; 2] {
                    return None;
                }
                word = word.wrapping_add(64);
                (rest, later) = (later[0], [later[1], 0]);
            }
            let step = rest.trailing_zeros();
            rest &= rest - 1;
            Some(word.wrapping_add(step))
        })
    }

    #[inline]
    const fn word(&self, index: u32) -> u64 {
        self.0[(index / 64 % 2) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    /// The set of every slot that is not in `set`.
    fn complement(set: SlotSet) -> SlotSet {
        SlotSet::from_words(set.words().map(|word| !word))
    }

    #[test]
    fn it_is_walked_in_ring_order() {
        let mut set = SlotSet::EMPTY;
        for index in [u32::MAX, 0, 1, 3] {
            set.insert(index);
        }
        assert_eq!(set.from(u32::MAX - 1).collect::<Vec<_>>(), [u32::MAX, 0, 1, 3]);
        let mut rest = set;
        rest.remove_run(u32::MAX, 2);
        assert_eq!(rest.from(0).collect::<Vec<_>>(), [1, 3]);
        set.remove(0);
        assert!(set.contains(u32::MAX) && !set.contains(0));
        assert!(!set.is_empty() && SlotSet::EMPTY.is_empty());
    }

    #[test]
    fn words_have_a_bit_for_each_slot() {
        let mut set = SlotSet::EMPTY;
        for index in [0, 63, 64, 127 + 128] {
            set.insert(index);
        }
        assert_eq!((set.words(), set.count()), ([1 | 1 << 63, 1 | 1 << 63], 4));
        assert_eq!(SlotSet::from_words(set.words()), set);
        assert_eq!((SlotSet::EMPTY.words(), SlotSet::EMPTY.count()), ([0, 0], 0));
    }

    /// Compares every run with the same run made slot by slot, from starts on both sides of the borders of
    /// words.
    #[test]
    fn a_run_is_its_slots() {
        for start in [0, 1, 62, 63, 64, 65, 100, 126, 127, u32::MAX - 63, u32::MAX] {
            for count in 0..=128 {
                let slots = || (0..count).map(|age| start.wrapping_add(age));
                let (mut run, mut single) = (SlotSet::EMPTY, SlotSet::EMPTY);
                run.insert_run(start, count);
                slots().for_each(|index| single.insert(index));
                assert_eq!(run, single, "{count} from {start}");
                assert_eq!(run.from(start).count(), count as usize);
                assert_eq!(run.count(), count);
                assert_eq!(run.touches_run(start, 128), count != 0);
                assert!(!run.touches_run(start.wrapping_add(count), 128 - count));
                let (first, length) = run.first_run(start);
                assert!(count == 0 || first == start);
                assert_eq!(length, count.min(64 - start % 64), "up to the next word");
                let mut rest = complement(SlotSet::EMPTY);
                rest.remove_run(start, count);
                assert_eq!(rest, complement(run));
            }
        }
    }

    /// Compares the lengths of runs and gaps with the same counted slot by slot.
    #[test]
    fn runs_and_gaps_are_counted_up_to_where_they_end() {
        for start in [0, 1, 62, 63, 64, 65, 100, 126, 127, u32::MAX - 63, u32::MAX] {
            for count in 0..=128 {
                let mut run = SlotSet::EMPTY;
                run.insert_run(start, count);
                let gaps = complement(run);
                assert_eq!(
                    (run.run_from(start), gaps.gap_from(start)),
                    (count, count),
                    "{count} from {start}"
                );
                let (end, left) = (start.wrapping_add(count), 128 - count);
                if count != 0 {
                    assert_eq!(
                        (run.gap_from(end), gaps.run_from(end)),
                        (left, left),
                        "past {count} from {start}"
                    );
                }
                for age in 0..count {
                    let index = start.wrapping_add(age);
                    let counted = if count == 128 { 128 } else { count - age };
                    assert_eq!((run.run_from(index), run.gap_from(index)), (counted, 0));
                }
            }
        }
        assert_eq!((SlotSet::EMPTY.gap_from(7), SlotSet::EMPTY.run_from(7)), (128, 0));
        for count in 0..=128 {
            let mut run = SlotSet::EMPTY;
            run.insert_run(0, count);
            assert_eq!(
                (run.first_gap(), complement(run).first_gap()),
                (count, if count == 0 { 128 } else { 0 })
            );
        }
    }

    #[test]
    fn the_first_run_is_found_behind_every_gap() {
        for slot in 0..128 {
            let mut set = SlotSet::EMPTY;
            set.insert(slot);
            for start in 0..256_u32 {
                let (first, count) = set.first_run(start);
                assert_eq!((first % 128, count), (slot, 1));
                assert!(first.wrapping_sub(start) < 128, "{slot} from {start}");
                assert_eq!(set.gap_from(start), first.wrapping_sub(start));
            }
        }
        assert_eq!(SlotSet::EMPTY.first_run(7).1, 0);
    }

    #[test]
    fn sets_are_put_together_and_taken_apart() {
        let set = |slots: &[u32]| {
            let mut set = SlotSet::EMPTY;
            for slot in slots {
                set.insert(*slot);
            }
            set
        };
        let (one, other) = (set(&[1, 5, 64, 70]), set(&[5, 6, 70, 127]));
        assert_eq!(one.union(other), set(&[1, 5, 6, 64, 70, 127]));
        assert_eq!(one.without(other), set(&[1, 64]));
    }
}
