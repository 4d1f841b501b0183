//! Plants faults one at a time in a copy of the tree, and demands that a named test notices each.
//!
//! The tables in `faults/tables` hold the faults: a text of one file, what replaces it, and the tests that
//! must fail for it. A fault that does not compile is an error and not a success. A text that is not in the
//! file exactly once is an error too, so the tables cannot go out of date unseen. The work tree is only read.
//! Called by `make faults`.

mod fault;
mod tree;
mod trial;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ferry_faults::FileError;

use crate::fault::Fault;
use crate::tree::Tree;
use crate::trial::{Outcome, Place};

/// Plants faults one at a time, and demands that a named test notices each.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only faults that a test of this kind notices. By default tests on the host.
    #[arg(long, value_enum, default_value = "host")]
    on: Kind,
    /// Only faults of the table with this name; if no table has it, only faults whose file, description or
    /// test contains this text.
    filter: Option<String>,
    /// Only check that each fault's text is in its file once.
    #[arg(long)]
    check: bool,
}

/// Where tests run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Kind {
    /// Tests of a package, on this machine.
    Host,
    /// Scenarios on the classic platform.
    Classic,
    /// Scenarios as Linux processes.
    Hosted,
    /// Scenarios on all boards of Microkit.
    Microkit,
}

/// Why not all faults were tried.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{table}: the text to replace for \"{what}\" is {found} times in {file}; it must be there once")]
    Stale { table: String, what: String, file: String, found: usize },
    #[error(
        "{table}: `{place}` names no test; write host:PACKAGE/TARGET/TEST, classic:TEST, hosted:TEST, \
         microkit:TEST or microkit:BOARD/TEST"
    )]
    NoPlace { table: String, place: String },
    #[error("git could not list the files of the tree; run this in a checkout")]
    NoTree,
    #[error("\"{what}\": the copy does not compile, or its tests did not run:\n{output}")]
    Broken { what: String, output: String },
    #[error("no table is called \"{text}\", and no fault has this text; the tables are {tables}")]
    Unknown { text: String, tables: String },
    #[error("none of these faults is noticed by such a test; choose another kind of test with --on")]
    Nothing,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(unnoticed) => {
            eprintln!("{unnoticed} faults were not noticed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tries the faults and prints a table. Returns how many were not noticed.
fn run(arguments: &Arguments) -> Result<usize, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or(Error::NoTree)?;
    let faults = fault::read(&root.join("faults/tables"))?;
    for fault in &faults {
        fault.apply(root)?;
    }
    if arguments.check {
        println!("{} faults, all of them in step with the sources", faults.len());
        return Ok(0);
    }
    let mut faults = fault::choose(&faults, arguments.filter.as_deref().unwrap_or_default())?;
    faults.retain(|fault| fault.places.iter().any(|place| place.kind == arguments.on));
    if faults.is_empty() {
        return Err(Error::Nothing);
    }
    let tree = Tree::copy(root)?;
    let mut unnoticed = 0;
    println!("| file | fault | noticed by |\n| --- | --- | --- |");
    for fault in &faults {
        let place = fault.places.iter().find(|place| place.kind == arguments.on);
        let Some(place) = place else { continue };
        let verdict = match try_fault(&tree, root, fault, place)? {
            Outcome::Noticed => place.test.clone(),
            Outcome::Unnoticed => {
                unnoticed += 1;
                format!("NOT NOTICED by {}", place.test)
            }
        };
        println!("| `{}` | {} | `{verdict}` |", fault.file, fault.what);
    }
    println!("{} noticed, {unnoticed} not", faults.len() - unnoticed);
    Ok(unnoticed)
}

/// Plants a fault in the copy, runs the test, and takes the fault out again.
fn try_fault(tree: &Tree, root: &Path, fault: &Fault, place: &Place) -> Result<Outcome, Error> {
    let text = fault.apply(root)?;
    tree.write(&fault.file, &text)?;
    let outcome = trial::run(tree, fault, place);
    tree.restore(root, &fault.file)?;
    outcome
}
