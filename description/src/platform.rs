//! What a platform can do of all that a description may say. The rules of [`Description::check`] hold
//! everywhere. A platform that lacks something refuses it with [`Description::check_for`], before anything is
//! built, and with the same kind of message.

mod memory;

use crate::description::Description;
use crate::device::Line;
use crate::limits::PAGE_BYTES;
use crate::map::Map;
use crate::mistake::{Mistake, Mistakes};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Place;
use crate::system::Domain;
use std::ops::{Range, RangeInclusive};

/// A platform, or a board of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Platform {
    /// What messages call it.
    pub name: &'static str,
    /// Those of [`System::extras`](crate::System::extras) that it has.
    pub extras: &'static [&'static str],
    /// The interrupts that it has.
    pub interrupts: Interrupts,
    /// Highest priority of a protection domain.
    pub highest_priority: u8,
    /// Number of processor cores.
    pub cores: u8,
    /// Periods of the tick that its timer can count, in microseconds.
    pub periods_us: RangeInclusive<u32>,
    /// The lowest address at which a region can be mapped.
    pub lowest_address: u64,
    /// What lies above the maps of a domain.
    pub top: Top,
    /// Whether the image builder can choose the physical address of a region, because it knows the board's
    /// memory.
    pub chooses_addresses: bool,
    /// The physical addresses that a region can have. Others are the kernel's, or no board's.
    pub physical: &'static [Range<u64>],
    /// Bytes of memory for regions, stacks, and what fills them.
    pub memory_bytes: u64,
    /// How many frames the initialiser can make and map. It needs a slot of its CNode for each.
    pub frames: u64,
    /// Whether memory can be written and executed at the same time.
    pub writable_code: bool,
}

/// The interrupts of a board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupts {
    /// By their numbers, as on ARM.
    Numbers {
        /// The highest number.
        highest: u64,
        /// Those that the kernel keeps to itself.
        of_kernel: &'static [u64],
    },
    /// By pins of I/O APICs, and as messages, as on a PC.
    Pins {
        /// How many I/O APICs there are.
        controllers: u64,
        /// How many pins each has.
        pins: u64,
    },
}

impl Interrupts {
    /// Those of an emulated PC, and of nearly all others. Kernels are built for one I/O APIC.
    pub const PC: Self = Self::Pins { controllers: 1, pins: 24 };
}

/// Where the addresses end at which regions can be mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Top {
    /// The same for every domain.
    Fixed(u64),
    /// Below the domain's stack, which ends here, and below the page on which an overflow of it faults.
    Stack(u64),
}

impl Platform {
    /// seL4's classic kernel on a PC.
    pub const CLASSIC: Self = Self {
        name: "the classic platform",
        extras: &[],
        interrupts: Interrupts::PC,
        // The initialiser has those above.
        highest_priority: 253,
        cores: 1,
        // What the PC's interval timer counts.
        periods_us: 1_000..=54_000,
        lowest_address: PAGE_BYTES,
        top: Top::Fixed(0x7fff_0000_0000),
        chooses_addresses: false,
        physical: &[],
        memory_bytes: Self::memory_of_board(512),
        frames: Self::FRAMES_OF_KERNEL,
        writable_code: false,
    };

    /// Processes of Linux.
    pub const HOSTED: Self = Self {
        name: "the hosted platform",
        extras: &[],
        interrupts: Interrupts::PC,
        highest_priority: 254,
        cores: 1,
        periods_us: 1..=u32::MAX,
        // Linux maps nothing below. Above the other limit it places programs, heaps and stacks.
        lowest_address: 0x1_0000,
        top: Top::Fixed(0x5000_0000_0000),
        chooses_addresses: false,
        physical: &[],
        // Linux gives memory to what is written, not to what is reserved. A file could have 2^63 bytes. No
        // system needs a TiB, and its page tables alone would have 2 GiB.
        memory_bytes: 1 << 40,
        frames: u64::MAX,
        writable_code: true,
    };

