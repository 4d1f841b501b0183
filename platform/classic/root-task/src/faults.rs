//! What a fault message of the kernel says.

use ferry_classic_abi::number::{constant, fault};
use ferry_classic_abi::{Kernel, Message};
use ferry_platform::{Fault, FaultKind};

/// Bit of x86's page fault code: the access was a write.
const WRITE_ACCESS: u64 = 1 << 1;

/// Reads a message that was just received.
pub(crate) fn fault_of(message: &Message, kernel: &Kernel) -> Fault {
    let word = |index: u64| kernel.word_of(message, index as usize);
    match message.info.label() {
        fault::VMFault => {
            let address = word(constant::seL4_VMFault_Addr);
            let instruction = word(constant::seL4_VMFault_IP);
            // Without the no-execute bit the processor does not say that it was fetching an instruction.
            let kind = if address == instruction {
                FaultKind::Execute
            } else if word(constant::seL4_VMFault_FSR) & WRITE_ACCESS != 0 {
                FaultKind::Write
            } else {
                FaultKind::Read
            };
            Fault { kind, address, instruction }
        }
        fault::CapFault => Fault {
            kind: FaultKind::Capability,
            address: word(constant::seL4_CapFault_Addr),
            instruction: word(constant::seL4_CapFault_IP),
        },
        fault::UserException => Fault {
            kind: FaultKind::UserException,
            address: word(constant::seL4_UserException_Number),
            instruction: word(constant::seL4_UserException_FaultIP),
        },
        fault::UnknownSyscall => Fault {
            kind: FaultKind::SystemCall,
            address: word(constant::seL4_UnknownSyscall_Syscall),
            instruction: word(constant::seL4_UnknownSyscall_FaultIP),
        },
        label => Fault { kind: FaultKind::Unknown, address: label, instruction: 0 },
    }
}
