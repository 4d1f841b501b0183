//! `ferry lint`: Clippy over the platform's own workspace, for this machine and for both boards. The root workspace is read by
//! `cargo clippy` alone.

use crate::error::Error;
use crate::microkit::{Microkit, MicrokitError, cargo_in, host_directory, sdk_is_there};
use crate::progress::Step;
use crate::target::Config;
use crate::workspace::Workspace;
use ferry_boards::MICROKIT;
use std::process::Command;

/// What is compiled for a board.
const PROGRAMS: &[&str] =
    &["ferry-pds-microkit", "ferry-runtime-microkit", "ferry-supervisor", "ferry-kernel-tests"];

/// Has Clippy read all of it; any warning is an error. Without an SDK nothing of it can be compiled.
pub(crate) fn lint() -> Result<(), Error> {
    if !sdk_is_there()? {
        println!("platform/microkit was not linted: no Microkit SDK was found; set MICROKIT_SDK");
        return Ok(());
    }
    let workspace = Workspace::locate()?;
    for board in &MICROKIT {
        let built = Microkit::find(&workspace, board, Config::Release)?;
        clippy(
            &format!("the programs for {}", board.name),
            PROGRAMS,
            &["--lib", "--bins"],
            |cargo| {
                built.freestanding(cargo, &built.directory(&workspace));
            },
            &workspace,
        )?;
    }
    clippy(
        "the image builder for Microkit",
        &["ferry-microkit-image"],
        &["--all-targets"],
        |cargo| {
            cargo.arg("--target-dir").arg(host_directory(&workspace));
        },
        &workspace,
    )
}

/// Runs Clippy for packages of the platform's workspace.
fn clippy(
    what: &str,
    packages: &[&str],
    targets: &[&str],
    more: impl FnOnce(&mut Command),
    workspace: &Workspace,
) -> Result<(), Error> {
    let _step = Step::begin(format!("linting {what}"));
    let mut command = cargo_in(workspace);
    command.args(["clippy", "--quiet", "--release", "--locked"]).args(targets);
    command.args(packages.iter().flat_map(|package| ["--package", package]));
    more(&mut command);
    command.args(["--", "--deny", "warnings"]);
    let status = command.status();
    let status = status.map_err(|cause| MicrokitError::Start { program: "cargo".into(), cause })?;
    if status.success() { Ok(()) } else { Err(Error::Failed) }
}
