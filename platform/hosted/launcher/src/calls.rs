//! The system calls that a process can make, whatever its program is. This is a list of what is allowed: what
//! a program needs to be loaded, to use its own memory and files, to wait, to signal and to end. Every other
//! call is refused with `EPERM`, even one that a later Linux adds. A call of another architecture (`int
//! 0x80`) ends the process. Numbers of x32 have a bit of their own, so none is on the list.
//!
//! A call is allowed if it changes nothing outside of the process. So a process can make no other process or
//! thread, signal nobody, and use no `ioctl`. It cannot open a file for writing, because it could open a
//! memory file that it has for reading again, as `/proc/self/fd/N`. Of `fcntl` it has the commands that only
//! look, and those that change its own table of files. It can change neither the mode of an open file, nor
//! who gets signals from it.

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
    // Its memory. A file cannot be mapped for an access that it was not opened for.
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
    // What it is, and what Linux leaves for it in its own memory.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    // Loading its program. The module `exec` makes sure that this happens once.
    libc::SYS_execve,
    // The end.
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// More calls that are allowed whatever their arguments are: older forms, and those of this architecture
/// only.
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
/// `O_LARGEFILE` as Linux numbers it. The C library says 0 where all files are large, but programs pass this
/// bit all the same.
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
/// Operations of `futex`, and the options that may be added to them. None of them moves a waiting thread to
/// another futex, or lends it a priority.
const FUTEX_OPERATIONS: &[c_uint] = &[
    bits(libc::FUTEX_WAIT),
    bits(libc::FUTEX_WAKE),
    bits(libc::FUTEX_WAIT_BITSET),
    bits(libc::FUTEX_WAKE_BITSET),
];
const FUTEX_OPTIONS: c_uint = bits(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
/// Advice about memory. `MADV_REMOVE` is not allowed: it takes pages out of a file, for all who have it
/// mapped.
const ADVICE: &[c_uint] = &[bits(libc::MADV_DONTNEED), bits(libc::MADV_FREE)];

const fn bits(number: libc::c_int) -> c_uint {
    number.cast_unsigned()
}

/// The filter for all of these lists.
pub(crate) fn filter() -> Result<BpfProgram, BackendError> {
    let calls = ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, Vec::new()));
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> = calls.collect();
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![rule(vec![masked(1, !OPEN, 0)?])?]);
    rules.insert(libc::SYS_openat, vec![rule(vec![masked(2, !OPEN, 0)?])?]);
    rules.insert(libc::SYS_fcntl, one_of(1, 0, FILE_COMMANDS)?);
    rules.insert(libc::SYS_futex, one_of(1, FUTEX_OPTIONS, FUTEX_OPERATIONS)?);
    rules.insert(libc::SYS_madvise, one_of(2, 0, ADVICE)?);
    // Looking at its own limits.
    rules.insert(libc::SYS_prlimit64, vec![rule(vec![masked(0, c_uint::MAX, 0)?, null(2)?])?]);
    // What takes rights away from it: hiding its memory, and further filters, which can only refuse more.
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

/// Matches if an argument is one of `values`, whatever its bits in `options` are.
fn one_of(argument: u8, options: c_uint, values: &[c_uint]) -> Result<Vec<SeccompRule>, BackendError> {
    values.iter().map(|value| rule(vec![masked(argument, !options, *value)?])).collect()
}

/// Matches if an argument has the bits `value` under `mask`. Linux takes 32 bits of it.
fn masked(argument: u8, mask: c_uint, value: c_uint) -> Result<SeccompCondition, BackendError> {
    let masked = SeccompCmpOp::MaskedEq(mask.into());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, masked, value.into())
}

/// Matches if an argument is 0. Linux takes 64 bits of it.
fn null(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}
