//! `ferry-bench`: measures and compares. `ferry-bench engine` is the short way for whoever tunes the engine.

use clap::{Parser, Subcommand};
use ferry_bench::bed::Bed;
use ferry_bench::callgrind::{CallgrindError, count, end_of_case, measured_section};
use ferry_bench::case::{Case, Policy};
use ferry_bench::lane::per_message;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "What a message costs")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Prints the instructions per message of the engine alone.
    Engine {
        /// Only 64 bytes, batch 32, policy keep.
        #[arg(long)]
        short: bool,
        /// Where callgrind's profiles go.
        #[arg(long, default_value = "target/bench")]
        profiles: PathBuf,
    },
    /// Runs what is to be counted; under callgrind.
    #[command(hide = true)]
    Count {
        /// `engine` or `engine-short`.
        what: String,
    },
}

/// Wake-ups that are counted in each case, after as many of which nothing is counted.
const WAKE_UPS: u32 = 32;

fn main() -> ExitCode {
    let result = match Arguments::parse().what {
        What::Engine { short, profiles } => engine(short, &profiles),
        What::Count { what } => {
            count_engine(&engine_cases(what == "engine-short"));
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ferry-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn engine_cases(short: bool) -> Vec<Case> {
    if short { vec![Case::pair(64, 32, Policy::Keep)] } else { Case::pairs() }
}

fn engine(short: bool, profiles: &std::path::Path) -> Result<(), CallgrindError> {
    let cases = engine_cases(short);
    let what = if short { "engine-short" } else { "engine" };
    let counts = count(&[what], cases.len(), profiles)?;
    for (case, count) in cases.iter().zip(counts) {
        let each = per_message(count, WAKE_UPS * case.batch);
        println!(
            "{} {:>6} bytes, batch {:>3}: {each:>9.1} instructions a message",
            case.policy, case.payload, case.batch
        );
    }
    println!("where they are: callgrind_annotate {}/callgrind.1", profiles.display());
    Ok(())
}

fn count_engine(cases: &[Case]) {
    for case in cases {
        let mut bed = Bed::new(*case);
        for _ in 0..WAKE_UPS {
            bed.prepare();
            bed.run();
            bed.collect();
        }
        for _ in 0..WAKE_UPS {
            bed.prepare();
            measured_section(|| bed.run());
            bed.collect();
        }
        end_of_case();
    }
}
