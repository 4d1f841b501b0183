//! The lane `hosted`: producer, central and consumer as Linux processes, from enqueueing a batch to having it back.

use crate::case::{Case, Policy};
use crate::lane::{Lane, Row};
use crate::stopwatch::tick_nanoseconds;
use ferry_description::{Description, Source};
use ferry_hosted_launcher::{Ending, LaunchError, Scheduling, start};
use ferry_lanes::order::{self, Course};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Messages in each case, at most; fewer of the large ones.
const MESSAGES: u32 = 1 << 14;
/// Bytes in each case, at most.
const BYTES: u32 = 256 << 20;
/// Rounds into which they are divided. The shortest counts.
const ROUNDS: u32 = 4;
/// Repetitions of each case. The shortest counts.
const REPETITIONS: usize = 3;
/// Time after which a case is given up.
const LIMIT: Duration = Duration::from_mins(1);

/// The lane could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum HostedError {
    /// The system did not start.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The description of the system that is measured has a mistake, or cannot be read.
    #[error("{0}")]
    Description(String),
    /// The system ended otherwise than it should.
    #[error("the measured system ended with {ending:?}; it printed: {console}")]
    Ended {
        /// How.
        ending: Ending,
        /// What it printed.
        console: String,
    },
}

/// What a run of the system does in a case.
fn course(case: Case) -> Course {
    let batches = (MESSAGES / case.batch).min(BYTES / case.payload / case.batch) / ROUNDS;
    Course { case, batches: batches.max(2), unmeasured: 1, rounds: ROUNDS }
}

/// Measures all pairs. `root`: the directory `bench`. `programs`: where the programs of `ferry-pds-hosted` are.
pub fn lane(root: &Path, programs: &Path) -> Result<Lane, HostedError> {
    let tick = tick_nanoseconds();
    let mut rows = Vec::new();
    for policy in Policy::ALL {
        let read = |name: &str| {
            Source::read(&root.join(name)).map_err(|error| HostedError::Description(error.to_string()))
        };
        let (system, flows) = (read("system.xml")?, read(&format!("flows-{policy}.toml"))?);
        let description = Description::check(&system, &flows, &[])
            .map_err(|mistakes| HostedError::Description(mistakes.render(false)))?;
        for case in Case::pairs().into_iter().filter(|case| case.policy == policy) {
            let mut best = f64::INFINITY;
            for _ in 0..REPETITIONS {
                best = best.min(ticks(&description, case, programs)?);
            }
            rows.push(Row { nanoseconds: Some(best * tick), ..Row::of(case) });
        }
    }
    Ok(Lane { name: "hosted".to_owned(), rows })
}

/// Ticks of the clock for each message.
fn ticks(description: &Description, case: Case, programs: &Path) -> Result<f64, HostedError> {
    let (mut reader, writer) =
        std::io::pipe().map_err(|cause| LaunchError::Linux { what: "create a pipe", cause })?;
    let program = |name: &str| Some(programs.join(name)).filter(|path: &PathBuf| path.is_file());
    let prefills = [("bench".to_owned(), order::encode(&[course(case)]))];
    let system = start(
        description,
        &program,
        &prefills,
        Scheduling::Linux,
        std::os::fd::OwnedFd::from(writer).into(),
    )?;
    let ending = system.serve(Some(LIMIT))?;
    let mut console = String::new();
    // All writers have ended with the system.
    let _ = reader.read_to_string(&mut console);
    let result = parse(&console).filter(|_| matches!(ending, Ending::Exit { code: 0, .. }));
    result.ok_or(HostedError::Ended { ending, console })
}

/// Ticks for each message, by the producer's line.
#[must_use]
pub fn parse(console: &str) -> Option<f64> {
    let line = console.lines().find_map(|line| line.strip_prefix("bench: payload="))?;
    let field = |name: &str| {
        let text = line.split(' ').find_map(|field| field.strip_prefix(name))?;
        text.strip_prefix('=')?.parse::<f64>().ok()
    };
    Some(field("ticks")? / field("messages")?)
}
