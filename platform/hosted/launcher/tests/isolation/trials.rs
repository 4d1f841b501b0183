//! The trials: what alpha does in each, and what must come of it.

use crate::domains::GOES_ON;
use crate::watch::{Watch, beta_goes_on};
use crate::{endings, intruder, outsider, walk};
use ferry_hosted_table::Table;
use libtest_mimic::{Failed, Trial};
use std::time::{Duration, Instant};

/// The trial in which central lists its files.
pub(crate) const CENTRALS_FILES: &str = "central_keeps_the_files_of_its_frames";
/// The trial in which beta's wake-ups are counted.
const ONCE: &str = "a_signal_wakes_once";
/// The trial in which a launcher dies at various moments.
const EARLY_DEATH: &str = "no_process_outlives_a_launcher_that_dies_while_it_starts_them";

/// What alpha is.
#[derive(Clone, Copy)]
pub(crate) enum Alpha {
    /// A protection domain that is linked to the runtime, and does this.
    Confined(fn()),
    /// Any program.
    Unconfined(fn(&Table)),
}

/// How a trial is run.
pub(crate) type Course = fn() -> Result<(), Failed>;
/// A trial, what alpha does in it, and how the launcher's report goes on behind alpha's name.
type Crash = (&'static str, fn(), &'static str);

/// The trial in which alpha's program has the instruction that is reported.
const ILLEGAL: &str = "an_illegal_instruction_faults";
const CRASHES: &[Crash] = &[
    ("a_write_to_a_read_only_region_faults", intruder::write_read_only, "kind=write address=0x20100000 "),
    ("a_read_of_nothing_faults", intruder::read_nothing, "kind=read address=0x10 "),
    ("data_cannot_be_executed", intruder::jump_into_data, "kind=execute address=0x20000000 "),
    ("a_stack_that_overflows_faults", intruder::overflow_stack, "kind=write "),
    (ILLEGAL, intruder::illegal_instruction, "kind=user-exception address=0x4 "),
    (
        "an_exit_without_a_report_is_a_fault",
        intruder::exit_without_report,
        "kind=user-exception address=0x0 ",
    ),
    ("a_region_cannot_be_made_writable", intruder::make_writable, "kind=system-call address=0xa "),
    ("no_file_can_be_opened", intruder::open_file, "kind=system-call address="),
    ("no_file_can_be_mapped", intruder::map_file, "kind=system-call address=0x9 "),
    ("no_process_can_be_signalled", intruder::signal_launcher, "kind=system-call address="),
    ("a_process_ends_after_it_reports_a_fault", intruder::report_faults, "kind=read address=0xabc "),
    ("an_invalid_report_ends_the_process", intruder::report_invalid, "kind=user-exception address=0x9 "),
    ("a_fault_report_starts_on_a_new_line", intruder::crash_in_a_line, "kind=user-exception address=0x4 "),
    ("a_partial_report_ends_the_process", intruder::report_partly, "kind=user-exception address=0x9 "),
];

const FILES: &str = "a_client_keeps_no_file_of_a_region";
const SPIN: &str = "no_process_outlives_the_launcher";
const ANY_FILES: &str = "any_program_has_the_files_of_its_table_and_no_others";
const ANY_WRITE: &str = "any_program_can_write_only_what_is_mapped_writable";
const ANY_STOP: &str = "any_program_that_spoils_its_channel_cannot_block_others";
const ANY_OWNER: &str = "any_program_cannot_signal_by_file_ownership";
const ANY_CALL: &str = "any_program_makes_the_calls_of_the_list_and_no_others";
const ANY_I386: &str = "any_program_that_calls_as_i386_is_ended";
const ANY_PRINT: &str = "any_program_that_prints_without_end_does_not_block_others";
const ANY_LOOK: &str = "any_program_looks_at_no_other_process";
const ANY_REACH: &str = "any_program_reaches_no_other_process";
const ANY_ENVIRONMENT: &str = "any_program_begins_without_an_environment";

/// What alpha does in a trial.
pub(crate) fn alpha_of(trial: &str) -> Alpha {
    match trial {
        FILES => Alpha::Confined(intruder::list_files),
        SPIN => Alpha::Confined(intruder::spin),
        ANY_FILES => Alpha::Unconfined(outsider::list_files),
        ANY_WRITE => Alpha::Unconfined(outsider::write_read_only),
        ANY_LOOK => Alpha::Unconfined(outsider::look_at_others),
        ANY_OWNER => Alpha::Unconfined(outsider::name_central_an_owner),
        ANY_CALL => Alpha::Unconfined(walk::all_calls),
        ANY_I386 => Alpha::Unconfined(outsider::call_as_i386),
        ANY_PRINT => Alpha::Unconfined(outsider::print_without_end),
        ANY_STOP => Alpha::Unconfined(outsider::stop_central),
        ANY_REACH => Alpha::Unconfined(outsider::reach_others),
        ANY_ENVIRONMENT => Alpha::Unconfined(outsider::count_variables),
        endings::CODE => Alpha::Confined(endings::end),
        _ => {
            let crash = CRASHES.iter().find(|(name, ..)| *name == trial);
            Alpha::Confined(crash.map_or(intruder::behave, |(_, action, _)| *action))
        }
    }
}

