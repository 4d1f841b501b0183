//! The boards that Ferry builds for and boots. A board is data. The command line, the image builders, the
//! tests and the benchmark read it here. What concerns one test alone, such as the length of the time slots
//! with which it shows something on a board, stands in that test.
//!
//! Ferry builds for every board of a Microkit SDK. What the SDK says of a board is read from there ([`sdk`]).
//! What it does not say is an entry of a table: the console, how a system ends, the emulator. A board without
//! an entry has none of these. For the boards that are emulated the table says everything, so that
//! descriptions can be checked without an SDK; a test compares it with the SDK.
//!
//! To add a board, see `docs/porting.md`.
//!
//! Programs that run on a board read the table too, so it needs no operating system. Only the command that
//! starts an emulator does, the checks of descriptions, and reading an SDK; they come with the feature `std`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "std", test))]
extern crate std;

mod architecture;
#[cfg(feature = "std")]
mod command;
mod console;
mod emulator;
#[cfg(feature = "std")]
pub mod sdk;
mod table;

pub use architecture::{AARCH64, Architecture, Form, RISCV64, X86_64};
#[cfg(feature = "std")]
pub use command::{Files, Processors};
pub use console::{Console, Registers};
pub use emulator::Emulator;
pub use table::{DECLARED, Declared, MICROKIT, PC99, PC99_EMULATOR};

#[cfg(feature = "std")]
use ferry_description::Platform;

/// A board.
#[derive(PartialEq, Eq, Debug)]
pub struct Board {
    /// Its name in a Microkit SDK, or seL4's name for the platform.
    pub name: &'static str,
    /// What it is, in a few words.
    pub summary: &'static str,
    /// What processor it has.
    pub architecture: &'static Architecture,
    /// What a system description for it may say, if the kernel runs on one core.
    #[cfg(feature = "std")]
    pub platform: Platform,
    /// How many cores the kernel runs on in the configurations for several cores. 1 if there are none.
    pub cores: u8,
    /// The device that it prints on, if that is known.
    pub console: Option<Console>,
    /// How a system on it ends, if a program can end it.
    pub exit: Option<Exit>,
    /// The emulator that stands in for it on a developer's machine, if there is one.
    pub emulator: Option<&'static Emulator>,
}

/// How a system on a board ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// By a call of Arm's semihosting interface, which needs no device.
    Semihosting,
    /// By QEMU's device `isa-debug-exit` at [`DEBUG_EXIT_PORT`](Self::DEBUG_EXIT_PORT).
    DebugExit,
    /// By the register of QEMU's device `sifive_test`, at the beginning of the page at this physical address.
    SifiveTest(u64),
}

impl Board {
    /// The Rust targets that its programs are compiled for.
    pub fn targets(&self) -> impl Iterator<Item = &'static str> + use<> {
        [Some(self.architecture.target), self.architecture.target_without_fpu].into_iter().flatten()
    }

    /// The emulated board of a Microkit SDK that has this name.
    #[must_use]
    pub fn of_microkit(name: &str) -> Option<&'static Self> {
        MICROKIT.iter().find(|board| board.name == name)
    }

    /// Gives the emulator's exit status for the code with which a system ends. With `isa-debug-exit`, codes
    /// above [`DEBUG_EXIT_MOST`](Exit::DEBUG_EXIT_MOST) count as that.
    #[must_use]
    pub fn status(&self) -> fn(u8) -> i32 {
        match self.exit {
            Some(Exit::DebugExit) => |code| i32::from(code.min(Exit::DEBUG_EXIT_MOST)) * 2 + 1,
            Some(Exit::Semihosting | Exit::SifiveTest(_)) | None => i32::from,
        }
    }

    /// What a system description for it may say, if the kernel runs on one core or on several.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn rules(&self, several_cores: bool) -> Platform {
        Platform { cores: if several_cores { self.cores } else { 1 }, ..self.platform.clone() }
    }
}

impl Exit {
    /// The I/O port at which Ferry puts a PC's `isa-debug-exit`, for the emulator and for what writes to it.
    pub const DEBUG_EXIT_PORT: u16 = 0xf4;
    /// How many I/O ports the device `isa-debug-exit` has.
    pub const DEBUG_EXIT_PORTS: u16 = 4;
    /// The largest code that `isa-debug-exit` can end a system with. The status of a process has eight bits,
    /// and the device uses one of them itself.
    pub const DEBUG_EXIT_MOST: u8 = 127;
}

#[cfg(test)]
mod tests {
    use super::{Board, DECLARED, MICROKIT, PC99};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_found() {
        let names = MICROKIT.iter().map(|board| board.name).chain(DECLARED.iter().map(|board| board.name));
        assert_eq!(names.collect::<BTreeSet<&str>>().len(), MICROKIT.len() + DECLARED.len());
        for board in &MICROKIT {
            assert_eq!(Board::of_microkit(board.name), Some(board));
        }
        assert_eq!(Board::of_microkit(PC99.name), None);
    }

    #[test]
    fn a_description_may_use_the_memory_that_is_emulated_and_no_more() {
        let memory = |board: &Board| board.platform.memory_bytes >> 20;
        let emulated = |board: &Board| board.emulator.map(|emulator| emulator.mebibytes);
        assert_eq!(Some(memory(&PC99) + 64), emulated(&PC99));
        for (board, kept_back) in MICROKIT.iter().zip([512, 0, 2]) {
            assert_eq!(Some(memory(board) + 64 + kept_back), emulated(board), "{}", board.name);
        }
    }

    #[test]
    fn a_code_of_the_system_is_a_status_of_the_emulator() {
        let statuses = |name| [0, 3, 255].map(Board::of_microkit(name).unwrap().status());
        assert_eq!(statuses("qemu_virt_aarch64"), [0, 3, 255]);
        assert_eq!(statuses("qemu_virt_riscv64"), [0, 3, 255]);
        assert_eq!(statuses("x86_64_generic"), [1, 7, 255]);
    }
}
