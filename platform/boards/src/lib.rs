//! The boards that Ferry builds for and boots. A board is data: one entry says how Rust compiles for it,
//! where its console is, how a system on it ends, and which emulator stands in for it. The command line, the
//! image builders, the tests and the benchmark read this table. No other code describes a board.
//!
//! To add a board, add an entry. If the board needs what no entry can say yet, add a variant here.
//!
//! Programs that run on a board read the table too, so it needs no operating system. Only the command that
//! starts an emulator does, and the checks of descriptions; they come with the feature `std`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "std")]
mod command;
mod emulator;

#[cfg(feature = "std")]
pub use command::Files;
pub use emulator::{Emulator, Loading};

use core::ops::Range;
#[cfg(feature = "std")]
use ferry_description::{Interrupts, Platform, Top};

/// A board.
#[derive(PartialEq, Eq, Debug)]
pub struct Board {
    /// Its name in a Microkit SDK, or seL4's name for the platform.
    pub name: &'static str,
    /// What it is, in a few words.
    pub summary: &'static str,
    /// The Rust target that its programs are compiled for.
    pub target: &'static str,
    /// The same target without floating-point and vector registers, for protection domains with
    /// `fpu="false"`. `None` if no program for the board uses these registers.
    pub target_without_fpu: Option<&'static str>,
    /// The compiler's flags for [`Board::target`].
    pub flags: &'static str,
    /// What a system description for it may say.
    #[cfg(feature = "std")]
    pub platform: Platform,
    /// The device that it prints on.
    pub console: Console,
    /// How a system on it ends.
    pub exit: Exit,
    /// The emulator that stands in for it on a developer's machine.
    pub emulator: Emulator,
}

/// A board's console.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Console {
    /// An Arm PL011 UART. The range holds the physical addresses of its page of registers.
    Pl011(Range<u64>),
    /// A 16550 UART. The range holds its I/O ports.
    Ns16550(Range<u64>),
    /// A 16550 UART in memory, whose registers are bytes one after the other. The range holds the physical
    /// addresses of its page of registers.
    MappedNs16550(Range<u64>),
}

/// How a system on a board ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// By a call of Arm's semihosting interface, which needs no device.
    Semihosting,
    /// By QEMU's device `isa-debug-exit` at this I/O port.
    DebugExit(u16),
    /// By the register of QEMU's device `sifive_test`, at the beginning of the page at this physical address.
    SifiveTest(u64),
}

impl Board {
    /// The Rust targets that its programs are compiled for.
    pub fn targets(&self) -> impl Iterator<Item = &'static str> + use<> {
        [Some(self.target), self.target_without_fpu].into_iter().flatten()
    }

    /// The board of a Microkit SDK that has this name.
    #[must_use]
    pub fn of_microkit(name: &str) -> Option<&'static Self> {
        MICROKIT.iter().find(|board| board.name == name)
    }
}

impl Exit {
    /// The I/O port at which Ferry puts a PC's `isa-debug-exit`.
    pub const DEBUG_EXIT_PORT: u16 = 0xf4;
    /// How many I/O ports the device `isa-debug-exit` has.
    pub const DEBUG_EXIT_PORTS: u16 = 4;
    /// The largest code that `isa-debug-exit` can end a system with. The status of a process has eight bits,
    /// and the device uses one of them itself.
    pub const DEBUG_EXIT_MOST: u8 = 127;

    /// Gives the emulator's exit status for the code with which a system ends. With `isa-debug-exit`, codes
    /// above [`DEBUG_EXIT_MOST`](Self::DEBUG_EXIT_MOST) count as that.
    #[must_use]
    pub fn status(self) -> fn(u8) -> i32 {
        match self {
            Self::Semihosting | Self::SifiveTest(_) => i32::from,
            Self::DebugExit(_) => |code| i32::from(code.min(Self::DEBUG_EXIT_MOST)) * 2 + 1,
        }
    }
}

/// I/O ports of a PC's first serial port.
const SERIAL_PORTS: Range<u64> = 0x3f8..0x400;

/// Addresses are fixed, because nothing relocates a program. There is no RELRO, because no start-up code
/// would make its pages read-only.
const FIXED_ADDRESSES: &str = "-Crelocation-model=static -Crelro-level=off";

