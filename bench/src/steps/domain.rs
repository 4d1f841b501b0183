//! A domain whose instructions are counted.

use super::deadline::Deadline;
use super::process::{Process, Until};
use super::{Member, StepError};
use nix::unistd::Pid;
use std::collections::BTreeMap;

/// A domain that is stepped.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) process: Process,
    pub(super) priority: u8,
    /// Instructions in the current section.
    pub(super) instructions: u64,
    /// Address of the instruction that was executed last.
    last: Option<u64>,
    /// For each repeated string instruction, the address of the instruction after it.
    after: BTreeMap<u64, u64>,
}

impl Domain {
    /// The domain of a process whose program has just been loaded.
    pub(super) fn new(pid: Pid, member: &Member) -> Result<Self, StepError> {
        let process = Process::loaded(pid, &member.program)?;
        Ok(Self { process, priority: member.priority, instructions: 0, last: None, after: BTreeMap::new() })
    }

    /// Executes one instruction and counts it. Returns whether this may have woken another domain.
    ///
    /// A step stops a repeated string instruction after each repetition. It still counts as one instruction.
    /// After the first time it is known which instruction follows. From then on all repetitions run in one
    /// go, up to there.
    pub(super) fn step(&mut self, deadline: &Deadline) -> Result<bool, StepError> {
        let address = self.process.address;
        let again = self.last.replace(address) == Some(address);
        if !again && !self.process.program.measures(address) {
            self.instructions += 1;
        }
        let after = self.after.get(&address).copied().filter(|_| again);
        let woken = match after {
            Some(after) => self.process.run_to(after, deadline)?,
            None => self.process.run(Until::Instruction, deadline)?,
        };
        if again && self.process.address != address {
            self.after.insert(address, self.process.address);
        }
        Ok(woken)
    }

    /// Begins a section.
    pub(super) fn begin(&mut self) {
        (self.instructions, self.last) = (0, None);
    }

    pub(super) fn begins_section(&self) -> bool {
        self.process.program.begin == Some(self.process.address)
    }

    pub(super) fn ends_section(&self) -> bool {
        self.process.program.end == Some(self.process.address)
    }
}
