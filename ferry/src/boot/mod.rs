//! Boots a machine and judges what it did. Every boot ends: by itself, or by the time limit.
//!
//! A boot is a success only if everything expected was seen: the lines, the fault if one is expected, the
//! exit code reported on the console, *and* the exit status of the emulator. Anything unexpected (a fault, a
//! panic, an error line) is a failure. A failure carries the console, and prints the last lines of it.

mod binding;
#[cfg(test)]
mod tests;

use crate::console::{Line, Printed};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How many lines of the console a failure prints.
const TAIL: usize = 25;
/// How long a machine may keep running after its first unexpected line, so that it can print more about it.
const GRACE: Duration = Duration::from_millis(1_500);

/// A command that boots a system: an emulator with its image, or on the hosted platform the launcher.
#[derive(Debug)]
pub(crate) struct Bootable {
    /// The program with its arguments. Its standard output is the machine's console.
    pub(crate) command: Command,
    /// The exit status of the emulator when the system ends with this code.
    pub(crate) status_of: fn(u8) -> i32,
}

/// What a boot must do to be a success.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    /// Beginnings of lines that must appear, in any order, with or without the name of who prints them.
    pub(crate) lines: Vec<String>,
    /// The fault that must happen: the domain, the kind, and how often. Any other fault is a failure.
    pub(crate) fault: Option<(String, String, u8)>,
    /// How the machine ends.
    pub(crate) ending: Ending,
    /// Time after which the machine is stopped. One that no clock can hold is none.
    pub(crate) limit: Duration,
}

/// How a machine ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// The system ends the machine, with this code.
    Exit(u8),
    /// The host ends the machine, once it has seen the expected fault and all expected lines.
    AfterFault,
    /// The host ends the machine, once it has seen all expected lines. The system may end it before, with
    /// code 0.
    AfterLines,
    /// As the system likes, and with any code. Faults and errors are the system's own business.
    Any,
}

/// A boot that succeeded.
#[derive(Debug)]
pub(crate) struct Boot {
    /// The console, line by line, without line ends.
    pub(crate) console: Vec<String>,
    /// The code with which the system ended the machine.
    pub(crate) code: Option<u8>,
}

/// A boot that failed.
#[derive(Debug, thiserror::Error)]
#[error("{failure}{}", Tail(console))]
pub(crate) struct BootError {
    pub(crate) failure: Failure,
    /// The console up to the failure.
    pub(crate) console: Vec<String>,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("could not start {program}: {cause}; `ferry setup` installs it")]
    Start { program: String, cause: io::Error },
    #[error("the machine did not end within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    #[error("unexpected on the console: {0}")]
    Trouble(String),
    #[error("the console never showed `{0}`")]
    Missing(String),
    #[error("faults of kind {kind} by {domain}: expected {times}, saw {seen}")]
    NoFault { domain: String, kind: String, times: u8, seen: u8 },
    #[error("the system ended with code {found}, expected {wanted}")]
    Code { found: u8, wanted: u8 },
    #[error("the machine stopped without an exit of the system{}", Status(*.0))]
    Stopped(Option<i32>),
    #[error("the system reported its exit, but the machine's status is wrong{}", Status(*.0))]
    Status(Option<i32>),
}

struct Status(Option<i32>);

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(formatter, " (the emulator's status is {status})"),
            None => formatter.write_str(" (the emulator was killed)"),
        }
    }
}

/// The last lines of a console, for an error.
struct Tail<'a>(&'a [String]);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("\nthe console is empty");
        }
        let skipped = self.0.len().saturating_sub(TAIL);
        formatter.write_str("\nthe console's last lines:")?;
        self.0[skipped..].iter().try_for_each(|line| write!(formatter, "\n  | {line}"))
    }
}

/// Boots a machine and judges it. `on_line` sees each line of the console as it comes, and says whether the
/// machine may go on.
pub(crate) fn boot(
    mut emulator: Bootable,
    expectation: &Expectation,
    on_line: &mut dyn FnMut(&str) -> bool,
) -> Result<Boot, BootError> {
    let start = Instant::now();
    let command = emulator.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    binding::end_with_this_thread(command);
    let child = command.spawn().map_err(|cause| BootError {
        failure: Failure::Start { program: command.get_program().to_string_lossy().into_owned(), cause },
        console: Vec::new(),
    })?;
    let mut watch = Watch::new(expectation, start);
    let status = watch.follow(child, on_line);
    match watch.judge(status, emulator.status_of) {
        Ok(()) => Ok(Boot { code: watch.exit, console: watch.console }),
        Err(failure) => Err(BootError { failure, console: watch.console }),
    }
}

/// What was seen of a boot so far.
struct Watch<'a> {
    expectation: &'a Expectation,
    deadline: Option<Instant>,
    console: Vec<String>,
    trouble: Option<String>,
    faults_seen: u8,
    exit: Option<u8>,
    timed_out: bool,
    stopped_by_us: bool,
}

impl<'a> Watch<'a> {
    fn new(expectation: &'a Expectation, start: Instant) -> Self {
        Self {
            expectation,
            deadline: start.checked_add(expectation.limit),
            console: Vec::new(),
            trouble: None,
            faults_seen: 0,
            exit: None,
            timed_out: false,
            stopped_by_us: false,
        }
    }

