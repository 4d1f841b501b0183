//! What a message costs: the engine alone, the platforms, and what others offer, measured side by side in one
//! run.
//!
//! A *carrier* is one thing that carries messages; a *case* is a size, a batch, a policy and a number of
//! clients; a *row* is what one carrier costs in one case (`ferry_rows`). Every carrier gives rows of the
//! same form, so a platform that boots elsewhere (the seL4 carriers, `ferry bench`) only has to write them as
//! JSON.
//!
//! Instruction counts are exact and comparable between machines; they are what the committed baseline holds.
//! Nanoseconds are of the machine at hand and are compared only with what ran beside them.

pub mod baseline;
pub mod bed;
pub mod callgrind;
pub mod engine;
pub mod figures;
pub mod hosted;
pub mod plot;
pub mod reference;
pub mod rivals;
pub mod steps;
pub mod stopwatch;
pub mod table;

pub use ferry_rows::{carrier, case};
