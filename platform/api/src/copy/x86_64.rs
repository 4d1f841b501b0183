//! Copying on x86-64. Short copies use registers. Long copies use the processor's string move, which is slow
//! to start.
//!
//! Programs for seL4 use no vector registers, so that a protection domain can do without them
//! (`fpu="false"`). A Linux process uses them where the processor has AVX. Stores always go through the
//! cache, because the receiver is about to read.

use core::arch::asm;

/// From this many bytes on, `rep movsq` is faster than a loop over general registers.
const STRING_MOVE: usize = 512;
/// From this many bytes on, `rep movsq` is faster than a loop over vectors of 32 bytes. It would be 4 KiB if
/// all data were in the nearest cache, but a batch does not fit there.
#[cfg(target_os = "linux")]
const STRING_MOVE_OVER_VECTORS: usize = 8192;

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    #[cfg(target_os = "linux")]
    if length < STRING_MOVE_OVER_VECTORS && has_vectors() {
        // SAFETY: the caller keeps the contract of `copy`, and the processor has AVX.
        return unsafe { by_vectors(from, to, length) };
    }
    if length < STRING_MOVE {
        // SAFETY: the caller keeps the contract of `copy`.
        unsafe { by_words(from, to, length) }
    } else {
        // SAFETY: the caller keeps the contract of `copy`.
        unsafe { by_string_move(from, to, length) }
    }
}

/// Whether the processor and Linux give this process AVX. The answer is looked up once.
#[cfg(target_os = "linux")]
#[inline]
fn has_vectors() -> bool {
    extern crate std;
    std::is_x86_feature_detected!("avx")
}

/// As [`copy`], with vectors of 32 bytes. The processor must have AVX.
#[cfg(target_os = "linux")]
#[inline]
unsafe fn by_vectors(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller promises `length` bytes at both ends. Each load is followed by the store of what it
    // loaded, and the pieces add up to `length`: its lowest seven bits say which of them follow the loop.
    unsafe {
        asm!(
            "sub {n}, 128",
            "jb 3f",
            "2:",
            "vmovups ymm0, [{s}]",
            "vmovups ymm1, [{s} + 32]",
            "vmovups ymm2, [{s} + 64]",
            "vmovups ymm3, [{s} + 96]",
            "vmovups [{t}], ymm0",
            "vmovups [{t} + 32], ymm1",
            "vmovups [{t} + 64], ymm2",
            "vmovups [{t} + 96], ymm3",
            "sub {s}, -128",
            "sub {t}, -128",
            "sub {n}, 128",
            "jae 2b",
            // `{n}` is now the rest minus 128, so its lowest seven bits are those of `length`.
            "3: test {n:l}, 64",
            "jz 4f",
            "vmovups ymm0, [{s}]",
            "vmovups ymm1, [{s} + 32]",
            "vmovups [{t}], ymm0",
            "vmovups [{t} + 32], ymm1",
            "add {s}, 64",
            "add {t}, 64",
            "4: test {n:l}, 63",
            "jz 9f",
            "test {n:l}, 32",
            "jz 5f",
            "vmovups ymm0, [{s}]",
            "vmovups [{t}], ymm0",
            "add {s}, 32",
            "add {t}, 32",
            "5: test {n:l}, 16",
            "jz 6f",
            "vmovups xmm0, [{s}]",
            "vmovups [{t}], xmm0",
            "add {s}, 16",
            "add {t}, 16",
            "6: test {n:l}, 8",
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
            // Clears the upper halves of the vector registers, so that later code need not keep them.
            "9: vzeroupper",
            s = inout(reg) from => _,
            t = inout(reg) to => _,
            n = inout(reg) length => _,
            word = out(reg) _,
            // `vzeroupper` clears the upper half of every vector register.
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack),
        );
    }
}

/// As [`copy`], with general registers.
#[inline]
pub(super) unsafe fn by_words(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller promises `length` bytes at both ends. Each load is followed by the store of what it
    // loaded, and the pieces add up to `length`: its lowest five bits say what follows the loop.
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
            // `{n}` is now the rest minus 32, so its lowest five bits are those of `length`.
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

/// As [`copy`], with the processor's string instructions.
#[inline]
pub(super) unsafe fn by_string_move(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller promises `length` bytes at both ends. The string instructions read `length` bytes
    // from `from` and write as many to `to`. The ABI keeps the direction flag clear, so they move upwards.
    unsafe {
        asm!(
            "rep movsq",
            // Starting a string move costs about as much as copying 500 bytes, even for zero bytes.
            "mov ecx, {rest:e}",
            "test ecx, ecx",
            "jz 2f",
            "rep movsb",
            "2:",
            rest = in(reg) length & 7,
            inout("rcx") length >> 3 => _,
            inout("rsi") from => _,
            inout("rdi") to => _,
            options(nostack),
        );
    }
}
