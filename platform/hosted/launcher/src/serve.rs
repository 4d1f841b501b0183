//! What the launcher does while the system runs. It prints what domains print, reports faults, starts domains
//! again where the description allows it, and ends all processes when one asks for it. No domain can keep it
//! waiting: it takes from each what is there, up to a bound, and waits for all at once.

use crate::blueprint::{Blueprint, Started};
use crate::console::{Console, DomainOutput};
use crate::error::LaunchError;
use crate::exec::Process;
use ferry_hosted_table::ProcessReport;
use ferry_platform::{Fault, FaultKind, Outcome, Report, Restarts};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// A running system. When this is dropped, the system ends: no process outlives it.
pub struct System {
    members: Vec<Member>,
    console: Console,
}

/// A running protection domain.
pub(crate) struct Member {
    name: String,
    process: Process,
    /// Where it reports; `None` once it has faulted or ended.
    reports: Option<OwnedFd>,
    /// Where it prints; `None` once it has ended.
    output: Option<DomainOutput>,
    restarts: Restarts,
    /// How it is started again. It is kept even where that never happens: it holds the event counters, which
    /// remember what a domain has signalled before it ended.
    blueprint: Blueprint,
}

/// How a system ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// A domain has ended it.
    Exit {
        /// The domain.
        domain: String,
        /// The code.
        code: u8,
    },
    /// No process is left.
    NoProcessLeft,
    /// It did not end in time.
    TimeLimit,
}

/// What happened next.
enum Event {
    Report(usize, ProcessReport),
    /// The process closed its socket, which means that it has ended.
    Gone(usize),
    TimeLimit,
}

impl System {
    pub(crate) const fn new(console: Console) -> Self {
        Self { members: Vec::new(), console }
    }

    pub(crate) fn add(&mut self, member: Member) {
        self.members.push(member);
    }

    /// Lets all members run. The first one does not run before all exist.
    pub(crate) fn go(&mut self) -> Result<(), LaunchError> {
        self.members.iter_mut().try_for_each(Member::go)
    }

    /// Serves until the system ends, then ends what is left of it.
    pub fn serve(mut self, limit: Option<Duration>) -> Result<Ending, LaunchError> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        while self.members.iter().any(|member| member.reports.is_some()) {
            match self.next(deadline).map_err(LaunchError::linux("wait for reports"))? {
                Event::Report(number, ProcessReport::Exit(code)) => {
                    self.relay();
                    let domain = self.members[number].name.clone();
                    self.console.line(&Report::Exit { domain: &domain, code }.to_string());
                    return Ok(Ending::Exit { domain, code });
                }
                Event::Report(number, ProcessReport::Fault(fault)) => {
                    self.end(number)?;
                    self.fault(number, fault)?;
                }
                Event::Gone(number) => self.end_unreported(number)?,
                Event::TimeLimit => return Ok(Ending::TimeLimit),
            }
        }
        Ok(Ending::NoProcessLeft)
    }

    /// Prints what there is to print, until something else happens.
    fn next(&mut self, deadline: Option<Instant>) -> rustix::io::Result<Event> {
        loop {
            self.wait(deadline)?;
            self.relay();
            let mut members = self.members.iter().enumerate();
            if let Some(event) = members.find_map(|(number, member)| member.event(number)) {
                return Ok(event);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Event::TimeLimit);
            }
        }
    }

    /// Prints what all domains have printed.
    fn relay(&mut self) {
        let members = self.members.iter().enumerate();
        let outputs: Vec<(usize, &str, &DomainOutput)> = members
            .filter_map(|(number, member)| Some((number, member.name.as_str(), member.output.as_ref()?)))
            .collect();
        self.console.relay(&outputs);
    }

    /// Waits until a domain has printed or reported, or the time is up.
    fn wait(&self, deadline: Option<Instant>) -> rustix::io::Result<()> {
        let files = self.members.iter().flat_map(|member| {
            let reports = member.reports.as_ref().map(AsFd::as_fd);
            reports.into_iter().chain(member.output.as_ref().map(DomainOutput::file))
        });
        let mut files: Vec<PollFd<'_>> =
            files.map(|file| PollFd::from_borrowed_fd(file, PollFlags::IN)).collect();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(&mut files, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reports the fault of a domain whose process has ended, and starts the domain again if it may be.
    fn fault(&mut self, number: usize, fault: Fault) -> Result<(), LaunchError> {
        let Member { name, restarts, blueprint, .. } = &mut self.members[number];
        let domain = name.as_str();
        self.console.line(&Report::Fault { domain, fault }.to_string());
        let count = match restarts.after_fault() {
            Outcome::Again(count) => count,
            Outcome::GivenUp => {
                self.console.line(&Report::GivenUp { domain }.to_string());
                return Ok(());
            }
            Outcome::Stays => return Ok(()),
        };
        // The line comes before the domain runs, so that it precedes whatever the domain prints.
        self.console.line(&Report::Restart { domain, number: count }.to_string());
        let started = blueprint.start()?;
        self.members[number].replace_process(started)
    }

    /// Ends a process that is gone without a report, and reports this as a fault.
    fn end_unreported(&mut self, number: usize) -> Result<(), LaunchError> {
        let signal = self.end(number)?.signal().unwrap_or(0);
        let address = signal.unsigned_abs().into();
        self.fault(number, Fault { kind: FaultKind::UserException, address, instruction: 0 })
    }

    /// Ends a process and takes no more reports from it. A process must not run on after a fault, even if it
    /// has reported the fault itself. Nor may a process run on that has closed its socket.
    fn end(&mut self, number: usize) -> Result<ExitStatus, LaunchError> {
        let member = &mut self.members[number];
        member.reports = None;
        let ended = member.process.kill().and_then(|()| member.process.wait());
        let status = ended.map_err(|cause| member.blueprint.failed(cause))?;
        self.relay();
        self.members[number].output = None;
        Ok(status)
    }
}

impl Member {
    /// A domain whose first process was started.
    pub(crate) fn new(name: String, started: Started, blueprint: Blueprint, limit: u8) -> Self {
        let Started { process, reports, output } = started;
        let restarts = Restarts::new(limit);
        Self { name, process, reports: Some(reports), output: Some(output), restarts, blueprint }
    }

    /// Goes on with a new process.
    fn replace_process(&mut self, started: Started) -> Result<(), LaunchError> {
        self.process = started.process;
        (self.reports, self.output) = (Some(started.reports), Some(started.output));
        self.go()
    }

    /// Lets it load its program and run.
    fn go(&mut self) -> Result<(), LaunchError> {
        self.process.go().map_err(|cause| self.blueprint.failed(cause))
    }

    /// What it has reported, if it has.
    fn event(&self, number: usize) -> Option<Event> {
        let mut record = [0; ProcessReport::BYTES];
        let report = match rustix::net::recv(self.reports.as_ref()?, &mut record[..], RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => return None,
            Ok((ProcessReport::BYTES, _)) => ProcessReport::decode(record),
            // Something that is no report comes from a process that is out of order, and counts as its end.
            _ => None,
        };
        Some(report.map_or(Event::Gone(number), |report| Event::Report(number, report)))
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // All are killed before any is waited for, so that no process sees the others end. Killing one that
        // has ended already fails, which does no harm.
        for member in &mut self.members {
            let _ = member.process.kill();
        }
        for member in &mut self.members {
            let _ = member.process.wait();
        }
    }
}
