//! The console.

use core::fmt;

use crate::device;

/// The console itself, for the supervisor's own lines.
pub(crate) struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        device::put(text.as_bytes());
        Ok(())
    }
}
