//! What the supervisor needs to start a domain again: the writable parts of its program, mapped read-write
//! into the supervisor, and their initial contents, mapped read-only.
//!
//! This is done only for domains that the description wants started again. The supervisor sees no memory of
//! the others.

use std::path::Path;

use ferry_description::Description;
use microkit_tool::capdl::FrameFill;
use microkit_tool::capdl::spec::{BytesContent, FillContent};
use microkit_tool::elf::{ElfFile, ElfSegment};
use microkit_tool::sdf::SystemDescription;
use sel4_capdl_initializer_types::{FillEntry, FillEntryContent, Object, object};

use crate::error::Error;
use crate::specification::{Specification, frame_capability};
use crate::supervision::{LIMIT, SUPERVISOR, Supervised};
use crate::tables::{self, SMALL_BITS};

/// Bytes of a small frame.
const FRAME: u64 = 1 << SMALL_BITS;
/// Where the parts lie in the supervisor, one after the other; far from its own program and devices.
const FIRST_ADDRESS: u64 = 0x10_0000_0000;

/// The tables of the supervisor's module `restart`.
struct Tables {
    restarts: Vec<[u64; 3]>,
    parts: Vec<[u64; 5]>,
    /// The next address that is free in the supervisor.
    next: u64,
}

/// Adds all of this, and writes the tables into the supervisor's program. `programs` are in the order of the
/// system's domains.
pub(crate) fn add(
    specification: &mut Specification<'_>,
    description: &Description,
    system: &SystemDescription,
    supervised: &Supervised,
    programs: &mut [ElfFile],
) -> Result<(), Error> {
    let mut tables = Tables { restarts: vec![[0; 3]; LIMIT], parts: vec![], next: FIRST_ADDRESS };
    for (domain, restarts) in description.system.domains.iter().zip(&description.restarts) {
        let place = system.protection_domains.iter().position(|other| other.name == domain.name);
        let Some(place) = place.filter(|_| *restarts != 0) else { continue };
        let Some(number) =
            supervised.child(&domain.name).filter(|_| !system.protection_domains[place].passive)
        else {
            eprintln!(
                "note: `{}` is passive or has a parent in the description, so Ferry does not start it again when it fails",
                domain.name
            );
            continue;
        };
        tables.add(specification, &domain.name, number, *restarts, &programs[place])?;
    }
    if tables.parts.len() > LIMIT {
        return Err(Error::TooManyParts { found: tables.parts.len(), limit: LIMIT });
    }
    tables.parts.resize(LIMIT, [0; 5]);
    for (domain, program) in system.protection_domains.iter().zip(programs) {
        if domain.name == SUPERVISOR {
            let bytes = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
            let written = program
                .write_symbol("ferry_restarts", &bytes(tables.restarts.as_flattened()))
                .and_then(|()| program.write_symbol("ferry_parts", &bytes(tables.parts.as_flattened())));
            written.map_err(|cause| Error::Program { path: Path::new(SUPERVISOR).into(), cause })?;
        }
    }
    Ok(())
}

impl Tables {
    fn add(
        &mut self,
        specification: &mut Specification<'_>,
        name: &str,
        number: usize,
        restarts: u8,
        program: &ElfFile,
    ) -> Result<(), Error> {
        let thread = specification.find(&format!("tcb_{name}"))?;
        let stack = match specification.object_mut(thread) {
            Object::Tcb(thread) => thread.extra.sp.0,
            _ => return Err(Error::NoObject(format!("tcb_{name}"))),
        };
        self.restarts[number] = [restarts.into(), program.entry, stack];
        // Microkit numbers the frames of all segments consecutively.
        let mut first = 0;
        for segment in program.loadable_segments() {
            if segment.data().is_empty() {
                continue;
            }
            let begin = segment.virt_addr % FRAME;
            let frames = (begin + segment.mem_size()).div_ceil(FRAME);
            if segment.is_writable() {
                let mapped = self.next;
                for frame in 0..frames {
                    let frame = specification.find(&format!("frame_elf_{name}_{:09}", first + frame))?;
                    tables::map(specification, SUPERVISOR, self.next, frame_capability(frame, true))?;
                    self.next += FRAME;
                }
                let (filled, initial) = self.add_initial_contents(specification, name, segment)?;
                self.parts.push([number as u64 + 1, mapped + begin, segment.mem_size(), initial, filled]);
            }
            first += frames;
        }
        Ok(())
    }

    /// Adds frames with the initial contents of a segment. Returns how many bytes that is, and where they lie
    /// in the supervisor.
    fn add_initial_contents(
        &mut self,
        specification: &mut Specification<'_>,
        name: &str,
        segment: &ElfSegment,
    ) -> Result<(u64, u64), Error> {
        let filled = segment.data().iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let initial = self.next;
        for bytes in segment.data()[..filled].chunks(1 << SMALL_BITS) {
            let content = FillContent::BytesContent(BytesContent { bytes: bytes.to_vec() });
            let entry = FillEntry { range: 0..bytes.len() as u64, content: FillEntryContent::Data(content) };
            let frame = Object::Frame(object::Frame {
                size_bits: u8::try_from(SMALL_BITS).unwrap_or(u8::MAX),
                paddr: None,
                init: FrameFill { entries: vec![entry] },
            });
            let frame = specification.add(format!("frame_initial_{name}_{:#x}", self.next), frame);
            tables::map(specification, SUPERVISOR, self.next, frame_capability(frame, false))?;
            self.next += FRAME;
        }
        Ok((filled as u64, initial))
    }
}
