//! The trace of a measured section. It has one line for each instruction that the emulated processor
//! executed.
//!
//! QEMU writes a line for each translation block that it enters. In its single-step mode a block is one
//! instruction. The measured programs are linked at different addresses, so an address tells which program an
//! instruction belongs to. Addresses above the programs' part of the address space belong to the kernel.
//!
//! The instruction before an entry into the kernel tells an interrupt from a system call. Interrupts are
//! counted separately: they come from the timer, and only some messages meet one.

use super::programs::{Owner, Programs};
use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead};

/// Beginnings of the lines for a block that is entered, and for a block that was announced but not entered.
const EXECUTED: &[u8] = b"Trace ";
const RETRACTED: &[u8] = b"Stopped execution of TB chain before ";

/// The instructions of a measured section.
#[derive(Clone, Default, Debug)]
pub(super) struct Trace {
    /// How often the instruction at each address was executed. A repeated string instruction counts once.
    pub(super) executed: HashMap<u64, u64>,
    /// Further repetitions of repeated string instructions. The emulator's clock counts them as instructions.
    pub(super) repetitions: u64,
    /// How often a program entered the kernel by a system call.
    pub(super) system_calls: u64,
    /// Instructions that served interrupts. They are not in `executed`.
    pub(super) in_interrupts: u64,
}

/// What the processor executes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Program,
    SystemCall,
    Interrupt,
}

/// The state of reading a trace.
struct Reader<'a> {
    programs: &'a Programs,
    /// Whether the section has begun.
    begun: bool,
    place: Place,
    last: Option<u64>,
    /// The addresses at which interrupts enter the kernel, as far as they were seen. An interrupt that was
    /// pending while the kernel ran comes right after it, with no instruction of a program in between. Only
    /// its address tells that it is an interrupt. On RISC-V system calls enter there too, so the address
    /// tells nothing after an instruction of a program.
    interrupt_entries: HashSet<u64>,
    trace: Trace,
}

impl Trace {
    /// Reads all lines of the emulator, and counts from the line that executes `begin`. Lines before that
    /// belong to an interrupt: when QEMU resumes a stopped machine, it moves the virtual clock on to the next
    /// timer.
    pub(super) fn read(mut lines: impl BufRead, begin: u64, programs: &Programs) -> io::Result<Self> {
        let mut reader = Reader {
            programs,
            begun: false,
            place: Place::Program,
            last: None,
            interrupt_entries: HashSet::new(),
            trace: Self::default(),
        };
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            if line.starts_with(EXECUTED) {
                let Some(address) = address(&line) else {
                    return Err(io::Error::other(format!(
                        "unknown line in the emulator's trace: {}",
                        String::from_utf8_lossy(&line).trim()
                    )));
                };
                reader.begun |= address == begin;
                reader.execute(address);
            } else if line.starts_with(RETRACTED) {
                reader.retract();
            }
            line.clear();
        }
        Ok(reader.trace)
    }

    /// The number of instructions of `owner`.
    pub(super) fn instructions(&self, programs: &Programs, owner: Owner) -> u64 {
        let own = self.executed.iter().filter(|(address, _)| programs.owner(**address) == Some(owner));
        own.map(|(_, count)| count).sum()
    }

    /// How often the function that begins at `address` was called.
    pub(super) fn calls(&self, address: u64) -> u64 {
        self.executed.get(&address).copied().unwrap_or(0)
    }
}

impl Reader<'_> {
    fn execute(&mut self, address: u64) {
        let place = if !Programs::is_kernel(address) {
            Place::Program
        } else if self.place == Place::Program {
            if self.last.is_some_and(|last| self.programs.is_system_call(last)) {
                self.trace.system_calls += u64::from(self.begun);
                Place::SystemCall
            } else {
                self.interrupt_entries.insert(address);
                Place::Interrupt
            }
        } else if self.interrupt_entries.contains(&address) {
            Place::Interrupt
        } else {
            self.place
        };
        if !self.begun {
            // The section has not begun.
        } else if place == Place::Interrupt {
            self.trace.in_interrupts += 1;
        } else if self.last == Some(address) {
            self.trace.repetitions += 1;
        } else {
            *self.trace.executed.entry(address).or_default() += 1;
        }
        self.place = place;
        self.last = Some(address);
    }

    /// Takes back the last instruction, which was not executed after all.
    fn retract(&mut self) {
        if self.place == Place::Interrupt {
            self.trace.in_interrupts -= u64::from(self.begun);
        } else if let Some(count) = self.last.take().and_then(|last| self.trace.executed.get_mut(&last)) {
            *count -= 1;
        }
    }
}

/// The program counter in a line of the form `Trace 0: 0x7f… [cs_base/pc/flags/cflags] symbol`.
fn address(line: &[u8]) -> Option<u64> {
    let line = str::from_utf8(line).ok()?;
    let (_, bracket) = line.split_once('[')?;
    u64::from_str_radix(bracket.split('/').nth(1)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Programs, Trace};
    use std::fmt::Write as _;

    /// The trace has two instructions of a program, a repeated instruction, a system call that an interrupt
    /// follows, and one more instruction that is announced twice.
    #[test]
    fn a_trace_is_counted_from_its_begin() {
        let mut programs = Programs::default();
        programs.add_code(0x1000, &[0x90, 0x90, 0x0f, 0x05, 0x90, 0x90]);
        let kernel = 0xffff_ffff_8000_0000_u64;
        let mut text = String::new();
        let mut line = |address: u64| {
            let _ = writeln!(text, "Trace 0: 0x7f [0/{address:016x}/1/2] ");
        };
        // The interrupt before the section shows where interrupts enter the kernel.
        [0x1000, kernel + 0x20, 0x1000, 0x1001, 0x1001, 0x1002, kernel, kernel + 4, kernel + 0x20, 0x1004]
            .into_iter()
            .for_each(&mut line);
        text += "Stopped execution of TB chain before 0x7f [0000000000001004] \n";
        text += "Trace 0: 0x7f [0/0000000000001004/1/2] \n";
        let trace = Trace::read(text.as_bytes(), 0x1001, &programs).unwrap();
        assert_eq!((trace.repetitions, trace.system_calls, trace.in_interrupts), (1, 1, 1));
        let mut executed: Vec<(u64, u64)> = trace.executed.into_iter().collect();
        executed.sort_unstable();
        assert_eq!(executed, [(0x1001, 1), (0x1002, 1), (0x1004, 1), (kernel, 1), (kernel + 4, 1)]);
    }

    /// On RISC-V everything enters the kernel at one address, and the kernel calls the firmware.
    #[test]
    fn system_calls_and_interrupts_can_have_one_entry() {
        let mut programs = Programs::default();
        programs.add_code(0x1000, &[0x01, 0x00, 0x73, 0x00, 0x00, 0x00, 0x01, 0x00]);
        let (entry, firmware) = (0xffff_ffff_8020_2000_u64, 0x8000_0400_u64);
        let mut text = String::new();
        let kernel = [entry, firmware, entry + 4];
        let all = [0x1000].into_iter().chain(kernel).chain([0x1002]).chain(kernel).chain([entry, 0x1006]);
        for address in all {
            let _ = writeln!(text, "Trace 0: 0x7f [0/{address:016x}/1/2] ");
        }
        let trace = Trace::read(text.as_bytes(), 0x1000, &programs).unwrap();
        // Three of the first interrupt, and one of that which follows the system call.
        assert_eq!((trace.system_calls, trace.in_interrupts), (1, 4));
        assert_eq!(trace.executed.values().sum::<u64>(), 6);
    }
}
