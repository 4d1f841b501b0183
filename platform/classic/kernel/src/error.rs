//! Everything that can go wrong here. Each error says on the same line what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the kernel could not be built or its interface not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Cargo could not describe the workspace.
    Metadata {
        /// The directory that was taken for Ferry's workspace.
        workspace: PathBuf,
        /// What Cargo said.
        cause: Box<cargo_metadata::Error>,
    },
    /// The workspace does not depend on the package with the kernel's source.
    NoPackage {
        /// The package that is missing.
        package: &'static str,
        /// The directory that was taken for Ferry's workspace.
        workspace: PathBuf,
    },
    /// The package is there, the kernel's source in it is not.
    NoSource {
        /// Where the source should be.
        directory: PathBuf,
    },
    /// A program that the build needs is not installed or does not start.
    Tool {
        /// The program.
        program: String,
        /// The Debian package that provides it.
        package: &'static str,
        /// Why it did not start.
        cause: io::Error,
    },
    /// A program ran and failed.
    Command {
        /// What it was to do, as in "could not … ".
        purpose: &'static str,
        /// The last lines of its output.
        output: String,
        /// Where the whole output is, if it was kept.
        log: Option<PathBuf>,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A file or directory could not be read or written.
    File {
        /// What was attempted, as in "could not … ".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// A file of the kernel's source is not in the form that this crate reads.
    Interface {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl Error {
    /// For `map_err`: turns an I/O error on `path` into an [`Error::File`].
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { action, path, cause }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata { workspace, cause } => write!(
                formatter,
                "{}: cargo could not describe the workspace: {cause}; run `cargo fetch` there and read its message",
                workspace.display()
            ),
            Self::NoPackage { package, workspace } => write!(
                formatter,
                "{}: no package here depends on `{package}`, which holds the kernel's source; is this Ferry's workspace?",
                workspace.display()
            ),
            Self::NoSource { directory } => write!(
                formatter,
                "{}: the kernel's source is missing; delete the package's directory there and run `cargo fetch`",
                directory.display()
            ),
            Self::Tool { program, package, cause } => {
                write!(
                    formatter,
                    "could not start `{program}`: {cause}; install it with `apt-get install {package}`"
                )
            }
            Self::Command { purpose, output, log, remedy } => {
                write!(formatter, "could not {purpose}; {remedy}")?;
                if let Some(log) = log {
                    write!(formatter, "; the whole output is in {}", log.display())?;
                }
                write!(formatter, "\n{output}")
            }
            Self::File { action, path, cause } => {
                write!(formatter, "could not {action} {}: {cause}", path.display())
            }
            Self::Interface { path, problem } => write!(
                formatter,
                "{}: {problem}; the source is not the one of sel4-sys 0.0.28, check Cargo.lock",
                path.display()
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Metadata { cause, .. } => Some(cause),
            Self::Tool { cause, .. } | Self::File { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
