//! The cheapest clock of the processor. Under QEMU's instruction counting it counts the instructions of the
//! whole machine.

use core::arch::asm;

/// Instructions of the loop that [`calibrate`] times.
pub(crate) const CALIBRATION: u64 = 2 * ITERATIONS;
const ITERATIONS: u64 = 10_000;
/// Number of attempts. The shortest counts, because an interrupt can only lengthen an attempt.
const ATTEMPTS: usize = 8;

/// Reads the clock, in ticks.
pub(crate) fn now() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reading the time-stamp counter has no effect on memory, and seL4 and Linux allow it.
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
    #[cfg(target_arch = "aarch64")]
    {
        let ticks;
        // SAFETY: reads a register. It is the physical counter, because Microkit's kernels let programs read
        // only that one.
        unsafe {
            asm!("isb", "mrs {}, cntpct_el0", out(reg) ticks, options(nostack));
        }
        ticks
    }
    #[cfg(target_arch = "riscv64")]
    {
        let ticks;
        // SAFETY: reads a register, which the firmware and the kernel let programs read.
        unsafe {
            asm!("rdcycle {}", out(reg) ticks, options(nostack));
        }
        ticks
    }
}

/// Ticks that [`CALIBRATION`] instructions take.
pub(crate) fn calibrate() -> u64 {
    let attempt = || {
        let begun = now();
        // SAFETY: the loop only counts a register down to 0.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            asm!("2: dec {n}", "jnz 2b", n = inout(reg) ITERATIONS => _, options(nostack, nomem));
            #[cfg(target_arch = "aarch64")]
            asm!("2: subs {n}, {n}, #1", "b.ne 2b", n = inout(reg) ITERATIONS => _, options(nostack, nomem));
            #[cfg(target_arch = "riscv64")]
            asm!("2: addi {n}, {n}, -1", "bnez {n}, 2b", n = inout(reg) ITERATIONS => _, options(nostack, nomem));
        }
        now() - begun
    };
    core::array::from_fn::<u64, ATTEMPTS, _>(|_| attempt()).into_iter().min().unwrap_or(u64::MAX)
}
