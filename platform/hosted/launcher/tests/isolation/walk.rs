//! How alpha finds out which system calls it can make at all, as a program that only the launcher binds. It
//! makes every call that there is, and more. The arguments are such that a call which gets through does
//! nothing. A call that is refused is refused with `EPERM`. Each line that is printed lists what was not
//! refused.

use ferry_hosted_table::Table;
use libc::{c_int, c_long};
use std::ops::RangeInclusive;

/// Numbers of system calls. Linux uses far fewer.
const NUMBERS: RangeInclusive<c_long> = 0..=2047;
/// What makes a number one of x32.
const X32: c_long = 1 << 30;
/// As an argument: no valid address, file, length or option.
const NOTHING: c_long = -1;
/// Calls that do not return. Linux does not ask a filter about the last two (`uretprobe`, `uprobe`). It ends
/// a process that makes them outside of a trampoline that Linux itself has put there.
const ENDS: [c_long; 5] = [libc::SYS_exit, libc::SYS_exit_group, libc::SYS_rt_sigreturn, 335, 336];
/// Options of `prctl` are small numbers, and these.
const LARGE_OPTIONS: [c_long; 3] = [libc::PR_SET_VMA as c_long, libc::PR_SET_PTRACER as c_long, 0x4000_0000];

/// Whether a call gets through.
fn passes(call: c_long, arguments: [c_long; 4]) -> bool {
    let [a, b, c, d] = arguments;
    // SAFETY: a call that gets through refuses these arguments, or looks only at what is this program's.
    let done = unsafe { libc::syscall(call, a, b, c, d, NOTHING, NOTHING) };
    done != -1 || std::io::Error::last_os_error().raw_os_error() != Some(libc::EPERM)
}

/// Prints the values for which `attempt` gets through.
fn list(what: &str, values: impl IntoIterator<Item = c_long>, attempt: impl Fn(c_long) -> bool) {
    let through: Vec<c_long> = values.into_iter().filter(|value| attempt(*value)).collect();
    println!("{what} {through:?}");
}

/// Makes all calls.
pub(crate) fn all_calls(table: &Table) {
    let file = c_long::from(table.maps[0].file);
    let empty = c"".as_ptr().expose_provenance().cast_signed() as c_long;
    let bits = || (0..c_int::BITS).map(|bit| c_long::from(1_u32 << bit));
    list("calls", NUMBERS.filter(|call| !ENDS.contains(call)), |call| passes(call, [NOTHING; 4]));
    list("x32", NUMBERS, |call| passes(call | X32, [NOTHING; 4]));
    list("fcntl", NUMBERS, |command| passes(libc::SYS_fcntl, [file, command, NOTHING, 0]));
    list("futex", NUMBERS, |operation| passes(libc::SYS_futex, [NOTHING, operation, 0, 0]));
    list("open", bits(), |flag| passes(libc::SYS_open, [empty, flag, 0, 0]));
    list("openat", bits(), |flag| passes(libc::SYS_openat, [NOTHING, empty, flag, 0]));
    list("madvise", NUMBERS, |advice| passes(libc::SYS_madvise, [NOTHING, NOTHING, advice, 0]));
    list("prctl", NUMBERS.chain(LARGE_OPTIONS), |option| passes(libc::SYS_prctl, [option, 0, 0, 0]));
    list("prctl-1", NUMBERS.chain(LARGE_OPTIONS), |option| passes(libc::SYS_prctl, [option, 1, 1, 1]));
    list("seccomp", NUMBERS, |operation| passes(libc::SYS_seccomp, [operation, 0, 0, 0]));
    list("seccomp-flags", bits(), |flag| passes(libc::SYS_seccomp, [1, flag, 0, 0]));
    // Looking at its own limits, looking at another's, and changing them.
    list("prlimit", [0], |_| passes(libc::SYS_prlimit64, [0, 0, 0, 0]));
    list("prlimit-other", [0], |_| passes(libc::SYS_prlimit64, [1, 0, 0, 0]));
    list("prlimit-change", [0], |_| passes(libc::SYS_prlimit64, [0, 0, NOTHING, 0]));
    println!("done");
}
