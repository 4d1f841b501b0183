//! A client's own buffers, read and written by position, and writes to where the client may not write. This
//! is the only file of the crate that accesses raw memory.

use core::hint::black_box;

use ferry_platform::{Region, copy_opaque};

/// A transmit or receive buffer of this client.
#[derive(Clone, Copy, Debug)]
pub struct Buffer(Region);

impl Buffer {
    /// The buffer in this region.
    ///
    /// # Safety
    /// The region is mapped read-write, and the only Rust references to it are to atomics.
    #[must_use]
    pub const unsafe fn new(region: Region) -> Self {
        Self(region)
    }

    /// Size in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0.bytes()
    }

    /// Writes `bytes` at `position`. Bytes that would lie outside the buffer are left out.
    pub fn write(self, position: usize, bytes: &[u8]) {
        let length = bytes.len().min(self.bytes().saturating_sub(position));
        let to = self.0.base().as_ptr().wrapping_add(position);
        // SAFETY: the range was cut to the buffer. `bytes` lies elsewhere, because no reference to the buffer
        // exists.
        unsafe { copy_opaque(bytes.as_ptr(), to, length) }
    }

    /// The word at `position`, a multiple of 8. It is 0 outside the buffer.
    #[must_use]
    pub fn word(self, position: usize) -> u64 {
        let mut bytes = [0; 8];
        self.read(position, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Reads from `position` into `bytes`. The part of `bytes` for which the buffer has no bytes stays as it
    /// is.
    pub fn read(self, position: usize, bytes: &mut [u8]) {
        let length = bytes.len().min(self.bytes().saturating_sub(position));
        let from = self.0.base().as_ptr().wrapping_add(position);
        // SAFETY: as in `write`.
        unsafe { copy_opaque(from, bytes.as_mut_ptr(), length) }
    }

    /// Fills `length` bytes from `position` with the pattern of `seed`.
    pub fn fill(self, position: usize, length: usize, seed: u8) {
        let mut bytes = [0; PIECE];
        for start in (0..length).step_by(PIECE) {
            for (place, byte) in (start..).zip(&mut bytes) {
                *byte = pattern(place, seed);
            }
            self.write(position + start, &bytes[..PIECE.min(length - start)]);
        }
    }

    /// Fills the whole buffer with one byte.
    pub fn flood(self, byte: u8) {
        for start in (0..self.bytes()).step_by(PIECE) {
            self.write(start, &[byte; PIECE]);
        }
    }

    /// Whether `length` bytes from `position` hold the pattern of `seed`.
    #[must_use]
    pub fn holds(self, position: usize, length: usize, seed: u8) -> bool {
        self.each(position, length, |place, byte| byte == pattern(place, seed))
    }

    /// Whether each of `length` bytes from `position` passes a test. The test also gets the byte's place in
    /// the range.
    #[must_use]
    pub fn each(self, position: usize, length: usize, test: impl Fn(usize, u8) -> bool) -> bool {
        let mut bytes = [0; PIECE];
        (0..length).step_by(PIECE).all(|start| {
            self.read(position + start, &mut bytes);
            let end = length.min(start + PIECE);
            (start..end).zip(bytes).all(|(place, byte)| test(place, byte))
        })
    }
}

/// Bytes that are read or written at a time.
const PIECE: usize = 64;

/// Byte `place` of the pattern. The size of a frame is no multiple of its period, so a frame in the wrong
/// place is noticed.
pub(crate) fn pattern(place: usize, seed: u8) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "a remainder below 251")]
    let byte = (place % 251) as u8;
    byte ^ seed
}

/// Writes to a byte that this client may only read. It writes the value that is there already, so that
/// nothing else goes wrong if the write succeeds.
pub(crate) fn write_in_place(byte: *const u8) {
    // SAFETY: the caller names code or a constant of this program.
    let value = unsafe { byte.read_volatile() };
    // SAFETY: not sound if it returned, because nobody may write there. The test is that it faults.
    unsafe { black_box(byte.cast_mut()).write_volatile(value) };
}

/// Uses up the stack, less than a page at a time, so that the page below the stack is the first one outside
/// it to be written. It returns if it could write below `bottom`.
#[inline(never)]
pub(crate) fn sink_below(bottom: usize) {
    // The array is written, because `black_box` might read it.
    let here = black_box([0_u8; 256]);
    if here.as_ptr().addr() >= bottom {
        sink_below(bottom);
    }
    // The array is still needed here, so the call above cannot become a jump.
    black_box(&here);
}
