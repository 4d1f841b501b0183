//! From a description to running processes: which files each gets, and its table.

use crate::blueprint::Blueprint;
use crate::console::Console;
use crate::error::LaunchError;
use crate::memory::Memory;
use crate::schedule::{Rank, Scheduling};
use crate::serve::{Member, System};
use ferry_description::{Description, Domain, Placement, Platform, Region, sequential};
use ferry_hosted_table::{Channel, FIRST_FILE, Grant, Map, Table, Window};
use rustix::event::{EventfdFlags, epoll};
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

/// Contents of a region: its name, and what it begins with.
pub type Prefill = (String, Vec<u8>);

/// Capability of the first frame. It is not 0, so that a capability of 0 is none.
const FIRST_CAPABILITY: u64 = 1;

/// Starts every protection domain of a description. `program` gives the executable of a domain.
///
/// The processes end with the process of the launcher, at the latest.
pub fn start(
    description: &Description,
    program: &dyn Fn(&Domain) -> Option<PathBuf>,
    prefills: &[Prefill],
    scheduling: Scheduling,
    console: Console,
) -> Result<System, LaunchError> {
    let system = &description.system;
    description.check_for(&Platform::HOSTED)?;
    let placement = description.place(&mut sequential(FIRST_CAPABILITY));
    let memories = memories(description, &placement, prefills)?;
    let counters = counters(description)?;
    let ranks = match scheduling {
        Scheduling::Linux => None,
        Scheduling::ByPriority => {
            let priorities: Vec<u8> = system.domains.iter().map(|domain| domain.priority).collect();
            let (ranks, own) = Rank::all(&priorities);
            // The launcher ranks above all domains, as the initialiser does: it starts them all before one
            // runs.
            own.take().map_err(LaunchError::Priorities)?;
            Some(ranks)
        }
    };
    let mut running = System::new(console);
    // Central first: it runs before its clients on seL4.
    let mut order: Vec<usize> = (0..system.domains.len()).collect();
    order.sort_by_key(|number| *number != description.central);
    for number in order {
        let domain = &system.domains[number];
        let program = program(domain).ok_or_else(|| LaunchError::NoProgram {
            place: domain.place.to_string(),
            program: domain.program.clone(),
        })?;
        let mut handover = Handover::default();
        handover.maps(domain, &memories, description)?;
        handover.channels(number, &counters, description)?;
        if number == description.central {
            handover.grants(&placement, &memories)?;
        }
        handover.table.domain.clone_from(&domain.name);
        handover.table.period_us =
            description.tick.as_ref().filter(|tick| tick.domain == number).map(|tick| tick.period_us);
        let Handover { table, files } = handover;
        let blueprint = Blueprint::new(program, &table, files, ranks.as_ref().map(|ranks| ranks[number]))?;
        let started = blueprint.start()?;
        running.add(Member::new(table.domain, started, blueprint, description.restarts[number]));
    }
    running.go()?;
    Ok(running)
}

fn memories(
    description: &Description,
    placement: &Placement,
    prefills: &[Prefill],
) -> Result<Vec<Memory>, LaunchError> {
    let regions = description.system.regions.iter().enumerate();
    regions
        .map(|(number, region)| {
            let contents = if number == description.config_region {
                placement.config.clone()
            } else {
                contents(region, prefills)?
            };
            if contents.len() as u64 > region.bytes {
                let (bytes, room) = (contents.len() as u64, region.bytes);
                return Err(LaunchError::PrefillTooLong { region: region.name.clone(), bytes, room });
            }
            let mut maps = description.system.domains.iter().flat_map(|domain| &domain.maps);
            let writable = maps.any(|map| map.region == number && map.permissions.write)
                || placement.grants.iter().any(|grant| grant.region == number && grant.writable);
            Memory::new(&region.name, region.bytes, &contents, !writable)
        })
        .collect()
}

/// What a region is filled with: what the caller says, else the file that the description names.
fn contents(region: &Region, prefills: &[Prefill]) -> Result<Vec<u8>, LaunchError> {
    if let Some((_, contents)) = prefills.iter().find(|(name, _)| *name == region.name) {
        return Ok(contents.clone());
    }
    let Some(file) = &region.prefill else { return Ok(Vec::new()) };
    std::fs::read(file).map_err(|cause| LaunchError::Prefill {
        place: region.place.to_string(),
        file: file.clone(),
        cause,
    })
}

/// For each channel, the event counters that its two ends add to.
fn counters(description: &Description) -> Result<Vec<[OwnedFd; 2]>, LaunchError> {
    let counter = || {
        rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(LaunchError::linux("create an event counter"))
    };
    description.system.channels.iter().map(|_| Ok([counter()?, counter()?])).collect()
}

/// What the launcher hands over to one process.
#[derive(Default)]
struct Handover {
    table: Table,
    files: Vec<(RawFd, OwnedFd)>,
}

impl Handover {
    /// Gives the process a file, and returns the number that the file will have there.
    fn give(&mut self, file: OwnedFd) -> RawFd {
        let number = self.files.last().map_or(FIRST_FILE, |(number, _)| number + 1);
        self.files.push((number, file));
        number
    }

    fn maps(
        &mut self,
        domain: &Domain,
        memories: &[Memory],
        description: &Description,
    ) -> Result<(), LaunchError> {
        // Nothing has to be mapped for a map with no permission.
        for map in domain.maps.iter().filter(|map| map.permissions.read || map.permissions.execute) {
            let region = &description.system.regions[map.region];
            let bytes = region.bytes;
            let writable = map.permissions.write;
            let file = self.give(memories[map.region].open(writable)?);
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
        Ok(())
    }

    /// Gives a domain the counters that it adds to, and one file to wait with. That file becomes ready when
    /// others add to the counters that the domain waits for. The domain does not get those counters
    /// themselves: whoever has the open file of a counter can fill it, and make the others wait who add to
    /// it.
    fn channels(
        &mut self,
        domain: usize,
        counters: &[[OwnedFd; 2]],
        description: &Description,
    ) -> Result<(), LaunchError> {
        let wait = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(LaunchError::linux("create a wait"))?;
        for (channel, [first, second]) in description.system.channels.iter().zip(counters) {
            let [a, b] = &channel.ends;
            for (end, own, other) in [(a, first, second), (b, second, first)] {
                if end.domain != domain {
                    continue;
                }
                let number = epoll::EventData::new_u64(u64::from(end.id));
                epoll::add(&wait, other, number, epoll::EventFlags::IN | epoll::EventFlags::ET)
                    .map_err(LaunchError::linux("wait for a channel"))?;
                let counter =
                    self.give(own.try_clone().map_err(LaunchError::linux("pass on an event counter"))?);
                self.table.channels.push(Channel { number: end.id, counter });
                self.table.words.extend(end.setvar_id.clone().map(|symbol| (symbol, u64::from(end.id))));
            }
        }
        self.table.wait = self.give(wait);
        Ok(())
    }

    fn grants(&mut self, placement: &Placement, memories: &[Memory]) -> Result<(), LaunchError> {
        for grant in &placement.grants {
            let file = self.give(memories[grant.region].open(grant.writable)?);
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
        Ok(())
    }
}
