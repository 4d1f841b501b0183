//! What a platform has of memory: where a region may lie, how many bytes all regions may have together, and
//! how many frames. The kernel, or the initialiser, would stop at boot where one of these is not enough.

use super::Platform;
use crate::description::Description;
use crate::limits::PAGE_BYTES;
use crate::problem::Problem;
use crate::source::Place;
use crate::system::{Domain, Region, System};

/// How many copies of an image, and so of what fills regions, are in memory when it starts: the boot
/// loader's, the kernel's, and one for the alignment of both.
const IMAGE_COPIES: u128 = 3;

impl Description {
    /// Checks the physical addresses, and what all regions and stacks need together.
    pub(super) fn memory_for(&self, platform: &Platform, report: &mut dyn FnMut(&Place, Problem)) {
        let system = &self.system;
        // Where `phys_addr` does not exist, that is mistake enough.
        let has_addresses = platform.extras.contains(&"phys_addr");
        for region in system.regions.iter().filter(|_| has_addresses) {
            let Some(start) = region.physical else { continue };
            let end = start.saturating_add(region.bytes);
            if !platform.physical.iter().any(|range| range.start <= start && end <= range.end) {
                let ranges: Vec<String> = platform
                    .physical
                    .iter()
                    .map(|range| format!("{:#x} to {:#x}", range.start, range.end))
                    .collect();
                let (region_name, platform) = (region.name.clone(), platform.name);
                let ranges = ranges.join(", ");
                report(
                    &region.place,
                    Problem::PlatformPhysical { region: region_name, start, end, ranges, platform },
                );
            }
        }
        // A sum of sizes can be larger than any of them could be.
        let needed: u128 = system.regions.iter().map(bytes).sum::<u128>()
            + system.domains.iter().map(|domain| u128::from(domain.stack_bytes)).sum::<u128>();
        let Some(place) = largest(system) else { return };
        if needed > u128::from(platform.memory_bytes) {
            let (most, platform) = (platform.memory_bytes, platform.name);
            report(place, Problem::PlatformMemory { needed, most, platform });
            return;
        }
        let frames: u128 = (0..system.regions.len()).map(|region| self.frames_of(region)).sum::<u128>()
            + system.domains.iter().map(frames_of_stack).sum::<u128>();
        if frames > u128::from(platform.frames) {
            let (most, platform) = (platform.frames, platform.name);
            report(place, Problem::PlatformFrames { needed: frames, most, platform });
        }
    }

    /// The slots that a region needs: for each frame, for each map of each frame, and for each page of the
    /// image that fills it.
    fn frames_of(&self, number: usize) -> u128 {
        let system = &self.system;
        let region = &system.regions[number];
        let of_domains = system.domains.iter().flat_map(|domain| &domain.maps);
        let of_machines = system.machines.iter().flat_map(|machine| &machine.maps);
        let of_devices = system.io_spaces.iter().flat_map(|space| &space.maps);
        let maps = of_domains.chain(of_machines).chain(of_devices);
        let maps = maps.filter(|map| map.region == number).count() as u128;
        let mut buffers = self.clients.iter().flat_map(|client| [client.transmit, client.receive]);
        let buffer = buffers.find(|buffer| buffer.region == number);
        // Regions of which nobody says it get small frames from some image builder.
        let page = buffer.map(|buffer| 1 << buffer.frame_bits).or(region.page_bytes).unwrap_or(PAGE_BYTES);
        let frames = u128::from(region.bytes.div_ceil(page));
        frames * (1 + maps) + contents(region).div_ceil(u128::from(PAGE_BYTES))
    }
}

/// The memory that a region needs: none if it has a physical address, which is mostly that of a device.
fn bytes(region: &Region) -> u128 {
    let own = if region.physical.is_some() { 0 } else { region.bytes };
    u128::from(own) + contents(region) * IMAGE_COPIES
}

/// The bytes in the image that fill a region. Whoever fills a region without a file also gives the board
/// memory for that.
fn contents(region: &Region) -> u128 {
    if region.prefill.is_some() { u128::from(region.prefill_bytes) } else { 0 }
}

/// The same for a stack: each page is made, and mapped once.
fn frames_of_stack(domain: &Domain) -> u128 {
    u128::from(domain.stack_bytes / PAGE_BYTES) * 2
}

/// Where the largest region is. That is the one to make smaller.
fn largest(system: &System) -> Option<&Place> {
    let regions = system.regions.iter().filter(|region| region.physical.is_none());
    regions.max_by_key(|region| region.bytes).map(|region| &region.place)
}
