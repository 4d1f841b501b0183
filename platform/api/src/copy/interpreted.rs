//! Copying under Miri, which checks every access and cannot interpret assembly.

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    for place in 0..length {
        // SAFETY: `place` is below `length`, and the caller promises that `from` has `length` bytes.
        let from = unsafe { from.add(place) };
        // SAFETY: `place` is below `length`, and the caller promises that `to` has `length` bytes.
        let to = unsafe { to.add(place) };
        // SAFETY: the caller promises that the byte is readable.
        let byte = unsafe { from.read_volatile() };
        // SAFETY: the caller promises that the byte is writable.
        unsafe { to.write_volatile(byte) };
    }
}
