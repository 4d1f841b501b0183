//! Rules about all mappings: which must be aligned and disjoint inside one domain, and which two domains must
//! not share.

use super::Rules;
use crate::limits::{
    CENTRAL, CONFIG_REGION, HIGHEST_STACK, LARGE_PAGE_BYTES, PAGE_BYTES, SUFFIXES, SUPERVISOR_SYMBOL,
    WINDOW_ADDRESS, client_and_suffix,
};
use crate::map::Map;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Place;
use crate::system::Domain;

impl Rules<'_> {
    /// Checks the address space of each domain, and the physical addresses of regions.
    pub(super) fn maps(&mut self) {
        let system = self.system;
        for (number, domain) in system.domains.iter().enumerate() {
            let mut ranges: Vec<(u64, u64, usize, &Place)> = Vec::new();
            for map in &domain.maps {
                let region = &system.regions[map.region];
                let name = &region.name;
                // Without a stated page size, Microkit's tool uses small pages where the address needs them.
                // Not for the buffers of clients with large frames: it would cut off the address.
                let page = region.page_bytes.unwrap_or(self.frame_bytes(map.region));
                if !map.address.is_multiple_of(page) {
                    let (region, address) = (name.clone(), map.address);
                    self.report(&map.place, Problem::MisalignedMap { region, address, page });
                }
                let end = map.address.saturating_add(region.bytes);
                self.range(domain, map, end);
                for (other_start, other_end, other, _) in &ranges {
                    if map.address < *other_end && *other_start < end {
                        let problem = Problem::OverlappingMaps {
                            domain: domain.name.clone(),
                            first: system.regions[*other].name.clone(),
                            second: name.clone(),
                        };
                        self.report(&map.place, problem);
                    }
                }
                ranges.push((map.address, end, map.region, &map.place));
            }
            self.domain_symbols(number);
        }
        self.physical_memory();
    }

    /// The size of the frames that Ferry gives a region: large ones only to buffers of clients that want
    /// them.
    fn frame_bytes(&self, region: usize) -> u64 {
        let name = &self.system.regions[region].name;
        let mut with_large = self.flows.client.iter().filter(|(_, table)| table.large_frames);
        let is_large = with_large.any(|(client, _)| {
            let suffix = name.strip_prefix(client.get_ref()).and_then(|rest| rest.strip_prefix('_'));
            matches!(suffix, Some("tx" | "rx"))
        });
        if is_large { LARGE_PAGE_BYTES } else { PAGE_BYTES }
    }

    /// Checks where a map lies: not at the address 0, not in central's window, not above every stack.
    fn range(&mut self, domain: &Domain, map: &Map, end: u64) {
        let region = self.system.regions[map.region].name.clone();
        let limit = HIGHEST_STACK - domain.stack_bytes.min(HIGHEST_STACK) - PAGE_BYTES;
        if map.address == 0 {
            self.report(&map.place, Problem::MapAtZero { region });
        } else if domain.name == CENTRAL && end > WINDOW_ADDRESS {
            self.report(&map.place, Problem::MapInWindow { region });
        } else if end > limit {
            let domain = domain.name.clone();
            self.report(&map.place, Problem::MapTooHigh { domain, region, end, limit });
        }
    }

    /// No symbol of a domain is set twice, and none that Ferry sets.
    fn domain_symbols(&mut self, number: usize) {
        let system = self.system;
        let domain = &system.domains[number];
        let of_domain = domain.symbols.iter().map(|(symbol, place)| (symbol, place));
        let ends = system.channels.iter().flat_map(|channel| &channel.ends);
        let of_channels = ends
            .filter(|end| end.domain == number)
            .filter_map(|end| end.setvar_id.as_ref().map(|symbol| (symbol, &end.place)));
        let mut seen: Vec<&str> = Vec::new();
        for (symbol, place) in of_domain.chain(of_channels) {
            if symbol == SUPERVISOR_SYMBOL {
                let (domain, symbol) = (domain.name.clone(), symbol.clone());
                self.report(place, Problem::ReservedSymbol { domain, symbol });
            }
            if seen.contains(&symbol.as_str()) {
                let problem =
                    Problem::DuplicateSymbol { domain: domain.name.clone(), symbol: symbol.clone() };
                self.report(place, problem);
            }
            seen.push(symbol);
        }
    }

    /// Regions with stated physical addresses must not overlap. Otherwise one memory would have two names.
    fn physical_memory(&mut self) {
        let mut seen: Vec<(u64, u64, &str)> = Vec::new();
        for region in &self.system.regions {
            let Some(start) = region.physical else { continue };
            let end = start.saturating_add(region.bytes);
            let overlap = seen.iter().find(|(other, other_end, _)| start < *other_end && *other < end);
            if let Some((_, _, first)) = overlap {
                let problem =
                    Problem::PhysicalOverlap { first: (*first).to_owned(), second: region.name.clone() };
                self.report(&region.place, problem);
            }
            seen.push((start, end, &region.name));
        }
    }

    /// Checks who can reach which region. Only central and the client itself may reach a client's regions.
    /// Two clients may share no other region that one of them can write.
    pub(super) fn isolation(&mut self, clients: &[usize], central: usize) {
        let system = self.system;
        for region in 0..system.regions.len() {
            match self.owner(region, clients) {
                Some(owner) => self.owned_region(region, owner, central),
                None if system.regions[region].name == CONFIG_REGION => {
                    self.owned_region(region, central, central);
                }
                None if self.is_audit_log(region) => {
                    // With another number of readers, that is mistake enough.
                    if let [reader] = self.audit_readers(region, central)[..] {
                        self.owned_region(region, reader, central);
                    }
                }
                None => self.common_region(region, clients, central),
            }
        }
    }

    /// The client that owns the region, according to the region's name.
    pub(super) fn owner(&self, region: usize, clients: &[usize]) -> Option<usize> {
        let name = &self.system.regions[region].name;
        clients.iter().copied().find(|client| {
            let client = &self.system.domains[*client].name;
            let suffix = name.strip_prefix(client.as_str()).and_then(|rest| rest.strip_prefix('_'));
            suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix))
        })
    }

    /// Regions that are named like one of a client's, but whose client does not exist: a name is misspelt.
    pub(super) fn orphans(&mut self, clients: &[usize]) {
        let system = self.system;
        for (number, region) in system.regions.iter().enumerate() {
            let Some((client, suffix)) = client_and_suffix(&region.name) else { continue };
            if self.owner(number, clients).is_some() || client == CENTRAL {
                continue;
            }
            let known = clients.iter().map(|client| system.domains[*client].name.as_str());
            let meant = nearest(client, known).map(|client| format!("{client}_{suffix}"));
            let (name, client) = (region.name.clone(), client.to_owned());
            self.report(&region.place, Problem::OrphanRegion { region: name, client, meant });
        }
    }

    fn owned_region(&mut self, number: usize, owner: usize, central: usize) {
        let system = self.system;
        let region = system.regions[number].name.clone();
        let owner_name = system.domains[owner].name.clone();
        if system.regions[number].prefill.is_some() || system.regions[number].boot_information {
            let (region, owner) = (region.clone(), owner_name.clone());
            self.report(&system.regions[number].place, Problem::FilledRegion { region, owner });
        }
        for (holder, domain) in system.domains.iter().enumerate() {
            for map in domain.maps.iter().filter(|map| map.region == number) {
                if map.permissions.execute {
                    let (domain, region) = (domain.name.clone(), region.clone());
                    self.report(&map.place, Problem::Executable { domain, region });
                }
                if !map.cached {
                    let (domain, region) = (domain.name.clone(), region.clone());
                    self.report(&map.place, Problem::Uncached { domain, region });
                }
                if holder != owner && holder != central {
                    let holder = format!("`{}`", domain.name);
                    let (region, owner) = (region.clone(), owner_name.clone());
                    self.report(&map.place, Problem::ForeignMap { holder, region, owner });
                }
            }
        }
        let guests = system.machines.iter().map(|guest| ("guest", &guest.name, &guest.maps));
        let devices = system.io_spaces.iter().map(|space| ("device", &space.name, &space.maps));
        for (kind, name, maps) in guests.chain(devices) {
            for map in maps.iter().filter(|map| map.region == number) {
                let holder = format!("the {kind} `{name}`");
                let (region, owner) = (region.clone(), owner_name.clone());
                self.report(&map.place, Problem::ForeignMap { holder, region, owner });
            }
        }
    }

    /// Checks a region that no client owns. It may serve drivers and the like, but must not carry data past
    /// the flows. Clients may share it if neither they nor central can write it, because then it carries no
    /// data between them.
    fn common_region(&mut self, number: usize, clients: &[usize], central: usize) {
        let system = self.system;
        let maps = system.domains.iter().enumerate().flat_map(|(holder, domain)| {
            domain.maps.iter().filter(|map| map.region == number).map(move |map| (holder, map))
        });
        let first = maps.clone().next();
        for (_, map) in maps.clone() {
            if let Some((_, first)) = first.filter(|(_, first)| first.cached != map.cached) {
                let (region, first) = (system.regions[number].name.clone(), first.place.line());
                self.report(&map.place, Problem::CachedDiffers { region, first });
            }
        }
        let mut sharers: Vec<(usize, &Place)> = Vec::new();
        let mut written = false;
        for (holder, map) in maps.filter(|(holder, _)| *holder == central || clients.contains(holder)) {
            written |= map.permissions.write;
            if sharers.iter().all(|(other, _)| *other != holder) {
                sharers.push((holder, &map.place));
            }
        }
        if let [(first, _), (second, place), ..] = sharers.as_slice()
            && written
        {
            let problem = Problem::SharedMemory {
                first: system.domains[*first].name.clone(),
                second: system.domains[*second].name.clone(),
                region: system.regions[number].name.clone(),
            };
            self.report(place, problem);
        }
    }
}
