//! One or more attacks of each class of the threat model, on the real engine under a real kernel. An attack
//! that the host tests too (`testbed/tests/hostile`) has the same name there. The numbers are those of
//! `docs/threat-model.md`.
//!
//! In most of them gamma attacks, or mallory attacks in the middle of central's work, while alpha and beta
//! keep to the protocol. Each shows four things: central lives and serves the honest clients; no byte changes
//! that may not; whenever central rests, the kernel finds no client's frame mapped; and central treats
//! the attacker as documented.

mod descriptors;
mod forgery;
mod honest;
mod indices;
mod lifecycle;
mod load;
mod noise;
mod requests;
mod rewriting;
mod shares;

use crate::scenario::{Scenario, Trace, WitnessAct};

/// What all attacks have in common: honest messages beside them, and a census whenever central has come to
/// rest.
const ATTACK: Scenario = Scenario {
    alpha: Some(honest::sender),
    beta: Some(honest::receiver),
    witness: WitnessAct::Census,
    trace: Trace::Contains(&["census of all frames found none mapped"]),
    ..Scenario::IDLE
};

pub(super) use descriptors::{T10, T11, T12, T13, T14, T15, T16, T17, T18, T19, T20};
pub(super) use forgery::T70;
pub(super) use indices::{T01, T02, T03, T04, T05};
pub(super) use lifecycle::{T60, T62, T63, T64, T66, T68, T69};
pub(super) use load::{T43, T50, T51, T52, T53, T53_TICKS};
pub(super) use noise::{T38, T39};
pub(super) use requests::{T36, T37, T40, T41, T44, T46};
pub(super) use rewriting::{T30, T31, T32, T33, T34};
pub(super) use shares::{T56, T56_TWO};
