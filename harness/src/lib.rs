//! Tests that run inside seL4: scenarios, and what plays them.
//!
//! A scenario boots a system of its own (`harness/system.xml`), so nothing is left over from one test to the
//! next. Three clients play it: alpha, beta and gamma are the same program, which runs the script of its
//! role. A fourth, mallory, has no script: she strikes whenever she is woken, in the middle of central's
//! work. Central is the real engine on the real platform, with a *witness* between the two that prints every
//! map, unmap, copy and signal, and looks into each frame it maps: every client stamps its frames, so the
//! trace says whose physical page it really is. In every scenario it also watches that nothing becomes
//! visible to a client while a frame is mapped (guarantee 5), unless a flow keeps frames mapped.
//!
//! Half of a scenario's judgement falls inside the kernel, in the scripts (`harness: pass alpha`, `harness:
//! fail …`); the other half on the host, which compares the witness's trace and the fault reports of the
//! kernel with [`Scenario::trace`] and [`Scenario::fault`].
//!
//! This library is `no_std` and knows no platform: the command line links it for the table [`SCENARIOS`], the
//! protection domains (`src/pd/`) for the scripts.

#![no_std]

mod actor;
mod canary;
mod check;
mod memory;
mod rights;
mod role;
mod scenario;
mod scenarios;
mod stamp;

pub use actor::{Actor, Clue, Script, Stage, Strike};
pub use memory::Buffer;
pub use rights::{Holding, Holdings, Overreach};
pub use role::Role;
pub use scenario::{Change, Ending, Fault, Feature, Moment, Scenario, Touch, Trace};
pub use scenarios::SCENARIOS;
pub use stamp::Stamp;

/// First word of the region `scenario`; the second is the scenario's place in [`SCENARIOS`].
pub const SCENARIO_MAGIC: u32 = u32::from_le_bytes(*b"SCEN");
