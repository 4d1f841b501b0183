//! What a fault message of the kernel says, as the one line in which the initialiser reports it.

use core::fmt;
use ferry_classic_abi::number::{constant, fault};
use ferry_classic_abi::{Kernel, Message};

/// Bit of x86's page fault code: the access was a write.
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

    /// Reads a message that was just received.
    pub(crate) fn of(message: &Message, kernel: &Kernel) -> Self {
        let word = |index: u64| kernel.word_of(message, index as usize);
        match message.info.label() {
            fault::VMFault => {
                let address = word(constant::seL4_VMFault_Addr);
                let instruction = word(constant::seL4_VMFault_IP);
                // Without the no-execute bit the processor does not say that it was fetching an instruction.
                let kind = if address == instruction {
                    "execute"
                } else if word(constant::seL4_VMFault_FSR) & WRITE_ACCESS != 0 {
                    "write"
                } else {
                    "read"
                };
                Self { kind, address, instruction }
            }
            fault::CapFault => Self {
                kind: "capability",
                address: word(constant::seL4_CapFault_Addr),
                instruction: word(constant::seL4_CapFault_IP),
            },
            fault::UserException => Self {
                kind: "user-exception",
                address: word(constant::seL4_UserException_Number),
                instruction: word(constant::seL4_UserException_FaultIP),
            },
            fault::UnknownSyscall => Self {
                kind: "system-call",
                address: word(constant::seL4_UnknownSyscall_Syscall),
                instruction: word(constant::seL4_UnknownSyscall_FaultIP),
            },
            label => Self { kind: "unknown", address: label, instruction: 0 },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, address, instruction } = self;
        write!(formatter, "kind={kind} address={address:#x} instruction={instruction:#x}")
    }
}
