//! What the initialiser does once the system runs: it reports the faults of PDs and ends the machine when a PD
//! asks for it. It never answers, so a PD that faulted or asked stays stopped.
//!
//! The kernel sends faults, and PDs send their wish to exit, to the same endpoint with different badges. A PD can
//! also write a message of its own to the fault endpoint: that reports a fault in its own name and stops it, which
//! it could have had more easily.

use crate::console::println;
use crate::failure::Failure;
use crate::power;
use core::fmt;
use ferry_classic_abi::number::{constant, fault};
use ferry_classic_abi::{Kernel, Message, syscall};
use ferry_classic_spec::{System, slots};

/// Set in the badge of a PD's capability to exit. Numbers of PDs are far below it, and a badge has 28 bits.
const EXIT: u64 = 1 << 27;
/// Bit of x86's page fault code: the access was a write.
const WRITE_ACCESS: u64 = 1 << 1;

/// Badge of the capability through which faults of PD `number` come. Never zero, which would be no badge.
pub(crate) const fn fault_badge(number: usize) -> u64 {
    number as u64 + 1
}

/// Badge of the capability through which PD `number` asks for the end.
pub(crate) const fn exit_badge(number: usize) -> u64 {
    fault_badge(number) | EXIT
}

/// Serves until the machine ends.
pub(crate) fn serve(system: &System, threads: &[u64], endpoint: u64, kernel: &mut Kernel) -> ! {
    loop {
        let message = syscall::receive(endpoint);
        let number = (message.badge & !EXIT).wrapping_sub(1) as usize;
        let name = system.domains.get(number).map_or("?", |domain| domain.name.as_str());
        if message.badge & EXIT != 0 {
            exit(name, &message);
            continue;
        }
        println!("ferry: fault domain={name} {}", Fault::of(&message, kernel));
        // The kernel has stopped it already, waiting for an answer; this makes sure that none can come.
        if let Some(Err(refusal)) = threads.get(number).map(|thread| kernel.suspend(*thread)) {
            println!("ferry: initialiser: {}", Failure::refused("suspend", name, refusal));
        }
    }
}

fn exit(name: &str, message: &Message) {
    if message.info.label() == slots::EXIT_LABEL && message.info.length() >= 1 {
        let code = u8::try_from(message.words[0]).unwrap_or(u8::MAX);
        println!("ferry: exit domain={name} code={code}");
        power::off(code);
    }
    println!("ferry: initialiser: {name}: unknown request {}, ignored", message.info.label());
}

/// A fault as it is reported.
struct Fault {
    kind: &'static str,
    /// The address or capability pointer accessed; the number of the exception or system call if there is none.
    address: u64,
    instruction: u64,
}

impl Fault {
    fn of(message: &Message, kernel: &Kernel) -> Self {
        let word = |index: u64| match message.words.get(index as usize) {
            Some(word) => *word,
            None => kernel.received_word(index as usize),
        };
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