/// What Microkit's kernels have on every board; what [`Platform::extras`] adds depends on the board.
#[cfg(feature = "std")]
const MICROKIT_PLATFORM: Platform = Platform {
    name: "Microkit",
    extras: &[],
    interrupts: Interrupts::PC,
    highest_priority: 254,
    // The configurations of the kernel that Ferry knows have one.
    cores: 1,
    periods_us: 1..=u32::MAX,
    lowest_address: 0x1000,
    top: Top::Fixed(0),
    chooses_addresses: false,
    physical: &[],
    memory_bytes: 0,
    frames: Platform::FRAMES_OF_KERNEL,
    writable_code: true,
};

/// The classic platform's only board.
pub static PC99: Board = Board {
    name: "pc99",
    summary: "a PC",
    target: "x86_64-unknown-none",
    target_without_fpu: None,
    flags: FIXED_ADDRESSES,
    #[cfg(feature = "std")]
    platform: Platform::CLASSIC,
    console: Console::Ns16550(SERIAL_PORTS),
    exit: Exit::DebugExit(Exit::DEBUG_EXIT_PORT),
    emulator: Emulator {
        program: "qemu-system-x86_64",
        package: "qemu-system-x86",
        machine: &["-machine", "pc", "-cpu", "qemu64", "-nodefaults"],
        mebibytes: 512,
        loading: Loading::Multiboot,
        last_firmware_line: None,
        clock_shift: 0,
    },
};

/// The boards of a Microkit SDK.
pub static MICROKIT: [Board; 3] = [
    Board {
        name: "qemu_virt_aarch64",
        summary: "Arm, by QEMU's machine `virt`",
        target: "aarch64-unknown-none",
        target_without_fpu: Some("aarch64-unknown-none-softfloat"),
        // Without this flag the compiler assembles neighbouring words of a structure in a vector register, by
        // way of the stack. That costs central 20 more instructions for each wake-up.
        flags: "-Cno-vectorize-slp",
        #[cfg(feature = "std")]
        platform: Platform {
            name: "Microkit's qemu_virt_aarch64",
            extras: &[
                "cspace",
                "domain",
                "domains",
                "irq",
                "notify",
                "passive",
                "phys_addr",
                "pp",
                "prefill_bootinfo",
                "protection_domain",
                "setvar",
                "smc",
                "virtual_machine",
            ],
            // The kernel's MAX_IRQ for QEMU's machine. It keeps those of the virtual interrupt controller,
            // of its own timer, and of the timer of guests.
            interrupts: Interrupts::Numbers { highest: 159, of_kernel: &[25, 26, 27] },
            // Two pages below the highest address: one for messages, one that stays free.
            top: Top::Stack(0xff_ffff_e000),
            chooses_addresses: true,
            // What the SDK's `platform_gen.json` lists: the pages between are those of the interrupt
            // controller. The first 64 MiB of memory are left to the kernel and the initialiser.
            physical: &[
                0..0x800_0000,
                0x800_1000..0x801_0000,
                0x801_1000..0x803_0000,
                0x803_1000..0x6000_0000,
                0x6400_0000..0xc000_0000,
                0xc000_0000..0x100_0000_0000,
            ],
            // The kernel is built for memory from 0x6000_0000 on, 512 MiB above where QEMU's begins.
            memory_bytes: Platform::memory_of_board(2048 - 512),
            ..MICROKIT_PLATFORM
        },
        console: Console::Pl011(0x900_0000..0x900_1000),
        exit: Exit::Semihosting,
        emulator: Emulator {
            program: "qemu-system-aarch64",
            package: "qemu-system-arm",
            machine: &[
                "-machine",
                "virt,virtualization=on",
                "-cpu",
                "cortex-a53",
                "-semihosting-config",
                "enable=on,userspace=on,target=native",
            ],
            mebibytes: 2048,
            loading: Loading::At(0x7000_0000),
            last_firmware_line: None,
            clock_shift: 0,
        },
    },
    Board {
        name: "x86_64_generic",
        summary: "a PC",
        target: "x86_64-unknown-none",
        target_without_fpu: None,
        flags: FIXED_ADDRESSES,
        #[cfg(feature = "std")]
        platform: Platform {
            name: "Microkit's x86_64_generic",
            extras: &[
                "cspace",
                "domain",
                "domains",
                "io_address_space",
                "ioport",
                "notify",
                "passive",
                "pcidev",
                "phys_addr",
                "pin",
                "pp",
                "prefill_bootinfo",
                "protection_domain",
                "setvar",
            ],
            top: Top::Stack(0x7fff_ffff_e000),
            // Without the pages of the interrupt controllers, up to CONFIG_PADDR_USER_DEVICE_TOP. The kernel
            // and the initialiser are at 1 MiB and above.
            physical: &[
                0..0x10_0000,
                0x400_0000..0xfec0_0000,
                0xfec0_1000..0xfee0_0000,
                0xfee0_1000..0x8000_0000_0000,
            ],
            memory_bytes: Platform::memory_of_board(1024),
            ..MICROKIT_PLATFORM
        },
        console: Console::Ns16550(SERIAL_PORTS),
        exit: Exit::DebugExit(Exit::DEBUG_EXIT_PORT),
        emulator: Emulator {
            program: "qemu-system-x86_64",
            package: "qemu-system-x86",
            machine: &["-cpu", "qemu64,+fsgsbase,+pdpe1gb,+xsave,+xsaveopt"],
            mebibytes: 1024,
            loading: Loading::Multiboot,
            last_firmware_line: None,
            // With any other shift the kernel computes a ratio of 0 for its timer.
            clock_shift: 4,
        },
    },
    Board {
        name: "qemu_virt_riscv64",
        summary: "RISC-V, by QEMU's machine `virt`",
        // Without floating-point registers, because the SDK's own library for C programs is compiled so, and
        // only programs of one calling convention can be linked with each other.
        target: "riscv64imac-unknown-none-elf",
        target_without_fpu: None,
        flags: FIXED_ADDRESSES,
        #[cfg(feature = "std")]
        platform: Platform {
            name: "Microkit's qemu_virt_riscv64",
            extras: &[
                "cspace",
                "domain",
                "domains",
                "irq",
                "notify",
                "passive",
                "phys_addr",
                "pp",
                "prefill_bootinfo",
                "protection_domain",
                "setvar",
            ],
            // The sources of the interrupt controller. It has none with the number 0.
            interrupts: Interrupts::Numbers { highest: 95, of_kernel: &[0] },
            // Two pages below the highest address: one for messages, one that stays free.
            top: Top::Stack(0x3f_ffff_d000),
            chooses_addresses: true,
            // What the SDK's `platform_gen.json` lists: the addresses between are those of the timer and of
            // the interrupt controller. From 0x8000_0000 on there are 2 MiB of the firmware, which lets
            // nobody in. The 64 MiB behind them are left to the kernel and the initialiser.
            physical: &[
                0..0x200_0000,
                0x220_0000..0xc00_0000,
                0xc60_0000..0x8000_0000,
                0x8420_0000..0x1_0000_0000,
                0x1_0000_0000..0x80_0000_0000,
            ],
            memory_bytes: Platform::memory_of_board(2048 - 2),
            ..MICROKIT_PLATFORM
        },
        console: Console::MappedNs16550(0x1000_0000..0x1000_1000),
        exit: Exit::SifiveTest(0x10_0000),
        emulator: Emulator {
            program: "qemu-system-riscv64",
            package: "qemu-system-misc",
            machine: &["-machine", "virt", "-cpu", "rv64"],
            mebibytes: 2048,
            loading: Loading::Uboot,
            last_firmware_line: Some("Boot HART MEDELEG"),
            clock_shift: 0,
        },
    },
];

