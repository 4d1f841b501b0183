//! Rules about one client: its four regions, who maps them with which permissions, their sizes, its channel
//! and its symbols.

use super::Rules;
use crate::description::{Buffer, Client};
use crate::flows::ClientTable;
use crate::free;
use crate::limits::{LARGE_PAGE_BYTES, PAGE_BYTES, SUFFIXES, TICKER};
use crate::map::{Map, Permissions};
use crate::problem::Problem;
use ferry_layout::geometry::{IN_BYTES, MAX_BUFFER_BYTES, MAX_BUFFER_FRAMES, OUT_BYTES};
use toml::Spanned;

/// Size in bytes that a mistake suggests for a missing buffer of small frames.
const SUGGESTED_BUFFER_BYTES: u64 = 0x4_0000;

impl<'a> Rules<'a> {
    /// The protection domains that are clients: those with a region of a client, and those that `flows.toml`
    /// names.
    pub(super) fn client_domains(&self, central: usize) -> Vec<usize> {
        let named = |name: &str| {
            let in_flows = self.flows.flow.iter().map(Spanned::get_ref);
            in_flows.clone().any(|flow| flow.from.get_ref() == name || flow.to.get_ref() == name)
                || self.is_guard(name)
                || self.flows.client.keys().any(|client| client.get_ref() == name)
        };
        let has_region = |name: &str| {
            SUFFIXES.iter().any(|suffix| self.system.region(&format!("{name}_{suffix}")).is_some())
        };
        let domains = self.system.domains.iter().enumerate();
        domains
            .filter(|(number, domain)| {
                *number != central && domain.name != TICKER && {
                    named(&domain.name) || has_region(&domain.name)
                }
            })
            .map(|(number, _)| number)
            .collect()
    }

    /// Checks one client.
    pub(super) fn client(&mut self, domain: usize, central: usize) -> Option<Client> {
        const READ: &[Permissions] = &[Permissions::READ];
        const READ_WRITE: &[Permissions] = &[Permissions::READ_WRITE];
        const EITHER: &[Permissions] = &[Permissions::READ, Permissions::READ_WRITE];
        let name = self.system.domains[domain].name.clone();
        let table = self.flows.client.iter().find(|(key, _)| *key.get_ref() == name);
        let table = table.map(|(_, table)| table.clone()).unwrap_or_default();

        let buffer = if table.large_frames { LARGE_PAGE_BYTES } else { SUGGESTED_BUFFER_BYTES };
        let sizes = [OUT_BYTES as u64, IN_BYTES as u64, buffer, buffer];
        // What a guard looks at, it cannot change.
        let is_guard = self.is_guard(&name);
        let receive = if is_guard { READ } else { EITHER };
        let permissions = [(READ_WRITE, "rw"), (READ, "r"), (READ_WRITE, "rw"), (receive, "r")];
        let mut regions = [None; 4];
        for (place, (suffix, (bytes, (allowed, wanted)))) in
            regions.iter_mut().zip(SUFFIXES.into_iter().zip(sizes.into_iter().zip(permissions)))
        {
            *place = self.region_of(domain, &format!("{name}_{suffix}"), bytes);
            let map = place.and_then(|region| self.map_of(domain, region, allowed, wanted));
            if let Some(map) = map {
                self.symbols(domain, map, &format!("ferry_{suffix}"));
            }
        }
        let [out_region, in_region, transmit, receive] = regions;

        let out_map = out_region.and_then(|region| self.map_of(central, region, READ, "r"));
        let in_map = in_region.and_then(|region| self.map_of(central, region, READ_WRITE, "rw"));
        for (region, wanted) in [(out_region, OUT_BYTES as u64), (in_region, IN_BYTES as u64)] {
            if let Some(region) = region {
                self.exact_size(region, wanted);
            }
        }
        let transmit = transmit.and_then(|region| self.buffer(region, central, &name, &table));
        let receive = receive.and_then(|region| self.buffer(region, central, &name, &table));
        let channel = self.channel_to_central(domain, central);

        Some(Client {
            domain,
            out_region: out_region?,
            in_region: in_region?,
            out_address: out_map?.address,
            in_address: in_map?.address,
            transmit: transmit?,
            receive: receive?,
            channel: channel?,
            bytes_per_round: table.bytes_per_round.0,
            messages_per_round: table.messages_per_round.0,
            is_guard,
            name,
        })
    }

