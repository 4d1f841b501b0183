//! The process's own state: its table and the files that it keeps. Set once at the start, then only read.

use ferry_hosted_table::{ProcessReport, Table};
use ferry_platform::{Channel, Region};
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

/// What a process has.
pub(crate) struct Process {
    pub(crate) table: Table,
    /// The event counters that this process adds to, by the channel's number.
    pub(crate) counters: Vec<Option<OwnedFd>>,
    /// The file to wait with. It becomes ready when others add to their event counters.
    pub(crate) wait: OwnedFd,
    /// Fires once per period, in the ticker.
    pub(crate) timer: Option<OwnedFd>,
    /// The socket to the launcher.
    pub(crate) reports: OwnedFd,
}

static PROCESS: OnceLock<Process> = OnceLock::new();

/// Sets the state. Only the first call has an effect.
pub(crate) fn set(process: Process) -> &'static Process {
    PROCESS.get_or_init(|| process)
}

/// The state, once the process has started.
pub(crate) fn get() -> Option<&'static Process> {
    PROCESS.get()
}

#[doc(hidden)]
#[must_use]
pub fn region_of(name: &str) -> Option<Region> {
    let table = &get()?.table;
    let address = usize::try_from(table.word(name)?).ok()?;
    let bytes = usize::try_from(table.word(&format!("{name}_size"))?).ok()?;
    // SAFETY: the launcher sets both words to a region that the start has mapped, with that size and for
    // good. The Rust objects of this process lie where Linux and the allocator put them, and nothing was
    // mapped over them.
    unsafe { Region::at(address, bytes) }
}

#[doc(hidden)]
#[must_use]
pub fn channel_of(name: &str) -> Option<Channel> {
    get()
        .and_then(|process| process.table.word(name))
        .and_then(|number| Channel::new(usize::try_from(number).ok()?))
}

/// Gives other processes the processor, if they want it.
pub fn yield_now() {
    rustix::thread::sched_yield();
}

/// Blocks until the next period of the system's tick begins. Periods that began while nobody waited count as
/// one.
///
/// # Panics
///
/// In a PD other than the one that the system description makes the ticker.
pub fn wait_for_period() {
    let timer = get().and_then(|process| process.timer.as_ref());
    let timer = timer.expect("this protection domain is the system's ticker");
    let mut periods = [0; 8];
    while rustix::io::read(timer, &mut periods).is_err() {}
}

/// Ends the system with this code. For demonstrations and tests.
pub fn exit(code: u8) -> ! {
    leave(ProcessReport::Exit(code))
}

/// Makes the last report of this process.
pub(crate) fn leave(report: ProcessReport) -> ! {
    crate::console::finish_line();
    if let Some(process) = get() {
        // If there is no launcher to read it, the process is killed anyway.
        let _ = rustix::io::write(&process.reports, &report.encode());
    }
    loop {
        // Waits for the launcher to end this process.
        yield_now();
        std::thread::park();
    }
}
