//! The page tables of central's window: all of them there from the start and empty, so that mapping a frame never needs
//! another object.
//!
//! ```text
//! level  x86-64             AArch64 (40-bit stage 2)
//!   0    PML4
//!   1    page directory ptr. root
//!   2    page directory     one entry per large frame
//!   3    page table         one entry per small frame
//! ```
//! A region on large frames gets no page tables of level 3: where one hangs, no large frame can be mapped.

use ferry_description::{CENTRAL, Grant, LARGE_PAGE_BYTES, Placement};
use microkit_tool::sel4::Arch;
use sel4_capdl_initializer_types::{Cap, Object, ObjectId, cap, object};

use crate::error::Error;
use crate::specification::Specification;

/// Level of the tables whose entries are large frames.
const LARGE_LEVEL: usize = 2;
/// Level of the tables whose entries are small frames.
const SMALL_LEVEL: usize = 3;
/// Binary logarithm of the bytes of a small frame.
const SMALL_BITS: u64 = 12;

/// Adds the tables for every home in the window.
pub(crate) fn add(specification: &mut Specification<'_>, placement: &Placement) -> Result<(), Error> {
    for grant in &placement.grants {
        let chunks = grant.buffer.bytes.div_ceil(LARGE_PAGE_BYTES);
        for chunk in 0..chunks {
            add_tables(specification, grant.window_address + chunk * LARGE_PAGE_BYTES, last_level(grant))?;
        }
    }
    Ok(())
}

fn last_level(grant: &Grant) -> usize {
    if u64::from(grant.buffer.frame_bits) == SMALL_BITS { SMALL_LEVEL } else { LARGE_LEVEL }
}

/// Makes sure that there are tables down to `last_level` at an address of central.
fn add_tables(specification: &mut Specification<'_>, address: u64, last_level: usize) -> Result<(), Error> {
    let kernel = specification.kernel;
    let mut table = root(specification)?;
    for level in kernel.vspace_root_level()..last_level {
        let covered_bits = SMALL_BITS + bits_below(specification, level);
        let slot = (address >> covered_bits) & ((1 << kernel.vspace_level_index_bits(level)) - 1);
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        table = match specification.slot(table, slot) {
            Some(Cap::PageTable(next)) => next.object,
            Some(_) => return Err(Error::SlotTaken { object: format!("the window at {address:#x}"), slot }),
            None => {
                let next = level + 1;
                let name = format!("window_level_{next}_{:#x}", address >> covered_bits << covered_bits);
                let level = u8::try_from(next).ok();
                let empty = object::PageTable { x86_ept: false, is_root: false, level, slots: vec![] };
                let next = specification.add(name, Object::PageTable(empty));
                specification.insert(table, slot, Cap::PageTable(cap::PageTable { object: next }))?;
                next
            }
        };
    }
    Ok(())
}

/// Bits of an address that the tables below this level translate.
fn bits_below(specification: &Specification<'_>, level: usize) -> u64 {
    let kernel = specification.kernel;
    (level + 1..kernel.num_page_table_levels()).map(|level| kernel.vspace_level_index_bits(level)).sum()
}

/// Central's address space, under the name that Microkit gives its first table.
fn root(specification: &Specification<'_>) -> Result<ObjectId, Error> {
    let kind = match (specification.kernel.arch, specification.kernel.vspace_root_level()) {
        (Arch::X86_64, _) => "pml4",
        (_, 0) => "pgd",
        _ => "pud",
    };
    specification.find(&format!("{kind}_{CENTRAL}"))
}
