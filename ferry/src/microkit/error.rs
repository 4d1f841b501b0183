//! Why there is no image for Microkit, or nothing that boots it.

use super::find::SdkError;
use crate::file::FileError;
use crate::pc_timer::TimerError;
use crate::programs::ProgramsError;
use crate::tools::ToolsError;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MicrokitError {
    #[error(transparent)]
    Sdk(#[from] SdkError),
    #[error(transparent)]
    Tools(#[from] ToolsError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Timer(#[from] TimerError),
    #[error("could not start {program}: {cause}")]
    Start { program: String, cause: std::io::Error },
    #[error("cargo could not build {0} for Microkit; its messages are above")]
    Build(&'static str),
    #[error(
        "{place}: `{program}` uses floating-point registers, in `{function}`; remove fpu=\"false\", or compile it and \
         what it links without them"
    )]
    FloatingPoint { place: String, program: String, function: String },
    #[error(
        "{place}: `{program}` is in C, and the SDK's libmicrokit, which it links, was made with floating-point registers \
         on this architecture; remove fpu=\"false\""
    )]
    FloatingPointInC { place: String, program: String },
    #[error("the image builder failed:\n{0}")]
    Image(String),
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    #[error(
        "nothing emulates the board `{0}`; build an image with `ferry image`, and boot it on the board as the \
         Microkit manual says"
    )]
    NoEmulator(&'static str),
}
