//! How the launcher ends by itself: its exit status, and what it says.

use crate::trials::Course;
use crate::watch::{LIMIT, Program, launch};
use libtest_mimic::Failed;

/// The trial in which alpha ends the system.
pub(crate) const CODE: &str = "the_launcher_ends_with_the_code_that_a_domain_gives";
/// The trial in which every domain ends without a report.
pub(crate) const ALL_END: &str = "the_launcher_fails_if_no_domain_is_left";

/// The trials.
pub(crate) const TRIALS: [(&str, Course); 5] = [
    (CODE, || ends(CODE, Program::Link, LIMIT.as_secs(), ALPHAS_CODE, "ferry: exit domain=alpha code=3")),
    (ALL_END, || {
        ends(ALL_END, Program::Link, LIMIT.as_secs(), NOT_ENDED, "but no domain has ended the system")
    }),
    ("the_launcher_fails_if_the_time_is_up", || {
        ends("time_is_up", Program::Link, 1, NOT_ENDED, "the system did not end in time; raise --limit")
    }),
    ("a_program_that_cannot_be_loaded_is_named", || {
        ends(
            "no_program",
            Program::Text,
            LIMIT.as_secs(),
            FAILED,
            "/alpha: Exec format error (os error 8); build",
        )
    }),
    ("a_domain_without_a_program_is_named", || {
        ends("no_file", Program::None, LIMIT.as_secs(), FAILED, "no program is called `alpha.elf`; build it")
    }),
];

/// The exit status if no domain has ended the system, and if the system could not be run.
const NOT_ENDED: u8 = 124;
const FAILED: u8 = 1;
const ALPHAS_CODE: u8 = 3;

/// Ends the system.
pub(crate) fn end() {
    runtime::exit(ALPHAS_CODE);
}

fn ends(trial: &str, alpha: Program, limit: u64, status: u8, says: &str) -> Result<(), Failed> {
    let (code, said) = launch(trial, alpha, limit)?;
    if code == Some(status.into()) && said.contains(says) {
        return Ok(());
    }
    Err(format!("expected status {status} and \"{says}\", but it ended with {code:?} and said: {said}")
        .into())
}
