//! One-way flows (guarantee 11): what the sender can read is a function of its own acts and of the ticks.
//!
//! `flow.rs` says what a sender and a receiver of such a flow see, and `guarded.rs` what guards change.
//! `paired.rs` runs two systems side by side,
//! in which only the receivers differ, and compares everything that the senders can read. Restarts of central
//! are in `tests/restart/one_way.rs`.

mod flow;
mod guarded;
mod paired;
mod stage;
