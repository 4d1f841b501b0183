//! Checks a compiled system before anything is built from it, so that the rest of the initialiser may rely on
//! numbers being in range and addresses not overlapping. `ferry check` has checked the same before, with file
//! and line. This check is for defects of the image builder: without it, they could become a system with
//! wrong rights.
//!
//! The initialiser calls it. It is here because this crate's tests run on the host: `tests/check.rs` breaks
//! each rule.

use crate::addresses::{MAXIMUM_STACK_BYTES, PRIVATE_START};
use crate::{Blob, MemoryRegion, PAGE_BYTES, ProtectionDomain, System, slots};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use ferry_platform::Channel;

const PAGE: u64 = PAGE_BYTES as u64;
const LARGE: u64 = 1 << 21;
/// Highest priority of a protection domain. The initialiser has those above.
pub const MAXIMUM_PRIORITY: u8 = 253;
/// Periods of the tick that the PC's interval timer can count, in microseconds.
pub const PERIODS_US: RangeInclusive<u32> = 1_000..=54_000;
/// What is wrong with a range that ends above [`PRIVATE_START`].
const TOO_HIGH: &str = "a segment, map or window ends above 0x7fff00000000, the limit for programs";
const _: () = assert!(PRIVATE_START == 0x7fff_0000_0000);
/// More would not fit in the initialiser's badges (its module `badge`). Its heap is full long before that.
const MAXIMUM_DOMAINS: usize = 1 << 20;

/// A system that contradicts itself, or asks for what the platform cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The domain or region, or what else it is about.
    pub place: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Refuses what cannot or must not be built. `payload` is what was decoded with the system.
pub fn check(system: &System, payload: &[u8]) -> Result<(), Contradiction> {
    ensure(system.domains.len() <= MAXIMUM_DOMAINS, "system", "too many protection domains")?;
    for one in &system.regions {
        region(one, payload)?;
    }
    for one in &system.domains {
        domain(one, system, payload)?;
    }
    channels(system)?;
    if let Some(tick) = system.tick {
        let domain = system.domains.get(tick.domain as usize);
        ensure(domain.is_some(), "tick", "the protection domain that it wakes does not exist")?;
        ensure(
            PERIODS_US.contains(&tick.period_us),
            "tick",
            "the period is not within 1 and 54 milliseconds",
        )?;
    }
    Ok(())
}

fn contradiction(place: &str, problem: &'static str) -> Contradiction {
    Contradiction { place: place.to_string(), problem }
}

fn ensure(condition: bool, place: &str, problem: &'static str) -> Result<(), Contradiction> {
    if condition { Ok(()) } else { Err(contradiction(place, problem)) }
}

fn region(region: &MemoryRegion, payload: &[u8]) -> Result<(), Contradiction> {
    let place = region.name.as_str();
    ensure(matches!(region.frame_bits, 12 | 21), place, "frame size must be 4 KiB or 2 MiB")?;
    ensure(region.frames > 0, place, "the region has no frames")?;
    if let Some(prefill) = region.prefill {
        ensure(blob_exists(prefill, payload), place, "the prefill is not in the payload")?;
        ensure(prefill.bytes <= bytes(region), place, "the prefill is larger than the region")?;
        ensure(prefill.offset.is_multiple_of(PAGE), place, "the prefill does not begin on a page")?;
    }
    Ok(())
}

fn bytes(region: &MemoryRegion) -> u64 {
    u64::from(region.frames) << region.frame_bits
}

fn blob_exists(blob: Blob, payload: &[u8]) -> bool {
    blob.offset.checked_add(blob.bytes).is_some_and(|end| end <= payload.len() as u64)
}

