//! The launcher of the hosted platform: takes a checked description and runs the system as Linux processes.
//!
//! It plays the part of kernel and initialiser. Regions are sealed memory files. For each region that the
//! description maps into a process, the process gets a file that is opened for what the description allows.
//! Central also gets the files of the frames that it is granted. The module `bind` binds every process,
//! whatever its program is. The launcher prints what domains print, and the lines that the initialiser prints
//! on seL4. A fault of a domain ends that domain and no other, and starts it again if the description says
//! so. The launcher also reports the exit of the system.
//!
//! ```no_run
//! use ferry_hosted_launcher::{Ending, Scheduling, start};
//! # fn example(description: &ferry_description::Description) -> Result<(), Box<dyn std::error::Error>> {
//! let program = |domain: &ferry_description::Domain| Some(format!("target/release/{}", domain.name).into());
//! let system = start(description, &program, &[], Scheduling::Linux, std::io::stdout().into())?;
//! match system.serve(None)? {
//!     Ending::Exit { code, .. } => println!("ended with {code}"),
//!     Ending::NoProcessLeft | Ending::TimeLimit => println!("no domain ended it"),
//! }
//! # Ok(())
//! # }
//! ```

mod bind;
mod blueprint;
mod calls;
mod console;
mod error;
mod exec;
mod memory;
mod plan;
mod process;
mod schedule;
mod serve;

pub use console::Console;
pub use error::LaunchError;
pub use plan::{Plan, PlannedFile, PlannedProcess, plan};
pub use process::{Prefill, start};
pub use schedule::{Scheduling, may_prioritise};
pub use serve::{Ending, System};
