//! Starting a PD again when it has faulted: its program as it was at the first start, everything that it shares with
//! others as it is now.
//!
//! Put back are the writable segments of its program, `.data` from the image and `.bss` as zeros, and its registers. Its
//! stack and the page of its IPC buffer keep what is in them, which a program that begins never reads. Its capabilities are
//! what they were; what central has left mapped in its window it removes itself, before anything else.

use crate::domain::{self, Made};
use crate::region::{Payload, refill};
use alloc::vec::Vec;
use ferry_classic_abi::{Kernel, Refusal};
use ferry_classic_spec::System;

/// All that is needed to start PDs again.
pub(crate) struct Restarts<'a> {
    system: &'a System,
    payload: Payload<'a>,
    domains: &'a [Made],
    /// An empty slot of the initialiser's CNode.
    spare: u64,
    /// How often each PD was started again.
    done: Vec<u8>,
}

/// What became of a PD that has faulted.
pub(crate) enum Outcome {
    /// It runs again, for the time with this number.
    Again(u8),
    /// It was started again as often as the system says, and stays stopped.
    GivenUp,
    /// The system does not want it started again.
    Stays,
}

impl<'a> Restarts<'a> {
    pub(crate) fn new(system: &'a System, payload: Payload<'a>, domains: &'a [Made], spare: u64) -> Self {
        Self { system, payload, domains, spare, done: alloc::vec![0; domains.len()] }
    }

    /// Starts PD `number`, which is suspended, again if it may be.
    pub(crate) fn try_again(&mut self, number: usize, kernel: &mut Kernel) -> Result<Outcome, Refusal> {
        let (Some(domain), Some(made)) = (self.system.domains.get(number), self.domains.get(number)) else {
            return Ok(Outcome::Stays);
        };
        if domain.restarts == 0 {
            return Ok(Outcome::Stays);
        }
        if self.done[number] == domain.restarts {
            return Ok(Outcome::GivenUp);
        }
        self.done[number] += 1;
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
        Ok(Outcome::Again(self.done[number]))
    }
}
