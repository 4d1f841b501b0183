//! What all boards of one processor architecture have in common.

/// A processor architecture, as Ferry compiles for it.
#[derive(PartialEq, Eq, Debug)]
pub struct Architecture {
    /// seL4's name for it.
    pub name: &'static str,
    /// The Rust target that programs are compiled for.
    pub target: &'static str,
    /// The same target without floating-point and vector registers, for protection domains with
    /// `fpu="false"`. `None` if no program uses these registers.
    pub target_without_fpu: Option<&'static str>,
    /// Whether programs in C have floating-point and vector registers always: because the SDK's libmicrokit,
    /// which they link, uses them, or has their calling convention.
    pub c_needs_fpu: bool,
    /// The compiler's flags for [`Architecture::target`].
    pub flags: &'static str,
    /// What an image for it is.
    pub form: Form,
    /// Those of the description's extras that Microkit knows for it. On Arm some of them need a kernel that
    /// has them too.
    pub extras: &'static [&'static str],
}

/// What an image is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Bytes for one address: loader, kernel and initialiser.
    Raw,
    /// The initialiser as a module for a boot loader that starts the kernel, which is a file of its own.
    Multiboot,
    /// As [`Raw`](Self::Raw), but behind the header that the boot loader U-Boot knows. It says the address.
    Uboot,
}

/// Addresses are fixed, because nothing relocates a program. There is no RELRO, because no start-up code
/// would make its pages read-only.
const FIXED_ADDRESSES: &str = "-Crelocation-model=static -Crelro-level=off";

/// Arm with 64 bits.
pub static AARCH64: Architecture = Architecture {
    name: "aarch64",
    target: "aarch64-unknown-none",
    target_without_fpu: Some("aarch64-unknown-none-softfloat"),
    c_needs_fpu: false,
    // Without this flag the compiler assembles neighbouring words of a structure in a vector register, by
    // way of the stack. That costs central 20 more instructions for each wake-up.
    flags: "-Cno-vectorize-slp",
    form: Form::Raw,
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
};

/// RISC-V with 64 bits.
pub static RISCV64: Architecture = Architecture {
    name: "riscv64",
    // Without floating-point registers, which no program in Rust needs. Programs in C are compiled as the
    // SDK's own library is, with them.
    target: "riscv64imac-unknown-none-elf",
    target_without_fpu: None,
    c_needs_fpu: true,
    flags: FIXED_ADDRESSES,
    form: Form::Uboot,
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
};

/// A PC with 64 bits.
pub static X86_64: Architecture = Architecture {
    name: "x86_64",
    target: "x86_64-unknown-none",
    target_without_fpu: None,
    c_needs_fpu: true,
    flags: FIXED_ADDRESSES,
    form: Form::Multiboot,
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
};
