//! The copy routine: moves bytes that an untrusted peer may be rewriting at the same moment.
//!
//! It is assembly, so that the compiler knows nothing about the accesses. The compiler may not assume that
//! the source stays the same, read it twice, or read past its end. The assembly reads each source byte
//! exactly once, and touches nothing outside the two ranges.

#[cfg(all(target_arch = "aarch64", target_feature = "neon", not(miri)))]
#[path = "aarch64.rs"]
mod arch;
#[cfg(all(target_arch = "aarch64", not(target_feature = "neon"), not(miri)))]
#[path = "aarch64_general.rs"]
mod arch;
#[cfg(miri)]
#[path = "interpreted.rs"]
mod arch;
#[cfg(all(target_arch = "riscv64", not(miri)))]
#[path = "riscv64.rs"]
mod arch;
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[path = "x86_64.rs"]
mod arch;

/// Copies `length` bytes from `from` to `to`.
///
/// # Safety
/// `from` is mapped readable and `to` writable for `length` bytes, the ranges do not overlap, and no Rust
/// reference to either exists. Other protection domains may write to both meanwhile.
#[inline]
pub unsafe fn copy_opaque(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller keeps this function's contract, which is also the contract of `arch::copy`.
    unsafe { arch::copy(from, to, length) }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    /// The routine that this program uses, and those that other programs and processors use.
    const ROUTINES: &[unsafe fn(*const u8, *mut u8, usize)] = &[
        super::copy_opaque,
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        super::arch::by_words,
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        super::arch::by_string_move,
    ];

    /// Copies with lengths around the sizes at which a routine changes its method, with several alignments of
    /// both ends, between canaries.
    #[test]
    fn copies_exactly_the_range() {
        const MARGIN: usize = 64;
        let source: Vec<u8> = (0..20_000_u32).map(|i| (i * 7 % 251) as u8 + 1).collect();
        let all = (0..600).chain([1023, 1024, 1031, 1472, 4095, 4096, 4097, 8191, 12_345]);
        // Under Miri all lengths would take minutes.
        let lengths = all.filter(|length| !cfg!(miri) || length % 37 == 0);
        for length in lengths {
            let skews = [(0, 0), (1, 0), (0, 1), (3, 5), (15, 8)];
            for (copy, (skew_from, skew_to)) in
                ROUTINES.iter().flat_map(|copy| skews.map(|skew| (copy, skew)))
            {
                let mut target = std::vec![0_u8; length + 2 * MARGIN];
                let from = source[skew_from..].as_ptr();
                let to = target[MARGIN + skew_to..].as_mut_ptr();
                // SAFETY: `source` has 20,000 bytes, more than any length plus its skew. `target` has a
                // margin on both sides. The two are distinct.
                unsafe { copy(from, to, length) };
                let (before, rest) = target.split_at(MARGIN + skew_to);
                let (copied, after) = rest.split_at(length);
                assert!(
                    before.iter().chain(after).all(|byte| *byte == 0),
                    "length {length}: outside the range"
                );
                assert_eq!(copied, &source[skew_from..skew_from + length], "length {length}");
            }
        }
    }
}
