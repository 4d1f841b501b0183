//! Why a description cannot be built for the classic platform, each with what to do about it.

use crate::ProgramError;
use crate::pack::PackError;
use ferry_classic_spec::{Contradiction, DecodeError};
use ferry_description::Mistakes;
use std::path::PathBuf;

/// Why a description cannot be built for the classic platform.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the text of each variant says what it and its fields mean")]
pub enum ImageError {
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    #[error("{place}: could not read {}: {cause}; build the image again", file.display())]
    Prefill { place: String, file: PathBuf, cause: std::io::Error },
    #[error("the contents of `{region}` have {bytes} bytes, the region has {room}; make it larger")]
    PrefillTooLong { region: String, bytes: u64, room: u64 },
    #[error("the program of `{domain}` is not a usable ELF file: {cause}")]
    Elf { domain: String, cause: object::Error },
    #[error(
        "the program of `{domain}` has no initialised symbol `{symbol}`; declare it there with \
         runtime::region! or runtime::channel!, or remove the setvar from the system description"
    )]
    NoSymbol { domain: String, symbol: String },
    #[error(
        "the program of `{domain}` has a segment that is writable and executable; check its linker flags"
    )]
    WritableCode { domain: String },
    #[error("{}: {}; this is a defect of Ferry", .0.place, .0.problem)]
    Contradiction(Contradiction),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Program(ProgramError),
}
