//! The system calls that a process can make, whatever its program is. It is a list of what is allowed: what a
//! program needs to be loaded, to use its own memory and files, to wait, to signal and to end. All else is
//! refused with `EPERM`, also what Linux learns only tomorrow, and a call of another architecture (`int
//! 0x80`) ends the process. x32 numbers have a bit of their own and are on no list.
//!
//! A call is allowed if it changes nothing outside of the process. So there are no other processes or
//! threads, no signals to anybody, no way to open a file for writing (a memory file that was opened for
//! reading could otherwise be opened again, as `/proc/self/fd/N`), no `ioctl`, and of `fcntl` only what
//! looks, or changes the table of files that nobody else has: neither the mode of an open file, nor who gets
//! signals from it.

use libc::{c_long, c_uint};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;

/// Calls that are allowed whatever their arguments are.
const ALLOWED: &[c_long] = &[
    // Its open files, and looking at names.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_ppoll,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    // Its memory. What a file was not opened for, it cannot be mapped for.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    // Waiting, and the ticker's timer.
    libc::SYS_epoll_pwait,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    // Signals that it brings upon itself.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // What it is, and what it leaves behind in its own memory.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    // Loading its program: `exec` sees to it that this happens once.
    libc::SYS_execve,
    // The end.
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Likewise: older forms, and what only this architecture has.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[c_long] = &[
    libc::SYS_epoll_wait,
    libc::SYS_poll,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[c_long] = &[];

/// How a file can be opened: for reading, if it is there.
const OPEN: c_uint = bits(
    libc::O_RDONLY
        | libc::O_CLOEXEC
        | libc::O_DIRECTORY
        | libc::O_LARGEFILE
        | libc::O_NOFOLLOW
        | libc::O_NONBLOCK,
) | O_LARGEFILE_OF_LINUX;
/// The C library says 0 where all files are large; programs say it all the same.
const O_LARGEFILE_OF_LINUX: c_uint = 0o100_000;
/// Commands of `fcntl`.
const FILE_COMMANDS: &[c_uint] = &[
    bits(libc::F_DUPFD),
    bits(libc::F_DUPFD_CLOEXEC),
    bits(libc::F_GETFD),
    bits(libc::F_SETFD),
    bits(libc::F_GETFL),
    bits(libc::F_GET_SEALS),
];
/// Operations of `futex`, and what may be added to them. None of them moves who waits, or lends him a
/// priority.
const FUTEX_OPERATIONS: &[c_uint] = &[
    bits(libc::FUTEX_WAIT),
    bits(libc::FUTEX_WAKE),
    bits(libc::FUTEX_WAIT_BITSET),
    bits(libc::FUTEX_WAKE_BITSET),
];
const FUTEX_OPTIONS: c_uint = bits(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
/// Advice about memory. One that is not here takes pages out of a file, under all who have it mapped.
const ADVICE: &[c_uint] = &[bits(libc::MADV_DONTNEED), bits(libc::MADV_FREE)];

const fn bits(number: libc::c_int) -> c_uint {
    number.cast_unsigned()
}

/// The filter of all this.
pub(crate) fn filter() -> Result<BpfProgram, BackendError> {
    let calls = ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, Vec::new()));
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> = calls.collect();
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![rule(vec![masked(1, !OPEN, 0)?])?]);
    rules.insert(libc::SYS_openat, vec![rule(vec![masked(2, !OPEN, 0)?])?]);
    rules.insert(libc::SYS_fcntl, one_of(1, 0, FILE_COMMANDS)?);
    rules.insert(libc::SYS_futex, one_of(1, FUTEX_OPTIONS, FUTEX_OPERATIONS)?);
    rules.insert(libc::SYS_madvise, one_of(2, 0, ADVICE)?);
    // Its own limits, to look at.
    rules.insert(libc::SYS_prlimit64, vec![rule(vec![masked(0, c_uint::MAX, 0)?, null(2)?])?]);
    // What makes it less: to hide its memory, and further filters, which can only refuse more.
    rules.insert(
        libc::SYS_prctl,
        vec![
            rule(vec![masked(0, c_uint::MAX, bits(libc::PR_SET_DUMPABLE))?, null(1)?])?,
            rule(vec![masked(0, c_uint::MAX, bits(libc::PR_SET_NO_NEW_PRIVS))?])?,
        ],
    );
    let new_filter = masked(0, c_uint::MAX, libc::SECCOMP_SET_MODE_FILTER)?;
    rules.insert(libc::SYS_seccomp, vec![rule(vec![new_filter, masked(1, c_uint::MAX, 0)?])?]);
    let refused = SeccompAction::Errno(bits(libc::EPERM));
    SeccompFilter::new(rules, refused, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?.try_into()
}

/// Matches where an argument is one of these, whatever the bits of `options` are.
fn one_of(argument: u8, options: c_uint, values: &[c_uint]) -> Result<Vec<SeccompRule>, BackendError> {
    values.iter().map(|value| rule(vec![masked(argument, !options, *value)?])).collect()
}

/// An argument of which Linux takes 32 bits has this value in these bits.
fn masked(argument: u8, mask: c_uint, value: c_uint) -> Result<SeccompCondition, BackendError> {
    let masked = SeccompCmpOp::MaskedEq(mask.into());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, masked, value.into())
}

/// An argument of which Linux takes 64 bits is 0.
fn null(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}
