//! Counts the instructions of a hosted system. It steps the domains one instruction at a time, with ptrace.
//!
//! The system does not change for that, and keeps all of its protection. The launcher starts it, and the
//! domains confine themselves as always. The tracer sees their registers but not their memory. The tracer is
//! the parent of the launcher, so it holds every domain from its start.
//!
//! Only one domain runs at a time: the one with the highest priority that does not wait, as on seL4 with one
//! processor. So the description decides the order in which domains run, and not Linux's scheduler. A count
//! is therefore the same in every run. Outside the measured sections a domain runs from one system call to
//! the next. The order stays the same there, because a domain wakes another only by a system call.
//!
//! Instructions in user mode are counted, those of the C library included. Linux's own are not.
//!
//! ```text
//!   this program ──────── traces ───────┬──────────────┐
//!        │ starts, traces               │              │
//!        ▼                              ▼              ▼
//!   the launcher, which runs free ── starts ──▶ the domains, stepped
//! ```

mod deadline;
mod domain;
mod process;
mod process_tree;
mod program;

use deadline::Deadline;
use domain::Domain;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use process::Until;
use process_tree::ProcessTree;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A domain to step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The name of its program's file.
    pub program: String,
    /// Of two domains that can run, the one with the higher priority runs.
    pub priority: u8,
}

/// Instructions of each domain in a measured section, in the order in which the domains were given.
pub type Counts = Vec<u64>;

/// Why a system could not be stepped.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The launcher did not start.
    #[error("the system to be counted does not start: {0}")]
    Start(io::Error),
    /// Linux does not allow ptrace.
    #[error(
        "Linux does not let this program trace the one that it has started ({0}); set kernel.yama.ptrace_scope to 1 or 0, or let \
         the container make the system call ptrace"
    )]
    Refused(Errno),
    /// A traced process cannot be controlled.
    #[error("Linux refuses to {what} {who}: {cause}; instructions are counted on Linux 5.11 or newer")]
    Trace {
        /// What could not be done.
        what: &'static str,
        /// To which process.
        who: String,
        /// The error of Linux.
        cause: Errno,
    },
    /// A program cannot be read.
    #[error("the program `{program}` cannot be examined: {cause}; build it again")]
    Program {
        /// The program.
        program: String,
        /// The error.
        cause: io::Error,
    },
    /// No domain marks a section to count.
    #[error(
        "no program has the function bench_begin, which marks the section to count; build the programs again"
    )]
    NoSection,
    /// A process ended before everything was counted.
    #[error("{who} has ended while instructions were counted ({how})")]
    Ended {
        /// The process.
        who: String,
        /// How it ended.
        how: String,
    },
    /// No domain can go on.
    #[error("every domain waits, and none can wake another: {places}")]
    Standstill {
        /// Where each of them waits.
        places: String,
    },
    /// Counting took too long.
    #[error("counting did not end within {limit:?}; {who} was running")]
    TimeLimit {
        /// The time limit.
        limit: Duration,
        /// Which process runs, and where it is.
        who: String,
    },
    /// The console of the system could not be stored.
    #[error("could not store the console as {path}: {cause}")]
    Console {
        /// The file.
        path: String,
        /// The error.
        cause: io::Error,
    },
}

/// Why a system could not be stepped, and what it printed.
#[derive(Debug, thiserror::Error)]
#[error("{cause}{}", printed(console))]
pub struct CountError {
    /// Why it could not be stepped.
    pub cause: StepError,
    /// What the system printed until then.
    pub console: String,
}

fn printed(console: &str) -> String {
    if console.is_empty() { String::new() } else { format!("; it printed: {console}") }
}

