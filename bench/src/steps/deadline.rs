//! When counting is given up.

use super::StepError;
use std::time::{Duration, Instant};

/// A limit of time that has begun.
#[derive(Debug)]
pub(super) struct Deadline {
    begun: Instant,
    limit: Duration,
}

impl Deadline {
    pub(super) fn after(limit: Duration) -> Self {
        Self { begun: Instant::now(), limit }
    }

    /// Fails when the time is up. `who`: whose turn it is, and where that one is.
    pub(super) fn check(&self, who: impl FnOnce() -> String) -> Result<(), StepError> {
        if self.begun.elapsed() < self.limit {
            return Ok(());
        }
        Err(StepError::TimeLimit { limit: self.limit, who: who() })
    }
}
