//! From a description to tables: which files each process gets, under which numbers, and what it is told
//! about them. Nothing here asks Linux for anything, so a test can plan any description. `process` carries it
//! out.

use crate::error::LaunchError;
use crate::process::Prefill;
use ferry_description::{Description, Domain, Placement, Platform, Region, sequential};
use ferry_hosted_table::{Channel, FIRST_FILE, Grant, Map, Table, Window};
use std::os::fd::RawFd;

/// Capability of the first frame. It is not 0, so that a capability of 0 is none.
const FIRST_CAPABILITY: u64 = 1;

/// What is to become of a description.
#[derive(Debug)]
pub struct Plan {
    /// What central's configuration region begins with.
    pub config: Vec<u8>,
    /// For each region, whether any process may write it.
    pub writable: Vec<bool>,
    /// The processes in the order in which they start. Central is first: it runs before its clients on seL4.
    pub processes: Vec<PlannedProcess>,
}

/// One process.
#[derive(Debug)]
pub struct PlannedProcess {
    /// Number of its protection domain.
    pub domain: usize,
    /// Its table.
    pub table: Table,
    /// The files that the table names, by their numbers.
    pub files: Vec<(RawFd, PlannedFile)>,
}

/// A file that a process gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlannedFile {
    /// A region.
    Region {
        /// Its number.
        number: usize,
        /// Whether the file is opened for writing.
        writable: bool,
    },
    /// The counter that one end of a channel adds to.
    Counter {
        /// Number of the channel.
        channel: usize,
        /// Number of the end.
        end: usize,
    },
    /// The file to wait with. It becomes ready when others add to the counters that the domain waits for. The
    /// domain does not get those counters themselves: whoever has the open file of a counter can fill it, and
    /// make the others wait who add to it.
    Wait,
}

/// Plans a system, and refuses what this platform cannot do. `prefills` are the contents that the caller
/// gives to regions.
pub fn plan(description: &Description, prefills: &[Prefill]) -> Result<Plan, LaunchError> {
    let system = &description.system;
    description.check_for(&Platform::HOSTED)?;
    let placement = description.place(&mut sequential(FIRST_CAPABILITY));
    for (number, region) in system.regions.iter().enumerate() {
        let given = prefills.iter().find(|(name, _)| *name == region.name);
        let given = given.map(|(_, contents)| contents.len() as u64);
        let is_config = number == description.config_region;
        let bytes =
            if is_config { placement.config.len() as u64 } else { given.unwrap_or(region.prefill_bytes) };
        fits(region, bytes)?;
    }
    let mut order: Vec<usize> = (0..system.domains.len()).collect();
    order.sort_by_key(|number| *number != description.central);
    let processes = order.into_iter().map(|domain| PlannedProcess::new(domain, description, &placement));
    Ok(Plan {
        writable: (0..system.regions.len())
            .map(|region| is_writable(region, description, &placement))
            .collect(),
        processes: processes.collect(),
        config: placement.config,
    })
}

/// Refuses contents that are longer than their region.
pub(crate) fn fits(region: &Region, bytes: u64) -> Result<(), LaunchError> {
    let room = region.bytes;
    if bytes <= room {
        return Ok(());
    }
    Err(LaunchError::PrefillTooLong { region: region.name.clone(), bytes, room })
}

fn is_writable(region: usize, description: &Description, placement: &Placement) -> bool {
    let mut maps = description.system.domains.iter().flat_map(|domain| &domain.maps);
    maps.any(|map| map.region == region && map.permissions.write)
        || placement.grants.iter().any(|grant| grant.region == region && grant.writable)
}

impl PlannedProcess {
    fn new(domain: usize, description: &Description, placement: &Placement) -> Self {
        let system = &description.system;
        let tick = description.tick.as_ref().filter(|tick| tick.domain == domain);
        let table = Table {
            domain: system.domains[domain].name.clone(),
            period_us: tick.map(|tick| tick.period_us),
            ..Table::default()
        };
        let mut process = Self { domain, table, files: Vec::new() };
        process.maps(&system.domains[domain], description);
        process.channels(description);
        if domain == description.central {
            process.grants(placement);
        }
        process
    }

    /// Gives the process a file, and returns the number that the file will have there.
    fn give(&mut self, file: PlannedFile) -> RawFd {
        let number = self.files.last().map_or(FIRST_FILE, |(number, _)| number + 1);
        self.files.push((number, file));
        number
    }

    fn maps(&mut self, domain: &Domain, description: &Description) {
        // Nothing has to be mapped for a map with no permission.
        for map in domain.maps.iter().filter(|map| map.permissions.read || map.permissions.execute) {
            let region = &description.system.regions[map.region];
            let bytes = region.bytes;
            let writable = map.permissions.write;
            let file = self.give(PlannedFile::Region { number: map.region, writable });
            self.table.maps.push(Map { file, address: map.address, bytes, writable });
            let words = [
                (&map.setvar_address, map.address),
                (&map.setvar_size, bytes),
                (&map.setvar_prefill_size, region.prefill_bytes),
            ];
            self.table
                .words
                .extend(words.into_iter().filter_map(|(symbol, value)| Some((symbol.clone()?, value))));
        }
    }

    fn channels(&mut self, description: &Description) {
        let domain = self.domain;
        for (channel, ends) in description.system.channels.iter().map(|channel| &channel.ends).enumerate() {
            for (end, own) in ends.iter().enumerate().filter(|(_, own)| own.domain == domain) {
                let counter = self.give(PlannedFile::Counter { channel, end });
                self.table.channels.push(Channel { number: own.id, counter });
                self.table.words.extend(own.setvar_id.clone().map(|symbol| (symbol, u64::from(own.id))));
            }
        }
        self.table.wait = self.give(PlannedFile::Wait);
    }

    fn grants(&mut self, placement: &Placement) {
        for grant in &placement.grants {
            let file = self.give(PlannedFile::Region { number: grant.region, writable: grant.writable });
            self.table.grants.push(Grant {
                file,
                first_capability: grant.first_capability,
                frames: grant.buffer.frames(),
                frame_bits: u32::from(grant.buffer.frame_bits),
                writable: grant.writable,
            });
        }
        self.table.window =
            placement.window.map(|window| Window { address: window.address, bytes: window.bytes });
    }
}
