//! How Cargo is started. All that compiles calls this.

use std::path::Path;
use std::process::{Command, Stdio};

/// Cargo, to be run in `directory`. If Cargo has started this program, it is the same Cargo.
pub(crate) fn cargo(directory: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(directory).stdin(Stdio::null());
    cargo
}
