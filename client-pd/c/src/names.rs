//! The names of numbers, for a program that prints them.

use core::ffi::CStr;

use ferry_layout::{Standing, Status};

use crate::types::Result;

/// The name of a status.
pub(crate) fn status(number: u32) -> &'static CStr {
    let Some(status) = Status::ALL.get(number as usize) else { return c"?" };
    match status {
        Status::Free => c"Free",
        Status::Queued => c"Queued",
        Status::Done => c"Done",
        Status::Denied => c"Denied",
        Status::NoTarget => c"NoTarget",
        Status::BadSource => c"BadSource",
        Status::BadDestination => c"BadDestination",
        Status::BadLength => c"BadLength",
        Status::TooLong => c"TooLong",
        Status::Expired => c"Expired",
        Status::Quarantined => c"Quarantined",
        Status::PeerReset => c"PeerReset",
        Status::Malformed => c"Malformed",
        Status::Failed => c"Failed",
        Status::Refused => c"Refused",
        Status::NoInspection => c"NoInspection",
    }
}

/// All results, by their numbers, with the names that C gives them.
const RESULTS: [(Result, &CStr); 15] = [
    (Result::FerryOk, c"FERRY_OK"),
    (Result::FerryWrongAbi, c"FERRY_WRONG_ABI"),
    (Result::FerryStarted, c"FERRY_STARTED"),
    (Result::FerryNoRegion, c"FERRY_NO_REGION"),
    (Result::FerryBadSize, c"FERRY_BAD_SIZE"),
    (Result::FerryNotOpen, c"FERRY_NOT_OPEN"),
    (Result::FerryBusy, c"FERRY_BUSY"),
    (Result::FerryNull, c"FERRY_NULL"),
    (Result::FerryStale, c"FERRY_STALE"),
    (Result::FerryBeyondBuffer, c"FERRY_BEYOND_BUFFER"),
    (Result::FerryFull, c"FERRY_FULL"),
    (Result::FerryNoBuffer, c"FERRY_NO_BUFFER"),
    (Result::FerryNoPeer, c"FERRY_NO_PEER"),
    (Result::FerryBadParts, c"FERRY_BAD_PARTS"),
    (Result::FerryOtherEvent, c"FERRY_OTHER_EVENT"),
];

/// The name of a result.
pub(crate) fn result(number: u32) -> &'static CStr {
    RESULTS.iter().find(|(result, _)| *result as u32 == number).map_or(c"?", |(_, name)| *name)
}

/// The number of a standing.
pub(crate) const fn standing(standing: Standing) -> u32 {
    standing as u32
}
