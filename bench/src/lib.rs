//! Measures what a message costs: with the engine alone, on the platforms, and with what Linux and its
//! libraries offer. All are measured side by side in one run.
//!
//! A *carrier* is one thing that carries messages. A *case* is a size, a batch, a policy and a number of
//! clients. A *row* is what one carrier costs in one case (`ferry_rows`). Every carrier gives rows of the
//! same form. So a carrier that is measured elsewhere (the seL4 carriers, by `ferry bench`) only has to write
//! its rows as JSON.
//!
//! The committed baseline holds instruction counts, because they are exact and can be compared between
//! machines. Nanoseconds depend on the machine, and are only compared with others of the same run.

pub mod baseline;
pub mod callgrind;
pub mod engine;
pub mod engine_bench;
pub mod figures;
pub mod hosted;
pub mod lines;
pub mod plot;
pub mod reference;
pub mod rivals;
pub mod steps;
pub mod stopwatch;
pub mod table;

pub use ferry_rows::{carrier, case};
