//! Faults, as the kernel describes them to a fault handler. The words are read one by one, because `sel4`
//! panics on the fault of a breakpoint, and on `AArch64` a debug kernel turns every abort into such a fault.

use ferry_platform::{Fault, FaultKind};
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

/// Bit of the fault status that says that the access was a write: `ESR.WnR`, and the W bit of the page fault
/// code. On RISC-V the status is the cause: 1 for a fetch, 5 for a read, 7 for a write.
#[cfg(target_arch = "aarch64")]
const WRITE_ACCESS: u64 = 1 << 6;
#[cfg(any(target_arch = "riscv64", target_arch = "x86_64"))]
const WRITE_ACCESS: u64 = 1 << 1;

/// The fault that was just received.
pub(crate) fn received(message: &MessageInfo) -> Fault {
    #[allow(non_upper_case_globals, reason = "the kernel's names")]
    match message.label() {
        seL4_Fault_VMFault => {
            // x86 reports an instruction fetch only where pages can be made non-executable.
            let fetched = word(seL4_VMFault_Addr) == word(seL4_VMFault_IP);
            let kind = if word(seL4_VMFault_PrefetchFault) != 0 || fetched {
                FaultKind::Execute
            } else if word(seL4_VMFault_FSR) & WRITE_ACCESS != 0 {
                FaultKind::Write
            } else {
                FaultKind::Read
            };
            new(kind, seL4_VMFault_Addr, seL4_VMFault_IP)
        }
        seL4_Fault_CapFault => new(FaultKind::Capability, seL4_CapFault_Addr, seL4_CapFault_IP),
        seL4_Fault_UserException => {
            new(FaultKind::UserException, seL4_UserException_Number, seL4_UserException_FaultIP)
        }
        seL4_Fault_UnknownSyscall => {
            new(FaultKind::SystemCall, seL4_UnknownSyscall_Syscall, seL4_UnknownSyscall_FaultIP)
        }
        label => Fault { kind: FaultKind::Unknown, address: label, instruction: 0 },
    }
}

/// The fault whose message has its two addresses in these registers.
fn new(kind: FaultKind, address: impl TryInto<usize>, instruction: impl TryInto<usize>) -> Fault {
    Fault { kind, address: word(address), instruction: word(instruction) }
}

/// A register of the message. The type of the kernel's numbers differs between architectures.
fn word(index: impl TryInto<usize>) -> u64 {
    index.try_into().map_or(0, get_mr)
}
