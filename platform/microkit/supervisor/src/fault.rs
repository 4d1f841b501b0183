//! Faults, as the kernel describes them to a fault handler and as they are reported. The words are read one by one,
//! because `sel4` panics on the fault of a breakpoint, and a debug kernel makes one of every abort on `AArch64`.

use core::fmt;

use sel4::sys::seL4_CapFault_Msg::{seL4_CapFault_Addr, seL4_CapFault_IP};
use sel4::sys::seL4_Fault_tag::{
    seL4_Fault_CapFault, seL4_Fault_UnknownSyscall, seL4_Fault_UserException, seL4_Fault_VMFault,
};
use sel4::sys::seL4_UnknownSyscall_Msg::{seL4_UnknownSyscall_FaultIP, seL4_UnknownSyscall_Syscall};
use sel4::sys::seL4_UserException_Msg::{seL4_UserException_FaultIP, seL4_UserException_Number};
use sel4::sys::seL4_VMFault_Msg::{
    seL4_VMFault_Addr, seL4_VMFault_FSR, seL4_VMFault_IP, seL4_VMFault_PrefetchFault,
};
use sel4_microkit::{MessageInfo, get_mr};

/// Bit of the fault status that says that the access was a write: `ESR.WnR`, and the W bit of the page fault code.
#[cfg(target_arch = "aarch64")]
const WRITE_ACCESS: u64 = 1 << 6;
#[cfg(target_arch = "x86_64")]
const WRITE_ACCESS: u64 = 1 << 1;

/// A fault as it is reported.
pub(crate) struct Fault {
    kind: &'static str,
    /// The address or capability pointer accessed; the number of the exception or system call if there is none.
    address: u64,
    instruction: u64,
}

impl Fault {
    /// The PD has stopped itself, because it has panicked.
    pub(crate) const PANIC: Self = Self { kind: "panic", address: 0, instruction: 0 };

    /// The fault that was just received.
    pub(crate) fn of(message: &MessageInfo) -> Self {
        let new = |kind, address, instruction| Self {
            kind,
            address: word(address),
            instruction: word(instruction),
        };
        #[allow(non_upper_case_globals, reason = "the kernel's names")]
        match message.label() {
            seL4_Fault_VMFault => {
                // x86 says what was fetched only where pages can be made not executable.
                let fetched = word(seL4_VMFault_Addr) == word(seL4_VMFault_IP);
                let kind = if word(seL4_VMFault_PrefetchFault) != 0 || fetched {
                    "execute"
                } else if word(seL4_VMFault_FSR) & WRITE_ACCESS != 0 {
                    "write"
                } else {
                    "read"
                };
                new(kind, seL4_VMFault_Addr, seL4_VMFault_IP)
            }
            seL4_Fault_CapFault => new("capability", seL4_CapFault_Addr, seL4_CapFault_IP),
            seL4_Fault_UserException => {
                new("user-exception", seL4_UserException_Number, seL4_UserException_FaultIP)
            }
            seL4_Fault_UnknownSyscall => {
                new("system-call", seL4_UnknownSyscall_Syscall, seL4_UnknownSyscall_FaultIP)
            }
            label => Self { kind: "unknown", address: label, instruction: 0 },
        }
    }
}

fn word(index: u64) -> u64 {
    usize::try_from(index).map_or(0, get_mr)
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, address, instruction } = self;
        write!(formatter, "kind={kind} address={address:#x} instruction={instruction:#x}")
    }
}
