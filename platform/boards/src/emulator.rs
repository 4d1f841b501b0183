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
    /// Where it puts an image that does not say so itself ([`Form::Raw`](crate::Form::Raw)).
    pub address: u64,
    /// Whether the kernel starts with as few processors as there are. If not, the loader in the image starts
    /// as many as the kernel is built for, and the board must have them.
    pub counts_processors: bool,
    /// How the last line begins that its firmware prints on the board's console. `None` if it prints nothing.
    pub last_firmware_line: Option<&'static str>,
    /// If QEMU counts instructions, each takes 2 to the power of this many nanoseconds of the emulated clock.
    pub clock_shift: u8,
}