    /// The region with this name. It is a mistake of `domain` if there is none. The remedy suggests a size of
    /// `bytes`.
    pub(super) fn region_of(&mut self, domain: usize, region: &str, bytes: u64) -> Option<usize> {
        let found = self.system.region(region);
        if found.is_none() {
            let domain = &self.system.domains[domain];
            let problem =
                Problem::MissingRegion { domain: domain.name.clone(), region: region.into(), bytes };
            self.report(&domain.place, problem);
        }
        found
    }

    fn exact_size(&mut self, region: usize, wanted: u64) {
        let region = &self.system.regions[region];
        if region.bytes != wanted {
            let problem = Problem::WrongSize { region: region.name.clone(), found: region.bytes, wanted };
            self.report(&region.place, problem);
        }
    }

    /// Checks the size and the frames of a `_tx` or `_rx` region. Central must not map it from the start.
    fn buffer(&mut self, number: usize, central: usize, client: &str, table: &ClientTable) -> Option<Buffer> {
        let region = &self.system.regions[number];
        if let Some(map) = self.system.domains[central].map_of(number) {
            self.report(&map.place, Problem::StaticBuffer { region: region.name.clone() });
        }
        let wanted = if table.large_frames { LARGE_PAGE_BYTES } else { PAGE_BYTES };
        // Ferry's image builders give the region frames of this size, unless the description states another.
        let found = region.page_bytes.unwrap_or(wanted);
        if found != wanted {
            let (client, region_name) = (client.to_owned(), region.name.clone());
            let problem = Problem::FrameSize { client, region: region_name, found, wanted };
            self.report(&region.place, problem);
            return None;
        }
        if !region.bytes.is_multiple_of(wanted) {
            let (client, region_name, found) = (client.to_owned(), region.name.clone(), region.bytes);
            let problem = Problem::BufferSize { client, region: region_name, found, frame: wanted };
            self.report(&region.place, problem);
            return None;
        }
        let frame_bits = if table.large_frames { 21 } else { 12 };
        let largest = MAX_BUFFER_BYTES.min((MAX_BUFFER_FRAMES as u64) << frame_bits);
        if region.bytes > largest {
            let problem =
                Problem::BufferTooLarge { region: region.name.clone(), found: region.bytes, largest };
            self.report(&region.place, problem);
        }
        Some(Buffer { region: number, bytes: region.bytes, frame_bits })
    }

    /// The mapping of a region in domain `number`. It is a mistake if there is none, or if one has other
    /// permissions than `allowed`. The remedy suggests the permissions `wanted`.
    pub(super) fn map_of(
        &mut self,
        number: usize,
        region: usize,
        allowed: &[Permissions],
        wanted: &'static str,
    ) -> Option<&'a Map> {
        let system = self.system;
        let (domain, region_name) = (&system.domains[number], &system.regions[region].name);
        for map in domain.maps.iter().filter(|map| map.region == region) {
            // Execution has a rule of its own, for every mapping.
            let found = Permissions { execute: false, ..map.permissions };
            if !allowed.contains(&found) {
                let problem = Problem::WrongPermission {
                    domain: domain.name.clone(),
                    region: region_name.clone(),
                    found: map.permissions.to_string(),
                    wanted,
                };
                self.report(&map.place, problem);
            }
        }
        let map = domain.map_of(region);
        if map.is_none() {
            let address = free::address(&mut self.taken[number], system.regions[region].bytes);
            let (domain_name, region) = (domain.name.clone(), region_name.clone());
            let problem = Problem::MissingMap { domain: domain_name, region, permissions: wanted, address };
            self.report(&domain.place, problem);
        }
        map
    }

    /// Checks the two symbols of a mapping: `symbol` gets the address, and `symbol_size` gets the size.
    pub(super) fn symbols(&mut self, domain: usize, map: &Map, symbol: &str) {
        let words = [
            ("setvar_vaddr", &map.setvar_address, symbol.to_owned()),
            ("setvar_size", &map.setvar_size, format!("{symbol}_size")),
        ];
        for (attribute, found, symbol) in words {
            if found.as_ref() != Some(&symbol) {
                let domain = self.system.domains[domain].name.clone();
                self.report(&map.place, Problem::MissingSetvar { domain, attribute, symbol });
            }
        }
    }
}
