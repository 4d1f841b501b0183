//! Everything that can end a command, each with what to do about it.

use crate::bench::BenchError;
use crate::boot::BootError;
use crate::classic::ClassicError;
use crate::input::InputError;
use crate::microkit::{MicrokitError, SdkError};
use crate::programs::ProgramsError;
use crate::setup::SetupError;
use crate::workspace::WorkspaceError;
use ferry_description::{Mistakes, ReadError};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Something that the command has shown already.
    #[error("failed")]
    Failed,
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    #[error(transparent)]
    Kernel(#[from] ferry_classic_kernel::Error),
    #[error(transparent)]
    Classic(#[from] ClassicError),
    #[error(transparent)]
    Microkit(#[from] MicrokitError),
    #[error(transparent)]
    Sdk(#[from] SdkError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Bench(#[from] BenchError),
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error("could not {action} {}: {cause}", path.display())]
    File { action: &'static str, path: PathBuf, cause: io::Error },
    #[error("there is no memory region `{region}` to fill; name one of the system description's")]
    NoSuchRegion { region: String },
    #[error(
        "the hosted platform has no image: its protection domains are Linux processes. Run them with \
         `make run PLATFORM=hosted`, which is `ferry run --platform hosted`"
    )]
    NoImage,
    #[error("{what}\n{remedy}")]
    Transfer { what: String, remedy: &'static str },
}

impl Error {
    /// For `map_err`: an I/O error on `path`, as in "could not write …".
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { action, path, cause }
    }

    /// Shows the error on standard error, mistakes with the lines of the file.
    pub(crate) fn print(&self) {
        match self {
            Self::Mistakes(mistakes) => {
                eprint!("{}", mistakes.render(io::stderr().is_terminal()));
                let count = mistakes.iter().count();
                eprintln!("ferry: {count} mistake{}; nothing was built", if count == 1 { "" } else { "s" });
            }
            error => eprintln!("ferry: {error}"),
        }
    }
}
