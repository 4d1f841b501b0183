//! Shows that the loom tests of `ferry-layout` find mistakes. In a copy of its source, each fence and each
//! ordering is weakened or removed, one at a time, and one named test must fail for it.
//!
//! What holds always: the work tree is only read; the copy lies in `target/mutations`. The table is complete:
//! it is an error if no mutation touches a synchronising ordering in `layout/src`, or if a mutation's text is
//! not in the source any more. Called by `make mutants`.

mod error;
mod mutations;
mod trial;

use std::path::Path;
use std::process::ExitCode;

use error::Error;
use mutations::MUTATIONS;
use trial::{Outcome, Trial};

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(survivors) => {
            eprintln!("{survivors} mutations were not found by the test that should find them");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tries every mutation and prints a table. Returns how many were not found.
fn run() -> Result<usize, Error> {
    let layout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or(Error::NoWorkspace)?;
    let root = layout.parent().ok_or(Error::NoWorkspace)?;
    mutations::check_complete(&layout.join("src"))?;
    let trial = Trial::prepare(root)?;
    if let Outcome::Found = trial.run(&[])? {
        return Err(Error::FailsUnchanged);
    }

    let mut survivors = 0;
    println!("| file | change | found by |\n| --- | --- | --- |");
    for mutation in MUTATIONS {
        let verdict = match trial.run_mutated(mutation)? {
            Outcome::Found => mutation.test.to_owned(),
            Outcome::Survived => {
                survivors += 1;
                format!("NOT FOUND by {}", mutation.test)
            }
        };
        println!("| `{}` | {} | `{verdict}` |", mutation.file, mutation.change);
    }
    println!("{} passed, {survivors} failed", MUTATIONS.len() - survivors);
    Ok(survivors)
}
