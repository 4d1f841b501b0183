//! Copying on aarch64 with pairs of vector registers, the widest registers there are. A loop copies 256 bytes
//! at a time. The rest follows in pieces of 128, 64, 32, 16 and 8 bytes, then as single bytes.

use core::arch::asm;

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller promises `length` bytes at both ends. Each load is followed by the store of what it
    // loaded, and the pieces add up to `length`: its lowest eight bits say which of them follow the loop.
    // Unaligned access is allowed on normal memory.
    unsafe {
        asm!(
            "subs {n}, {l}, #256",
            "b.lo 3f",
            "2: ldp q0, q1, [{s}], #32",
            "ldp q2, q3, [{s}], #32",
            "ldp q4, q5, [{s}], #32",
            "ldp q6, q7, [{s}], #32",
            "ldp q16, q17, [{s}], #32",
            "ldp q18, q19, [{s}], #32",
            "ldp q20, q21, [{s}], #32",
            "ldp q22, q23, [{s}], #32",
            "stp q0, q1, [{t}], #32",
            "stp q2, q3, [{t}], #32",
            "stp q4, q5, [{t}], #32",
            "stp q6, q7, [{t}], #32",
            "stp q16, q17, [{t}], #32",
            "stp q18, q19, [{t}], #32",
            "stp q20, q21, [{t}], #32",
            "stp q22, q23, [{t}], #32",
            "subs {n}, {n}, #256",
            "b.hs 2b",
            // `{n}` is now the rest minus 256, so its lowest eight bits are those of `length`.
            "3: tbz {n}, #7, 4f",
            "ldp q0, q1, [{s}], #32",
            "ldp q2, q3, [{s}], #32",
            "ldp q4, q5, [{s}], #32",
            "ldp q6, q7, [{s}], #32",
            "stp q0, q1, [{t}], #32",
            "stp q2, q3, [{t}], #32",
            "stp q4, q5, [{t}], #32",
            "stp q6, q7, [{t}], #32",
            "4: tbz {n}, #6, 5f",
            "ldp q0, q1, [{s}], #32",
            "ldp q2, q3, [{s}], #32",
            "stp q0, q1, [{t}], #32",
            "stp q2, q3, [{t}], #32",
            "5: tst {n}, #63",
            "b.eq 9f",
            "tbz {n}, #5, 6f",
            "ldp q0, q1, [{s}], #32",
            "stp q0, q1, [{t}], #32",
            "6: tbz {n}, #4, 7f",
            "ldr q0, [{s}], #16",
            "str q0, [{t}], #16",
            "7: tbz {n}, #3, 8f",
            "ldr {a}, [{s}], #8",
            "str {a}, [{t}], #8",
            "8: ands {n}, {n}, #7",
            "b.eq 9f",
            "10: ldrb {a:w}, [{s}], #1",
            "strb {a:w}, [{t}], #1",
            "subs {n}, {n}, #1",
            "b.ne 10b",
            "9:",
            s = inout(reg) from => _,
            t = inout(reg) to => _,
            l = in(reg) length,
            n = out(reg) _,
            a = out(reg) _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            options(nostack),
        );
    }
}
