//! Reads an image of the classic platform back, and compares it with the description that it is said to be
//! built from. The image is untrusted: whatever it contains, the result is an error or a list of differences.
//!
//! ```text
//! image = the initialiser's ELF file + one segment with the compiled system + the words that say where
//! ```

use crate::error::ImageError;
use crate::pack::{PackError, pack};
use crate::system::{contents, words};
use crate::{Prefill, ProgramError, program};
use ferry_classic_places::slots::FIRST_FRAME;
use ferry_classic_spec::{
    Blob, Contradiction, DecodeError, Payload, ProtectionDomain, Rights, Segment, System, check, decode,
    encode,
};
use ferry_description::{
    Compared, Description, Difference, Domain, Found, FoundDomain, FoundFrame, FoundPage, FoundSegment,
    FoundSignal, Frame, Permissions, sequential,
};
use object::LittleEndian as LE;
use object::elf::{FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

/// Why an image cannot be compared.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the text of each variant says what it and its fields mean")]
pub enum InspectError {
    #[error(
        "the image is not an ELF file: {0}; name the file that `ferry image` wrote for the classic platform"
    )]
    Elf(object::read::Error),
    #[error("{0}")]
    Decode(#[from] DecodeError),
    #[error("the image contradicts itself: {}: {}; build it again", .0.place, .0.problem)]
    Contradiction(Contradiction),
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Compares an image with a description. `initialiser`, `program` and `prefills` are those of the builder.
pub fn inspect(
    description: &Description,
    image: &[u8],
    initialiser: &[u8],
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
    prefills: &[Prefill],
) -> Result<(Vec<Difference>, Compared), InspectError> {
    let compiled = compiled(image)?;
    let (system, payload) = decode(compiled)?;
    check(&system, payload).map_err(InspectError::Contradiction)?;
    let found = found(&system, payload, description);
    let placement = description.place(&mut sequential(FIRST_FRAME));
    let wanted = |number: usize| wanted_program(description, number, program);
    let mut filled = vec![(description.config_region, placement.config.clone())];
    for (number, region) in description.system.regions.iter().enumerate() {
        let contents = contents(region, prefills)?;
        filled.extend(contents.filter(|_| number != description.config_region).map(|bytes| (number, bytes)));
    }
    let (mut differences, compared) = description.differences(&found, &placement, &filled, &wanted)?;
    for (number, domain) in description.system.domains.iter().enumerate() {
        let Some(found) = system.domains.iter().find(|found| found.name == domain.name) else { continue };
        if found.entry != entry(description, number, program)? {
            let what = format!("it begins at {:#x}", found.entry);
            differences.push(Difference::Program { domain: domain.name.clone(), what });
        }
    }
    if !is_packed(image, initialiser, compiled)? {
        let (domain, what) = ("the initialiser".into(), "a byte of it differs".into());
        differences.push(Difference::Program { domain, what });
    }
    Ok((differences, compared))
}

/// The compiled system: the last of the image's segments.
fn compiled(image: &[u8]) -> Result<&[u8], InspectError> {
    let elf = FileHeader64::<LE>::parse(image).map_err(InspectError::Elf)?;
    let headers = elf.program_headers(LE, image).map_err(InspectError::Elf)?;
    let last = headers.iter().rfind(|header| header.p_type(LE) == PT_LOAD);
    let data = last.and_then(|header| header.data(LE, image).ok());
    Ok(data.ok_or(DecodeError::Magic)?)
}

/// Whether the image is the initialiser with this system, and nothing else.
fn is_packed(image: &[u8], initialiser: &[u8], compiled: &[u8]) -> Result<bool, InspectError> {
    let packed = pack(initialiser, compiled).map_err(|error: PackError| ImageError::Pack(error))?;
    Ok(packed == image)
}

/// What the system gives to each domain.
fn found(system: &System, payload: &[u8], description: &Description) -> Found {
    let domains = (0_u32..).zip(&system.domains);
    let domains = domains.map(|(number, domain)| FoundDomain {
        name: domain.name.clone(),
        priority: domain.priority,
        pages: pages(system, domain),
        frames: frames(system, domain),
        signals: signals(system, number),
        program: segments(&domain.segments, payload),
        others: others(system, number, description),
    });
    let mut fills = Vec::new();
    for (number, region) in system.regions.iter().enumerate() {
        let contents = region.prefill.and_then(|blob| bytes_of(blob, payload)).unwrap_or_default();
        let pages = (0..region.frames).zip(contents.chunks(1 << region.frame_bits));
        fills.extend(pages.map(|(page, bytes)| (frame(number, page, region.frame_bits), bytes.to_vec())));
    }
    Found { domains: domains.collect(), fills }
}

/// The identity of a frame: the region, and the page in it. The initialiser makes each region of memory of
/// its own.
fn frame(region: usize, page: u32, bits: u8) -> Frame {
    Frame { number: (region as u64) << 32 | u64::from(page), bits }
}

fn pages(system: &System, domain: &ProtectionDomain) -> Vec<FoundPage> {
    let mut pages = Vec::new();
    for map in &domain.maps {
        // The check has refused numbers of regions that do not exist.
        let region = &system.regions[map.region as usize];
        let permissions = permissions(map.rights);
        pages.extend((0..region.frames).map(|page| FoundPage {
            address: map.address + (u64::from(page) << region.frame_bits),
            frame: frame(map.region as usize, page, region.frame_bits),
            permissions,
        }));
    }
    pages
}

fn frames(system: &System, domain: &ProtectionDomain) -> Vec<FoundFrame> {
    let mut frames = Vec::new();
    for grant in &domain.grants {
        let region = &system.regions[grant.region as usize];
        let permissions = if grant.writable { Permissions::READ_WRITE } else { Permissions::READ };
        frames.extend((0..region.frames).map(|page| FoundFrame {
            capability: grant.first_capability + u64::from(page),
            frame: frame(grant.region as usize, page, region.frame_bits),
            permissions,
        }));
    }
    frames
}

/// Both ends of a channel can signal.
fn signals(system: &System, number: u32) -> Vec<FoundSignal> {
    let mut signals = Vec::new();
    for channel in &system.channels {
        let [a, b] = channel.ends;
        for (end, other) in [(a, b), (b, a)].into_iter().filter(|(end, _)| end.domain == number) {
            let target = system.domains[other.domain as usize].name.clone();
            signals.push(FoundSignal { id: end.id, target, target_id: other.id, is_call: false });
        }
    }
    signals
}

/// The timer, and ranges in which a domain can map: what is not central's, or not as the description has it.
fn others(system: &System, number: u32, description: &Description) -> Vec<String> {
    let domain = &system.domains[number as usize];
    let mut others = Vec::new();
    let ticker = description.tick.as_ref().map(|tick| &description.system.domains[tick.domain].name);
    if let Some(tick) = system.tick.filter(|tick| tick.domain == number) {
        let period = description.tick.as_ref().map(|wanted| wanted.period_us);
        if ticker != Some(&domain.name) || period != Some(tick.period_us) {
            others.push(format!("the timer's interrupt, each {} us", tick.period_us));
        }
    }
    let central = &description.system.domains[description.central].name;
    let placement = description.place(&mut sequential(FIRST_FRAME));
    let wanted = placement.window.filter(|_| domain.name == *central);
    if let Some(window) = domain.window
        && wanted.is_none_or(|wanted| (wanted.address, wanted.bytes) != (window.address, window.bytes))
    {
        others.push(format!("page tables at {:#x} for {:#x} bytes", window.address, window.bytes));
    }
    others
}

fn segments(segments: &[Segment], payload: &[u8]) -> Vec<FoundSegment> {
    let segment = |segment: &Segment| FoundSegment {
        address: segment.address,
        bytes: segment.memory_bytes,
        permissions: permissions(segment.rights),
        contents: bytes_of(segment.data, payload).unwrap_or_default().to_vec(),
    };
    segments.iter().map(segment).collect()
}

fn bytes_of(blob: Blob, payload: &[u8]) -> Option<&[u8]> {
    let start = usize::try_from(blob.offset).ok()?;
    payload.get(start..start.checked_add(usize::try_from(blob.bytes).ok()?)?)
}

const fn permissions(rights: Rights) -> Permissions {
    Permissions { read: true, write: rights.writable(), execute: rights.executable() }
}

/// The program as the builder would load it.
fn wanted_program(
    description: &Description,
    number: usize,
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
) -> Result<Vec<FoundSegment>, ImageError> {
    let mut payload = Payload::new();
    let loaded = load(description, number, program, &mut payload)?;
    let nothing = System { domains: Vec::new(), regions: Vec::new(), channels: Vec::new(), tick: None };
    let encoded = encode(&nothing, &payload);
    let payload = decode(&encoded).map(|(_, payload)| payload).unwrap_or_default();
    Ok(segments(&loaded.segments, payload))
}

fn entry(
    description: &Description,
    number: usize,
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
) -> Result<u64, ImageError> {
    Ok(load(description, number, program, &mut Payload::new())?.entry)
}

fn load(
    description: &Description,
    number: usize,
    program: &dyn Fn(&Domain) -> Result<Vec<u8>, ProgramError>,
    payload: &mut Payload,
) -> Result<program::Program, ImageError> {
    let domain = &description.system.domains[number];
    let bytes = program(domain).map_err(ImageError::Program)?;
    program::load(&domain.name, &bytes, &words(description, number), payload)
}
