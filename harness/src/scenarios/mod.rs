//! All scenarios. At least one for each requirement r01–r28; `tNN` are threats that only a real kernel can answer.

mod hostile;
mod mapping;
mod polling;
mod requests;
mod status;
mod transfer;

use crate::scenario::Scenario;

/// The scenarios, by number.
pub static SCENARIOS: &[Scenario] = &[
    transfer::R01,
    transfer::R02,
    transfer::R02_READ_ONLY,
    transfer::R03,
    transfer::R04,
    mapping::R05,
    mapping::R06,
    requests::R07_TOUCH,
    requests::R07_SEND,
    requests::R08,
    requests::R08_OTHERS,
    polling::R09,
    transfer::R10,
    transfer::R11,
    transfer::R12,
    polling::R13,
    polling::R14,
    status::R15,
    status::R16,
    status::R17,
    polling::R18,
    mapping::R19,
    mapping::R19_AGAIN,
    transfer::R20,
    polling::R21,
    polling::R22,
    mapping::R23,
    mapping::R24,
    status::R25_SENDER,
    status::R25_TOO_LONG,
    status::R25_PEER_RESET,
    status::R25_QUARANTINED,
    status::R26,
    status::R27,
    mapping::R28,
    mapping::R28_CHAINS,
    mapping::R28_TOUCH,
    hostile::T01,
    hostile::T02,
    hostile::T03,
    hostile::T04,
    hostile::T05,
];
