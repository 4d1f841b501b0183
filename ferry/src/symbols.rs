//! Where a fault happened, in the words of the source: function, file and line, from the program's own debug
//! information.

use crate::built::Built;
use crate::console::{self, Line};
use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, Error as DwarfError, LittleEndian, SectionId};
use ferry_description::{Description, Domain};
use object::{Object, ObjectSection, SectionKind};
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

    /// If the line reports a fault: where in the source that is, a line for each function. None if the
    /// program does not say, or if the report has no instruction, as that of a panic.
    pub(crate) fn places(&self, line: &str) -> Vec<String> {
        self.found(line).unwrap_or_default()
    }

    fn found(&self, line: &str) -> Option<Vec<String>> {
        let Line::Fault { domain, .. } = Line::of(line) else { return None };
        let address = console::word(line, "instruction")?.strip_prefix("0x")?;
        let address = u64::from_str_radix(address, 16).ok()?;
        let (_, program) = self.programs.iter().find(|(name, _)| name == domain)?;
        places(&std::fs::read(program).ok()?, address).ok()
    }
}

/// The function of an address with its file and line, and the functions that it is inlined into.
fn places(program: &[u8], address: u64) -> Result<Vec<String>, DwarfError> {
    let file = object::File::parse(program).map_err(|_| DwarfError::MissingUnitDie)?;
    // Debug information keeps functions that the linker has dropped, at address 0.
    let holds = |section: &object::Section<'_, '_>| {
        section.kind() == SectionKind::Text && address.wrapping_sub(section.address()) < section.size()
    };
    if !file.sections().any(|section| holds(&section)) {
        return Ok(Vec::new());
    }
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
        places
            .push(format!("  at {file}:{line}, in {}", function.as_deref().unwrap_or("an unnamed function")));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::Symbols;
    use object::{Object, ObjectSymbol};

    /// The line on which the function after it begins.
    const LANDS_HERE: u32 = line!() + 3;
    /// A function with a place of its own in this test's program, into which another one is inlined.
    #[inline(never)]
    fn lands_here(number: usize) -> usize {
        std::hint::black_box(number) + 1
    }

    /// What is said of a fault of this test's program at the instruction.
    fn places(kind: &str, instruction: u64) -> Vec<String> {
        let programs = vec![("alpha".to_owned(), std::env::current_exe().unwrap())];
        let line = format!("ferry: fault domain=alpha kind={kind} address=0x0 instruction={instruction:#x}");
        Symbols { programs }.places(&line)
    }

    #[test]
    fn a_fault_is_placed_at_its_instruction() {
        assert_eq!(lands_here(1), 2);
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let file = object::File::parse(program.as_slice()).unwrap();
        let is_meant =
            |symbol: &object::Symbol<'_, '_>| symbol.name().is_ok_and(|n| n.contains("lands_here"));
        let places = places("read", file.symbols().find(is_meant).unwrap().address());
        let [place] = places.as_slice() else { panic!("{places:?}") };
        let line = file!().len() + place.find(file!()).expect("it names this file");
        assert!(
            place.starts_with("  at ") && place[line..].starts_with(&format!(":{LANDS_HERE}, in ")),
            "{place}"
        );
    }

    #[test]
    fn a_panic_and_a_jump_to_nowhere_have_no_place() {
        assert_eq!(places("panic", 0), Vec::<String>::new());
        assert_eq!(places("execute", 0), Vec::<String>::new());
    }
}
