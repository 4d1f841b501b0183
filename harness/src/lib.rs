//! Tests that run inside seL4: scenarios, and the protection domains that play them.
//!
//! A scenario boots a system of its own (`harness/system.xml`), so nothing is left over from one test to the
//! next. Three clients play it: alpha, beta and gamma. They are the same program, and each runs the script of
//! its role. A fourth client, mallory, has no script: it strikes whenever it is woken, in the middle of
//! central's work. Central is the real engine on the real platform. A *witness* between the two prints every
//! map, unmap, copy and signal, and reads the stamp of each frame that is mapped. Every client stamps its
//! frames, so the trace shows which physical page each frame really is. In every scenario the witness also
//! checks that nothing becomes visible to a client while a frame is mapped (guarantee 5), unless a flow keeps
//! frames mapped.
//!
//! Half of a scenario is judged inside the kernel, by the scripts (`alpha | harness: pass`, `harness: fail
//! …`). The other half is judged on the host, which compares the witness's trace and the kernel's fault
//! reports with [`Scenario::trace`] and [`Scenario::fault`].
//!
//! This library is `no_std` and knows no platform. The command line links it for the table [`SCENARIOS`], and
//! the protection domains (`src/pd/`) link it for the scripts.

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
pub use scenario::{Change, Ending, Fault, Feature, Moment, Scenario, Trace, WitnessAct};
pub use scenarios::SCENARIOS;
pub use stamp::Stamp;

/// First word of the region `scenario`. The second word is the scenario's index in [`SCENARIOS`].
pub const SCENARIO_MAGIC: u32 = u32::from_le_bytes(*b"SCEN");
