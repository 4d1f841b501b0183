//! The trials: what the producer does in each, and what the result must be.

use crate::SERVE;
use crate::domains::{self, KNOWN, KNOWN_SECTIONS, NAMES, PRIORITIES, RELAYS, ROUNDS};
use ferry_bench::steps::{CountError, Counts, Member, StepError, count};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Time limit of a trial. A trial takes about a second, and the machine may be busy.
const LIMIT: Duration = Duration::from_mins(1);
/// Time after which a trial takes for granted that a system never ends. The start is part of it, and takes a
/// second or two on a busy machine.
const NEVER: Duration = Duration::from_secs(5);
/// Most instructions that a wake-up and a signal take, besides what the trial itself does. The tests' runtime
/// is not optimised.
const WAKE_UP: u64 = 4000;

const COUNTS: &str = "known_instructions_are_counted_to_the_last_and_all_others_alike_each_time";
const FAULT: &str = "a_fault_is_named_with_what_was_printed";
const END: &str = "an_end_without_a_section_is_named";
const STANDSTILL: &str = "a_standstill_is_named_with_the_places";
const ENDLESS: &str = "a_domain_that_never_ends_a_section_is_named_with_its_place";
const NO_PROGRAM: &str = "a_launcher_that_fails_is_named_with_its_reason";

/// The function that runs a trial.
type Run = fn() -> Result<(), Failed>;

/// What the producer does in this trial.
pub(crate) fn producer_of(trial: &str) -> fn() {
    match trial {
        COUNTS => domains::sections,
        FAULT => domains::fault_in_a_section,
        END => domains::end_before_a_section,
        STANDSTILL => domains::wait,
        _ => domains::spin_in_a_section,
    }
}

/// All trials.
pub(crate) fn all() -> Vec<Trial> {
    let trials: [(&str, Run); 6] = [
        (COUNTS, counts),
        (FAULT, fault),
        (END, end),
        (STANDSTILL, standstill),
        (ENDLESS, endless),
        (NO_PROGRAM, no_program),
    ];
    trials.into_iter().map(|(name, trial)| Trial::test(name, trial)).collect()
}

fn counts() -> Result<(), Failed> {
    let [first, second] = [run(COUNTS, &NAMES, LIMIT)?, run(COUNTS, &NAMES, LIMIT)?];
    let first = first.map_err(|error| error.to_string())?;
    assert_eq!(first, second.map_err(|error| error.to_string())?, "two runs");
    let (known, relays) = first.split_at(KNOWN_SECTIONS);
    assert_eq!(
        known,
        [[0, KNOWN, 0]; KNOWN_SECTIONS],
        "a string instruction counts once, the first time and later"
    );
    let wanted = 2 * u64::from(ROUNDS);
    for relay in relays {
        assert_eq!(relay, &relays[0], "each time the same is done");
        let [central, producer, consumer] = relay[..] else { return Err("three domains".into()) };
        assert!((wanted..wanted + WAKE_UP).contains(&central), "central: {central}");
        assert!((wanted..wanted + WAKE_UP).contains(&consumer), "consumer: {consumer}");
        assert!((1..WAKE_UP).contains(&producer), "producer: {producer}");
    }
    Ok(())
}

fn fault() -> Result<(), Failed> {
    let error = failure(FAULT, &NAMES, LIMIT)?;
    assert!(matches!(&error.cause, StepError::Ended { who, .. } if who == "producer"), "{error}");
    assert!(error.to_string().contains("ferry: fault domain=producer kind=write address=0x10 "), "{error}");
    Ok(())
}

fn end() -> Result<(), Failed> {
    let error = failure(END, &NAMES, LIMIT)?;
    assert!(matches!(error.cause, StepError::Ended { .. }), "{error}");
    for line in ["there is nothing to count", "ferry: exit domain=producer code=7"] {
        assert!(error.to_string().contains(line), "{error}");
    }
    Ok(())
}

fn standstill() -> Result<(), Failed> {
    let error = failure(STANDSTILL, &NAMES, LIMIT)?;
    assert!(matches!(error.cause, StepError::Standstill { .. }), "{error}");
    for name in NAMES {
        assert!(error.to_string().contains(&format!("{name} at 0x")), "{error}");
    }
    Ok(())
}

fn endless() -> Result<(), Failed> {
    let error = failure(ENDLESS, &NAMES, NEVER)?;
    assert!(matches!(error.cause, StepError::TimeLimit { .. }), "{error}");
    assert!(error.to_string().contains("; producer at 0x"), "{error}");
    Ok(())
}

fn no_program() -> Result<(), Failed> {
    let error = failure(NO_PROGRAM, &["central", "consumer"], LIMIT)?;
    assert!(matches!(&error.cause, StepError::Ended { who, .. } if who == "the launcher"), "{error}");
    assert!(error.to_string().contains("no program is called `producer.elf`"), "{error}");
    Ok(())
}

/// Runs a trial that must fail, and returns its error.
fn failure(trial: &str, programs: &[&str], limit: Duration) -> Result<CountError, Failed> {
    match run(trial, programs, limit)? {
        Ok(counts) => Err(format!("something was counted: {counts:?}").into()),
        Err(error) => Ok(error),
    }
}

/// Runs a trial with these programs. All are this program, by other names.
fn run(trial: &str, programs: &[&str], limit: Duration) -> Result<Result<Vec<Counts>, CountError>, Failed> {
    // The directory is beside this program, so that hard links to it can be made there. A symbolic link would
    // not give a process another name.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let place = directory.path().join(trial);
    fs::create_dir(&place)?;
    let here = std::env::current_exe()?;
    for program in programs {
        fs::hard_link(&here, place.join(program))?;
    }
    let members: Vec<Member> = NAMES
        .iter()
        .zip(PRIORITIES)
        .map(|(name, priority)| Member { program: (*name).to_owned(), priority })
        .collect();
    let mut launcher = Command::new(&here);
    launcher.arg(SERVE).arg(&place);
    let console: &Path = &directory.path().join("console");
    Ok(count(&mut launcher, b"any order", &members, KNOWN_SECTIONS + RELAYS, limit, console))
}
