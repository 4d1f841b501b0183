//! The image of the classic platform: a checked description becomes the compiled system that the initialiser
//! reads, packed behind the initialiser. The kernel stays a file of its own, which the boot loader starts.
//!
//! Regions, mappings, grants and the window are taken from `ferry_description` one to one; nothing here
//! decides who may reach what. [`image`] is what the command line calls; [`pack`] alone is for tests that
//! write a compiled system themselves. [`inspect`] reads an image back and compares it with the description.
#![forbid(unsafe_code)]

#[cfg(test)]
#[path = "../tests/elf/mod.rs"]
mod elf;
mod error;
mod inspect;
mod pack;
mod program;
mod system;

pub use error::ImageError;
pub use inspect::{InspectError, inspect};
pub use pack::{PackError, pack};

use ferry_description::{Description, Domain};

/// The contents of a region: its name, and what it begins with.
pub type Prefill = (String, Vec<u8>);

/// Why a domain's program is missing, in the words of the caller's `program` function.
pub type ProgramError = Box<dyn std::error::Error + Send + Sync>;

/// The compiled system that the initialiser reads. The arguments are those of [`image`].
pub fn compile(
    description: &Description,
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
    prefills: &[Prefill],
) -> Result<Vec<u8>, ImageError> {
    system::compile(description, program, prefills)
}

/// The bytes of an image: `initialiser`, the ELF file of `ferry-root-task`, with the system in it. `program`
/// gives the ELF file of a domain.
pub fn image(
    description: &Description,
    initialiser: &[u8],
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
    prefills: &[Prefill],
) -> Result<Vec<u8>, ImageError> {
    let compiled = compile(description, program, prefills)?;
    Ok(pack(initialiser, &compiled)?)
}
