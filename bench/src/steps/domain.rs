//! A domain whose instructions are counted.

use super::deadline::Deadline;
use super::process::{Pace, Process};
use super::{Member, StepError};
use nix::unistd::Pid;
use std::collections::BTreeMap;

/// A domain that is stepped.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) process: Process,
    pub(super) priority: u8,
    /// Instructions of the section under way.
    pub(super) instructions: u64,
    /// The instruction that was executed last.
    last: Option<u64>,
    /// The instruction behind each repeated one.
    behind: BTreeMap<u64, u64>,
}

impl Domain {
    /// Of a process whose program has just been loaded.
    pub(super) fn new(pid: Pid, member: &Member) -> Result<Self, StepError> {
        let process = Process::loaded(pid, &member.program)?;
        Ok(Self { process, priority: member.priority, instructions: 0, last: None, behind: BTreeMap::new() })
    }

    /// Executes one instruction and counts it. Whether it may have woken others.
    ///
    /// A repeated string instruction stops after each repetition, and still counts as one. The first time
    /// shows which instruction follows it; after that it runs up to there in one go.
    pub(super) fn step(&mut self, deadline: &Deadline) -> Result<bool, StepError> {
        let address = self.process.address;
        let again = self.last.replace(address) == Some(address);
        if !again && !self.process.program.measures(address) {
            self.instructions += 1;
        }
        let behind = self.behind.get(&address).copied().filter(|_| again);
        let woken = match behind {
            Some(behind) => self.process.run_to(behind, deadline)?,
            None => self.process.run(Pace::Instruction, deadline)?,
        };
        if again && self.process.address != address {
            self.behind.insert(address, self.process.address);
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
