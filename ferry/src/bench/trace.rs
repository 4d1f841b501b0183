//! The trace of a measured section: one line for each instruction that the emulated processor executed, told apart by
//! whose addresses they are at.
//!
//! QEMU writes a line for each translation block that it enters, and in its single-step mode a block is one instruction. The
//! measured programs are linked at different addresses, so an address says whose instruction it is; what lies above the
//! user's half is the kernel's.

use super::programs::{Owner, Programs};
use std::collections::HashMap;
use std::io::{self, BufRead};

/// A block that was announced, and did not run after all.
const RETRACTED: &[u8] = b"Stopped execution of TB chain before ";
const EXECUTED: &[u8] = b"Trace ";

/// Instructions of a measured section.
#[derive(Clone, Default, Debug)]
pub(super) struct Trace {
    /// How often the instruction at an address was executed. A repeated string instruction counts once.
    pub(super) executed: HashMap<u64, u64>,
    /// Further steps of repeated string instructions, which the emulator counts like instructions.
    pub(super) repetitions: u64,
    /// Times the processor went from a program into the kernel.
    pub(super) kernel_entries: u64,
}

impl Trace {
    /// Reads the emulator's lines up to their end and counts from the one on that executes `begin`. What comes before it is
    /// an interrupt: QEMU moves the virtual clock on to the next timer when it resumes a machine that was stopped.
    pub(super) fn read(mut lines: impl BufRead, begin: u64, programs: &Programs) -> io::Result<Self> {
        let mut trace = Self::default();
        let mut line = Vec::new();
        let mut begun = false;
        let mut last = None;
        let mut in_kernel = false;
        while lines.read_until(b'\n', &mut line)? > 0 {
            if line.starts_with(EXECUTED) {
                let Some(address) = address(&line) else {
                    return Err(io::Error::other(format!(
                        "the emulator's trace is not as QEMU 7.2 writes it: {}",
                        String::from_utf8_lossy(&line).trim()
                    )));
                };
                begun |= address == begin;
                if !begun {
                    // Not yet.
                } else if last == Some(address) {
                    trace.repetitions += 1;
                } else {
                    *trace.executed.entry(address).or_default() += 1;
                    let kernel = programs.owner(address) == Some(Owner::Kernel);
                    trace.kernel_entries += u64::from(kernel && !in_kernel);
                    in_kernel = kernel;
                }
                last = Some(address);
            } else if line.starts_with(RETRACTED)
                && let Some(address) = last.take()
                && let Some(count) = trace.executed.get_mut(&address)
            {
                *count -= 1;
            }
            line.clear();
        }
        Ok(trace)
    }

    /// Instructions at the addresses of `owner`, without those of the measurement itself.
    pub(super) fn instructions(&self, programs: &Programs, owner: Owner) -> u64 {
        let own = self.executed.iter().filter(|(address, _)| programs.owner(**address) == Some(owner));
        own.map(|(_, count)| count).sum()
    }

    /// How often the function whose first instruction is at `address` was called.
    pub(super) fn calls(&self, address: u64) -> u64 {
        self.executed.get(&address).copied().unwrap_or(0)
    }
}

/// The program counter in a line of the form `Trace 0: 0x7f… [cs_base/pc/flags/cflags] symbol`.
fn address(line: &[u8]) -> Option<u64> {
    let line = str::from_utf8(line).ok()?;
    let (_, bracket) = line.split_once('[')?;
    u64::from_str_radix(bracket.split('/').nth(1)?, 16).ok()
}