#[cfg(test)]
mod tests {
    use super::{Board, Exit, MICROKIT, PC99};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<&str> = MICROKIT.iter().map(|board| board.name).collect();
        assert_eq!(names.len(), MICROKIT.len());
        for board in &MICROKIT {
            assert_eq!(Board::of_microkit(board.name), Some(board));
        }
        assert_eq!(Board::of_microkit(PC99.name), None);
    }

    #[test]
    fn a_description_may_use_the_memory_that_is_emulated_and_no_more() {
        let memory = |board: &Board| board.platform.memory_bytes >> 20;
        assert_eq!(memory(&PC99) + 64, PC99.emulator.mebibytes);
        for (board, kept_back) in MICROKIT.iter().zip([512, 0, 2]) {
            assert_eq!(memory(board) + 64 + kept_back, board.emulator.mebibytes, "{}", board.name);
        }
    }

    #[test]
    fn a_code_of_the_system_is_a_status_of_the_emulator() {
        assert_eq!([0, 3, 255].map(Exit::Semihosting.status()), [0, 3, 255]);
        assert_eq!([0, 3, 255].map(Exit::SifiveTest(0x10_0000).status()), [0, 3, 255]);
        assert_eq!([0, 3, 255].map(Exit::DebugExit(0xf4).status()), [1, 7, 255]);
    }
}
