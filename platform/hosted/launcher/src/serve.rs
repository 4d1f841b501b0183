//! What the launcher does while the system runs: it reports faults, starts those again that may be, and ends all processes
//! when one asks for it.

use crate::blueprint::{Blueprint, Life};
use crate::console::Console;
use crate::error::LaunchError;
use ferry_hosted_table::Report;
use ferry_platform::{Fault, FaultKind, Outcome, Report as Line, Restarts};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// A running system. Dropped, it ends: no process outlives it.
pub struct System {
    members: Vec<Member>,
    console: Console,
}

/// A running protection domain.
pub(crate) struct Member {
    name: String,
    process: Child,
    /// Where it reports; `None` once it has faulted or ended.
    reports: Option<OwnedFd>,
    restarts: Restarts,
    /// How it is started again. Not kept for a domain that never is.
    blueprint: Option<Blueprint>,
}

/// How a system ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// A domain has ended it.
    Exit {
        /// Which.
        domain: String,
        /// With this code.
        code: u8,
    },
    /// No process is left.
    Deserted,
    /// It did not end in time.
    TimeLimit,
}

/// What happened next.
enum Event {
    Report(usize, Report),
    /// The process closed its pipe, which means that it has ended.
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

    /// An open file for the console.
    pub(crate) fn console(&self) -> io::Result<OwnedFd> {
        self.console.open()
    }

    /// Serves until the system ends, then ends what is left of it.
    pub fn serve(mut self, limit: Option<Duration>) -> Result<Ending, LaunchError> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        while self.members.iter().any(|member| member.reports.is_some()) {
            match self.next(deadline).map_err(LaunchError::linux("wait for reports"))? {
                Event::Report(number, Report::Exit(code)) => {
                    let domain = self.members[number].name.clone();
                    self.console.line(Line::Exit { domain: &domain, code }.to_string());
                    return Ok(Ending::Exit { domain, code });
                }
                Event::Report(number, Report::Fault(fault)) => {
                    self.end(number);
                    self.fault(number, fault)?;
                }
                Event::Gone(number) => self.bury(number)?,
                Event::TimeLimit => return Ok(Ending::TimeLimit),
            }
        }
        Ok(Ending::Deserted)
    }

    fn next(&self, deadline: Option<Instant>) -> rustix::io::Result<Event> {
        let waiting = self.members.iter().enumerate();
        let waiting: Vec<(usize, &OwnedFd)> =
            waiting.filter_map(|(number, member)| Some((number, member.reports.as_ref()?))).collect();
        let mut files: Vec<PollFd<'_>> =
            waiting.iter().map(|(_, reports)| PollFd::new(*reports, PollFlags::IN)).collect();
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match rustix::event::poll(&mut files, left.as_ref()) {
                Ok(0) => return Ok(Event::TimeLimit),
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        let ready = files.iter().position(|file| !file.revents().is_empty()).unwrap_or(0);
        let (number, reports) = waiting[ready];
        let mut record = [0; Report::BYTES];
        let read = rustix::io::read(reports, &mut record)?;
        // Records are written whole. What is none is of a process that has lost its mind, and is taken for its end.
        let report = if read == Report::BYTES { Report::decode(record) } else { None };
        Ok(report.map_or(Event::Gone(number), |report| Event::Report(number, report)))
    }

    /// A process that has ended is reported, and started again if it may be.
    fn fault(&mut self, number: usize, fault: Fault) -> Result<(), LaunchError> {
        let Member { name, process, reports, restarts, blueprint } = &mut self.members[number];
        let domain = name.as_str();
        self.console.line(Line::Fault { domain, fault }.to_string());
        let number = match restarts.after_fault() {
            Outcome::Again(number) => number,
            Outcome::GivenUp => {
                self.console.line(Line::GivenUp { domain }.to_string());
                return Ok(());
            }
            Outcome::Stays => return Ok(()),
        };
        let Some(blueprint) = blueprint else { return Ok(()) };
        // Before it runs, so that whatever it prints comes after it.
        self.console.line(Line::Restart { domain, number }.to_string());
        let life =
            blueprint.start(self.console.open().map_err(LaunchError::linux("pass on the console"))?)?;
        (*process, *reports) = (life.process, Some(life.reports));
        Ok(())
    }

    /// A process has ended without saying why, which is reported as a fault.
    fn bury(&mut self, number: usize) -> Result<(), LaunchError> {
        let signal = self.end(number).and_then(|status| status.signal()).unwrap_or(0);
        let address = signal.unsigned_abs().into();
        self.fault(number, Fault { kind: FaultKind::UserException, address, instruction: 0 })
    }

    /// Ends a process and hears no more of it. After a fault it does not run on, whatever it has reported itself; nor does one
    /// live on that has closed its pipe.
    fn end(&mut self, number: usize) -> Option<ExitStatus> {
        let member = &mut self.members[number];
        member.reports = None;
        // It may have ended already.
        let _ = member.process.kill();
        member.process.wait().ok()
    }
}

impl Member {
    /// A domain in its first life.
    pub(crate) fn new(name: String, life: Life, blueprint: Blueprint, limit: u8) -> Self {
        let blueprint = Some(blueprint).filter(|_| limit > 0);
        let (process, reports) = (life.process, Some(life.reports));
        Self { name, process, reports, restarts: Restarts::new(limit), blueprint }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // All at once first, so that nobody sees the others go; one that has ended already cannot be killed again.
        for member in &mut self.members {
            let _ = member.process.kill();
        }
        for member in &mut self.members {
            let _ = member.process.wait();
        }
    }
}
