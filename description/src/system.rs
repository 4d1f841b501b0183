//! The contents of `system.xml` as data. Names are resolved to numbers. Nothing is checked yet, except that
//! it can be read.

use crate::device::{Held, Interrupt, IoSpace, Parent, Ports, VirtualMachine};
use crate::limits::{LARGE_PAGE_BYTES, PAGE_BYTES};
use crate::map::Map;
use crate::source::Place;
use std::path::PathBuf;

/// A system description.
#[derive(Clone, Debug)]
pub struct System {
    /// The protection domains in the order of the file, children after their parents. The position of a
    /// domain is its number.
    pub domains: Vec<Domain>,
    /// The memory regions. The position of a region is its number.
    pub regions: Vec<Region>,
    /// The channels.
    pub channels: Vec<Channel>,
    /// The virtual machines.
    pub machines: Vec<VirtualMachine>,
    /// The address spaces of devices.
    pub io_spaces: Vec<IoSpace>,
    /// Elements and attributes that Ferry itself does not need.
    pub extras: Vec<Extra>,
    /// Regions without a physical address of which a program gets the address, and where it asks for it.
    pub unplaced: Vec<(usize, Place)>,
    /// The domain schedule (`<domains>`), if there is one.
    pub schedule: Option<Schedule>,
    /// The whole file, for mistakes about something that is missing in it.
    pub place: Place,
}

/// A protection domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Scheduling priority, 0 to 254; higher runs first.
    pub priority: u8,
    /// Processor time in each period, in microseconds.
    pub budget_us: u64,
    /// Whether it may use floating-point and vector registers (`fpu`).
    pub fpu: bool,
    /// Period in microseconds. If the file states none, it is the budget.
    pub period_us: u64,
    /// Size of the stack in bytes.
    pub stack_bytes: u64,
    /// Number of the processor core that it runs on.
    pub core: u8,
    /// Name of the scheduling domain that it runs in (`domain`).
    pub schedule_domain: Option<String>,
    /// Symbols of its program that the description sets, except those of channels.
    pub symbols: Vec<(String, Place)>,
    /// File name of its program, as the file states it.
    pub program: String,
    /// Where that name is.
    pub program_place: Place,
    /// The regions that are mapped from the start.
    pub maps: Vec<Map>,
    /// Its parent, if it is a child of another domain.
    pub parent: Option<Parent>,
    /// The capabilities of other domains that it holds.
    pub holds: Vec<Held>,
    /// The interrupts that it receives.
    pub interrupts: Vec<Interrupt>,
    /// The I/O ports that it may use.
    pub ports: Vec<Ports>,
    /// Whether it may call the firmware (`smc`).
    pub calls_firmware: bool,
    /// Where its element is.
    pub place: Place,
}

/// A domain schedule: which protection domains may run when.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The scheduling domains by name, in the order of the file.
    pub domains: Vec<String>,
    /// Number of entries and end markers.
    pub entries: usize,
    /// The names of the scheduling domains that have an entry.
    pub scheduled: Vec<String>,
    /// The entries that the kernel goes through again and again, in their order.
    pub cycle: Vec<TimeSlot>,
    /// Where the element is.
    pub place: Place,
}

/// An entry of a domain schedule: for so long, the protection domains of one scheduling domain may run.
#[derive(Clone, Debug)]
pub struct TimeSlot {
    /// The scheduling domain.
    pub domain: String,
    /// Length in microseconds, if the file states it so and not in ticks of a clock.
    pub duration_us: Option<u64>,
    /// Where the entry is.
    pub place: Place,
}

/// A memory region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Size in bytes, a multiple of 4096. It is the size that the file states, or more if the image builder
    /// asked for more.
    pub bytes: u64,
    /// The page size that the file states.
    pub page_bytes: Option<u64>,
    /// The physical address that the file states.
    pub physical: Option<u64>,
    /// File with its initial contents.
    pub prefill: Option<PathBuf>,
    /// Size of its initial contents in bytes: of that file, or of what the image builder fills it with.
    pub prefill_bytes: u64,
    /// Whether the kernel's boot information fills it (`prefill_bootinfo`).
    pub boot_information: bool,
    /// Where its element is.
    pub place: Place,
}

/// Two ends that signal each other.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The ends.
    pub ends: [End; 2],
    /// Where its element is.
    pub place: Place,
}

/// One end of a channel.
#[derive(Clone, Debug)]
pub struct End {
    /// Number of the domain.
    pub domain: usize,
    /// The channel's number in that domain.
    pub id: u8,
    /// Whether this end may signal the other.
    pub notify: bool,
    /// Whether this end may make protected procedure calls to the other.
    pub protected: bool,
    /// Symbol that gets the channel's number.
    pub setvar_id: Option<String>,
    /// Where its element is.
    pub place: Place,
}

/// An element or attribute that Ferry keeps but does not use.
#[derive(Clone, Debug)]
pub struct Extra {
    /// Name of the element or attribute, such as `irq` or `phys_addr`.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

impl System {
    /// Number of the domain with this name.
    #[must_use]
    pub fn domain(&self, name: &str) -> Option<usize> {
        self.domains.iter().position(|domain| domain.name == name)
    }

    /// The highest number of a core on which something runs.
    #[must_use]
    pub fn highest_core(&self) -> u8 {
        let of_machines = self.machines.iter().flat_map(|machine| &machine.cores);
        let all = self.domains.iter().map(|domain| &domain.core).chain(of_machines);
        all.copied().max().unwrap_or(0)
    }

    /// Number of the region with this name.
    #[must_use]
    pub fn region(&self, name: &str) -> Option<usize> {
        self.regions.iter().position(|region| region.name == name)
    }

    /// The first channel between these two domains: first the end in `domain`, then the other end.
    #[must_use]
    pub fn channel(&self, domain: usize, other: usize) -> Option<(&End, &End)> {
        self.channels.iter().find_map(|channel| match &channel.ends {
            [a, b] if (a.domain, b.domain) == (domain, other) => Some((a, b)),
            [a, b] if (b.domain, a.domain) == (domain, other) => Some((b, a)),
            _ => None,
        })
    }
}

impl System {
    /// The page size that Microkit's tool uses for a region: the stated one, else the largest that the size
    /// of the region allows, its physical address, and every address at which somebody maps it.
    #[must_use]
    pub fn page_bytes(&self, number: usize) -> u64 {
        let region = &self.regions[number];
        let of_domains = self.domains.iter().flat_map(|domain| &domain.maps);
        let maps = of_domains.chain(self.machines.iter().flat_map(|machine| &machine.maps));
        let maps = maps.filter(|map| map.region == number);
        let mut addresses = maps.map(|map| map.address).chain(region.physical).chain([region.bytes]);
        // The tool leaves pages small for devices.
        let mut io_maps = self.io_spaces.iter().flat_map(|space| &space.maps);
        let is_small = io_maps.any(|map| map.region == number);
        let is_large = !is_small && addresses.all(|address| address.is_multiple_of(LARGE_PAGE_BYTES));
        region.page_bytes.unwrap_or(if is_large { LARGE_PAGE_BYTES } else { PAGE_BYTES })
    }
}

impl Domain {
    /// The name of the binary that the path of its program stands for: the path itself, without `.elf`.
    #[must_use]
    pub fn binary(&self) -> &str {
        self.program.strip_suffix(".elf").unwrap_or(&self.program)
    }

    /// The first mapping of a region in this domain.
    #[must_use]
    pub fn map_of(&self, region: usize) -> Option<&Map> {
        self.maps.iter().find(|map| map.region == region)
    }
}
