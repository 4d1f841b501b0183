//! Running the image builder, which is a program of its own: arguments for what a system starts with, and
//! what its exit code and its output mean.

use super::error::MicrokitError;
use crate::prefill::{self, Prefill, Priority};
use std::path::Path;
use std::process::{Command, Output};

/// The image builder's exit code if an image is not what it should be.
pub(super) const DIFFERS: i32 = 3;

/// What reading an image back gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Inspection {
    /// What was compared, in words.
    Equal(String),
    /// Each difference, in words.
    Differs(Vec<String>),
}

/// Adds what a system starts with besides its description. The files are written into `directory`.
pub(super) fn prefilled(
    command: &mut Command,
    prefills: &[Prefill],
    priorities: &[Priority],
    directory: &Path,
) -> Result<(), MicrokitError> {
    for word in prefill::write(prefills, directory)? {
        command.arg("--prefill").arg(word);
    }
    for (domain, priority) in priorities {
        command.arg("--priority").arg(format!("{domain}={priority}"));
    }
    Ok(())
}

pub(super) fn output_of(command: &mut Command) -> Result<Output, MicrokitError> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.output().map_err(|cause| MicrokitError::Start { program, cause })
}

/// Runs the image builder, and gives what it prints.
pub(super) fn run_builder(mut command: Command) -> Result<String, MicrokitError> {
    success(output_of(&mut command)?)
}

pub(super) fn success(output: Output) -> Result<String, MicrokitError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(MicrokitError::Image(String::from_utf8_lossy(&said).trim().to_owned()))
}
