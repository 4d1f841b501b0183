//! Everything that can keep the initialiser from building a system: one line each, with where and what to do.

use alloc::string::{String, ToString};
use core::fmt;
use ferry_classic_abi::Refusal;
use ferry_classic_spec::{Contradiction, DecodeError};

/// Why there is no system.
pub(crate) enum Failure {
    /// There is no compiled system in the image, or it does not decode.
    Decode(DecodeError),
    /// The compiled system contradicts itself or asks for what this platform cannot do.
    Contradiction(Contradiction),
    /// The kernel refused an operation.
    Refused {
        /// The operation, as in "could not … ".
        operation: &'static str,
        /// The domain, region or object.
        place: String,
        /// The kernel's reason.
        refusal: Refusal,
    },
    /// No untyped has room for an object.
    OutOfMemory {
        /// log2 of the bytes that were asked for.
        bits: u64,
    },
    /// The initialiser's CNode is full.
    OutOfSlots,
}

impl Failure {
    /// An inconsistency of the system at `place`.
    pub(crate) fn system(place: &str, problem: &'static str) -> Self {
        Self::Contradiction(Contradiction { place: place.to_string(), problem })
    }

    /// The kernel's refusal of `operation` for `place`.
    pub(crate) fn refused(operation: &'static str, place: &str, refusal: Refusal) -> Self {
        Self::Refused { operation, place: place.to_string(), refusal }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => write!(formatter, "{error}"),
            Self::Contradiction(Contradiction { place, problem }) => {
                write!(formatter, "{place}: {problem}; correct the system description, `ferry check` names the line")
            }
            Self::Refused { operation, place, refusal } => {
                write!(formatter, "{place}: the kernel refused to {operation}: {refusal}; this is a defect of Ferry")
            }
            Self::OutOfMemory { bits } => {
                write!(formatter, "no memory left for an object of 2^{bits} bytes; give QEMU more with `-m`")
            }
            Self::OutOfSlots => formatter.write_str(
                "the initialiser's CNode is full; use fewer or larger frames, or raise CONFIG_ROOT_CNODE_SIZE_BITS",
            ),
        }
    }
}