/// All trials.
pub(crate) fn all() -> Vec<Trial> {
    let others: [(&str, Course); 15] = [
        (FILES, || files(FILES, CLIENTS_FILES)),
        (CENTRALS_FILES, || files(CENTRALS_FILES, CENTRALS)),
        (ANY_FILES, files_of_any_program),
        (ANY_WRITE, || attempts(ANY_WRITE, WRITES)),
        (ANY_OWNER, || harmless(ANY_OWNER)),
        (ANY_CALL, calls),
        (ANY_I386, || contained(ANY_I386, BAD_SYSTEM_CALL)),
        (ANY_PRINT, || harmless(ANY_PRINT)),
        (ANY_STOP, || harmless(ANY_STOP)),
        (ANY_LOOK, looks),
        (ANY_REACH, || attempts(ANY_REACH, REACHES)),
        (ONCE, wake_ups),
        (SPIN, death),
        (EARLY_DEATH, early_death),
        (ANY_ENVIRONMENT, || attempts(ANY_ENVIRONMENT, &[("variables", DONE)])),
    ];
    let others = others.into_iter().chain(endings::TRIALS).map(|(name, trial)| Trial::test(name, trial));
    CRASHES
        .iter()
        .map(|(name, _, report)| Trial::test(*name, || contained(name, report)))
        .chain(others)
        .collect()
}

/// Alpha's crash is reported once, with the right report, and the others go on.
fn contained(trial: &str, report: &str) -> Result<(), Failed> {
    let mut watch = Watch::begin(trial)?;
    let report = format!("ferry: fault domain=alpha {report}");
    watch.until(|lines| {
        let other = |line: &String| line.starts_with("ferry: ") && !line.starts_with(&report);
        beta_goes_on(&report)(lines) || lines.iter().any(other)
    })?;
    if watch.reports.len() != 1 || !watch.reports[0].starts_with(&report) {
        return Err(watch.failed(&format!("the one report should begin with `{report}`")));
    }
    if trial == ILLEGAL && !names_code(&watch.reports[0]) {
        return Err(watch.failed("the instruction should be at its place in the program's file"));
    }
    watch.end()
}

/// Whether the instruction of a report is at an address of the file of this program, which alpha runs too,
/// and not where Linux has put it.
fn names_code(report: &str) -> bool {
    let Some((_, address)) = report.split_once("instruction=0x") else { return false };
    let bytes = std::env::current_exe().and_then(std::fs::metadata).map_or(0, |file| file.len());
    u64::from_str_radix(address, 16).is_ok_and(|address| address != 0 && address < bytes)
}

/// The files of a confined client: the three standard ones, its reports, the event counter of its channel,
/// and its epoll instance. It has no memory file, and not the stray file.
const CLIENTS_FILES: &str = "files 0r- 1rw 2rw 4rw 10-- 11--";
/// The files of central: the same with three channels, and the memory files of the frames. Those of transmit
/// buffers can be read, those of receive buffers can be read and written.
const CENTRALS: &str = "files 0r- 1rw 2rw 4rw 10-- 11-- 12-- 13-- 14r- 15rw 16r- 17rw";

fn files(trial: &str, expected: &str) -> Result<(), Failed> {
    let mut watch = Watch::begin(trial)?;
    watch.until(|lines| lines.iter().any(|line| line.starts_with("files ")))?;
    if !watch.lines.iter().any(|line| line == expected) {
        return Err(watch.failed(&format!("expected `{expected}`")));
    }
    watch.end()
}

fn files_of_any_program() -> Result<(), Failed> {
    let mut watch = Watch::begin(ANY_FILES)?;
    watch.until(|lines| lines.iter().any(|line| line.starts_with("files ")))?;
    let list = |what: &str| watch.lines.iter().find_map(|line| line.strip_prefix(what));
    if list("given ") != list("files ") {
        return Err(watch.failed("what was given and what is open should be the same"));
    }
    watch.end()
}

/// What an unconfined program tries, and Linux's answer.
type Attempts = &'static [(&'static str, &'static str)];

const ACCESS: &str = "13";
const NOT_OPEN_FOR_IT: &str = "9";
const NOT_PERMITTED: &str = "1";
const NO_SUCH_CALL: &str = "38";
/// Linux ends a process that makes a call of another architecture with this signal.
const BAD_SYSTEM_CALL: &str = "kind=user-exception address=0x1f ";
const DONE: &str = "0";

const WRITES: Attempts = &[
    ("own", DONE),
    ("map", ACCESS),
    ("mprotect", ACCESS),
    ("write", NOT_OPEN_FOR_IT),
    ("again-read", DONE),
    ("again-both", NOT_PERMITTED),
    ("again-write", NOT_PERMITTED),
    ("again-empty", NOT_PERMITTED),
    ("again-openat2", NOT_PERMITTED),
    ("shrink", NOT_PERMITTED),
    ("seal", NOT_PERMITTED),
    ("constant", "true"),
];