fn domain(domain: &ProtectionDomain, system: &System, payload: &[u8]) -> Result<(), Contradiction> {
    let place = domain.name.as_str();
    ensure(domain.priority <= MAXIMUM_PRIORITY, place, "the priority is above 253")?;
    ensure(domain.stack_bytes > 0, place, "there is no stack")?;
    ensure(domain.stack_bytes <= MAXIMUM_STACK_BYTES, place, "the stack is too large")?;

    // Everything that occupies addresses, as ranges of whole pages.
    let mut occupied = Vec::new();
    for segment in &domain.segments {
        ensure(blob_exists(segment.data, payload), place, "a segment is not in the payload")?;
        ensure(segment.memory_bytes > 0, place, "a segment is empty")?;
        ensure(segment.data.bytes <= segment.memory_bytes, place, "a segment has more data than memory")?;
        let end = segment.address.checked_add(segment.memory_bytes);
        let end = end.and_then(|end| end.checked_next_multiple_of(PAGE));
        occupied.push((segment.address / PAGE * PAGE, end));
    }
    for map in &domain.maps {
        let region = find(map.region, system, place)?;
        ensure(
            map.address.is_multiple_of(1 << region.frame_bits),
            place,
            "a map is not aligned to its frames",
        )?;
        occupied.push((map.address, map.address.checked_add(bytes(region))));
    }
    if let Some(window) = domain.window {
        let aligned = window.address.is_multiple_of(LARGE) && window.bytes.is_multiple_of(LARGE);
        ensure(aligned, place, "the window is not aligned to 2 MiB")?;
        ensure(window.bytes > 0, place, "the window is empty")?;
        occupied.push((window.address, window.address.checked_add(window.bytes)));
    }
    disjoint(occupied, PRIVATE_START, place, [TOO_HIGH, "segments, maps, window and stack overlap"])?;
    grants(domain, system)
}

fn find<'a>(region: u32, system: &'a System, place: &str) -> Result<&'a MemoryRegion, Contradiction> {
    system.regions.get(region as usize).ok_or_else(|| contradiction(place, "a memory region does not exist"))
}

/// Every grant has its own slots and its own addresses, which lie in the window. Frames of different sizes do
/// not share 2 MiB of it, because a page table and a large frame would need the same entry.
fn grants(domain: &ProtectionDomain, system: &System) -> Result<(), Contradiction> {
    let place = domain.name.as_str();
    let mut addresses = Vec::new();
    let mut capabilities = Vec::new();
    for grant in &domain.grants {
        let region = find(grant.region, system, place)?;
        let end = grant.address.checked_add(bytes(region));
        let window = domain.window.ok_or_else(|| contradiction(place, "a grant without a window"))?;
        let inside =
            grant.address >= window.address && end.is_some_and(|end| end <= window.address + window.bytes);
        ensure(inside, place, "a grant is outside the window")?;
        ensure(grant.address.is_multiple_of(LARGE), place, "a grant is not aligned to 2 MiB")?;
        addresses.push((grant.address, end));
        let slots = grant.first_capability.checked_add(u64::from(region.frames));
        ensure(grant.first_capability >= slots::FIRST_FRAME, place, "a grant uses a fixed slot")?;
        capabilities.push((grant.first_capability, slots));
    }
    disjoint(
        addresses,
        u64::MAX,
        place,
        ["the addresses of a grant wrap around", "the addresses of grants overlap"],
    )?;
    // No CNode that fits in memory at all has more slots than this.
    disjoint(
        capabilities,
        1 << 24,
        place,
        ["the slots of a grant end above 2^24", "the slots of grants overlap"],
    )
}

/// Checks that the ranges end by `limit` and do not overlap. `problems` says, in this order, what is wrong if
/// they do not. A range goes from its first number to the one after its last.
fn disjoint(
    mut ranges: Vec<(u64, Option<u64>)>,
    limit: u64,
    place: &str,
    problems: [&'static str; 2],
) -> Result<(), Contradiction> {
    let [too_high, overlap] = problems;
    ranges.sort_unstable();
    let mut free_from = 0;
    for (start, end) in ranges {
        let end = end.filter(|end| *end <= limit).ok_or_else(|| contradiction(place, too_high))?;
        ensure(start >= free_from, place, overlap)?;
        free_from = end;
    }
    Ok(())
}

fn channels(system: &System) -> Result<(), Contradiction> {
    let mut used = Vec::new();
    for end in system.channels.iter().flat_map(|channel| channel.ends) {
        let place = system.domains.get(end.domain as usize).map_or("channel", |domain| domain.name.as_str());
        ensure((end.domain as usize) < system.domains.len(), place, "a protection domain does not exist")?;
        ensure(end.id < Channel::LIMIT, place, "a channel's id is above 61")?;
        ensure(!used.contains(&(end.domain, end.id)), place, "two channels have the same id")?;
        used.push((end.domain, end.id));
    }
    Ok(())
}
