//! Reports of a process: records of fixed size, so that a signal handler can write one and each arrives
//! whole.

use ferry_platform::{Fault, FaultKind};

/// What a process reports. After either report the launcher ends the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcessReport {
    /// The protection domain ends the system with this code.
    Exit(u8),
    /// It has faulted.
    Fault(Fault),
}

impl ProcessReport {
    /// Bytes of a record.
    pub const BYTES: usize = 24;
    const EXIT: u8 = 0;

    /// The report as a record.
    #[must_use]
    pub fn encode(self) -> [u8; Self::BYTES] {
        let (what, address, instruction) = match self {
            Self::Exit(code) => (Self::EXIT, u64::from(code), 0),
            Self::Fault(Fault { kind, address, instruction }) => (kind as u8, address, instruction),
        };
        let mut record = [0; Self::BYTES];
        record[0] = what;
        record[8..16].copy_from_slice(&address.to_le_bytes());
        record[16..].copy_from_slice(&instruction.to_le_bytes());
        record
    }

    /// The report from a record. `None` if the bytes are no record.
    #[must_use]
    pub fn decode(record: [u8; Self::BYTES]) -> Option<Self> {
        let (words, _) = record.as_chunks::<8>();
        let (address, instruction) = (u64::from_le_bytes(words[1]), u64::from_le_bytes(words[2]));
        if record[0] == Self::EXIT {
            return u8::try_from(address).ok().map(Self::Exit);
        }
        let kind = FaultKind::ALL.into_iter().find(|kind| *kind as u8 == record[0])?;
        Some(Self::Fault(Fault { kind, address, instruction }))
    }
}

#[cfg(test)]
mod tests {
    use super::ProcessReport;
    use ferry_platform::{Fault, FaultKind};

    #[test]
    fn records_come_back_as_they_were() {
        let fault =
            |kind| ProcessReport::Fault(Fault { kind, address: 0x10_0000_0000, instruction: 0x40_1234 });
        let reports =
            FaultKind::ALL.map(fault).into_iter().chain([ProcessReport::Exit(0), ProcessReport::Exit(255)]);
        for report in reports {
            assert_eq!(ProcessReport::decode(report.encode()), Some(report));
        }
        assert_eq!(ProcessReport::decode([9; ProcessReport::BYTES]), None);
    }
}
