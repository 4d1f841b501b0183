//! `ferry lint`: runs Clippy on what is compiled for a board and not for this machine, on the demo and the
//! examples, and on Microkit's image builder, which is in a workspace of its own. `cargo clippy` alone covers
//! the rest.

use crate::cargo;
use crate::error::Error;
use crate::microkit::{Microkit, cargo_in, host_directory, sdk_is_there};
use crate::output::line;
use crate::programs::ProgramsError;
use crate::progress::{self, Step};
use crate::target::{Config, Selection};
use crate::tools;
use crate::workspace::Workspace;
use ferry_boards::{MICROKIT, PC99};
use std::process::Command;

/// The projects in Ferry's own workspace. They are no default members, so `cargo clippy` alone leaves them
/// out. They are compiled for this machine, as `cargo clippy` compiles a user's project.
const PROJECTS: &[&str] = &[
    "ferry-demo",
    "ferry-example-filters",
    "ferry-example-guard",
    "ferry-example-sdfgen",
    "ferry-harness-guards",
    "ferry-harness-restarting-target",
    "ferry-harness-schedule",
];
/// Packages that are compiled for the board of the classic platform.
const CLASSIC_PROGRAMS: &[&str] = &[
    "ferry-pds-classic",
    "ferry-root-task",
    "ferry-runtime-classic",
    "ferry-c-classic",
    "ferry-classic-abi",
    "ferry-probe-classic",
];
/// Packages that are compiled for the boards of Microkit.
const MICROKIT_PROGRAMS: &[&str] = &[
    "ferry-pds-microkit",
    "ferry-runtime-microkit",
    "ferry-c-microkit",
    "ferry-probe-microkit",
    "ferry-supervisor",
    "ferry-demo-supervisor",
    "ferry-kernel-tests",
];

/// Runs Clippy on all of these packages. Any warning is an error. Without an SDK the packages for Microkit
/// are left out, because they cannot be compiled.
pub(crate) fn lint() -> Result<(), Error> {
    const PROGRAMS: &[&str] = &["--lib", "--bins"];
    tools::of_classic()?;
    let workspace = Workspace::locate()?;
    let mut projects = cargo::cargo(&workspace.root);
    projects.arg("clippy");
    // The features of dependencies depend on all packages that a command names. With the default members
    // among them, Clippy finds what `cargo clippy` has compiled, and compiles nothing but the projects.
    projects.args(workspace.default_members()?.iter().flat_map(|member| ["--package", member]));
    clippy("the demo and the examples", projects, PROJECTS, &["--bins"])?;
    let mut classic = cargo::cargo(&workspace.root);
    // In the profile of their builds, which then need not compile the same macros and build scripts again.
    classic.args(["clippy", "--release", "--target", PC99.architecture.target]);
    classic.args(["--features", "ferry-pds-classic/harness"]);
    clippy("the programs for the classic platform", classic, CLASSIC_PROGRAMS, PROGRAMS)?;
    if !sdk_is_there()? {
        line(format_args!("platform/microkit was not linted: no Microkit SDK was found; set MICROKIT_SDK"))?;
        return Ok(());
    }
    let microkit = || {
        let mut cargo = cargo_in(&workspace);
        cargo.args(["clippy", "--release", "--locked"]);
        cargo
    };
    for board in &MICROKIT {
        let built = Microkit::find(&workspace, board, Config::Release, Selection::Tests)?;
        let mut cargo = microkit();
        cargo.arg("--target-dir").arg(built.directory(&workspace));
        built.freestanding(&mut cargo);
        cargo.args(["--features", "ferry-pds-microkit/harness"]);
        clippy(&format!("the programs for {}", board.name), cargo, MICROKIT_PROGRAMS, PROGRAMS)?;
    }
    let mut cargo = microkit();
    cargo.arg("--target-dir").arg(host_directory(&workspace));
    clippy("the image builder for Microkit", cargo, &["ferry-microkit-image"], &["--all-targets"])
}

/// Runs Clippy on packages of one workspace.
fn clippy(what: &str, mut cargo: Command, packages: &[&str], targets: &[&str]) -> Result<(), Error> {
    let _step = Step::begin(format!("linting {what}"));
    cargo.args(progress::quiet()).args(targets);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    let status = cargo.args(["--", "--deny", "warnings"]).status().map_err(ProgramsError::Cargo)?;
    if status.success() { Ok(()) } else { Err(Error::Failed) }
}
