//! Copying under Miri, which checks every access and cannot read assembly.

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    for place in 0..length {
        // SAFETY: below `length`, for which the caller vouches.
        let from = unsafe { from.add(place) };
        // SAFETY: below `length`, for which the caller vouches.
        let to = unsafe { to.add(place) };
        // SAFETY: readable, as the caller vouches.
        let byte = unsafe { from.read_volatile() };
        // SAFETY: writable, as the caller vouches.
        unsafe { to.write_volatile(byte) };
    }
}
