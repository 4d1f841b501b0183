//! From a checked description to the compiled system of the classic platform.

use crate::error::ImageError;
use crate::program::{self, Words};
use crate::{Prefill, ProgramError};
use ferry_classic_places::slots::FIRST_FRAME;
use ferry_classic_spec::{
    Channel, End, Grant, MAXIMUM_PRIORITY, Map, MemoryRegion, Payload, ProtectionDomain, Rights, Segment,
    System, Tick, Window, check, decode, encode,
};
use ferry_description::{Description, Domain, Permissions, Placement, Platform, Region, sequential};

const _: () = assert!(MAXIMUM_PRIORITY == Platform::CLASSIC.highest_priority);

/// Compiles a description, encoded for the initialiser.
pub(crate) fn compile(
    description: &Description,
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
    prefills: &[Prefill],
) -> Result<Vec<u8>, ImageError> {
    description.check_for(&Platform::CLASSIC)?;
    let placement = description.place(&mut sequential(FIRST_FRAME));
    let mut payload = Payload::new();
    let regions = regions(description, &placement, prefills, &mut payload)?;
    let mut domains = Vec::new();
    for number in 0..description.system.domains.len() {
        domains.push(domain(description, &placement, number, program, &mut payload)?);
    }
    let channels = description.system.channels.iter().map(|channel| Channel {
        ends: channel.ends.each_ref().map(|end| End { domain: number(end.domain), id: end.id }),
    });
    let tick = description.tick.as_ref();
    let tick = tick.map(|tick| Tick { domain: number(tick.domain), period_us: tick.period_us });
    let system = System { domains, regions, channels: channels.collect(), tick };
    let compiled = encode(&system, &payload);
    // The initialiser would stop the machine. It is kinder to say it here.
    let (system, contents) = decode(&compiled)?;
    check(&system, contents).map_err(ImageError::Contradiction)?;
    Ok(compiled)
}

fn regions(
    description: &Description,
    placement: &Placement,
    prefills: &[Prefill],
    payload: &mut Payload,
) -> Result<Vec<MemoryRegion>, ImageError> {
    let mut regions = Vec::new();
    for (number, region) in description.system.regions.iter().enumerate() {
        let contents = if number == description.config_region {
            Some(placement.config.clone())
        } else {
            contents(region, prefills)?
        };
        if let Some(contents) = &contents
            && contents.len() as u64 > region.bytes
        {
            let (bytes, room) = (contents.len() as u64, region.bytes);
            return Err(ImageError::PrefillTooLong { region: region.name.clone(), bytes, room });
        }
        let granted = placement.grants.iter().find(|grant| grant.region == number);
        let frame_bits = match granted {
            Some(grant) => grant.buffer.frame_bits,
            // Contents can be handed over without a copy only in small frames.
            None if contents.is_none() && region.page_bytes == Some(ferry_description::LARGE_PAGE_BYTES) => {
                21
            }
            None => 12,
        };
        regions.push(MemoryRegion {
            name: region.name.clone(),
            frames: u32::try_from(region.bytes >> frame_bits).unwrap_or(u32::MAX),
            frame_bits,
            prefill: contents.map(|contents| payload.push_pages(&contents)),
        });
    }
    Ok(regions)
}

/// What a region is filled with: what the caller says, else the file that the description names.
pub(crate) fn contents(region: &Region, prefills: &[Prefill]) -> Result<Option<Vec<u8>>, ImageError> {
    if let Some((_, contents)) = prefills.iter().find(|(name, _)| *name == region.name) {
        return Ok(Some(contents.clone()));
    }
    let Some(file) = &region.prefill else { return Ok(None) };
    let failed = |cause| ImageError::Prefill { place: region.place.to_string(), file: file.clone(), cause };
    std::fs::read(file).map(Some).map_err(failed)
}

fn domain(
    description: &Description,
    placement: &Placement,
    at: usize,
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
    payload: &mut Payload,
) -> Result<ProtectionDomain, ImageError> {
    let domain = &description.system.domains[at];
    let bytes = program(domain).map_err(ImageError::Program)?;
    let program = program::load(&domain.name, &bytes, &words(description, at), payload)?;
    let occupied = |segment: &Segment| segment.address..segment.address.saturating_add(segment.memory_bytes);
    let segments: Vec<_> = program.segments.iter().map(occupied).collect();
    description.check_program(&domain.name, None, &segments)?;
    let is_central = at == description.central;
    let grants = placement.grants.iter().map(|grant| Grant {
        region: number(grant.region),
        address: grant.window_address,
        first_capability: grant.first_capability,
        writable: grant.writable,
    });
    let window = placement.window.map(|window| Window { address: window.address, bytes: window.bytes });
    Ok(ProtectionDomain {
        name: domain.name.clone(),
        priority: domain.priority,
        entry: program.entry,
        stack_bytes: domain.stack_bytes,
        segments: program.segments,
        maps: maps(domain),
        grants: if is_central { grants.collect() } else { Vec::new() },
        window: window.filter(|_| is_central),
        restarts: description.restarts[at],
    })
}

fn maps(domain: &Domain) -> Vec<Map> {
    let map = |map: &ferry_description::Map| {
        let rights = rights(map.permissions)?;
        Some(Map { region: number(map.region), address: map.address, rights })
    };
    domain.maps.iter().filter_map(map).collect()
}

/// The rights of a map. None for one that may not be used at all, which nothing has to be built for.
const fn rights(permissions: Permissions) -> Option<Rights> {
    match (permissions.read, permissions.write, permissions.execute) {
        (false, false, false) => None,
        (true, false, false) => Some(Rights::Read),
        (_, true, _) => Some(Rights::ReadWrite),
        (_, false, true) => Some(Rights::ReadExecute),
    }
}

/// The words that the description sets in a domain's program.
pub(crate) fn words(description: &Description, at: usize) -> Words {
    let system = &description.system;
    let of_maps = system.domains[at].maps.iter().flat_map(|map| {
        let region = &system.regions[map.region];
        [
            (&map.setvar_address, map.address),
            (&map.setvar_size, region.bytes),
            (&map.setvar_prefill_size, region.prefill_bytes),
        ]
    });
    let ends = system.channels.iter().flat_map(|channel| &channel.ends).filter(|end| end.domain == at);
    let of_channels = ends.map(|end| (&end.setvar_id, u64::from(end.id)));
    of_maps.chain(of_channels).filter_map(|(symbol, value)| Some((symbol.clone()?, value))).collect()
}

/// A position as the compiled system writes it. There are far fewer of everything than 2^32.
fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
