//! The kernel of Ferry's classic platform: seL4 5.0.0 for x86-64 PCs, built from the source that the crate
//! `sel4-sys` 0.0.28 carries, so that a machine which reaches nothing but the package registry can boot seL4.
//!
//! [`Source::locate`] finds the source. [`build`] compiles it in about ten seconds, and does not build an
//! unchanged kernel again. [`Constants::read`] extracts object types, invocation labels and system call
//! numbers from the same source under the same configuration. The command line calls the first two, and the
//! build script of `ferry-classic-abi` calls the first and the last.
//!
//! ```no_run
//! use ferry_classic_kernel::{Source, build};
//! # fn main() -> Result<(), ferry_classic_kernel::Error> {
//! let source = Source::locate(std::path::Path::new("."))?;
//! let kernel = build(&source, std::path::Path::new("build/kernel"), |step| eprintln!("{step}"))?;
//! println!("boot {} with `qemu-system-x86_64 -kernel`", kernel.elf32.display());
//! # Ok(())
//! # }
//! ```
//!
//! # What this kernel is and is not
//!
//! It enforces capabilities, address spaces and rights like any seL4, which is what the tests need. But it is
//! from 2017, not verified for x86-64, and has no mixed-criticality scheduling. It is a debug build, because
//! only a debug build offers domains a console; any domain can halt a debug kernel.
//!
//! It has known defects. Deleting one of several capabilities to a frame leaves the frame mapped, so unmap
//! before every delete. Its user page tables never set the no-execute bit, so data pages are executable. Two
//! more defects are worked around here: a misaligned kernel stack (`kernel_stack.h`), and fault addresses cut
//! to 32 bits (a repair of one line in the copy of the source that is compiled).
//!
//! Make no security or timing claim from a run on it.
#![forbid(unsafe_code)]

mod build;
mod constants;
mod error;
mod interface;
mod python;
mod source;
mod step;

pub use build::{KernelImage, build};
pub use constants::{Constants, Group};
pub use error::Error;
pub use source::Source;
pub use step::Step;