    /// The slots of the initialiser's CNode (`CONFIG_ROOT_CNODE_SIZE_BITS` is 17 for all kernels that Ferry
    /// uses), less those for its own pages, page tables, threads and `CNodes`. An eighth is more than they
    /// need in any system of 62 domains.
    pub const FRAMES_OF_KERNEL: u64 = (1 << 17) - (1 << 14);

    /// What a board with this much memory has for [`memory_bytes`](Self::memory_bytes). 64 MiB are for the
    /// kernel, the initialiser, the programs, kernel objects, and what is lost to alignment. They need less
    /// than half of it.
    #[must_use]
    pub const fn memory_of_board(mebibytes: u64) -> u64 {
        (mebibytes - 64) << 20
    }

    /// Whether it has an extra. Kernels for several cores have no schedule of domains.
    fn offers(&self, extra: &str) -> bool {
        let is_schedule = matches!(extra, "domain" | "domains");
        self.extras.contains(&extra) && (self.cores == 1 || !is_schedule)
    }

    fn limit(&self, domain: &Domain) -> u64 {
        match self.top {
            Top::Fixed(limit) => limit,
            Top::Stack(end) => end.saturating_sub(domain.stack_bytes).saturating_sub(PAGE_BYTES),
        }
    }
}

impl Description {
    /// Refuses what this platform cannot do, all of it at once.
    pub fn check_for(&self, platform: &Platform) -> Result<(), Mistakes> {
        let mut mistakes = Vec::new();
        let mut report = |place: &Place, problem| mistakes.push(Mistake { place: place.clone(), problem });
        let name = platform.name;
        for extra in &self.system.extras {
            if !platform.offers(&extra.name) {
                report(
                    &extra.place,
                    Problem::NotOnPlatform { what: format!("`{}`", extra.name), platform: name },
                );
            }
        }
        self.addresses_for(platform, &mut report);
        self.memory_for(platform, &mut report);
        for machine in &self.system.machines {
            for core in machine.cores.iter().copied().filter(|core| *core >= platform.cores) {
                report(&machine.place, Problem::PlatformCore { core, cores: platform.cores, platform: name });
            }
        }
        for domain in &self.system.domains {
            if domain.priority > platform.highest_priority {
                let (priority, highest) = (domain.priority, platform.highest_priority);
                report(&domain.place, Problem::PlatformPriority { priority, highest, platform: name });
            }
            if domain.core >= platform.cores {
                let (core, cores) = (domain.core, platform.cores);
                report(&domain.place, Problem::PlatformCore { core, cores, platform: name });
            }
            for interrupt in &domain.interrupts {
                if let Some(problem) = interrupt_for(interrupt.line, platform) {
                    report(&interrupt.place, problem);
                }
            }
            self.maps_for(domain, platform, &mut report);
        }
        if let Some(tick) = self.tick.as_ref().filter(|tick| !platform.periods_us.contains(&tick.period_us)) {
            let (least, most) = (*platform.periods_us.start(), *platform.periods_us.end());
            let period = tick.period_us;
            report(&tick.place, Problem::PlatformPeriod { period, least, most, platform: name });
        }
        if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
    }

    fn addresses_for(&self, platform: &Platform, report: &mut dyn FnMut(&Place, Problem)) {
        // Where `setvar` does not exist, that is mistake enough.
        let is_unable = platform.extras.contains(&"setvar") && !platform.chooses_addresses;
        for (region, place) in self.system.unplaced.iter().filter(|_| is_unable) {
            let region = &self.system.regions[*region];
            let (line, region) = (region.place.line(), region.name.clone());
            report(place, Problem::RegionAddress { region, line, platform: platform.name });
        }
    }

