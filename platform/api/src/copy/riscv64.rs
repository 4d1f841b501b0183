//! Copying on RISC-V with general registers. It copies 64 bytes at a time, then 8, then single bytes.
//!
//! The architecture lets a processor trap or be slow where a word crosses its alignment, so all words are
//! aligned at both ends. Where the ends differ in their alignment, each word of the target is put together of
//! two neighbouring words of the source. Each of these is read once, and what is left of it is kept in a
//! register for the next word.

use core::arch::asm;

/// See [`copy_opaque`](super::copy_opaque) for the contract.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller promises `length` bytes at both ends. Each load is followed by the store of what it
    // loaded, and the pieces add up to `length`. All words are aligned and inside of the two ranges.
    unsafe {
        asm!(
            "sltiu {a}, {n}, 8",
            "bnez {a}, 8f",
            // Single bytes, until the target is aligned.
            "2: andi {a}, {t}, 7",
            "beqz {a}, 3f",
            "lbu {a}, 0({s})",
            "sb {a}, 0({t})",
            "addi {s}, {s}, 1",
            "addi {t}, {t}, 1",
            "addi {n}, {n}, -1",
            "j 2b",
            "3: andi {a}, {s}, 7",
            "bnez {a}, 6f",
            // Both are aligned.
            "addi {n}, {n}, -64",
            "bltz {n}, 5f",
            "4: ld {a}, 0({s})",
            "ld {b}, 8({s})",
            "ld {c}, 16({s})",
            "ld {d}, 24({s})",
            "ld {e}, 32({s})",
            "ld {f}, 40({s})",
            "ld {g}, 48({s})",
            "ld {h}, 56({s})",
            "sd {a}, 0({t})",
            "sd {b}, 8({t})",
            "sd {c}, 16({t})",
            "sd {d}, 24({t})",
            "sd {e}, 32({t})",
            "sd {f}, 40({t})",
            "sd {g}, 48({t})",
            "sd {h}, 56({t})",
            "addi {s}, {s}, 64",
            "addi {t}, {t}, 64",
            "addi {n}, {n}, -64",
            "bgez {n}, 4b",
            "5: addi {n}, {n}, 56",
            "bltz {n}, 12f",
            "11: ld {a}, 0({s})",
            "sd {a}, 0({t})",
            "addi {s}, {s}, 8",
            "addi {t}, {t}, 8",
            "addi {n}, {n}, -8",
            "bgez {n}, 11b",
            "12: addi {n}, {n}, 8",
            "j 8f",
            // Only the target is aligned. `{c}` keeps what is loaded and not yet stored, and `{b}` says how
            // many bits that is. `{d}` is what is missing to a word. First come the bytes up to the next word
            // of the source.
            "6: slli {d}, {a}, 3",
            "li {b}, 0",
            "li {c}, 0",
            "13: lbu {a}, 0({s})",
            "sll {a}, {a}, {b}",
            "or {c}, {c}, {a}",
            "addi {b}, {b}, 8",
            "addi {s}, {s}, 1",
            "addi {n}, {n}, -1",
            // The source can end before its next word begins.
            "beqz {n}, 16f",
            "andi {a}, {s}, 7",
            "bnez {a}, 13b",
            "addi {n}, {n}, -8",
            "bltz {n}, 15f",
            "14: ld {a}, 0({s})",
            "sll {e}, {a}, {b}",
            "or {e}, {e}, {c}",
            "sd {e}, 0({t})",
            "srl {c}, {a}, {d}",
            "addi {s}, {s}, 8",
            "addi {t}, {t}, 8",
            "addi {n}, {n}, -8",
            "bgez {n}, 14b",
            "15: addi {n}, {n}, 8",
            "16: sb {c}, 0({t})",
            "srli {c}, {c}, 8",
            "addi {t}, {t}, 1",
            "addi {b}, {b}, -8",
            "bnez {b}, 16b",
            // Single bytes, up to the end.
            "8: beqz {n}, 9f",
            "7: lbu {a}, 0({s})",
            "sb {a}, 0({t})",
            "addi {s}, {s}, 1",
            "addi {t}, {t}, 1",
            "addi {n}, {n}, -1",
            "bnez {n}, 7b",
            "9:",
            s = inout(reg) from => _,
            t = inout(reg) to => _,
            n = inout(reg) length => _,
            a = out(reg) _,
            b = out(reg) _,
            c = out(reg) _,
            d = out(reg) _,
            e = out(reg) _,
            f = out(reg) _,
            g = out(reg) _,
            h = out(reg) _,
            options(nostack),
        );
    }
}
