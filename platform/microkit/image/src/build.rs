//! The whole way from a description to an image.

use std::path::Path;

use ferry_description::{CENTRAL, CONFIG_REGION, Description, Placement, Source};
use microkit_tool::capdl::{CapDLSpecContainer, build_capdl_spec};
use microkit_tool::elf::{ElfFile, ElfSegment};
use microkit_tool::sdf::{self, SystemDescription};
use microkit_tool::symbols::patch_symbols;

use crate::contents::Contents;
use crate::error::Error;
use crate::objects::{self, Named};
use crate::pack::IMAGE;
use crate::programs::Programs;
use crate::sdk::Target;
use crate::specification::Specification;
use crate::supervision::{SUPERVISOR, SYMBOL, Supervised};
use crate::{Arguments, grants, inspect, narrow, pack, restarts, stacks, window};

/// Slots of the initialiser's `CNode` that are needed besides those of objects and mappings: its own, and
/// those of what it derives for threads.
const SPARE_SLOTS: usize = 4096;

/// How often addresses of regions are chosen anew. Each choice can make the specification larger, and so move
/// what is free; in practice the first choice stands.
const ROUNDS: usize = 5;

/// What an image is made from, besides Microkit's own form of the description and the programs.
struct Plan<'a> {
    target: &'a Target,
    description: &'a Description,
    supervised: &'a Supervised,
    placement: &'a Placement,
    contents: &'a [Contents],
    root_slot: u32,
}

/// Everything that an image is made of, and that it is compared with.
pub(crate) struct Specified {
    /// The description, with the priorities that a test asks for.
    pub(crate) description: Description,
    pub(crate) placement: Placement,
    /// What fills regions, by their numbers.
    pub(crate) filled: Vec<(usize, Vec<u8>)>,
    /// The programs as they are packed, each with the name of its domain.
    pub(crate) programs: Vec<(String, ElfFile)>,
    /// The objects of the specification.
    pub(crate) objects: Vec<Named>,
}

/// Builds the image of a system, and reads it back. An image that is not what it should be does not stay.
pub(crate) fn system(target: &Target, arguments: &Arguments, output: &Path) -> Result<(), Error> {
    let specified = write(target, arguments, output)?;
    let image = output.join(IMAGE);
    match inspect::file(target, &specified, &image, None)? {
        Ok(compared) => println!("{compared}"),
        Err(lines) => {
            std::fs::remove_file(&image).map_err(Error::file("remove", &image))?;
            return Err(Error::Differs(lines.join("\n  ")));
        }
    }
    Ok(())
}

/// Reads the image back that the arguments name, after a build of its own into the output directory. Without
/// differences it prints what was compared, else each difference in a line.
pub(crate) fn inspection(
    target: &Target,
    arguments: &Arguments,
    image: &Path,
    output: &Path,
) -> Result<bool, Error> {
    let specified = write(target, arguments, output)?;
    let compared = inspect::file(target, &specified, image, Some(&output.join(IMAGE)))?;
    match &compared {
        Ok(compared) => println!("{compared}"),
        Err(lines) => println!("{}", lines.join("\n")),
    }
    Ok(compared.is_ok())
}

/// Writes the image of a system.
fn write(target: &Target, arguments: &Arguments, output: &Path) -> Result<Specified, Error> {
    let mut contents = arguments.prefills.iter().map(Contents::read).collect::<Result<Vec<_>, _>>()?;
    let grown: Vec<_> =
        contents.iter().map(|prefilled| (prefilled.region.as_str(), prefilled.bytes.len() as u64)).collect();
    let source = Source::read(&arguments.system)?;
    let mut description = Description::check(&source, &Source::read(&arguments.flows)?, &grown)?;
    description.check_for(&target.rules())?;
    let programs = Programs::of(arguments);

    let supervised = supervise(target, &source, &description, &programs, arguments)?;
    let mut system = read_supervised(target, arguments, &source, &supervised, output)?;
    let root_slot = grants::root_slot(&system)?;
    let placement = description.place(&mut grants::capability_pointers(root_slot));
    contents.push(Contents { region: CONFIG_REGION.into(), bytes: placement.config.clone() });
    adapt(&mut system, &description, &placement, &contents)?;
    for priority in &arguments.priorities {
        priority.apply(&mut system, &mut description)?;
    }

    let programs = load(target, &system, &programs)?;
    for (domain, program) in system.protection_domains.iter().zip(&programs) {
        let segments = program.loadable_segments();
        let occupied =
            |segment: &&ElfSegment| segment.virt_addr..segment.virt_addr.saturating_add(segment.mem_size());
        description.check_program(&domain.name, None, &segments.iter().map(occupied).collect::<Vec<_>>())?;
    }
    let plan = Plan {
        target,
        description: &description,
        supervised: &supervised,
        placement: &placement,
        contents: &contents,
        root_slot,
    };
    for _ in 0..ROUNDS {
        let mut programs = programs.clone();
        let specification = plan.specify(&mut system, &mut programs)?;
        let objects = objects::of(&specification, &programs)?;
        if pack::system(target, specification, &programs, &mut system.memory_regions, output)? {
            let filled = filled(&description, &system, &contents);
            // The monitor's program is the last, and it is of no domain.
            let names = system.protection_domains.iter().map(|domain| domain.name.clone());
            let programs = names.zip(programs).collect();
            return Ok(Specified { description, placement, filled, programs, objects });
        }
    }
    Err(Error::NoAddresses)
}

