//! Where a fault happened, in the words of the source: function, file and line, from the program's own debug
//! information.

use crate::built::Built;
use crate::console::{self, Line};
use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, Error as DwarfError, LittleEndian, SectionId};
use ferry_description::{Description, Domain};
use object::{Object, ObjectSection};
use std::path::PathBuf;

/// The programs of a system.
pub(crate) struct Symbols {
    /// The name of each protection domain, and its program.
    programs: Vec<(String, PathBuf)>,
}

impl Symbols {
    /// The programs of these protection domains.
    pub(crate) fn new(built: &Built, description: &Description) -> Self {
        let domains = description.system.domains.iter();
        let program = |domain: &Domain| Some((String::clone(&domain.name), built.program_path(domain).ok()?));
        Self { programs: domains.filter_map(program).collect() }
    }

    /// If the line reports a fault: where in the source that is. `None` if the program does not say.
    pub(crate) fn place(&self, line: &str) -> Option<String> {
        let Line::Fault { domain, .. } = Line::of(line) else { return None };
        let address = console::word(line, "instruction")?.strip_prefix("0x")?;
        let address = u64::from_str_radix(address, 16).ok()?;
        let (_, program) = self.programs.iter().find(|(name, _)| name == domain)?;
        let places = places(&std::fs::read(program).ok()?, address).ok()?;
        (!places.is_empty()).then(|| format!("  {}", places.join("\n  ")))
    }
}

/// The function of an address with its file and line, and the functions that it is inlined into.
fn places(program: &[u8], address: u64) -> Result<Vec<String>, DwarfError> {
    let file = object::File::parse(program).map_err(|_| DwarfError::MissingUnitDie)?;
    // All boards are little-endian.
    let section = |id: SectionId| {
        let section = file.section_by_name(id.name());
        let data = section.and_then(|section| section.data().ok()).unwrap_or_default();
        Ok::<_, DwarfError>(EndianSlice::new(data, LittleEndian))
    };
    let context = Context::from_dwarf(Dwarf::load(section)?)?;
    let mut frames = context.find_frames(address).skip_all_loads()?;
    let mut places = Vec::new();
    while let Some(frame) = frames.next()? {
        let Some(location) = frame.location else { continue };
        let (Some(file), Some(line)) = (location.file, location.line) else { continue };
        let function = frame.function.as_ref().and_then(|function| function.demangle().ok());
        places.push(format!("at {file}:{line}, in {}", function.as_deref().unwrap_or("an unnamed function")));
    }
    Ok(places)
}
