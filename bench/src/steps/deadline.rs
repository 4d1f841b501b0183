//! The time limit of counting instructions.

use super::StepError;
use std::time::{Duration, Instant};

/// A time limit that has begun to run.
#[derive(Debug)]
pub(super) struct Deadline {
    begun: Instant,
    limit: Duration,
}

impl Deadline {
    pub(super) fn after(limit: Duration) -> Self {
        Self { begun: Instant::now(), limit }
    }

    /// Fails if the time is up. `who` tells whose turn it is and where that process is.
    pub(super) fn check(&self, who: impl FnOnce() -> String) -> Result<(), StepError> {
        if self.begun.elapsed() < self.limit {
            return Ok(());
        }
        Err(StepError::TimeLimit { limit: self.limit, who: who() })
    }
}
