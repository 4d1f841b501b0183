//! What the launcher binds a process to before its program runs, so it holds for any program, whoever linked it: it ends with
//! the launcher, it has the files of its table and no others, it opens no file for writing, and it reaches into no other
//! process.
//!
//! The third is what keeps a read-only mapping read-only: a memory file that was opened for reading could otherwise be opened
//! again for writing, as `/proc/self/fd/N`. What a protection domain may do beyond that, the runtime narrows down once the
//! program has been loaded.

use crate::error::LaunchError;
use crate::schedule::Rank;
use libc::{O_ACCMODE, O_RDWR, O_TRUNC, O_WRONLY};
use rustix::process::Signal;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// First file that is not one of the three standard ones.
const FIRST_OTHER_FILE: libc::c_uint = 3;
/// Places of arguments.
const OPEN_FLAGS: u8 = 1;
const OPENAT_FLAGS: u8 = 2;
const PRLIMIT_PROCESS: u8 = 0;

/// Calls that are refused whatever their arguments are.
const REFUSED: &[i64] = &[
    // Files by other ways than `openat`. What `openat2` is to do lies in memory, where no filter sees it.
    libc::SYS_openat2,
    libc::SYS_open_by_handle_at,
    libc::SYS_io_uring_setup,
    // Other processes: their memory, their files, whether they run, and before whom.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_setpriority,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
];

/// Binds what `command` will start, and ranks it. Files that it shall have are given to it after this.
pub(crate) fn bind(command: &mut Command, rank: Option<Rank>) -> Result<(), LaunchError> {
    let filter = filter().map_err(|cause| LaunchError::Linux {
        what: "filter system calls",
        cause: io::Error::other(cause.to_string()),
    })?;
    let launcher = rustix::process::getpid();
    let before_the_program = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have ended before that; then nobody sends the signal, and nobody hears of an error.
        if rustix::process::getppid() != Some(launcher) {
            // SAFETY: ends the process without running anything of it.
            unsafe { libc::_exit(1) };
        }
        close_on_exec()?;
        rank.map_or(Ok(()), Rank::take)?;
        seccompiler::apply_filter(&filter).map_err(|error| match error {
            seccompiler::Error::Prctl(cause) | seccompiler::Error::Seccomp(cause) => cause,
            _ => io::ErrorKind::Unsupported.into(),
        })
    };
    // SAFETY: between `fork` and `exec` it makes system calls, and neither allocates nor takes locks.
    unsafe { command.pre_exec(before_the_program) };
    Ok(())
}

/// Has all files closed when the program begins that are not handed over explicitly from now on: those too that whoever
/// started the launcher has left open.
fn close_on_exec() -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: closes nothing yet, and passes no memory.
    let done = unsafe { libc::syscall(libc::SYS_close_range, FIRST_OTHER_FILE, libc::c_uint::MAX, flags) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn filter() -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_openat, for_writing(OPENAT_FLAGS)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, for_writing(OPEN_FLAGS)?);
    let another = SeccompCondition::new(PRLIMIT_PROCESS, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![another])?]);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refused, std::env::consts::ARCH.try_into()?)?.try_into()
}

/// Matches calls whose argument `flags` asks for a file that can be written, or emptied.
fn for_writing(flags: u8) -> Result<Vec<SeccompRule>, BackendError> {
    // 3 is an access mode as well: for `ioctl` only.
    [(O_ACCMODE, O_WRONLY), (O_ACCMODE, O_RDWR), (O_ACCMODE, O_ACCMODE), (O_TRUNC, O_TRUNC)]
        .into_iter()
        .map(|(mask, value)| {
            let masked = SeccompCmpOp::MaskedEq(u64::from(mask.unsigned_abs()));
            let value = u64::from(value.unsigned_abs());
            SeccompRule::new(vec![SeccompCondition::new(flags, SeccompCmpArgLen::Dword, masked, value)?])
        })
        .collect()
}
