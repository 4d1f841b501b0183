//! Copying on x86-64 by size: the widest registers that the program has, and for much at a time the processor's own string
//! move.
//!
//! Below [`STRING_MOVE`] the string move's beginning costs more than it saves, from there on it is what the processor does
//! best. Stores go through the cache, always: who receives is about to read.

use core::arch::asm;

/// From so many bytes on `rep movsq` is as fast as a loop over vectors of 16 bytes or faster, on processors of the last ten
/// years.
const STRING_MOVE: usize = 1024;

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    if length < STRING_MOVE {
        // SAFETY: the caller's promise, handed on.
        unsafe { below_string_move(from, to, length) }
    } else {
        // SAFETY: the caller's promise, handed on.
        unsafe { by_string_move(from, to, length) }
    }
}

/// As [`copy`], where the program has vector registers.
#[cfg(target_feature = "sse")]
#[inline]
unsafe fn below_string_move(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: each load is followed by the store of what it loaded, and the counts add up to `length`, for which the
    // caller vouches: the bits of `length` below 128 say which of the pieces after the loop there are.
    unsafe {
        asm!(
            "sub {n}, 128",
            "jb 3f",
            "2:",
            "movups xmm0, [{s}]",
            "movups xmm1, [{s} + 16]",
            "movups xmm2, [{s} + 32]",
            "movups xmm3, [{s} + 48]",
            "movups xmm4, [{s} + 64]",
            "movups xmm5, [{s} + 80]",
            "movups xmm6, [{s} + 96]",
            "movups xmm7, [{s} + 112]",
            "movups [{t}], xmm0",
            "movups [{t} + 16], xmm1",
            "movups [{t} + 32], xmm2",
            "movups [{t} + 48], xmm3",
            "movups [{t} + 64], xmm4",
            "movups [{t} + 80], xmm5",
            "movups [{t} + 96], xmm6",
            "movups [{t} + 112], xmm7",
            "sub {s}, -128",
            "sub {t}, -128",
            "sub {n}, 128",
            "jae 2b",
            // Down to -128 from there: the lowest seven bits are still those of the length.
            "3: test {n:e}, 64",
            "jz 4f",
            "movups xmm0, [{s}]",
            "movups xmm1, [{s} + 16]",
            "movups xmm2, [{s} + 32]",
            "movups xmm3, [{s} + 48]",
            "movups [{t}], xmm0",
            "movups [{t} + 16], xmm1",
            "movups [{t} + 32], xmm2",
            "movups [{t} + 48], xmm3",
            "add {s}, 64",
            "add {t}, 64",
            "4: test {n:e}, 63",
            "jz 9f",
            "test {n:e}, 32",
            "jz 5f",
            "movups xmm0, [{s}]",
            "movups xmm1, [{s} + 16]",
            "movups [{t}], xmm0",
            "movups [{t} + 16], xmm1",
            "add {s}, 32",
            "add {t}, 32",
            "5: test {n:e}, 16",
            "jz 6f",
            "movups xmm0, [{s}]",
            "movups [{t}], xmm0",
            "add {s}, 16",
            "add {t}, 16",
            "6: test {n:e}, 8",
            "jz 7f",
            "mov {word}, [{s}]",
            "mov [{t}], {word}",
            "add {s}, 8",
            "add {t}, 8",
            "7: and {n:e}, 7",
            "jz 9f",
            "8: mov {word:l}, [{s}]",
            "mov [{t}], {word:l}",
            "inc {s}",
            "inc {t}",
            "dec {n:e}",
            "jnz 8b",
            "9:",
            s = inout(reg) from => _,
            t = inout(reg) to => _,
            n = inout(reg) length => _,
            word = out(reg) _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            options(nostack),
        );
    }
}

/// As [`copy`], where it has none: what is compiled for seL4, so that a domain may do without them (`fpu="false"`).
#[cfg(not(target_feature = "sse"))]
use by_words as below_string_move;

/// As [`copy`], by general registers.
#[cfg(any(test, not(target_feature = "sse")))]
#[inline]
pub(super) unsafe fn by_words(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: as above; the bits of `length` below 32 say what there is after the loop.
    unsafe {
        asm!(
            "sub {n}, 32",
            "jb 3f",
            "2:",
            "mov {a}, [{s}]",
            "mov {b}, [{s} + 8]",
            "mov {c}, [{s} + 16]",
            "mov {d}, [{s} + 24]",
            "mov [{t}], {a}",
            "mov [{t} + 8], {b}",
            "mov [{t} + 16], {c}",
            "mov [{t} + 24], {d}",
            "add {s}, 32",
            "add {t}, 32",
            "sub {n}, 32",
            "jae 2b",
            // Down to -32 from there: the lowest five bits are still those of the length.
            "3: and {n:e}, 31",
            "jz 9f",
            "4: sub {n:e}, 8",
            "jb 5f",
            "mov {a}, [{s}]",
            "mov [{t}], {a}",
            "add {s}, 8",
            "add {t}, 8",
            "jmp 4b",
            "5: add {n:e}, 8",
            "jz 9f",
            "6: mov {a:l}, [{s}]",
            "mov [{t}], {a:l}",
            "inc {s}",
            "inc {t}",
            "dec {n:e}",
            "jnz 6b",
            "9:",
            s = inout(reg) from => _,
            t = inout(reg) to => _,
            n = inout(reg) length => _,
            a = out(reg) _,
            b = out(reg) _,
            c = out(reg) _,
            d = out(reg) _,
            options(nostack),
        );
    }
}

/// As [`copy`].
#[inline]
unsafe fn by_string_move(from: *const u8, to: *mut u8, length: usize) {
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
