//! Tests of stepped systems. Counts must be exact where the instructions are known, and the same in each run
//! where they are not. Where there is nothing to count, there must be a clear error.
//!
//! This program plays all parts. `cargo test` starts it, and it runs the trials. A trial starts it with a
//! directory, and then it is the launcher. The launcher starts it under a name such as `TRIAL/producer`. Then
//! it is that protection domain of `bench/system.xml`, confined as always, and does what the trial wants.

mod domains;
mod trials;

use ferry_bench::case::Policy;
use ferry_bench::hosted;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The argument that makes this program the launcher. The directory of the programs follows.
const SERVE: &str = "serve";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = PathBuf::from(arguments.next().unwrap_or_default());
    let name = |path: Option<&Path>| path?.file_name()?.to_str().map(str::to_owned);
    if let (Some(trial), Some(domain)) = (name(program.parent()), name(Some(&program)))
        && domains::NAMES.contains(&domain.as_str())
    {
        domains::play(&trial, &domain);
    }
    if arguments.next().is_some_and(|argument| argument == SERVE) {
        let programs = PathBuf::from(arguments.next().unwrap_or_default());
        return match hosted::serve(Path::new(env!("CARGO_MANIFEST_DIR")), &programs, Policy::Keep) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials::all()).exit_code()
}
