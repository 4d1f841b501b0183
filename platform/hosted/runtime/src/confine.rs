//! What a process may ask of Linux once it has started: to wait, to signal, to print, to end, and for memory
//! of its own. A PD on seL4 can do no more. Any other system call is reported like a fault, by
//! [`faults`](crate::faults).

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::fmt;

/// Place of the flags among the arguments of `mmap`.
const MMAP_FLAGS: u8 = 3;

/// Why a process could not be confined.
pub(crate) enum ConfineError {
    /// The filter is not a valid one.
    Filter(BackendError),
    /// Linux does not accept the filter.
    Apply(seccompiler::Error),
}

impl fmt::Display for ConfineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(cause) => write!(formatter, "invalid seccomp filter: {cause}"),
            Self::Apply(cause) => write!(formatter, "Linux refused the seccomp filter: {cause}"),
        }
    }
}

/// Confines this process for good. `maps_frames` says that it has a window; then it may map files.
pub(crate) fn confine(maps_frames: bool) -> Result<(), ConfineError> {
    let filter = filter(maps_frames).map_err(ConfineError::Filter)?;
    seccompiler::apply_filter(&filter).map_err(ConfineError::Apply)
}

fn filter(maps_frames: bool) -> Result<BpfProgram, BackendError> {
    let allowed = [
        // Signals, the console, reports; the ticker's timer; waiting.
        libc::SYS_write,
        libc::SYS_read,
        libc::SYS_epoll_wait,
        libc::SYS_epoll_pwait,
        libc::SYS_sched_yield,
        libc::SYS_futex,
        libc::SYS_clock_gettime,
        // The end.
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_rt_sigreturn,
        // The allocator.
        libc::SYS_brk,
        libc::SYS_munmap,
    ];
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = allowed.map(|call| (call, Vec::new())).into();
    let private = u64::from((libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).unsigned_abs());
    let is_private =
        SeccompCondition::new(MMAP_FLAGS, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(private), private)?;
    let mmap = if maps_frames { Vec::new() } else { vec![SeccompRule::new(vec![is_private])?] };
    rules.insert(libc::SYS_mmap, mmap);
    SeccompFilter::new(rules, SeccompAction::Trap, SeccompAction::Allow, TargetArch::x86_64)?.try_into()
}
