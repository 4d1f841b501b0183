//! Copying on x86-64 without vector registers: whole words by `rep movsq`, the rest by `rep movsb`.

use core::arch::asm;

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the string instructions read `length` bytes from `from` and write as many to `to`, which the caller
    // vouches for; the direction flag is clear by the ABI.
    unsafe {
        asm!(
            "rep movsq",
            "mov rcx, {rest}",
            "rep movsb",
            rest = in(reg) length & 7,
            inout("rcx") length >> 3 => _,
            inout("rsi") from => _,
            inout("rdi") to => _,
            options(nostack, preserves_flags),
        );
    }
}