    /// Refuses paths of programs that the platform does not have. `programs` are the names of those that it
    /// has.
    pub fn check_programs(&self, platform: &Platform, programs: &[String]) -> Result<(), Mistakes> {
        let mistake = |domain: &Domain| {
            let sought = domain.binary();
            if programs.iter().any(|name| name == sought) {
                return None;
            }
            let problem = Problem::UnknownProgram {
                program: domain.program.clone(),
                platform: platform.name,
                meant: nearest(sought, programs.iter().map(String::as_str)).map(|name| format!("{name}.elf")),
                known: programs.join(", "),
            };
            Some(Mistake { place: domain.program_place.clone(), problem })
        };
        let mistakes: Vec<Mistake> = self.system.domains.iter().filter_map(mistake).collect();
        if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
    }

    /// Refuses maps over the program of a domain, once the program is known. `segments` are the addresses
    /// that it occupies. `file` is named, if it may be another than the reader expects.
    pub fn check_program(
        &self,
        domain: &str,
        file: Option<&str>,
        segments: &[Range<u64>],
    ) -> Result<(), Mistakes> {
        let number = self.system.domain(domain);
        let maps = number.into_iter().flat_map(|number| &self.system.domains[number].maps);
        let mistake = |map: &Map| {
            let region = &self.system.regions[map.region];
            let start = map.address / PAGE_BYTES * PAGE_BYTES;
            let end = map.address.saturating_add(region.bytes);
            // A damaged file may claim any address.
            let last =
                |segment: &Range<u64>| segment.end.checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX);
            let segment =
                segments.iter().find(|one| start < last(one) && one.start / PAGE_BYTES * PAGE_BYTES < end)?;
            let problem = Problem::MapOverProgram {
                domain: domain.to_owned(),
                file: file.map(|file| format!(" in {file}")).unwrap_or_default(),
                region: region.name.clone(),
                start: segment.start,
                end: segment.end,
            };
            Some(Mistake { place: map.place.clone(), problem })
        };
        let mistakes: Vec<Mistake> = maps.filter_map(mistake).collect();
        if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
    }

    fn maps_for(&self, domain: &Domain, platform: &Platform, report: &mut dyn FnMut(&Place, Problem)) {
        for map in &domain.maps {
            let region = &self.system.regions[map.region];
            let (least, most) = (platform.lowest_address, platform.limit(domain));
            let end = map.address.saturating_add(region.bytes);
            if map.address < least || end > most {
                let (region, platform) = (region.name.clone(), platform.name);
                report(&map.place, Problem::PlatformAddress { region, least, most, platform });
            }
            if map.permissions.write && map.permissions.execute && !platform.writable_code {
                let (region, platform) = (region.name.clone(), platform.name);
                report(&map.place, Problem::WritableCode { region, platform });
            }
        }
    }
}

/// What is wrong with an interrupt on this platform.
fn interrupt_for(line: Line, platform: &Platform) -> Option<Problem> {
    let name = platform.name;
    let absent = |what: &str| Some(Problem::NotOnPlatform { what: what.into(), platform: name });
    let beyond = |what: String, most| Some(Problem::PlatformInterrupt { what, most, platform: name });
    match (line, platform.interrupts) {
        (Line::Number(_), Interrupts::Pins { .. }) => absent("an interrupt with irq"),
        (Line::Pin { .. }, Interrupts::Numbers { .. }) => absent("an interrupt with pin"),
        (Line::Message { .. }, Interrupts::Numbers { .. }) => absent("an interrupt with pcidev"),
        (Line::Number(number), Interrupts::Numbers { highest, .. }) if number > highest => {
            beyond(format!("interrupt {number}"), highest)
        }
        (Line::Number(number), Interrupts::Numbers { of_kernel, .. }) if of_kernel.contains(&number) => {
            Some(Problem::KernelInterrupt { number, platform: name })
        }
        (Line::Pin { ioapic, .. }, Interrupts::Pins { controllers, .. }) if ioapic >= controllers => {
            beyond(format!("I/O APIC {ioapic}"), controllers - 1)
        }
        (Line::Pin { pin, .. }, Interrupts::Pins { pins, .. }) if pin >= pins => {
            beyond(format!("pin {pin} of an I/O APIC"), pins - 1)
        }
        _ => None,
    }
}