const REACHES: Attempts = &[
    ("signal", NOT_PERMITTED),
    ("file", NOT_PERMITTED),
    ("memory", NOT_PERMITTED),
    ("signal-x32", NOT_PERMITTED),
    ("outlive", NOT_PERMITTED),
    ("clone", NOT_PERMITTED),
    ("fork", NOT_PERMITTED),
    ("load", NO_SUCH_CALL),
];

const LOOKS: Attempts = &[("mem", ACCESS), ("fd/1", ACCESS)];

/// Runs only where Linux has Landlock. The call asks for the version of Landlock.
fn looks() -> Result<(), Failed> {
    // SAFETY: the call passes no memory.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, 1) };
    if version > 0 { attempts(ANY_LOOK, LOOKS) } else { Ok(()) }
}

fn attempts(trial: &str, expected: Attempts) -> Result<(), Failed> {
    let mut watch = Watch::begin(trial)?;
    watch.until(|lines| lines.iter().any(|line| line == "done"))?;
    for (what, answer) in expected {
        let line = format!("{what} {answer}");
        if !watch.lines.contains(&line) {
            return Err(watch.failed(&format!("expected `{line}`")));
        }
    }
    watch.end()
}

/// The calls that get through whatever their arguments are, without those that do not return. `execve` is one
/// of them: Linux refuses it as a call that does not exist.
const CALLS: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_access,
    libc::SYS_faccessat,
    libc::SYS_readlink,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_arch_prctl,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_execve,
];

/// The calls that get through only with some arguments, and with which. The arguments are numbers, because
/// the names are what is tested. The commands of `fcntl` are: duplicate; get and set whether `exec` closes
/// the file; get the mode; duplicate so that `exec` closes the file; get the seals.
const ARGUMENTS: &[(&str, &[libc::c_long])] = &[
    ("x32", &[]),
    ("fcntl", &[0, 1, 2, 3, 1030, 1034]),
    // Waiting and waking, with and without a mask; private; by the real time.
    ("futex", &[0, 1, 9, 10, 128, 129, 137, 138, 256, 257, 265, 266, 384, 385, 393, 394]),
    // Without blocking, large, a directory, no link, closed by `exec`.
    ("open", &[0o4000, 0o100_000, 0o200_000, 0o400_000, 0o2_000_000]),
    ("openat", &[0o4000, 0o100_000, 0o200_000, 0o400_000, 0o2_000_000]),
    ("madvise", &[4, 8]),
    // Hiding its memory, and taking no new privileges.
    ("prctl", &[4, 38]),
    ("prctl-1", &[38]),
    ("seccomp", &[1]),
    ("seccomp-flags", &[]),
    ("prlimit", &[0]),
    ("prlimit-other", &[]),
    ("prlimit-change", &[]),
];

/// Of all system calls that there are, exactly those get through that should.
fn calls() -> Result<(), Failed> {
    let mut watch = Watch::begin(ANY_CALL)?;
    watch.until(|lines| lines.iter().any(|line| line == "done"))?;
    let mut calls = CALLS.to_vec();
    calls.sort_unstable();
    for (what, through) in [("calls", &calls[..])].iter().chain(ARGUMENTS) {
        let line = format!("{what} {through:?}");
        if !watch.lines.contains(&line) {
            return Err(watch.failed(&format!("expected `{line}`")));
        }
    }
    watch.end()
}

/// What alpha does leaves the others as they were. Alpha prints `done` when it has done it.
fn harmless(trial: &str) -> Result<(), Failed> {
    let mut watch = Watch::begin(trial)?;
    watch.until(beta_goes_on("done"))?;
    if !watch.reports.is_empty() {
        return Err(watch.failed("no domain should have faulted"));
    }
    watch.end()
}

/// Beta is woken by central at each tick, and not more often.
fn wake_ups() -> Result<(), Failed> {
    /// Half of the time that so many ticks take. A tick may be late, and the next one on time.
    const LEAST: Duration = Duration::from_millis(WAKE_UPS as u64 * 5 / 2);
    const WAKE_UPS: usize = 100;
    let begin = Instant::now();
    let mut watch = Watch::begin(ONCE)?;
    watch.until(|lines| lines.iter().filter(|line| *line == GOES_ON).count() >= WAKE_UPS)?;
    if begin.elapsed() < LEAST {
        return Err(watch.failed("beta should not be woken without a signal"));
    }
    watch.end()
}

fn death() -> Result<(), Failed> {
    let mut watch = Watch::begin(SPIN)?;
    watch.until(beta_goes_on(""))?;
    watch.end()
}

fn early_death() -> Result<(), Failed> {
    (0..24).try_for_each(|number| {
        let watch = Watch::begin(EARLY_DEATH)?;
        std::thread::sleep(Duration::from_micros(500) * number);
        watch.end()
    })
}
