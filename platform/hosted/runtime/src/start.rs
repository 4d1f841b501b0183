//! How a process becomes a protection domain, how it gets its wake-ups, and how it ends when it panics.

use crate::process::{self, Process};
use crate::{channels, confine, faults, window};
use ferry_hosted_table::{ProcessReport, REPORT_FILE, TABLE_FILE, Table};
use ferry_platform::{Fault, Handler, Panic};
use rustix::mm::ProtFlags;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Makes `init`, a `fn() -> impl Handler`, the beginning of this protection domain. Use it once in a program.
#[macro_export]
macro_rules! protection_domain {
    ($init:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main() -> i32 {
            $crate::run($init)
        }
    };
}

/// Initialises the PD, then passes every wake-up to its handler.
#[doc(hidden)]
pub fn run<H: Handler>(init: impl FnOnce() -> H) -> ! {
    let process = match start() {
        Ok(process) => process,
        Err(what) => {
            eprintln!("ferry: error start this program with ferry-hosted: {what}");
            std::process::exit(1);
        }
    };
    let mut handler = init();
    loop {
        let channels = channels::wait(&process.wait);
        handler.notified(channels);
    }
}

/// Takes the table, maps the regions, and gives up everything else.
fn start() -> Result<&'static Process, String> {
    let failed = |what: &'static str| move |cause: rustix::io::Errno| format!("{what}: {cause}");
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(failed("hide the memory from other processes"))?;
    let mut taken = BTreeSet::new();
    let mut bytes = Vec::new();
    File::from(take(&mut taken, TABLE_FILE)?)
        .read_to_end(&mut bytes)
        .map_err(|cause| format!("no table: {cause}"))?;
    let table = Table::decode(&bytes).map_err(|cause| format!("the table is damaged: {cause}"))?;
    let reports = take(&mut taken, REPORT_FILE)?;
    faults::report_all();
    std::panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("without a message");
        crate::println!("{}", Panic { place: info.location(), message });
        process::leave(ProcessReport::Fault(Fault::PANIC));
    }));

    for map in &table.maps {
        let protection = if map.writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        // SAFETY: the addresses of a system description are far from where Linux puts programs, stacks and
        // heaps, so no Rust object lies there. The mappings of a description do not overlap.
        unsafe { window::map_file(map.address, map.bytes, map.file, 0, protection) }
            .map_err(failed("map a region"))?;
    }
    if let Some(range) = table.window {
        // SAFETY: as for the regions. The window lies above all of them.
        unsafe { window::reserve(range.address, range.bytes) }.map_err(failed("reserve the window"))?;
    }
    // A region stays mapped without its file. The file is closed, so that nobody can do anything else with
    // it.
    let granted: BTreeSet<RawFd> = table.grants.iter().map(|grant| grant.file).collect();
    for file in table.maps.iter().map(|map| map.file).collect::<BTreeSet<_>>().difference(&granted) {
        drop(take(&mut taken, *file)?);
    }

    let wait = take(&mut taken, table.wait)?;
    let mut counters: Vec<Option<OwnedFd>> = Vec::new();
    for channel in &table.channels {
        let number = usize::from(channel.number);
        counters.resize_with(counters.len().max(number + 1), || None);
        counters[number] = Some(take(&mut taken, channel.counter)?);
    }
    let timer = table.period_us.map(timer).transpose().map_err(failed("create the timer"))?;
    let maps_frames = table.window.is_some();
    let process = process::set(Process { table, counters, wait, timer, reports });
    confine::confine(maps_frames).map_err(|cause| format!("confine the process: {cause}"))?;
    Ok(process)
}

/// Takes over an inherited file, once.
fn take(taken: &mut BTreeSet<RawFd>, file: RawFd) -> Result<OwnedFd, String> {
    if !taken.insert(file) {
        return Err(format!("the table names file {file} twice"));
    }
    // SAFETY: the launcher has opened this file for this process, and `taken` shows that nobody else has
    // taken it. Linux refuses every use of a file that is not open.
    Ok(unsafe { OwnedFd::from_raw_fd(file) })
}

fn timer(period_us: u32) -> rustix::io::Result<OwnedFd> {
    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let period = Timespec {
        tv_sec: i64::from(period_us / 1_000_000),
        tv_nsec: i64::from(period_us % 1_000_000) * 1000,
    };
    let setting = Itimerspec { it_interval: period, it_value: period };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &setting)?;
    Ok(timer)
}
