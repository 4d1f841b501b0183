//! `ferry`: checks a system description, builds its image, runs it, and tests all of it.
//!
//! Every command is a module with one function that `main` calls. The commands share the modules below them:
//! the workspace and its tools, the programs that Cargo builds, the image of a platform, the boot. Results go
//! to standard output. Progress and errors go to standard error.
//!
//! Exit status: 0 for success (`ferry run`: the code of the system); 1 for failure; 2 for wrong arguments, or
//! for something that the platform cannot do here, such as an image of the hosted platform, or Microkit
//! without an SDK.
#![deny(unsafe_code, clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod audit;
mod bench;
mod board;
mod board_trials;
mod boot;
mod built;
mod c;
mod cargo;
mod check;
mod classic;
mod console;
mod cores;
mod demo_trials;
mod description_files;
mod digest;
mod edit;
mod error;
mod evidence;
mod file;
mod graph;
mod hosted;
mod image;
mod image_trials;
mod inspect;
mod known;
mod library;
mod lint;
mod live;
mod lock;
mod makefile_trials;
mod manual;
mod microkit;
mod new;
mod on_several_cores;
mod output;
mod pc_timer;
mod prefill;
mod programs;
mod progress;
mod project;
mod ready;
mod registers;
mod run;
mod runner;
mod schedule_trials;
mod search;
mod self_test;
mod setup;
mod shell;
mod symbols;
mod target;
mod templates;
mod test;
mod tools;
mod workspace;

use arguments::{Arguments, Command};
use clap::Parser;
use error::Error;
use output::answer;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().or_else(|instead| Ok(answer(&instead)?));
    match arguments.and_then(|all| obey(all.command)) {
        Ok(code) => code,
        Err(error) => {
            error.print();
            error.exit_code()
        }
    }
}

fn obey(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Add(arguments) => edit::add(&arguments)?,
        Command::Audit(arguments) => audit::audit(&arguments)?,
        Command::Bench(arguments) => bench::bench(&arguments)?,
        Command::Check(description) => check::check(&description)?,
        Command::Completions(arguments) => manual::completions(&arguments)?,
        Command::Evidence(arguments) => evidence::evidence(&arguments)?,
        Command::Graph(arguments) => graph::graph(&arguments)?,
        Command::Image(arguments) => image::image(&arguments)?,
        Command::Inspect(arguments) => inspect::inspect(&arguments)?,
        Command::Library(arguments) => library::library(&arguments)?,
        Command::Lint => lint::lint()?,
        Command::Man(arguments) => manual::man(&arguments)?,
        Command::New(arguments) => new::new(&arguments)?,
        Command::Remove(arguments) => edit::remove(&arguments)?,
        Command::Run(arguments) => return run::run(&arguments),
        Command::SelfTest(arguments) => self_test::self_test(&arguments)?,
        Command::Setup => setup::setup()?,
        Command::Test(arguments) => test::test(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
