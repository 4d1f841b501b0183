//! Why a system could not be run.

use ferry_description::Mistakes;
use std::io;
use std::path::PathBuf;

/// Why a system could not be run.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A domain has no program.
    #[error("{place}: no program is called `{program}`; build it, or correct the path")]
    NoProgram {
        /// Where the description names it.
        place: String,
        /// The name.
        program: String,
    },
    /// The description has something that this platform does not have.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// The file that fills a region cannot be read.
    #[error("{place}: could not read {}: {cause}; start the system again", file.display())]
    Prefill {
        /// Where the description names it.
        place: String,
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A region is too small for its contents.
    #[error("the contents of `{region}` have {bytes} bytes, the region has {room}; make it larger")]
    PrefillTooLong {
        /// The region.
        region: String,
        /// Bytes of the contents.
        bytes: u64,
        /// Bytes of the region.
        room: u64,
    },
    /// A program does not start.
    #[error("could not start {}: {cause}; build it again", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The user may not run processes by priority.
    #[error(
        "Linux refuses real-time priorities: {0}; run without `--priorities`, or raise the user's limit (`ulimit -r`)"
    )]
    Priorities(io::Error),
    /// Linux refuses something that every system needs.
    #[error("Linux refuses to {what}: {cause}; this platform needs Linux 5.11 or newer, with seccomp")]
    Linux {
        /// What.
        what: &'static str,
        /// Why.
        cause: io::Error,
    },
}

impl LaunchError {
    /// For `map_err`: Linux refuses to do `what`.
    pub(crate) fn linux<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |cause| Self::Linux { what, cause: cause.into() }
    }
}
