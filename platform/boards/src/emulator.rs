//! What is known of a board's emulator.

/// The emulator of a board.
#[derive(PartialEq, Eq, Debug)]
pub struct Emulator {
    /// The program.
    pub program: &'static str,
    /// The Debian package that contains it.
    pub package: &'static str,
    /// The options that make it emulate this board.
    pub machine: &'static [&'static str],
    /// Memory of the board, in MiB.
    pub mebibytes: u64,
    /// How an image is loaded into it.
    pub loading: Loading,
    /// How the last line begins that its firmware prints on the board's console. `None` if it prints nothing.
    pub last_firmware_line: Option<&'static str>,
    /// If QEMU counts instructions, each takes 2 to the power of this many nanoseconds of the emulated clock.
    pub clock_shift: u8,
}

/// How an image is loaded into an emulator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loading {
    /// QEMU puts the image at this address. The image contains the kernel.
    At(u64),
    /// QEMU's own boot loader starts the kernel. The image is the module beside it.
    Multiboot,
    /// QEMU puts the image where the image's header says, and its firmware starts it. The header is the one
    /// that the boot loader U-Boot knows. The image contains the kernel.
    Uboot,
}
