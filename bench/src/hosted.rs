//! The carrier `hosted`: producer, central and consumer as Linux processes. A measurement begins with
//! enqueueing a batch and ends when all of it has come back.
//!
//! The producer takes the time itself, and the domains run on all processors. Instructions are counted in
//! separate runs by stepping the domains (`steps`), in user mode only. The counts are the same in every run.
//! They can differ on another processor, because the best way to copy bytes depends on the processor. This is
//! so for callgrind's counts too.

use crate::carrier::{Carrier, Row, per_message};
use crate::case::{Case, Policy};
use crate::steps::{self, CountError, Counts, Member};
use crate::stopwatch::tick_nanoseconds;
use ferry_description::{Description, Domain, Source};
use ferry_hosted_launcher::{Console, Ending, LaunchError, Scheduling, System, start};
use ferry_rows::order::{self, Course};
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Name of the carrier.
pub const NAME: &str = "hosted";

/// Most messages in a timed case. Cases with large messages have fewer.
const MESSAGES: u32 = 1 << 14;
/// Most bytes in a timed case.
const BYTES: u32 = 256 << 20;
/// Number of timed rounds in a case. The shortest counts.
const ROUNDS: u32 = 4;
/// Number of runs of each timed case. The shortest counts.
const REPETITIONS: usize = 3;
/// Most messages and most bytes of a counted round. A batch that is larger makes the round by itself. In a
/// virtual machine one step takes some twenty microseconds.
const COUNTED_MESSAGES: u32 = 32;
const COUNTED_BYTES: u32 = 512 << 10;
/// Messages that are sent before the counted round. After these, every buffer of both sides has been used
/// once.
const WARM_UP: u32 = 256;
/// Time limits: of a timed case, and of a run that counts several cases.
const LIMIT: Duration = Duration::from_mins(1);
const COUNTING_LIMIT: Duration = Duration::from_mins(10);

/// The domains, by their programs, in the order of their instructions in a row.
const DOMAINS: [&str; 3] = ["central", "producer", "consumer"];

/// Why the carrier could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum HostedError {
    /// The system did not start.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The description of the measured system has a mistake, or cannot be read.
    #[error("{0}")]
    Description(String),
    /// The instructions could not be counted.
    #[error(transparent)]
    Count(#[from] CountError),
    /// The order could not be passed on.
    #[error("could not pass the order on to the program that runs the measured system: {0}")]
    Order(io::Error),
    /// The system did not end as it should.
    #[error("the measured system ended with {ending:?}; it printed: {console}")]
    Ended {
        /// How it ended.
        ending: Ending,
        /// What it printed.
        console: String,
    },
}

/// What a run of the system does to time a case.
fn timed_course(case: Case) -> Course {
    let batches = (MESSAGES / case.batch).min(BYTES / case.payload / case.batch) / ROUNDS;
    Course { case, batches: batches.max(2), unmeasured: 1, rounds: ROUNDS }
}

/// What a run of the system does to count a case: rounds to warm up, and one round to count.
fn counted_course(case: Case) -> Course {
    let batches = (COUNTED_MESSAGES.min(COUNTED_BYTES / case.payload) / case.batch).max(1);
    Course { case, batches, unmeasured: WARM_UP.div_ceil(batches * case.batch), rounds: 0 }
}

