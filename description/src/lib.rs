//! Reads `system.xml` and `flows.toml`, once for every image builder.
//!
//! Principle: **what this crate accepts is safe to build.** [`Description::check`] reads both files and
//! applies every rule of [`Problem`]. It returns either a description in which each client is complete and
//! isolated, or all mistakes at once, each with file, line and remedy. Image builders then ask for the
//! [`Placement`]: the frames that central gets as capabilities, the home of each frame in central's window,
//! and the configuration blob that tells central of them. An image builder must take regions, grants and
//! window from here and from nowhere else. Then it cannot give one client's memory to another.
//!
//! `system.xml` is a stock Microkit 2.3 system description. A *client* is a protection domain for which a
//! region `<domain>_out`, `_in`, `_tx` or `_rx` exists, or which `flows.toml` names. A client that lacks one
//! of its parts is a mistake. No protection domain is silently left out.
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
//! This crate does not check what the programs do. Elements that Ferry itself does not need are read and
//! checked as by Microkit's tool, because each can be a way from one client to another: the [`Report`] has
//! all of them. They are also kept in [`System::extras`], so that a platform which cannot build them can say
//! so.
#![forbid(unsafe_code)]

mod check;
mod description;
mod device;
mod draft;
mod flows;
mod free;
mod hint;
mod inspect;
mod limits;
mod map;
mod mistake;
mod name;
mod nearest;
mod place;
mod platform;
mod problem;
mod reach;
mod read;
mod remedy;
mod render;
mod report;
mod source;
mod system;
mod words;

pub use description::{Audit, Buffer, Client, Description, Flow, Partition, Tick};
pub use device::{Held, HeldKind, Interrupt, IoSpace, Line, Parent, PciDevice, Ports, VirtualMachine};
pub use draft::Draft;
pub use flows::parse_bytes;
pub use hint::Hint;
pub use inspect::{
    Compared, Difference, Found, FoundDomain, FoundFrame, FoundPage, FoundSegment, FoundSignal, Frame,
};
pub use limits::{
    AUDIT_SYMBOL, CENTRAL, CONFIG_REGION, LARGE_PAGE_BYTES, MAX_CHANNEL, MAX_DOMAINS, PAGE_BYTES, TICKER,
    WINDOW_ADDRESS,
};
pub use map::{Map, Permissions};
pub use mistake::{Mistake, Mistakes};
pub use name::shown;
pub use nearest::nearest;
pub use place::{Grant, Placement, Window, config_bytes, sequential};
pub use platform::{Interrupts, Platform, Top};
pub use problem::Problem;
pub use report::{
    Access, AuditRow, DeviceRow, DomainRow, FlowRow, GuestRow, HintRow, Influence, MistakeRow, PartitionRow,
    Party, PartyKind, PathRow, REPORT_VERSION, RegionRow, Report, Role, StageRow, TrustedKind, TrustedRow,
    Verdict, When,
};
pub use source::{Place, ReadError, Source};
pub use system::{Channel, Domain, End, Extra, Region, Schedule, System, TimeSlot};
pub use words::count;
