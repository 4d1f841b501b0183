//! From a plan to running processes.

use crate::blueprint::Blueprint;
use crate::console::Console;
use crate::error::LaunchError;
use crate::memory::Memory;
use crate::plan::{Plan, PlannedFile, PlannedProcess, fits, plan};
use crate::schedule::{Rank, Scheduling};
use crate::serve::{Member, System};
use ferry_description::{Description, Domain, Region};
use rustix::event::{EventfdFlags, epoll};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Contents of a region: its name, and what it begins with.
pub type Prefill = (String, Vec<u8>);

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
    let plan = plan(description, prefills)?;
    let memories = memories(description, &plan, prefills)?;
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
    for planned in &plan.processes {
        let domain = &system.domains[planned.domain];
        let program = program(domain).ok_or_else(|| LaunchError::NoProgram {
            place: domain.place.to_string(),
            program: domain.program.clone(),
        })?;
        let mut files = Vec::new();
        for (number, file) in &planned.files {
            files.push((*number, open(*file, planned, &memories, &counters)?));
        }
        let rank = ranks.as_ref().map(|ranks| ranks[planned.domain]);
        let blueprint = Blueprint::new(program, &planned.table, files, rank)?;
        let started = blueprint.start()?;
        let restarts = description.restarts[planned.domain];
        running.add(Member::new(domain.name.clone(), started, blueprint, restarts));
    }
    running.go()?;
    Ok(running)
}

fn memories(
    description: &Description,
    plan: &Plan,
    prefills: &[Prefill],
) -> Result<Vec<Memory>, LaunchError> {
    let regions = description.system.regions.iter().enumerate();
    regions
        .map(|(number, region)| {
            let is_config = number == description.config_region;
            let contents = if is_config { plan.config.clone() } else { contents(region, prefills)? };
            // A file may have grown since it was planned.
            fits(region, contents.len() as u64)?;
            Memory::new(&region.name, region.bytes, &contents, !plan.writable[number])
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

/// Opens a file of the plan for a process.
fn open(
    file: PlannedFile,
    process: &PlannedProcess,
    memories: &[Memory],
    counters: &[[OwnedFd; 2]],
) -> Result<OwnedFd, LaunchError> {
    match file {
        PlannedFile::Region { number, writable } => memories[number].open(writable),
        PlannedFile::Counter { channel, end } => {
            counters[channel][end].try_clone().map_err(LaunchError::linux("pass on an event counter"))
        }
        PlannedFile::Wait => wait(process, counters),
    }
}

/// A file to wait with for the other ends of the channels of a process.
fn wait(process: &PlannedProcess, counters: &[[OwnedFd; 2]]) -> Result<OwnedFd, LaunchError> {
    let wait = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(LaunchError::linux("create a wait"))?;
    for channel in &process.table.channels {
        let own = process.files.iter().find(|(number, _)| *number == channel.counter);
        let Some((_, PlannedFile::Counter { channel: number, end })) = own else { continue };
        let other = &counters[*number][1 - end];
        let data = epoll::EventData::new_u64(u64::from(channel.number));
        epoll::add(&wait, other, data, epoll::EventFlags::IN | epoll::EventFlags::ET)
            .map_err(LaunchError::linux("wait for a channel"))?;
    }
    Ok(wait)
}
