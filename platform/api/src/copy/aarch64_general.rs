//! Copying on aarch64 with pairs of general registers, for programs that are compiled without vector
//! registers. It copies 64 bytes at a time, then 8, then single bytes.

use core::arch::asm;

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller promises `length` bytes at both ends. Each load is followed by the store of what it
    // loaded, and the pieces add up to `length`. Unaligned access is allowed on normal memory.
    unsafe {
        asm!(
            "2: subs {n}, {n}, #64",
            "b.lo 3f",
            "ldp {a}, {b}, [{s}]",
            "ldp {c}, {d}, [{s}, #16]",
            "stp {a}, {b}, [{t}]",
            "stp {c}, {d}, [{t}, #16]",
            "ldp {a}, {b}, [{s}, #32]",
            "ldp {c}, {d}, [{s}, #48]",
            "stp {a}, {b}, [{t}, #32]",
            "stp {c}, {d}, [{t}, #48]",
            "add {s}, {s}, #64",
            "add {t}, {t}, #64",
            "b 2b",
            "3: add {n}, {n}, #64",
            "4: subs {n}, {n}, #8",
            "b.lo 5f",
            "ldr {a}, [{s}], #8",
            "str {a}, [{t}], #8",
            "b 4b",
            "5: adds {n}, {n}, #8",
            "b.eq 7f",
            "6: ldrb {a:w}, [{s}], #1",
            "strb {a:w}, [{t}], #1",
            "subs {n}, {n}, #1",
            "b.ne 6b",
            "7:",
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
