//! One-way flows (guarantee 11): what the sender can read is a function of its own acts and of the ticks.
//!
//! `flow.rs` says what a sender and a receiver of such a flow see, and `guarded.rs` what guards change.
//! `paired.rs` compares all that senders can read in two systems that differ only in what receivers do.
//! `lane.rs` is about the express lane.
//! Restarts of central are in `tests/restart/one_way.rs`.

#[path = "../shared/paired.rs"]
mod driver;
mod flow;
mod guarded;
#[cfg(feature = "express")]
mod lane;
mod paired;
mod stage;
mod turns;
#[cfg(feature = "express")]
#[path = "../shared/whole.rs"]
mod whole;
