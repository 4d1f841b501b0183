//! The first instructions, and the end in case of failure.

use crate::console::println;
use crate::power;
use core::arch::global_asm;
use ferry_classic_abi::{BootInformation, Kernel};

/// Exit code of the machine when the system could not be built. PDs use small numbers.
const FAILED: u8 = 126;

// The kernel enters with the boot information in `rdi` and without a stack. The stack has 64 KiB: the deepest
// calls are those of the decoder, a few hundred bytes each.
global_asm!(
    ".section .bss.stack, \"aw\", @nobits",
    ".balign 16",
    "initial_stack: .skip 0x10000",
    "initial_stack_end:",
    ".text",
    ".global _start",
    "_start:",
    "lea rsp, [rip + initial_stack_end]",
    "xor ebp, ebp",
    "call {main}",
    "ud2",
    main = sym main,
);

extern "C" fn main(boot: *const BootInformation) -> ! {
    // SAFETY: the kernel passes the address of the boot information, maps it for good, and nobody writes it.
    let boot = unsafe { &*boot };
    // SAFETY: the kernel maps this thread's IPC buffer there for good; this is the only `Kernel` made for it.
    let kernel = unsafe { Kernel::new(boot.ipc_buffer()) };
    let failure = crate::run(boot, kernel);
    println!("ferry: initialiser: {failure}");
    power::off(FAILED)
}

#[panic_handler]
fn panicked(info: &core::panic::PanicInfo) -> ! {
    println!("ferry: initialiser: {info}; this is a defect of Ferry");
    power::off(FAILED)
}
