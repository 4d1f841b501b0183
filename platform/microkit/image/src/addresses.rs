//! Physical addresses of regions for which the description states none, but of which a program gets the
//! address (`<setvar region_paddr>`). As with Microkit's own tool, they are chosen from the memory that is
//! free when the kernel has started. That depends on the size of the initial task, and so on the programs
//! with these addresses in them: the packer chooses, has the specification made again, and looks whether it
//! fits.

use microkit_tool::sdf::{SysMemoryRegion, SysMemoryRegionPaddr};
use microkit_tool::sel4::Config;
use microkit_tool::{DisjointMemoryRegion, UntypedObject};

use crate::error::Error;

/// Whether a region has an address that was chosen.
pub(crate) fn are_chosen(regions: &[SysMemoryRegion]) -> bool {
    let is_chosen =
        |region: &SysMemoryRegion| matches!(region.phys_addr, SysMemoryRegionPaddr::ToolAllocated(Some(_)));
    regions.iter().any(is_chosen)
}

/// Takes all chosen addresses back.
pub(crate) fn forget(regions: &mut [SysMemoryRegion]) {
    for region in regions {
        if let SysMemoryRegionPaddr::ToolAllocated(address) = &mut region.phys_addr {
            *address = None;
        }
    }
}

/// Chooses the addresses that are missing. Returns whether there was one. `untyped` is what the kernel gives
/// to the initial task.
pub(crate) fn choose(
    regions: &mut [SysMemoryRegion],
    untyped: &[UntypedObject],
    kernel: &Config,
) -> Result<bool, Error> {
    let page = kernel.minimum_page_size;
    let mut free = DisjointMemoryRegion::default();
    for untyped in untyped.iter().filter(|untyped| !untyped.is_device) {
        let (start, end) = (untyped.base().next_multiple_of(page), untyped.end() / page * page);
        if start < end {
            free.insert_region(start, end);
        }
    }
    for region in &*regions {
        let Some(start) = region.paddr() else { continue };
        let end = start.saturating_add(region.size);
        // Registers of devices are not memory, and so not in this list.
        if free.regions.iter().any(|part| part.base <= start && end <= part.end) {
            free.remove_region(start, end);
        }
    }
    let mut has_chosen = false;
    for region in regions {
        if region.phys_addr != SysMemoryRegionPaddr::ToolAllocated(None) {
            continue;
        }
        let address = free
            .allocate(region.size, region.page_size)
            .ok_or_else(|| Error::NoMemoryInOne { region: region.name.clone(), bytes: region.size })?;
        region.phys_addr = SysMemoryRegionPaddr::ToolAllocated(Some(address));
        has_chosen = true;
    }
    Ok(has_chosen)
}
