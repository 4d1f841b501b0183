//! One reading of `system.xml` and `flows.toml`, for every image builder.
//!
//! Principle: **what this crate accepts is safe to build.** [`Description::check`] reads both files, applies
//! every rule of [`Problem`], and either returns a description in which each client is complete and isolated,
//! or all mistakes at once, each with file, line and remedy. Image builders then ask for the [`Placement`]:
//! which frames central gets as capabilities, where in its window each has its home, and the configuration
//! blob that tells central so. A builder that takes regions, grants and window from here and from nowhere
//! else cannot give one client's memory to another.
//!
//! `system.xml` is a stock Microkit 2.3 system description. A *client* is a protection domain for which a
//! region `<domain>_out`, `_in`, `_tx` or `_rx` exists, or which `flows.toml` names; a client that lacks any
//! of its parts is a mistake, never a protection domain that is silently left out.
//!
//! ```no_run
//! use ferry_description::{Description, Source};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (system, flows) = (Source::read("system.xml".as_ref())?, Source::read("flows.toml".as_ref())?);
//! let description = Description::check(&system, &flows, &[])?;
//! let placement = description.place(&mut ferry_description::sequential(128));
//! for grant in &placement.grants {
//!     println!("{}: capabilities from {}", description.system.regions[grant.region].name, grant.first_capability);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Not covered: what the programs do, and what the Microkit tool checks about devices, interrupts and virtual
//! machines. Elements that Ferry has no opinion on are kept in [`System::extras`], so that a platform which
//! cannot build them can say so.
#![forbid(unsafe_code)]

mod access;
mod check;
mod description;
mod flows;
mod limits;
mod mistake;
mod place;
mod problem;
mod read;
mod render;
mod source;
mod system;

pub use access::{Access, AccessTable, Reach};
pub use description::{Buffer, Client, Description, Flow, Tick};
pub use limits::{CENTRAL, CONFIG_REGION, LARGE_PAGE_BYTES, MAX_CHANNEL, PAGE_BYTES, TICKER, WINDOW_ADDRESS};
pub use mistake::{Mistake, Mistakes};
pub use place::{Grant, Placement, Window, sequential};
pub use problem::Problem;
pub use source::{Place, ReadError, Source};
pub use system::{Channel, Domain, End, Extra, Foreign, Map, Permissions, Region, System};
