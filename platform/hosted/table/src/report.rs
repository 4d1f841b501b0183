//! Reports of a process: records of fixed size, so that a signal handler can write one and each arrives whole.

use core::fmt;

/// What a process reports. After either it is as good as gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// The protection domain ends the system with this code.
    Exit(u8),
    /// It has faulted.
    Fault {
        /// How.
        kind: FaultKind,
        /// The address accessed; the number of the signal or of the system call where there is none.
        address: u64,
        /// Address of the instruction.
        instruction: u64,
    },
}

/// What kind of fault, named as on seL4.
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
    /// A system call that its confinement forbids.
    SystemCall = 5,
    /// It has panicked.
    Panic = 6,
}

impl Report {
    /// Bytes of a record.
    pub const BYTES: usize = 24;
    const EXIT: u8 = 0;

    /// As a record.
    #[must_use]
    pub fn encode(self) -> [u8; Self::BYTES] {
        let (what, address, instruction) = match self {
            Self::Exit(code) => (Self::EXIT, u64::from(code), 0),
            Self::Fault { kind, address, instruction } => (kind as u8, address, instruction),
        };
        let mut record = [0; Self::BYTES];
        record[0] = what;
        record[8..16].copy_from_slice(&address.to_le_bytes());
        record[16..].copy_from_slice(&instruction.to_le_bytes());
        record
    }

    /// From a record; `None` if it is none.
    #[must_use]
    pub fn decode(record: [u8; Self::BYTES]) -> Option<Self> {
        let (words, _) = record.as_chunks::<8>();
        let (address, instruction) = (u64::from_le_bytes(words[1]), u64::from_le_bytes(words[2]));
        if record[0] == Self::EXIT {
            return u8::try_from(address).ok().map(Self::Exit);
        }
        let kind = FaultKind::ALL.into_iter().find(|kind| *kind as u8 == record[0])?;
        Some(Self::Fault { kind, address, instruction })
    }
}

impl FaultKind {
    const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Execute, Self::UserException, Self::SystemCall, Self::Panic];
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execute",
            Self::UserException => "user-exception",
            Self::SystemCall => "system-call",
            Self::Panic => "panic",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{FaultKind, Report};

    #[test]
    fn records_come_back_as_they_were() {
        let fault = |kind| Report::Fault { kind, address: 0x10_0000_0000, instruction: 0x40_1234 };
        let reports = FaultKind::ALL.map(fault).into_iter().chain([Report::Exit(0), Report::Exit(255)]);
        for report in reports {
            assert_eq!(Report::decode(report.encode()), Some(report));
        }
        assert_eq!(Report::decode([9; Report::BYTES]), None);
    }
}
