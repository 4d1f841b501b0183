//! Starts a PD again when it has faulted. Its program is what it was at the first start. Everything that it
//! shares with others stays as it is.
//!
//! What is put back: the writable segments of its program (`.data` from the image, `.bss` as zeros) and its
//! registers. Its stack and the page of its IPC buffer keep what is in them, because a program that begins
//! never reads that. Its capabilities stay what they were. What central has left mapped in its window,
//! central itself unmaps before it does anything else.

use crate::domain::{self, Made};
use crate::region::{Payload, refill};
use alloc::vec::Vec;
use ferry_classic_abi::{Kernel, Refusal};
use ferry_classic_spec::System;
use ferry_platform::{Outcome, Restarts};

/// All that is needed to start PDs again.
pub(crate) struct Restarter<'a> {
    system: &'a System,
    payload: Payload<'a>,
    domains: &'a [Made],
    /// An empty slot of the initialiser's CNode.
    spare: u64,
    /// How often each PD may be started again, and how often it has been.
    restarts: Vec<Restarts>,
}

impl<'a> Restarter<'a> {
    pub(crate) fn new(system: &'a System, payload: Payload<'a>, domains: &'a [Made], spare: u64) -> Self {
        let restarts = system.domains.iter().map(|domain| Restarts::new(domain.restarts)).collect();
        Self { system, payload, domains, spare, restarts }
    }

    /// Starts PD `number` again, if it may be. The PD must be suspended.
    pub(crate) fn try_again(&mut self, number: usize, kernel: &mut Kernel) -> Result<Outcome, Refusal> {
        let (Some(domain), Some(made)) = (self.system.domains.get(number), self.domains.get(number)) else {
            return Ok(Outcome::Stays);
        };
        let outcome = self.restarts[number].after_fault();
        if !matches!(outcome, Outcome::Again(_)) {
            return Ok(outcome);
        }
        for (segment, frames) in domain.segments.iter().zip(&made.segments) {
            if segment.rights.writable() {
                let pages = domain::pages_of(segment, self.payload.get(segment.data));
                for (frame, (offset, contents)) in (frames.start..frames.end).zip(pages) {
                    refill(frame, offset, contents, self.spare, kernel)?;
                }
            }
        }
        kernel.write_registers(made.thread, domain::first_registers(domain))?;
        kernel.resume(made.thread)?;
        Ok(outcome)
    }
}
