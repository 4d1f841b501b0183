//! The steps of a build: what is said before each, and how a step's command is run.

use crate::error::Error;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What [`build`](crate::build) is about to do; its `Display` form is one line for a progress display.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Nothing: the kernel in the build directory is up to date.
    UpToDate,
    /// Installs Python modules for the kernel's code generators.
    InstallPythonModules {
        /// The modules with their versions.
        modules: &'static [&'static str],
        /// The virtual environment they go to.
        directory: PathBuf,
    },
    /// Copies the source into the build directory.
    CopySource,
    /// Generates code and compiles, the long step: about ten seconds.
    Compile,
    /// Turns the 64-bit ELF file into the 32-bit one.
    Convert,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpToDate => formatter.write_str("the seL4 kernel is up to date"),
            Self::InstallPythonModules { modules, directory } => {
                write!(formatter, "installing {} from PyPI into {}", modules.join(", "), directory.display())
            }
            Self::CopySource => formatter.write_str("copying the source of seL4 5.0.0"),
            Self::Compile => formatter.write_str("compiling seL4 5.0.0 for x86-64"),
            Self::Convert => formatter.write_str("converting the kernel for multiboot"),
        }
    }
}

/// Runs a command to its end. `package` provides the program; `purpose` and `remedy` go into the error if it
/// fails; its output goes to `log` if there is one.
pub(crate) fn run(
    mut command: Command,
    package: &'static str,
    purpose: &'static str,
    remedy: &'static str,
    log: Option<&Path>,
) -> Result<Output, Error> {
    let output = command.output().map_err(|cause| Error::Tool {
        program: command.get_program().to_string_lossy().into_owned(),
        package,
        cause,
    })?;
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    if let Some(log) = log {
        fs::write(log, &text).map_err(Error::file("write", log))?;
    }
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(20)..].join("\n");
    Err(Error::Command { purpose, output: tail, log: log.map(Path::to_owned), remedy })
}
