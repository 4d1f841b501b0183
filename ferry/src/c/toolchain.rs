//! The C compilers, and what they are told for each platform and architecture.

use crate::c::CError;
use crate::tools::{self, ToolsError};
use ferry_boards::Board;

/// How programs in C are compiled for one platform and architecture.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// Compilers, each with its Debian package. The first one that is installed is taken.
    compilers: &'static [(&'static str, &'static str)],
    /// Whether programs run without an operating system, and so without a C library.
    pub(crate) is_bare: bool,
    /// The Rust target of the client library, if it is not that of the board's other programs.
    pub(crate) library_target: Option<&'static str>,
    /// Arguments for the architecture, for compiling and for linking.
    pub(crate) architecture: &'static [&'static str],
    /// Arguments for compiling programs that have no floating-point registers.
    pub(crate) without_fpu: &'static [&'static str],
    /// Arguments for linking, before the program and the library.
    pub(crate) link: &'static [&'static str],
    /// Arguments for linking, after them.
    pub(crate) libraries: &'static [&'static str],
}

/// The platform hosted.
pub(crate) static HOSTED: Toolchain = Toolchain {
    compilers: &[("gcc", "gcc"), ("cc", "gcc"), ("clang", "clang")],
    is_bare: false,
    library_target: None,
    architecture: &[],
    without_fpu: &[],
    link: &["-Wl,--gc-sections"],
    // What Rust's standard library needs of the system.
    libraries: &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"],
};

/// The platform classic. As in Rust, no program there uses floating-point registers.
pub(crate) static CLASSIC: Toolchain = Toolchain {
    compilers: &[("gcc", "gcc"), ("clang", "clang")],
    is_bare: true,
    library_target: None,
    architecture: &["-mgeneral-regs-only", "-mno-red-zone", "-fcf-protection=none"],
    without_fpu: &[],
    link: &["-Wl,-z,norelro"],
    libraries: &[],
};

/// Programs for Microkit.
const MICROKIT: Toolchain = Toolchain {
    compilers: &[],
    is_bare: true,
    library_target: None,
    architecture: &[],
    without_fpu: &[],
    link: &[],
    libraries: &["-lmicrokit"],
};

static AARCH64: Toolchain = Toolchain {
    compilers: &[
        ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
        ("aarch64-none-elf-gcc", "gcc-aarch64-none-elf"),
    ],
    architecture: &["-mstrict-align", "-mno-outline-atomics"],
    without_fpu: &["-mgeneral-regs-only"],
    ..MICROKIT
};

static RISCV64: Toolchain = Toolchain {
    compilers: &[
        ("riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf"),
        ("riscv64-linux-gnu-gcc", "gcc-riscv64-linux-gnu"),
    ],
    // The SDK's libmicrokit passes floating-point numbers in registers, and only programs of one calling
    // convention can be linked.
    library_target: Some("riscv64gc-unknown-none-elf"),
    architecture: &["-march=rv64imafdc_zicsr_zifencei", "-mabi=lp64d", "-mcmodel=medany"],
    ..MICROKIT
};

static X86_64: Toolchain = Toolchain {
    compilers: &[("gcc", "gcc"), ("clang", "clang")],
    architecture: &["-march=x86-64", "-mtune=generic", "-fcf-protection=none"],
    ..MICROKIT
};

/// The toolchain for the boards of Microkit that have this board's architecture.
pub(crate) fn of_architecture(board: &Board) -> Result<&'static Toolchain, CError> {
    let architectures = [("aarch64", &AARCH64), ("riscv64", &RISCV64), ("x86_64", &X86_64)];
    let found = architectures.into_iter().find(|(name, _)| *name == board.architecture.name);
    found.map(|(_, toolchain)| toolchain).ok_or(CError::Architecture(board.name))
}

impl Toolchain {
    /// The compiler. If none is installed, installs one or says how.
    pub(crate) fn compiler(&self) -> Result<&'static str, ToolsError> {
        tools::one_of(self.compilers)
    }
}
