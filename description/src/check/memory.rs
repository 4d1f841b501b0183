//! Rules about all mappings: which must be aligned and disjoint inside one domain, and which two domains must
//! not share.

use super::Rules;
use super::client::SUFFIXES;
use crate::limits::{CENTRAL, CONFIG_REGION, PAGE_BYTES, WINDOW_ADDRESS};
use crate::problem::Problem;
use crate::source::Place;

impl Rules<'_> {
    /// Checks the address space of each domain, and the physical addresses of regions.
    pub(super) fn maps(&mut self) {
        let system = self.system;
        for (number, domain) in system.domains.iter().enumerate() {
            let mut ranges: Vec<(u64, u64, usize, &Place)> = Vec::new();
            for map in &domain.maps {
                let region = &system.regions[map.region];
                let name = &region.name;
                let page = region.effective_page_bytes();
                // Without a stated page size the Microkit tool uses small pages where the address needs them.
                if !map.address.is_multiple_of(region.page_bytes.unwrap_or(PAGE_BYTES)) {
                    let (region, address) = (name.clone(), map.address);
                    self.report(&map.place, Problem::MisalignedMap { region, address, page });
                }
                let end = map.address.saturating_add(region.bytes);
                if domain.name == CENTRAL && end > WINDOW_ADDRESS || end == u64::MAX {
                    self.report(&map.place, Problem::MapInWindow { region: name.clone() });
                }
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

    /// No symbol of a domain is set twice.
    fn domain_symbols(&mut self, number: usize) {
        let system = self.system;
        let domain = &system.domains[number];
        let of_maps = domain.maps.iter().flat_map(|map| {
            [&map.setvar_address, &map.setvar_size].into_iter().flatten().map(|symbol| (symbol, &map.place))
        });
        let ends = system.channels.iter().flat_map(|channel| &channel.ends);
        let of_others = domain.symbols.iter().map(|(symbol, place)| (symbol, place));
        let of_channels = ends
            .filter(|end| end.domain == number)
            .filter_map(|end| end.setvar_id.as_ref().map(|symbol| (symbol, &end.place)));
        let mut seen: Vec<&str> = Vec::new();
        for (symbol, place) in of_maps.chain(of_others).chain(of_channels) {
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

    fn owned_region(&mut self, number: usize, owner: usize, central: usize) {
        let system = self.system;
        let region = system.regions[number].name.clone();
        let owner_name = system.domains[owner].name.clone();
        for (holder, domain) in system.domains.iter().enumerate() {
            for map in domain.maps.iter().filter(|map| map.region == number) {
                if map.permissions.execute {
                    let (domain, region) = (domain.name.clone(), region.clone());
                    self.report(&map.place, Problem::Executable { domain, region });
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