/// Runs the system that `launcher` starts once it has read all of `order` from its standard input. Counts the
/// instructions of each domain in each of `sections` measured sections. A section goes from the return of one
/// domain's function `bench_begin` to its call of `bench_end`. Functions whose names begin with `bench_` are
/// not counted.
///
/// `console` is the file for what the system prints.
pub fn count(
    launcher: &mut Command,
    order: &[u8],
    members: &[Member],
    sections: usize,
    limit: Duration,
    console: &Path,
) -> Result<Vec<Counts>, CountError> {
    let counted = store(launcher, console).and_then(|()| {
        // Linux ties a tracee to the thread that traces it. When this thread ends, Linux releases everything
        // that it still traces.
        std::thread::scope(|scope| {
            let tracer = scope.spawn(|| {
                keep_to_one_processor()?;
                run(launcher, order, members, sections, limit)
            });
            tracer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    });
    counted.map_err(|cause| CountError { cause, console: fs::read_to_string(console).unwrap_or_default() })
}

/// Stores everything that is printed in a file. A pipe that is not emptied would block its writer in the end.
fn store(launcher: &mut Command, console: &Path) -> Result<(), StepError> {
    let failed = |cause| StepError::Console { path: console.display().to_string(), cause };
    if let Some(directory) = console.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    let output = File::create(console).map_err(failed)?;
    launcher.stderr(output.try_clone().map_err(failed)?).stdout(output);
    Ok(())
}

/// Keeps this thread and the processes that it starts on one processor, another one than the call before.
/// Handing over to another processor takes far longer than a step.
fn keep_to_one_processor() -> Result<(), StepError> {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let mut kept = CpuSet::new();
    sched_getaffinity(Pid::from_raw(0))
        .and_then(|allowed| {
            let mut processors = (0..CpuSet::count()).filter(|number| allowed.is_set(*number) == Ok(true));
            let count = processors.clone().count().max(1);
            let chosen = processors.nth(CALLS.fetch_add(1, Ordering::Relaxed) % count);
            chosen.ok_or(Errno::EINVAL).and_then(|processor| kept.set(processor))
        })
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &kept))
        .map_err(|cause| StepError::Trace {
            what: "keep to one processor",
            who: "this program".to_owned(),
            cause,
        })
}

fn run(
    launcher: &mut Command,
    order: &[u8],
    members: &[Member],
    sections: usize,
    limit: Duration,
) -> Result<Vec<Counts>, StepError> {
    let deadline = Deadline::after(limit);
    let mut process_tree = ProcessTree::start(launcher, order)?;
    let programs: Vec<&str> = members.iter().map(|member| member.program.as_str()).collect();
    let held = process_tree.hold(&programs, &deadline)?;
    let domains = held.into_iter().zip(members).map(|(pid, member)| Domain::new(pid, member));
    let mut domains: Vec<Domain> = domains.collect::<Result<_, _>>()?;
    if domains.iter().all(|domain| domain.process.program.begin.is_none()) {
        return Err(StepError::NoSection);
    }
    match step(&mut domains, sections, &deadline) {
        Ok(counts) => {
            for domain in &mut domains {
                domain.process.release()?;
            }
            process_tree.finish(&deadline)?;
            Ok(counts)
        }
        Err(error) => {
            process_tree.let_launcher_report();
            Err(error)
        }
    }
}

/// Runs the domains, each in its turn, until all sections are counted.
fn step(domains: &mut [Domain], sections: usize, deadline: &Deadline) -> Result<Vec<Counts>, StepError> {
    let mut counts = Vec::with_capacity(sections);
    let mut open = false;
    while counts.len() < sections {
        let turn = turn(domains)?;
        deadline.check(|| domains[turn].process.place())?;
        if domains[turn].begins_section() {
            domains.iter_mut().for_each(Domain::begin);
            open = true;
        } else if open && domains[turn].ends_section() {
            counts.push(domains.iter().map(|domain| domain.instructions).collect());
            open = false;
        }
        let domain = &mut domains[turn];
        // A domain is woken only by a system call, so the turn cannot change between two of them.
        let woken = if open { domain.step(deadline)? } else { domain.process.run(Until::Call, deadline)? };
        if woken {
            for domain in domains.iter_mut() {
                domain.process.wake(deadline)?;
            }
        }
    }
    Ok(counts)
}

/// Whose turn it is: of the domains that can run, the one with the highest priority.
fn turn(domains: &[Domain]) -> Result<usize, StepError> {
    let runnable = domains.iter().enumerate().filter(|(_, domain)| domain.process.can_run());
    let highest = runnable.max_by_key(|(_, domain)| domain.priority);
    highest.map(|(turn, _)| turn).ok_or_else(|| {
        let places: Vec<String> = domains.iter().map(|domain| domain.process.place()).collect();
        StepError::Standstill { places: places.join(", ") }
    })
}
