//! Why the kernel did not carry out an invocation.

use crate::number::constant;
use core::fmt;

/// The kernel's error code, never zero in what this crate returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub u64);

impl Refusal {
    /// No memory left in the untyped.
    pub const NOT_ENOUGH_MEMORY: Self = Self(constant::seL4_NotEnoughMemory);
    /// A capability or, when mapping, a page table is missing.
    pub const FAILED_LOOKUP: Self = Self(constant::seL4_FailedLookup);
    /// Something is there already.
    pub const DELETE_FIRST: Self = Self(constant::seL4_DeleteFirst);
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            constant::seL4_InvalidArgument => "invalid argument",
            constant::seL4_InvalidCapability => "invalid capability",
            constant::seL4_IllegalOperation => "illegal operation",
            constant::seL4_RangeError => "number out of range",
            constant::seL4_AlignmentError => "misaligned address",
            constant::seL4_FailedLookup => "capability or page table missing",
            constant::seL4_TruncatedMessage => "message too short",
            constant::seL4_DeleteFirst => "place already taken",
            constant::seL4_RevokeFirst => "object still in use",
            constant::seL4_NotEnoughMemory => "not enough memory in the untyped",
            other => return write!(formatter, "error {other}"),
        })
    }
}

impl core::error::Error for Refusal {}
