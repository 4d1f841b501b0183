//! Faults of protection domains, as every platform reports them on its console.

use core::fmt;

/// A fault, as it is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What kind of fault.
    pub kind: FaultKind,
    /// The address or capability pointer that was accessed. A fault without one has here the number of the
    /// exception, signal or system call.
    pub address: u64,
    /// Address of the instruction.
    pub instruction: u64,
}

/// What kind of fault, named as on seL4. The reports of a process on the hosted platform use these numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FaultKind {
    /// It read where nothing is mapped.
    Read = 1,
    /// It wrote where nothing is mapped, or mapped read-only.
    Write = 2,
    /// It jumped where nothing is mapped, or mapped without code.
    Execute = 3,
    /// Anything else that the processor refuses.
    UserException = 4,
    /// It made a system call that does not exist, or that its confinement forbids.
    SystemCall = 5,
    /// It has panicked, and stopped itself.
    Panic = 6,
    /// It invoked a capability that it does not have.
    Capability = 7,
    /// The kernel reported a fault that it should not report in this configuration. The address is the number
    /// of that fault.
    Unknown = 8,
}

impl Fault {
    /// A panic, which has no address.
    pub const PANIC: Self = Self { kind: FaultKind::Panic, address: 0, instruction: 0 };
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Write,
        Self::Execute,
        Self::UserException,
        Self::SystemCall,
        Self::Panic,
        Self::Capability,
        Self::Unknown,
    ];

    /// The name in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execute",
            Self::UserException => "user-exception",
            Self::SystemCall => "system-call",
            Self::Panic => "panic",
            Self::Capability => "capability",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, address, instruction } = self;
        write!(formatter, "kind={} address={address:#x} instruction={instruction:#x}", kind.name())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Fault, FaultKind};
    use std::string::ToString;

    #[test]
    fn a_report_says_kind_address_and_instruction() {
        let fault = Fault { kind: FaultKind::UserException, address: 0x10_0000_0000, instruction: 0x20_13f0 };
        assert_eq!(fault.to_string(), "kind=user-exception address=0x1000000000 instruction=0x2013f0");
        assert_eq!(Fault::PANIC.to_string(), "kind=panic address=0x0 instruction=0x0");
    }
}