/// Counts the instructions of all cases with two clients. `root` is the directory `bench`. `programs` is the
/// directory with the programs of `ferry-pds-hosted`. The console of each run is stored in `products`.
pub fn counted(root: &Path, programs: &Path, products: &Path) -> Result<Carrier, HostedError> {
    let of_policy = |policy| counted_under(policy, root, programs, products);
    // Stepping keeps a processor busy, so both policies are counted at a time.
    let rows = thread::scope(|scope| {
        let threads = Policy::ALL.map(|policy| scope.spawn(move || of_policy(policy)));
        let rows = threads.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        rows.into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Carrier { name: NAME.to_owned(), rows: rows.concat() })
}

fn counted_under(
    policy: Policy,
    root: &Path,
    programs: &Path,
    products: &Path,
) -> Result<Vec<Row>, HostedError> {
    let mut rows = Vec::new();
    let mut rest: Vec<Case> = Case::pairs().into_iter().filter(|case| case.policy == policy).collect();
    while let Some(first) = rest.first().copied() {
        // The domains split their buffers once, so all cases of one run have the same stride.
        let (now, later): (Vec<Case>, _) = rest.into_iter().partition(|case| case.stride() == first.stride());
        rest = later;
        let courses: Vec<Course> = now.into_iter().map(counted_course).collect();
        let console = products.join("hosted").join(format!("{policy}-{}.console", first.stride()));
        let counts = count(root, programs, policy, &courses, &console)?;
        rows.extend(courses.iter().zip(counts).map(|(course, counts)| row(course, &counts)));
    }
    Ok(rows)
}

/// Counts courses with the same policy and stride. The counted round of each is the one that the producer
/// frames.
fn count(
    root: &Path,
    programs: &Path,
    policy: Policy,
    courses: &[Course],
    console: &Path,
) -> Result<Vec<Counts>, HostedError> {
    let system = describe(root, policy)?.system;
    let members = DOMAINS.map(|program| Member {
        program: program.to_owned(),
        priority: system.domain(program).map_or(0, |number| system.domains[number].priority),
    });
    let mut launcher = Command::new(std::env::current_exe().map_err(HostedError::Order)?);
    launcher.arg("serve").arg(policy.to_string()).arg(programs);
    Ok(steps::count(
        &mut launcher,
        &order::encode(courses),
        &members,
        courses.len(),
        COUNTING_LIMIT,
        console,
    )?)
}

fn row(course: &Course, counts: &[u64]) -> Row {
    let each = |count: u64| Some(per_message(count, course.batches * course.case.batch));
    let [central, producer, consumer] =
        [0, 1, 2].map(|domain: usize| counts.get(domain).copied().unwrap_or(0));
    Row {
        instructions: each(central + producer + consumer),
        central: each(central),
        clients: each(producer + consumer),
        producer: each(producer),
        consumer: each(consumer),
        ..Row::of(course.case)
    }
}

/// Runs the system so that its instructions can be counted. It reads the order from standard input, and
/// starts nothing before it has read all of it.
pub fn serve(root: &Path, programs: &Path, policy: Policy) -> Result<(), HostedError> {
    let mut order = Vec::new();
    io::stdin().read_to_end(&mut order).map_err(HostedError::Order)?;
    let system = launch(&describe(root, policy)?, order, programs, io::stdout().into())?;
    match system.serve(None)? {
        Ending::Exit { code: 0, .. } => Ok(()),
        ending => Err(HostedError::Ended { ending, console: "see above".to_owned() }),
    }
}

/// The description of the measured system.
fn describe(root: &Path, policy: Policy) -> Result<Description, HostedError> {
    let read = |name: &str| {
        Source::read(&root.join(name)).map_err(|error| HostedError::Description(error.to_string()))
    };
    let (system, flows) = (read("system.xml")?, read(&format!("flows-{policy}.toml"))?);
    Description::check(&system, &flows, &[])
        .map_err(|mistakes| HostedError::Description(mistakes.render(false)))
}

fn launch(
    description: &Description,
    order: Vec<u8>,
    programs: &Path,
    console: Console,
) -> Result<System, LaunchError> {
    let program =
        |domain: &Domain| Some(programs.join(domain.binary())).filter(|path: &PathBuf| path.is_file());
    start(description, &program, &[("bench".to_owned(), order)], Scheduling::Linux, console)
}

/// Adds the times to the rows of the counted carrier. The other arguments are those of [`counted`].
pub fn time(carrier: &mut Carrier, root: &Path, programs: &Path) -> Result<(), HostedError> {
    let tick = tick_nanoseconds();
    for policy in Policy::ALL {
        let description = describe(root, policy)?;
        for row in carrier.rows.iter_mut().filter(|row| row.case.policy == policy) {
            let mut best = f64::INFINITY;
            for _ in 0..REPETITIONS {
                best = best.min(ticks(&description, row.case, programs)?);
            }
            row.nanoseconds = Some(best * tick);
        }
    }
    Ok(())
}

/// Ticks of the clock per message.
fn ticks(description: &Description, case: Case, programs: &Path) -> Result<f64, HostedError> {
    let (mut reader, writer) =
        std::io::pipe().map_err(|cause| LaunchError::Linux { what: "create a pipe", cause })?;
    let order = order::encode(&[timed_course(case)]);
    let system = launch(description, order, programs, std::os::fd::OwnedFd::from(writer).into())?;
    let ending = system.serve(Some(LIMIT))?;
    let mut console = String::new();
    // This ends: all writers of the pipe have ended with the system.
    let _ = reader.read_to_string(&mut console);
    let result = parse(&console).filter(|_| matches!(ending, Ending::Exit { code: 0, .. }));
    result.ok_or(HostedError::Ended { ending, console })
}

/// Reads ticks per message from the producer's line.
#[must_use]
pub fn parse(console: &str) -> Option<f64> {
    let line = console.lines().find_map(|line| line.strip_prefix("producer | bench: payload="))?;
    let field = |name: &str| {
        let text = line.split(' ').find_map(|field| field.strip_prefix(name))?;
        text.strip_prefix('=')?.parse::<f64>().ok()
    };
    Some(field("ticks")? / field("messages")?)
}
