//! Every error that can end a command. Each says what to do about it. Only the commands return this type: the
//! modules that they use have errors of their own.

use crate::audit::AuditError;
use crate::bench::error::BenchError;
use crate::boot::BootError;
use crate::built::BuiltError;
use crate::classic::ClassicError;
use crate::description_files::DescriptionError;
use crate::edit::EditError;
use crate::evidence::EvidenceError;
use crate::file::FileError;
use crate::microkit::{MicrokitError, SdkError};
use crate::new::NewError;
use crate::output::{OutputError, has_colour, note};
use crate::prefill::PrefillError;
use crate::programs::ProgramsError;
use crate::project::ProjectError;
use crate::runner::RunnerError;
use crate::target::IgnoredOption;
use crate::test::TestError;
use crate::tools::ToolsError;
use crate::workspace::WorkspaceError;
use ferry_description::{Mistakes, count, shown};
use std::process::ExitCode;

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command has already printed what went wrong.
    #[error("failed")]
    Failed,
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Description(#[from] DescriptionError),
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(transparent)]
    Prefill(#[from] PrefillError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Tools(#[from] ToolsError),
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    #[error(transparent)]
    Sdk(#[from] SdkError),
    #[error(transparent)]
    Built(BuiltError),
    #[error(transparent)]
    Bench(#[from] BenchError),
    #[error(transparent)]
    Runner(RunnerError),
    #[error(transparent)]
    Ignored(#[from] IgnoredOption),
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Test(#[from] TestError),
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the report could not be written as JSON: {0}; this is a defect of ferry")]
    Json(#[from] serde_json::Error),
    #[error("there is no memory region `{region}` to fill; name one of the system description's")]
    NoSuchRegion { region: String },
    #[error(
        "the hosted platform has no image: its protection domains are Linux processes; run them with \
         `ferry run --platform hosted`"
    )]
    NoImage,
    #[error(
        "the hosted platform has no image that could be read back; add --platform classic or --platform microkit"
    )]
    NoInspection,
    #[error(
        "the image is not what the description says, in {}:\n  {lines}\nbuild it again from these files, and do \
         not boot this one",
        ferry_description::count(*count, "place")
    )]
    ImageDiffers { count: usize, lines: String },
    #[error("only Microkit has images for use; leave out --product, or add --platform microkit")]
    NoProduct,
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::Description(mistakes.into())
    }
}

impl From<BuiltError> for Error {
    /// A missing SDK is always the same error, whichever module noticed it.
    fn from(error: BuiltError) -> Self {
        match error {
            BuiltError::Microkit(MicrokitError::Sdk(missing)) => Self::Sdk(missing),
            other => Self::Built(other),
        }
    }
}

impl From<RunnerError> for Error {
    /// An output that cannot be written is always the same error, whoever wrote.
    fn from(error: RunnerError) -> Self {
        match error {
            RunnerError::Output(error) => Self::Output(error),
            other => Self::Runner(other),
        }
    }
}

impl From<MicrokitError> for Error {
    fn from(error: MicrokitError) -> Self {
        BuiltError::Microkit(error).into()
    }
}

impl From<ClassicError> for Error {
    fn from(error: ClassicError) -> Self {
        BuiltError::Classic(error).into()
    }
}

impl Error {
    /// The exit code: 2 if the caller asked for something that the platform cannot do here, else 1.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Ignored(_) | Self::Sdk(_) | Self::NoImage | Self::NoProduct | Self::NoInspection => {
                ExitCode::from(2)
            }
            Self::Built(BuiltError::Microkit(MicrokitError::NoEmulator(_)))
            | Self::Bench(BenchError::Hosted | BenchError::SeveralCores) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }

    /// Prints the error on standard error. Mistakes in a description are printed with the lines of the file.
    pub(crate) fn print(&self) {
        match self {
            Self::Failed => {}
            Self::Description(DescriptionError::Mistakes(mistakes)) => {
                note(format_args!("{}", mistakes.render(has_colour()).trim_end()));
                let mistakes = count(mistakes.iter().count(), "mistake");
                note(format_args!(
                    "\nferry: {mistakes}; nothing was built; docs/system.md explains every rule"
                ));
            }
            Self::Output(error) if error.is_of_reader() => {}
            error => {
                // Only the lines are the program's own; a name in them can be anybody's.
                let lines: Vec<_> = error.to_string().lines().map(|line| shown(line).into_owned()).collect();
                note(format_args!("ferry: {}", lines.join("\n")));
            }
        }
    }
}
