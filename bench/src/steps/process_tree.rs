//! The launcher and the domains that it starts. They are traced from their start, because a domain that has
//! confined itself can no longer be traced.

use super::StepError;
use super::deadline::Deadline;
use super::process::sleeps;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the launcher may take to say why a domain has ended.
const REPORT_LIMIT: Duration = Duration::from_secs(5);

/// The name of the launcher in messages.
const LAUNCHER: &str = "the launcher";

/// A launcher and all processes that it has started. They end when this value is dropped.
pub(super) struct ProcessTree {
    launcher: Pid,
    /// How the launcher has ended, if it has.
    ended: Option<WaitStatus>,
}

impl ProcessTree {
    /// Starts `launcher` with `order` as its standard input. The launcher must read all of it before it
    /// starts a process. Until then it is not traced.
    pub(super) fn start(launcher: &mut Command, order: &[u8]) -> Result<Self, StepError> {
        let mut child = launcher.stdin(Stdio::piped()).spawn().map_err(StepError::Start)?;
        let pid = Pid::from_raw(child.id().cast_signed());
        // From here on, dropping this value ends the launcher, also on an error.
        let process_tree = Self { launcher: pid, ended: None };
        let starts =
            Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE;
        let marks = Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACESYSGOOD;
        let options = starts | marks | Options::PTRACE_O_EXITKILL;
        ptrace::seize(pid, options).map_err(StepError::Refused)?;
        let input = child.stdin.take().ok_or(ErrorKind::BrokenPipe);
        input.map_err(Into::into).and_then(|mut input| input.write_all(order)).map_err(StepError::Start)?;
        Ok(process_tree)
    }

    /// Lets the launcher start all domains. Holds each domain when its program has been loaded and before it
    /// executes an instruction. Returns them in the order of `programs`, which are the names of their files.
    pub(super) fn hold(&mut self, programs: &[&str], deadline: &Deadline) -> Result<Vec<Pid>, StepError> {
        let mut held: Vec<Option<Pid>> = vec![None; programs.len()];
        loop {
            if let Some(all) = held.iter().copied().collect() {
                return Ok(all);
            }
            let status = self.next(deadline)?;
            let place = loaded(&status).and_then(|(pid, name)| {
                let place = programs.iter().position(|program| *program == name)?;
                Some((place, pid))
            });
            match place {
                Some((place, pid)) => held[place] = Some(pid),
                None => go_on(&status)?,
            }
            if let Some(how) = self.ended {
                return Err(StepError::Ended { who: LAUNCHER.to_owned(), how: format!("{how:?}") });
            }
        }
    }

    /// Waits for the end of the system. Its domains run freely.
    pub(super) fn finish(mut self, deadline: &Deadline) -> Result<(), StepError> {
        loop {
            match self.ended {
                None => {
                    let status = self.next(deadline)?;
                    go_on(&status)?;
                }
                Some(WaitStatus::Exited(_, 0)) => return Ok(()),
                Some(how) => {
                    return Err(StepError::Ended { who: LAUNCHER.to_owned(), how: format!("{how:?}") });
                }
            }
        }
    }

    /// Lets the launcher say why a domain has ended. It does so before it waits for its next event. Errors
    /// here are ignored: the caller has a better one to report.
    pub(super) fn let_launcher_report(&mut self) {
        let deadline = Deadline::after(REPORT_LIMIT);
        while self.ended.is_none() && deadline.check(|| LAUNCHER.to_owned()).is_ok() {
            let continued = match self.poll() {
                Ok(Some(status)) => go_on(&status),
                Ok(None) if sleeps(self.launcher) => return,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if continued.is_err() {
                return;
            }
        }
    }

    /// Waits for the next event of the launcher or a domain.
    fn next(&mut self, deadline: &Deadline) -> Result<WaitStatus, StepError> {
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            deadline.check(|| LAUNCHER.to_owned())?;
            std::thread::yield_now();
        }
    }

    /// The next event of the launcher or a domain, if there is one.
    fn poll(&mut self) -> Result<Option<WaitStatus>, StepError> {
        // `__WNOTHREAD` leaves out the children of other threads.
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let status = waitpid(None, Some(flags)).map_err(|cause| failed("wait for", cause))?;
        if matches!(status, WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) if pid == self.launcher)
        {
            self.ended = Some(status);
        }
        Ok((status != WaitStatus::StillAlive).then_some(status))
    }
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        // The launcher may have ended already. The processes that it has started end with it.
        if self.ended.is_none() {
            let _ = kill(self.launcher, Signal::SIGKILL);
        }
        // Stopped processes are killed as well. All that remains is to collect each of them.
        while waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)).is_ok() {}
    }
}

/// If the process has just loaded a program, the process and the name of the program's file.
fn loaded(status: &WaitStatus) -> Option<(Pid, String)> {
    let WaitStatus::PtraceEvent(pid, _, event) = *status else { return None };
    if event != Event::PTRACE_EVENT_EXEC as i32 {
        return None;
    }
    let file = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some((pid, file.file_name()?.to_str()?.to_owned()))
}

/// Lets a stopped process continue. If a signal stopped it, the process gets that signal.
fn go_on(status: &WaitStatus) -> Result<(), StepError> {
    let (pid, signal) = match *status {
        WaitStatus::PtraceEvent(pid, ..)
        | WaitStatus::PtraceSyscall(pid)
        | WaitStatus::Stopped(pid, Signal::SIGTRAP) => (pid, None),
        WaitStatus::Stopped(pid, signal) => (pid, Some(signal)),
        _ => return Ok(()),
    };
    match ptrace::cont(pid, signal) {
        // The process was killed meanwhile.
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(cause) => Err(failed("continue", cause)),
    }
}

fn failed(what: &'static str, cause: Errno) -> StepError {
    StepError::Trace { what, who: "the launcher or a domain".to_owned(), cause }
}
