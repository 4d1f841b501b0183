//! The entries of the table: boards that Ferry can describe without an SDK and boot in an emulator, and what
//! an SDK does not say of others.

use crate::{AARCH64, Board, Console, Emulator, Exit, RISCV64, Registers, X86_64};
use core::ops::Range;
#[cfg(feature = "std")]
use ferry_description::{Interrupts, Platform, Top};

/// What an SDK does not say of one of its boards that nothing emulates.
#[derive(PartialEq, Eq, Debug)]
pub struct Declared {
    /// Its name in the SDK.
    pub name: &'static str,
    /// What it is, in a few words.
    pub summary: &'static str,
    /// Its console, which firmware has set up. The supervisor gets it.
    pub console: Option<Console>,
    /// How a program can end a system on it.
    pub exit: Option<Exit>,
}

/// Boards that nothing emulates. All that is said here of a console is what Microkit's loader or the kernel's
/// device tree says of it.
pub static DECLARED: [Declared; 2] = [
    Declared {
        name: "odroidc4",
        summary: "Arm, HardKernel's Odroid-C4",
        console: Some(Console::Mapped(0xff80_3000..0xff80_4000, Registers::MESON)),
        exit: None,
    },
    Declared {
        name: "star64",
        summary: "RISC-V, Pine64's Star64",
        console: Some(Console::Mapped(0x1000_0000..0x1000_1000, Registers::NS16550_WORDS)),
        exit: None,
    },
];

/// I/O ports of a PC's first serial port.
const SERIAL_PORTS: Range<u64> = 0x3f8..0x400;

/// What Microkit's kernels have on every board; what [`Platform::extras`] adds depends on the board.
#[cfg(feature = "std")]
pub(crate) const MICROKIT_PLATFORM: Platform = Platform {
    name: "Microkit",
    extras: &[],
    interrupts: Interrupts::PC,
    highest_priority: 254,
    // Of the configurations for one core; `Board::rules` knows the others.
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
    architecture: &X86_64,
    #[cfg(feature = "std")]
    platform: Platform::CLASSIC,
    cores: 1,
    console: Some(Console::Ports(SERIAL_PORTS)),
    exit: Some(Exit::DebugExit),
    emulator: Some(&PC99_EMULATOR),
};

/// The emulator of the classic platform's board.
pub static PC99_EMULATOR: Emulator = Emulator {
    program: "qemu-system-x86_64",
    package: "qemu-system-x86",
    machine: &["-machine", "pc", "-cpu", "qemu64", "-nodefaults"],
    mebibytes: 512,
    address: 0,
    counts_processors: true,
    last_firmware_line: None,
    clock_shift: 0,
};

/// The boards of a Microkit SDK.
pub static MICROKIT: [Board; 3] = [
    Board {
        name: "qemu_virt_aarch64",
        summary: "Arm, by QEMU's machine `virt`",
        architecture: &AARCH64,
        #[cfg(feature = "std")]
        platform: Platform {
            name: "Microkit's qemu_virt_aarch64",
            extras: AARCH64.extras,
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
        cores: 4,
        console: Some(Console::Mapped(0x900_0000..0x900_1000, Registers::PL011)),
        exit: Some(Exit::Semihosting),
        emulator: Some(&Emulator {
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
            address: 0x7000_0000,
            counts_processors: false,
            last_firmware_line: None,
            clock_shift: 0,
        }),
    },
    Board {
        name: "x86_64_generic",
        summary: "a PC",
        architecture: &X86_64,
        #[cfg(feature = "std")]
        platform: Platform {
            name: "Microkit's x86_64_generic",
            extras: X86_64.extras,
            top: Top::Stack(0x7fff_ffff_d000),
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
        cores: 16,
        console: Some(Console::Ports(SERIAL_PORTS)),
        exit: Some(Exit::DebugExit),
        emulator: Some(&Emulator {
            program: "qemu-system-x86_64",
            package: "qemu-system-x86",
            machine: &["-cpu", "qemu64,+fsgsbase,+pdpe1gb,+xsave,+xsaveopt"],
            mebibytes: 1024,
            address: 0,
            counts_processors: true,
            last_firmware_line: None,
            // With any other shift the kernel computes a ratio of 0 for its timer.
            clock_shift: 4,
        }),
    },
    Board {
        name: "qemu_virt_riscv64",
        summary: "RISC-V, by QEMU's machine `virt`",
        architecture: &RISCV64,
        #[cfg(feature = "std")]
        platform: Platform {
            name: "Microkit's qemu_virt_riscv64",
            extras: RISCV64.extras,
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
        cores: 4,
        console: Some(Console::Mapped(0x1000_0000..0x1000_1000, Registers::NS16550)),
        exit: Some(Exit::SifiveTest(0x10_0000)),
        emulator: Some(&Emulator {
            program: "qemu-system-riscv64",
            package: "qemu-system-misc",
            machine: &["-machine", "virt", "-cpu", "rv64"],
            mebibytes: 2048,
            address: 0,
            counts_processors: false,
            last_firmware_line: Some("Boot HART MEDELEG"),
            clock_shift: 0,
        }),
    },
];
