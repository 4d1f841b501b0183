//! Why a description cannot be built for the classic platform, each with what to do about it.

use crate::ProgramError;
use crate::pack::PackError;
use ferry_classic_spec::{MAXIMUM_PRIORITY, PERIODS_US};

/// Why a description cannot be built for the classic platform.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the text of each variant says what it and its fields mean")]
pub enum ImageError {
    #[error(
        "{place}: `{name}` does not exist on the classic platform; remove it or build with the Microkit platform"
    )]
    Extra { place: String, name: String },
    #[error("{place}: priority {priority} belongs to the initialiser; keep to {MAXIMUM_PRIORITY}")]
    Priority { place: String, priority: u8 },
    #[error(
        "{place}: the PC's timer cannot count {period} us; write {} to {}, here and as the ticker's period",
        PERIODS_US.start(),
        PERIODS_US.end()
    )]
    Period { place: String, period: u32 },
    #[error("{place}: `{region}` may be written and executed; remove one of the two")]
    WritableAndExecutable { place: String, region: String },
    #[error("{place}: could not read the prefill `{file}`: {cause}; paths are relative to the description")]
    Prefill { place: String, file: String, cause: std::io::Error },
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
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Program(ProgramError),
}
