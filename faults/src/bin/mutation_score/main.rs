//! The mutation score: `cargo mutants` changes each crate in every way that it knows, one at a time, and
//! tests must notice. What they do not notice must be in a list that is checked in, with the reason.
//!
//! `faults/mutants/crates.toml` says which crates and which tests, `faults/mutants/survivors.toml` is the
//! list. A mutant that survives and is not listed is a failure, and so is an entry without a survivor.
//! Called by `make mutation-score`. With `--since` it tries only what a change touches, and with `--at-most`
//! a part of that, so that its time is bounded.

mod list;
mod run;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use ferry_faults::FileError;

use crate::list::{Difference, Survivors};
use crate::run::{Crate, Scope, Tally};

/// Tries every mutant of the crates of `faults/mutants/crates.toml`.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only this package. It may be given several times.
    #[arg(long)]
    package: Vec<String>,
    /// Only mutants in what has changed since this commit.
    #[arg(long)]
    since: Option<String>,
    /// Only a part: `k/n` is part k, from 0 on, of n.
    #[arg(long)]
    shard: Option<String>,
    /// About this many mutants at most. They lie evenly among all, and another commit has others.
    #[arg(long, value_name = "NUMBER", conflicts_with = "shard")]
    at_most: Option<NonZeroUsize>,
    /// Try nothing. Only check that every entry of the list is a mutant.
    #[arg(long)]
    check: bool,
}

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("cargo-mutants is missing; run: cargo install --locked cargo-mutants")]
    NoTool,
    #[error("crates.toml has no package {0}")]
    NoPackage(String),
    #[error("git could not tell what has changed since {0}")]
    NoChange(String),
    #[error("git could not tell which commit this is")]
    NoCommit,
    #[error("the tests for {package} fail without any mutant:\n{output}")]
    Unchanged { package: String, output: String },
    #[error("cargo mutants failed for {package}; its logs are below {}", logs.display())]
    Failed { package: String, logs: PathBuf },
}

fn main() -> ExitCode {
    match score(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tries the mutants and prints the scores. Returns whether the list agrees.
fn score(arguments: &Arguments) -> Result<bool, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    run::find_tool()?;
    let crates = run::read(&root.join("faults/mutants/crates.toml"))?;
    if let Some(unknown) = arguments.package.iter().find(|name| crates.iter().all(|it| it.package != **name))
    {
        return Err(Error::NoPackage(unknown.clone()));
    }
    let is_wanted = |it: &&Crate| arguments.package.is_empty() || arguments.package.contains(&it.package);
    let crates: Vec<&Crate> = crates.iter().filter(is_wanted).collect();
    let list = Survivors::read(&root.join("faults/mutants/survivors.toml"))?;
    if arguments.check {
        let mut agrees = true;
        for it in crates {
            agrees &= report(&it.package, &list.without_mutant(it, &it.mutants(root, &Scope::ALL)?));
        }
        return Ok(agrees);
    }
    let mut scope = Scope::of(root, arguments.since.as_deref(), arguments.shard.clone())?;
    if let Some(at_most) = arguments.at_most {
        let mut all = 0;
        for it in &crates {
            all += it.mutants(root, &scope)?.len();
        }
        let parts = all.div_ceil(at_most.get()).max(1);
        println!("Of {all} mutants, one in {parts} is tried.");
        scope.take_one_in(root, parts)?;
    }
    let mut agrees = true;
    println!("| crate | mutants | noticed | do not compile | survive | score |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for it in crates {
        // Without a mutant, its tests need not even be built.
        if it.mutants(root, &scope)?.is_empty() {
            continue;
        }
        let tally = it.try_mutants(root, &scope)?;
        print_row(&it.package, &tally);
        let mut difference = list.compare(it, &tally.survivors);
        if !scope.is_whole() {
            // Entries whose mutants were not tried say nothing.
            difference.stale.clear();
        }
        agrees &= report(&it.package, &difference);
    }
    Ok(agrees)
}

/// A mutant that does not compile is no mutant, so it does not count for the score.
fn print_row(package: &str, tally: &Tally) {
    let survivors = tally.survivors.len();
    let all = tally.noticed + survivors;
    let percent = if all == 0 { 100.0 } else { run::percent(tally.noticed, all) };
    println!(
        "| `{package}` | {} | {} | {} | {survivors} | {percent:.1} % |",
        all + tally.unviable,
        tally.noticed,
        tally.unviable
    );
}

/// Prints where the list and the survivors differ. Returns whether they agree.
fn report(package: &str, difference: &Difference) -> bool {
    for mutant in &difference.new {
        eprintln!("{package}: no test notices: {mutant}");
    }
    for mutant in &difference.stale {
        eprintln!("{package}: survivors.toml is out of date: {mutant}");
    }
    difference.new.is_empty() && difference.stale.is_empty()
}
