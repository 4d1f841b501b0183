//! Canaries: a pattern in every byte of a buffer that nobody may write to. The stamps are left out. They
//! serve the same purpose.

use core::ops::Range;

use crate::memory::{Buffer, pattern};
use crate::stamp::Stamp;

/// Seed of the pattern. No script fills a buffer with it.
const SEED: u8 = 0xc5;
/// Bytes of a frame.
const FRAME: usize = 4096;

impl Buffer {
    /// Fills the buffer with canaries, around the stamps.
    pub fn lay_canaries(self) {
        for frame in (0..self.bytes()).step_by(FRAME) {
            self.fill(frame, Stamp::OFFSET, SEED);
        }
    }

    /// Whether all canaries are intact. Those in `spared` are not checked.
    #[must_use]
    pub fn canaries_stand_around(self, spared: &Range<usize>) -> bool {
        (0..self.bytes()).step_by(FRAME).all(|frame| {
            self.each(frame, Stamp::OFFSET, |place, byte| {
                byte == pattern(place, SEED) || spared.contains(&(frame + place))
            })
        })
    }

    /// One past the last changed canary from `position` on, or `position` if none has changed. Stamps are
    /// ignored.
    #[must_use]
    pub fn written_up_to(self, position: usize) -> usize {
        let mut byte = [0];
        let gone = |place: &usize| {
            self.read(*place, &mut byte);
            place % FRAME < Stamp::OFFSET && byte[0] != pattern(place % FRAME, SEED)
        };
        (position..self.bytes()).rev().find(gone).map_or(position, |place| place + 1)
    }
}
