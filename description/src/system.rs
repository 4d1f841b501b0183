//! What `system.xml` says, as data: names resolved to numbers, nothing judged yet beyond that it can be read.

use crate::limits::{LARGE_PAGE_BYTES, PAGE_BYTES};
use crate::source::Place;
use std::fmt;

/// A system description.
#[derive(Clone, Debug)]
pub struct System {
    /// The protection domains in the file's order, children after their parents. A position is a domain's
    /// number.
    pub domains: Vec<Domain>,
    /// The memory regions. A position is a region's number.
    pub regions: Vec<Region>,
    /// The channels.
    pub channels: Vec<Channel>,
    /// Mappings into what is no protection domain: virtual machines and devices.
    pub foreign: Vec<Foreign>,
    /// What the file uses beyond the elements that Ferry itself needs.
    pub extras: Vec<Extra>,
    /// The whole file, for mistakes about what is not in it.
    pub place: Place,
}

/// A protection domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Scheduling priority, 0 to 254; higher runs first.
    pub priority: u8,
    /// Processor time per period, in microseconds.
    pub budget_us: u64,
    /// Whether it may use floating-point and vector registers (`fpu`).
    pub fpu: bool,
    /// Period in microseconds; without one in the file it is the budget.
    pub period_us: u64,
    /// Bytes of stack.
    pub stack_bytes: u64,
    /// File name of its program, as written.
    pub program: String,
    /// Regions that it sees from the start.
    pub maps: Vec<Map>,
    /// Domains whose thread, scheduling context or address space it holds as a capability (`<cspace>`), by
    /// name.
    pub holds: Vec<(String, Place)>,
    /// Its element.
    pub place: Place,
}

/// A memory region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Its size in bytes, a multiple of 4096: what the file says, or more if the image builder asked for
    /// more.
    pub bytes: u64,
    /// The page size that the file states.
    pub page_bytes: Option<u64>,
    /// The physical address that the file states.
    pub physical: Option<u64>,
    /// File with its initial contents, as written.
    pub prefill: Option<String>,
    /// Its element.
    pub place: Place,
}

/// A region in a domain's address space.
#[derive(Clone, Debug)]
pub struct Map {
    /// Number of the region.
    pub region: usize,
    /// Address of its first byte.
    pub address: u64,
    /// What the domain may do with it.
    pub permissions: Permissions,
    /// Symbol that gets the address.
    pub setvar_address: Option<String>,
    /// Symbol that gets the size of the region in bytes.
    pub setvar_size: Option<String>,
    /// Its element.
    pub place: Place,
}

/// What may be done with mapped memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permissions {
    /// `r`
    pub read: bool,
    /// `w`
    pub write: bool,
    /// `x`
    pub execute: bool,
}

/// A region mapped into something that is no protection domain.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// What it is, as in "virtual machine `linux`".
    pub holder: String,
    /// Number of the region.
    pub region: usize,
    /// What it may do with the region.
    pub permissions: Permissions,
    /// The element of the mapping.
    pub place: Place,
}

/// Two ends that signal each other.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The ends.
    pub ends: [End; 2],
    /// Its element.
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
    /// Symbol that gets the number.
    pub setvar_id: Option<String>,
    /// Its element.
    pub place: Place,
}

/// An element or attribute that Ferry keeps but does not use.
#[derive(Clone, Debug)]
pub struct Extra {
    /// Its name: `irq`, or `phys_addr`.
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

    /// Number of the region with this name.
    #[must_use]
    pub fn region(&self, name: &str) -> Option<usize> {
        self.regions.iter().position(|region| region.name == name)
    }

    /// The end in `domain` and the other end of the first channel between these two.
    #[must_use]
    pub fn channel(&self, domain: usize, other: usize) -> Option<(&End, &End)> {
        self.channels.iter().find_map(|channel| match &channel.ends {
            [a, b] if (a.domain, b.domain) == (domain, other) => Some((a, b)),
            [a, b] if (b.domain, a.domain) == (domain, other) => Some((b, a)),
            _ => None,
        })
    }
}

impl Domain {
    /// The mapping of a region, if the domain has one.
    #[must_use]
    pub fn map_of(&self, region: usize) -> Option<&Map> {
        self.maps.iter().find(|map| map.region == region)
    }
}

impl Region {
    /// The page size that the Microkit tool takes: the stated one, else the largest that the size allows.
    #[must_use]
    pub fn effective_page_bytes(&self) -> u64 {
        let largest = if self.bytes.is_multiple_of(LARGE_PAGE_BYTES) { LARGE_PAGE_BYTES } else { PAGE_BYTES };
        self.page_bytes.unwrap_or(largest)
    }
}

impl Permissions {
    /// `r`
    pub const READ: Self = Self { read: true, write: false, execute: false };
    /// `rw`
    pub const READ_WRITE: Self = Self { read: true, write: true, execute: false };
}

impl fmt::Display for Permissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (letter, set) in [("r", self.read), ("w", self.write), ("x", self.execute)] {
            formatter.write_str(if set { letter } else { "" })?;
        }
        Ok(())
    }
}
