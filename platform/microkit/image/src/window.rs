//! The page tables of central's window. All of them exist from the start and are empty, so that mapping a
//! frame never needs another object.
//!
//! A region on large frames gets no page tables of the last level, because no large frame can be mapped where
//! there is one.

use ferry_description::{CENTRAL, Grant, LARGE_PAGE_BYTES, Placement};
use microkit_tool::sel4::Config;

use crate::error::Error;
use crate::specification::Specification;
use crate::tables::{self, SMALL_BITS};

/// Adds the tables for every home in the window.
pub(crate) fn add(specification: &mut Specification<'_>, placement: &Placement) -> Result<(), Error> {
    for grant in &placement.grants {
        let last_level = last_level(specification.kernel, grant);
        let chunks = grant.buffer.bytes.div_ceil(LARGE_PAGE_BYTES);
        for chunk in 0..chunks {
            let address = grant.window_address + chunk * LARGE_PAGE_BYTES;
            tables::provide(specification, CENTRAL, address, last_level)?;
        }
    }
    Ok(())
}

fn last_level(kernel: &Config, grant: &Grant) -> usize {
    let is_small = u64::from(grant.buffer.frame_bits) == SMALL_BITS;
    if is_small { tables::small_level(kernel) } else { tables::large_level(kernel) }
}
