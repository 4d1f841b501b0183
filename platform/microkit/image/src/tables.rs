//! Page tables that the description does not ask for, below what Microkit has made for a domain.
//!
//! ```text
//! level  x86-64                AArch64 (40-bit stage 2)   RISC-V (Sv39)
//!   0    PML4                                             root
//!   1    page directory ptr.   root                       one entry per large frame
//!   2    page directory        one entry per large frame  one entry per small frame
//!   3    page table            one entry per small frame
//! ```

use microkit_tool::sel4::{Arch, Config};
use sel4_capdl_initializer_types::{Cap, Object, ObjectId, cap, object};

use crate::error::Error;
use crate::specification::Specification;

/// Binary logarithm of the bytes of a small frame.
pub(crate) const SMALL_BITS: u64 = 12;

/// Level of the tables whose entries are large frames.
pub(crate) fn large_level(kernel: &Config) -> usize {
    kernel.num_page_table_levels() - 2
}

/// Level of the tables whose entries are small frames.
pub(crate) fn small_level(kernel: &Config) -> usize {
    kernel.num_page_table_levels() - 1
}

/// Makes sure that there are tables down to `last_level` at an address of a domain. Returns the last one.
pub(crate) fn provide(
    specification: &mut Specification<'_>,
    domain: &str,
    address: u64,
    last_level: usize,
) -> Result<ObjectId, Error> {
    let kernel = specification.kernel;
    let mut table = root(specification, domain)?;
    for level in kernel.vspace_root_level()..last_level {
        let slot = slot(specification, address, level);
        table = match specification.slot(table, slot) {
            Some(Cap::PageTable(next)) => next.object,
            Some(_) => {
                let object = format!("the tables of {domain} at {address:#x}");
                return Err(Error::SlotTaken { object, slot });
            }
            None => {
                let next = level + 1;
                let covered_bits = covered_bits(specification, level);
                let name = format!("{domain}_level_{next}_{:#x}", address >> covered_bits << covered_bits);
                let level = u8::try_from(next).ok();
                let empty = object::PageTable { x86_ept: false, is_root: false, level, slots: vec![] };
                let next = specification.add(name, Object::PageTable(empty));
                specification.insert(table, slot, Cap::PageTable(cap::PageTable { object: next }))?;
                next
            }
        };
    }
    Ok(table)
}

/// Maps a small frame, which must be mapped nowhere else through this capability.
pub(crate) fn map(
    specification: &mut Specification<'_>,
    domain: &str,
    address: u64,
    frame: Cap,
) -> Result<(), Error> {
    let level = small_level(specification.kernel);
    let table = provide(specification, domain, address, level)?;
    let slot = slot(specification, address, level);
    specification.insert(table, slot, frame)
}

/// Whether a frame is mapped at an address of a domain.
pub(crate) fn is_mapped(
    specification: &Specification<'_>,
    domain: &str,
    address: u64,
) -> Result<bool, Error> {
    let mut table = root(specification, domain)?;
    let kernel = specification.kernel;
    for level in kernel.vspace_root_level()..=small_level(kernel) {
        match specification.slot(table, slot(specification, address, level)) {
            Some(Cap::PageTable(next)) => table = next.object,
            Some(_) => return Ok(true),
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// The slot for an address in its table of a level.
fn slot(specification: &Specification<'_>, address: u64, level: usize) -> u32 {
    let entries = 1 << specification.kernel.vspace_level_index_bits(level);
    let slot = (address >> covered_bits(specification, level)) & (entries - 1);
    u32::try_from(slot).unwrap_or(u32::MAX)
}

/// Binary logarithm of the bytes that one entry of a table of this level covers.
fn covered_bits(specification: &Specification<'_>, level: usize) -> u64 {
    let kernel = specification.kernel;
    let below = level + 1..kernel.num_page_table_levels();
    SMALL_BITS + below.map(|level| kernel.vspace_level_index_bits(level)).sum::<u64>()
}

/// A domain's address space, under the name that Microkit gives its first table.
fn root(specification: &Specification<'_>, domain: &str) -> Result<ObjectId, Error> {
    let kind = match (specification.kernel.arch, specification.kernel.vspace_root_level()) {
        (Arch::X86_64, _) => "pml4",
        (_, 0) => "pgd",
        _ => "pud",
    };
    specification.find(&format!("{kind}_{domain}"))
}