impl Plan<'_> {
    /// The whole specification. Symbols of the programs are set.
    fn specify(
        &self,
        system: &mut SystemDescription,
        programs: &mut [ElfFile],
    ) -> Result<CapDLSpecContainer, Error> {
        let (kernel, description, placement) = (&self.target.kernel, self.description, self.placement);
        // Symbols may ask for the size of the contents. The contents themselves are filled in below.
        self.contents.iter().for_each(|contents| contents.declare(system));
        patch_symbols(kernel, programs, system).map_err(Error::Refused)?;
        self.contents.iter().for_each(|contents| contents.withdraw(system));
        for (domain, program) in system.protection_domains.iter().zip(&mut *programs) {
            if domain.name == SUPERVISOR {
                self.supervised.patch(program)?;
            }
        }
        let container = build_capdl_spec(kernel, programs, system).map_err(Error::Refused)?;
        let mut specification = Specification::new(container, kernel);
        narrow::all(&mut specification, system)?;
        stacks::check(&specification, system)?;
        grants::add(&mut specification, description, placement, self.root_slot)?;
        window::add(&mut specification, placement)?;
        restarts::add(&mut specification, description, system, self.supervised, programs)?;
        for prefilled in self.contents {
            prefilled.fill(&mut specification)?;
        }
        check_size(&specification, system)?;
        Ok(specification.finish())
    }
}

/// What fills each region: what the caller says, else the file that the description names.
fn filled(
    description: &Description,
    system: &SystemDescription,
    contents: &[Contents],
) -> Vec<(usize, Vec<u8>)> {
    let of_region = |(number, region): (usize, &ferry_description::Region)| {
        let given =
            contents.iter().find(|given| given.region == region.name).map(|given| given.bytes.clone());
        let described = system.memory_regions.iter().find(|described| described.name == region.name);
        let bytes = given.or_else(|| described.and_then(|described| described.prefill_bytes.clone()))?;
        Some((number, bytes))
    };
    description.system.regions.iter().enumerate().filter_map(of_region).collect()
}

/// Adds the supervisor to the description. Programs that can call it get a channel to it.
fn supervise(
    target: &Target,
    source: &Source,
    description: &Description,
    programs: &Programs<'_>,
    arguments: &Arguments,
) -> Result<Supervised, Error> {
    let mut users = Vec::new();
    let callers = if arguments.product { &[] } else { description.system.domains.as_slice() };
    for domain in callers {
        let program = programs.load(&domain.name, Path::new(&domain.program), None)?;
        if program.find_symbol(SYMBOL).is_ok() {
            users.push(domain.name.as_str());
        }
    }
    let supervised = Supervised::new(source.text(), target.board, |name| users.contains(&name))?;
    if let Some(why) = supervised.silent {
        eprintln!("note: Ferry prints nothing, not even faults: {}", why.of(source.path(), target.board));
    }
    let path = arguments.output.join("system.xml");
    std::fs::write(&path, &supervised.xml).map_err(Error::file("write", &path))?;
    Ok(supervised)
}

/// Has Microkit read the description twice: as it is, so that messages are about the user's file, and with
/// the supervisor.
fn read_supervised(
    target: &Target,
    arguments: &Arguments,
    source: &Source,
    supervised: &Supervised,
    output: &Path,
) -> Result<SystemDescription, Error> {
    let search_paths = [source.directories(), &arguments.search_paths].concat();
    sdf::parse(source.path(), source.text(), &target.kernel, &search_paths).map_err(Error::Refused)?;
    let path = output.join("system.xml");
    sdf::parse(&path, &supervised.xml, &target.kernel, &search_paths)
        .map_err(|cause| Error::SupervisedRefused { path, cause })
}

/// Applies what is not in `system.xml`: frame sizes and sizes of prefilled regions.
fn adapt(
    system: &mut SystemDescription,
    description: &Description,
    placement: &Placement,
    contents: &[Contents],
) -> Result<(), Error> {
    for prefilled in contents {
        let region = description.system.regions.iter().find(|region| region.name == prefilled.region);
        let region = region.ok_or_else(|| Error::NoRegionToFill(prefilled.region.clone()))?;
        prefilled.enlarge(region.bytes, system)?;
    }
    for grant in &placement.grants {
        let name = &description.system.regions[grant.region].name;
        for region in system.memory_regions.iter_mut().filter(|region| region.name == *name) {
            region.page_size = (1_u64 << grant.buffer.frame_bits).into();
            region.page_count = grant.buffer.frames();
        }
    }
    Ok(())
}

/// The programs in the order of the domains, and the monitor's last, as the library wants them.
fn load(target: &Target, system: &SystemDescription, programs: &Programs<'_>) -> Result<Vec<ElfFile>, Error> {
    let mut loaded = Vec::new();
    for domain in &system.protection_domains {
        let symbols = domain.program_image_for_symbols.as_deref();
        loaded.push(programs.load(&domain.name, &domain.program_image, symbols)?);
    }
    loaded.push(target.program("monitor.elf")?);
    Ok(loaded)
}

/// Refuses a system that does not fit in the initialiser's `CNode`. The initialiser would panic, in the
/// release configuration without a word.
fn check_size(specification: &Specification<'_>, system: &SystemDescription) -> Result<(), Error> {
    let needed = specification.objects() + specification.mapped_frames() + SPARE_SLOTS;
    let limit = 1 << specification.kernel.init_cnode_bits;
    if needed <= limit {
        return Ok(());
    }
    let largest = system.memory_regions.iter().max_by_key(|region| region.page_count);
    let (largest, frames) =
        largest.map_or((CENTRAL.into(), 0), |region| (region.name.clone(), region.page_count));
    Err(Error::TooManyObjects { needed, limit, largest, frames })
}
