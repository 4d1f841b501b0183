//! `ferry-bench`: measures and compares.
//!
//! `engine` is the quick command for work on the engine. `table` measures everything. `check` compares with
//! the baseline.

use clap::{Parser, Subcommand};
use ferry_bench::carrier::Carrier;
use ferry_bench::case::Policy;
use ferry_bench::engine::{self, Subject};
use ferry_bench::lines::Lines;
use ferry_bench::rivals::Rival;
use ferry_bench::{baseline, figures, hosted, lines, reference, table};
use std::error::Error;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, ScopedJoinHandle};

#[derive(Parser)]
#[command(about = "What a message costs")]
struct Arguments {
    /// Directory for callgrind's profiles and other products.
    #[arg(long, global = true, default_value = "target/bench")]
    products: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print the instructions per message of the engine alone.
    Engine {
        /// Measure only 64 bytes, batch 32, policy keep.
        #[arg(long)]
        short: bool,
    },
    /// Print the instructions per message of the carrier `hosted`.
    Hosted,
    /// Print how many cache lines a wake-up of central touches.
    Lines,
    /// Measure every carrier, print one table, and store it.
    Table {
        /// Rows of the seL4 carriers, as JSON from `ferry bench`.
        #[arg(long = "rows", value_name = "FILE")]
        carriers: Vec<PathBuf>,
        /// Directory for the plots.
        #[arg(long, value_name = "DIRECTORY")]
        plots: Option<PathBuf>,
    },
    /// Compare instruction counts with the baseline, and fail if one is more than 3 % higher.
    Check {
        /// Store the new counts as the baseline.
        #[arg(long)]
        accept: bool,
        /// Rows of the seL4 carriers, as JSON from `ferry bench`.
        #[arg(long = "rows", value_name = "FILE")]
        carriers: Vec<PathBuf>,
    },
    /// Run the cases of the engine that callgrind counts.
    #[command(hide = true)]
    Count {
        subject: Subject,
        #[arg(long)]
        short: bool,
    },
    /// Run one of the cases whose cache lines are counted.
    #[command(hide = true)]
    Touch { case: usize },
    /// Run the cases of a rival that callgrind counts.
    #[command(hide = true)]
    CountRival { rival: Rival },
    /// Run the system of the carrier `hosted`, with the order from standard input. Another process counts its
    /// instructions.
    #[command(hide = true)]
    Serve {
        #[arg(value_parser = policy)]
        policy: Policy,
        programs: PathBuf,
    },
    /// Run the receiving side of a rival.
    #[command(hide = true)]
    Drain { rival: Rival, payload: u32, batch: u32, name: Option<String> },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.what, &arguments.products) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ferry-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What, products: &Path) -> Result<ExitCode, Box<dyn Error>> {
    match what {
        What::Engine { short } => {
            print_counts(&engine::counted(Subject::Engine, short, products)?);
            println!("show by function: callgrind_annotate {}/engine/callgrind.1", products.display());
        }
        What::Hosted => print_counts(&hosted::counted(root(), &programs()?, products)?),
        What::Lines => print_lines()?,
        What::Table { carriers, plots } => measure(&carriers, plots.as_deref(), products)?,
        What::Check { accept, carriers } => return check(accept, &carriers, products),
        What::Count { subject, short } => engine::run_counted(subject, short),
        What::Touch { case } => lines::run_touched(case),
        What::CountRival { rival } => rival.run_counted()?,
        What::Serve { policy, programs } => hosted::serve(root(), &programs, policy)?,
        What::Drain { rival, payload, batch, name } => rival.drain(payload, batch, name)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_counts(carrier: &Carrier) {
    for row in &carrier.rows {
        println!("{:>9.1} instructions a message: {}", row.instructions.unwrap_or_default(), row.case);
    }
}

fn print_lines() -> Result<(), Box<dyn Error>> {
    println!("cache lines of 64 bytes that one wake-up of central touches:");
    for (number, case) in lines::cases().iter().enumerate() {
        let Lines { state, pages, others, code } = lines::counted(number)?;
        println!(
            "{:>4} data: {state} state, {pages} shared pages, {others} others; {code} code: {case}",
            state + pages + others
        );
    }
    Ok(())
}

fn measure(others: &[PathBuf], plots: Option<&Path>, products: &Path) -> Result<(), Box<dyn Error>> {
    let mut carriers = counted(products)?;
    engine::time(&mut carriers);
    for carrier in carriers.iter_mut().filter(|carrier| carrier.name == hosted::NAME) {
        hosted::time(carrier, root(), &programs()?)?;
    }
    for rival in Rival::ALL {
        carriers.push(rival.carrier(products)?);
    }
    carriers.extend(read(others)?);
    // The figures of others are shown only if there are rows to compare them with.
    if carriers.iter().any(|carrier| carrier.name == reference::BESIDE) {
        carriers.extend(reference::carriers()?);
    }
    let text = table::markdown(&carriers);
    fs::create_dir_all(products)?;
    fs::write(products.join("table.md"), &text)?;
    fs::write(products.join("table.json"), serde_json::to_vec_pretty(&carriers)?)?;
    println!("{text}\nstored: {}/table.md and table.json", products.display());
    if let Some(directory) = plots {
        figures::write(&carriers, directory)?;
    }
    Ok(())
}

/// Reads carriers from files that `ferry bench` has written.
fn read(files: &[PathBuf]) -> Result<Vec<Carrier>, Box<dyn Error>> {
    let mut carriers = Vec::new();
    for file in files {
        let bytes = fs::read(file).map_err(|cause| format!("could not read {}: {cause}", file.display()))?;
        let read: Vec<Carrier> = serde_json::from_slice(&bytes).map_err(|cause| {
            format!("{} is not what `ferry bench --rows` writes: {cause}", file.display())
        })?;
        carriers.extend(read);
    }
    Ok(carriers)
}

fn check(accept: bool, others: &[PathBuf], products: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let path = root().join("baseline.json");
    let mut now = counted(products)?;
    now.extend(read(others)?);
    let stored: Vec<Carrier> = serde_json::from_slice(&fs::read(&path)?)?;
    let (missing, new) = baseline::differences(&stored, &now);
    for carrier in &missing {
        println!("not compared: the carrier {carrier} did not run");
    }
    if accept {
        fs::write(&path, serde_json::to_vec_pretty(&baseline::merged(stored, now))?)?;
        println!("{} now holds the new counts", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    let cases = baseline::new_cases(&stored, &now);
    if cases > 0 {
        println!("not compared: the baseline lacks {cases} cases; ferry-bench check --accept adds them");
    }
    for carrier in &new {
        println!("not compared: the baseline has no carrier {carrier}; ferry-bench check --accept adds it");
    }
    let (more, fewer) = baseline::compare(&stored, &now);
    for change in &fewer {
        println!("fewer instructions: {change}");
    }
    for change in &more {
        println!("MORE INSTRUCTIONS: {change}");
    }
    if !fewer.is_empty() {
        println!("to store the lower counts: ferry-bench check --accept");
    }
    println!(
        "{} cases take more and {} take fewer instructions than the baseline, by more than 3 %",
        more.len(),
        fewer.len()
    );
    Ok(if more.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The carriers whose instructions are compared with the baseline. Callgrind counts all of them but the last,
/// which is stepped. All are counted at a time: counts do not depend on what else the machine does.
fn counted(products: &Path) -> Result<Vec<Carrier>, Box<dyn Error>> {
    let programs = programs()?;
    thread::scope(|scope| {
        let subjects =
            Subject::ALL.map(|subject| scope.spawn(move || engine::counted(subject, false, products)));
        let hosted = scope.spawn(|| hosted::counted(root(), &programs, products));
        let mut carriers = Vec::new();
        for subject in subjects {
            carriers.push(joined(subject)?);
        }
        carriers.push(joined(hosted)?);
        Ok(carriers)
    })
}

/// What a thread returns. A panic goes on here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The directory with the programs of the carrier `hosted`. Cargo puts them beside this program.
fn programs() -> std::io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().unwrap_or(Path::new(".")).to_owned())
}

/// Parses the name of a policy.
fn policy(name: &str) -> Result<Policy, String> {
    let policy = Policy::ALL.into_iter().find(|policy| policy.to_string() == name);
    policy.ok_or_else(|| "no policy has this name".to_owned())
}

/// The directory `bench`.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
