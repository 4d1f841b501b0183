//! What the launcher binds a process to before its program runs, so it holds for any program, whoever linked
//! it: it ends with the launcher, it has the files of its table and no others, and it makes no system call
//! but those of `calls`. Where Linux has Landlock, it is also alone: through `/proc` it comes neither to the
//! files nor to the memory of another process, not even as root. What a protection domain may do beyond that,
//! the runtime narrows down once the program has been loaded.

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

/// Binds what `command` will start, ranks it, and gives it these files.
pub(crate) fn bind(
    command: &mut Command,
    rank: Option<Rank>,
    files: Vec<FdMapping>,
) -> Result<(), LaunchError> {
    let launcher = rustix::process::getpid();
    let first = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have ended before that; then nobody sends the signal, and nobody hears of an error.
        if rustix::process::getppid() != Some(launcher) {
            // SAFETY: ends the process without running anything of it.
            unsafe { libc::_exit(1) };
        }
        close_on_exec()?;
        rank.map_or(Ok(()), Rank::take)
    };
    let mut alone = Some(alone().map_err(|cause| LaunchError::Linux {
        what: "keep a process alone",
        cause: io::Error::other(cause),
    })?);
    let filter = calls::filter().map_err(|cause| LaunchError::Linux {
        what: "filter system calls",
        cause: io::Error::other(cause.to_string()),
    })?;
    let last = move || {
        let restricted = alone.take().map(RulesetCreated::restrict_self);
        restricted.transpose().map_err(|_| io::ErrorKind::PermissionDenied)?;
        seccompiler::apply_filter(&filter).map_err(|error| match error {
            seccompiler::Error::Prctl(cause) | seccompiler::Error::Seccomp(cause) => cause,
            _ => io::ErrorKind::Unsupported.into(),
        })
    };
    // SAFETY: between `fork` and `exec` it makes system calls, and neither allocates nor takes locks.
    unsafe { command.pre_exec(first) };
    let given = command.fd_mappings(files).map(|_| ());
    // SAFETY: as above.
    unsafe { command.pre_exec(last) };
    given.map_err(|cause| LaunchError::Linux { what: "pass on files", cause: io::Error::other(cause) })
}

/// A Landlock domain of its own. It grants nothing, and denies what the system calls that are allowed cannot
/// do anyway, to change the file system; what counts is that a process in such a domain has no power over one
/// that is not in it.
fn alone() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default().handle_access(AccessFs::from_write(ABI::V1))?.create()
}

/// Has all files closed when the program begins that are not handed over explicitly from now on: those too
/// that whoever started the launcher has left open.
fn close_on_exec() -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: closes nothing yet, and passes no memory.
    let done = unsafe { libc::syscall(libc::SYS_close_range, FIRST_OTHER_FILE, libc::c_uint::MAX, flags) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
