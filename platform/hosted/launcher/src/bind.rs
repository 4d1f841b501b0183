//! What the launcher binds a process to before its program runs, so that it holds for any program, whoever
//! linked it. The process ends with the launcher. It has the files of its table and no others. It makes no
//! system call but those of `calls`. Where Linux has Landlock, the process cannot reach the files or the
//! memory of another process through `/proc` either, not even as root. The runtime narrows down further what
//! a protection domain may do, once the program has been loaded.

use crate::calls;
use crate::error::LaunchError;
use crate::schedule::Rank;
use command_fds::{CommandFdExt, FdMapping};
use landlock::{ABI, AccessFs, Ruleset, RulesetAttr, RulesetCreated, RulesetError};
use rustix::process::Signal;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// First file that is not one of the three standard ones.
const FIRST_OTHER_FILE: libc::c_uint = 3;

/// Binds the process that `command` will start, gives it its rank, and gives it these files.
pub(crate) fn bind(
    command: &mut Command,
    rank: Option<Rank>,
    files: Vec<FdMapping>,
) -> Result<(), LaunchError> {
    let launcher = rustix::process::getpid();
    let first = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The launcher may have ended before this. Then nobody sends the signal, and nobody would see an
        // error.
        if rustix::process::getppid() != Some(launcher) {
            // SAFETY: the call ends the process without running any more of its code.
            unsafe { libc::_exit(1) };
        }
        close_on_exec()?;
        rank.map_or(Ok(()), Rank::take)
    };
    let mut domain = Some(landlock_domain().map_err(|cause| LaunchError::Linux {
        what: "restrict a process with Landlock",
        cause: io::Error::other(cause),
    })?);
    let filter = calls::filter().map_err(|cause| LaunchError::Linux {
        what: "filter system calls",
        cause: io::Error::other(cause.to_string()),
    })?;
    let last = move || {
        let restricted = domain.take().map(RulesetCreated::restrict_self);
        restricted.transpose().map_err(|_| io::ErrorKind::PermissionDenied)?;
        seccompiler::apply_filter(&filter).map_err(|error| match error {
            seccompiler::Error::Prctl(cause) | seccompiler::Error::Seccomp(cause) => cause,
            _ => io::ErrorKind::Unsupported.into(),
        })
    };
    // SAFETY: the closure runs between `fork` and `exec`. It makes system calls, and neither allocates nor
    // takes locks.
    unsafe { command.pre_exec(first) };
    let given = command.fd_mappings(files).map(|_| ());
    // SAFETY: as for `first`: the closure makes system calls, and neither allocates nor takes locks.
    unsafe { command.pre_exec(last) };
    given.map_err(|cause| LaunchError::Linux { what: "pass on files", cause: io::Error::other(cause) })
}

/// A Landlock domain of its own for a process. It grants nothing. It denies changes to the file system, which
/// the allowed system calls cannot make anyway. What counts is that a process in such a domain has no power
/// over a process outside of it.
fn landlock_domain() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default().handle_access(AccessFs::from_write(ABI::V1))?.create()
}

/// Makes Linux close all other files when the program begins. Only the files that are handed over explicitly
/// after this call stay open. Files that whoever started the launcher has left open are closed too.
fn close_on_exec() -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: the call closes nothing yet, and passes no memory.
    let done = unsafe { libc::syscall(libc::SYS_close_range, FIRST_OTHER_FILE, libc::c_uint::MAX, flags) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