    /// Reads the console until the machine ends or has to be stopped. Returns the emulator's exit status, or
    /// none if it was killed.
    fn follow(&mut self, mut child: Child, on_line: &mut dyn FnMut(&str) -> bool) -> Option<i32> {
        let (sender, lines) = mpsc::channel();
        let outputs = [
            child.stdout.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
            child.stderr.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
        ];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || forward(output, &sender));
        }
        drop(sender);
        loop {
            // A wait that no clock can hold would panic.
            let line = match self.deadline {
                Some(deadline) => lines.recv_timeout(deadline.saturating_duration_since(Instant::now())),
                None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match line {
                Ok(line) => {
                    let may_go_on = on_line(&line);
                    self.see(line);
                    if !may_go_on || self.is_over() {
                        self.stopped_by_us = true;
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.timed_out = true;
                    self.stopped_by_us = true;
                    break;
                }
            }
        }
        if self.stopped_by_us {
            // The machine may have ended by itself just now. Then there is nothing to kill.
            let _ = child.kill();
        }
        child.wait().ok().and_then(|status| status.code())
    }

    fn see(&mut self, line: String) {
        let expected = self.expectation.fault.as_ref();
        match Line::of(&line) {
            Line::Fault { domain, kind }
                if expected.is_some_and(|(wanted_domain, wanted_kind, times)| {
                    (wanted_domain.as_str(), wanted_kind.as_str()) == (domain, kind)
                        && self.faults_seen < *times
                }) =>
            {
                self.faults_seen += 1;
            }
            // What the caller expects is no trouble.
            Line::Fault { .. } | Line::Panic | Line::Trouble
                if self.expectation.ending == Ending::Any || self.is_expected(&line) => {}
            // The report of the fault follows this line, and is what counts.
            Line::Panic if expected.is_some_and(|(_, kind, _)| kind == "panic") => {}
            Line::Fault { .. } | Line::Panic | Line::Trouble => {
                if self.trouble.is_none() {
                    self.trouble = Some(line.clone());
                    let soon = Instant::now() + GRACE;
                    self.deadline = Some(self.deadline.map_or(soon, |deadline| deadline.min(soon)));
                }
            }
            Line::Exit { code } => self.exit = Some(code),
            // A restart and a domain that is given up are no trouble by themselves. The report of the fault
            // before them is what counts.
            Line::Restart { .. } | Line::GivenUp { .. } | Line::Other => {}
        }
        self.console.push(line);
    }

    /// Whether the host has to end the machine now.
    fn is_over(&self) -> bool {
        match self.expectation.ending {
            Ending::Exit(_) | Ending::Any => false,
            Ending::AfterFault => self.missing_fault().is_none() && self.missing().is_none(),
            Ending::AfterLines => self.missing().is_none(),
        }
    }

    fn is_expected(&self, line: &str) -> bool {
        self.expectation.lines.iter().any(|wanted| begins(line, wanted))
    }

    /// The expected fault, if it has not yet happened as often as it must.
    fn missing_fault(&self) -> Option<(String, String, u8)> {
        self.expectation.fault.clone().filter(|(_, _, times)| self.faults_seen < *times)
    }

    fn missing(&self) -> Option<&'a String> {
        let seen = |wanted: &str| self.console.iter().any(|line| begins(line, wanted));
        self.expectation.lines.iter().find(|wanted| !seen(wanted))
    }

    fn judge(&self, status: Option<i32>, status_of: fn(u8) -> i32) -> Result<(), Failure> {
        if let Some(line) = &self.trouble {
            return Err(Failure::Trouble(line.clone()));
        }
        if self.timed_out {
            return Err(Failure::Timeout(self.expectation.limit));
        }
        let wanted = match self.expectation.ending {
            Ending::Exit(wanted) => Some(wanted),
            Ending::Any => Some(self.exit.unwrap_or(0)),
            // If nobody ended it, the host did.
            Ending::AfterFault | Ending::AfterLines => self.exit.map(|_| 0),
        };
        if let Some(wanted) = wanted {
            match self.exit {
                None => return Err(Failure::Stopped(status)),
                Some(found) if found != wanted => return Err(Failure::Code { found, wanted }),
                // The host may have stopped the machine just when it ended.
                Some(_) if !self.stopped_by_us && status != Some(status_of(wanted)) => {
                    return Err(Failure::Status(status));
                }
                Some(_) => {}
            }
        }
        if let Some((domain, kind, times)) = self.missing_fault() {
            return Err(Failure::NoFault { domain, kind, times, seen: self.faults_seen });
        }
        match self.missing() {
            Some(line) => Err(Failure::Missing(line.clone())),
            None => Ok(()),
        }
    }
}

/// Whether the line begins so, with or without the name of who printed it.
fn begins(line: &str, wanted: &str) -> bool {
    line.starts_with(wanted) || Printed::of(line).text.starts_with(wanted)
}

/// Sends each line without its line end. The console may hold bytes that are not UTF-8.
fn forward(output: impl Read, lines: &mpsc::Sender<String>) {
    let mut output = BufReader::new(output);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&bytes);
        // Some consoles send the carriage return after the line feed, so it begins the next line.
        let line = text.trim_matches(['\r', '\n']).to_owned();
        bytes.clear();
        if lines.send(line).is_err() {
            break;
        }
    }
}
