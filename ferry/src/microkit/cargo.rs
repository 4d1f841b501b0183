//! How Cargo is run in the Microkit workspace, and where it puts what it builds there.

use crate::cargo::cargo;
use crate::target::Config;
use crate::workspace::Workspace;
use ferry_boards::Board;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo's profile for protection domains. The directory in which Cargo puts them has the same name.
pub(crate) const PROTECTION_DOMAINS: &str = "protection-domain";

/// Where the programs for a board and configuration lie when they are built, without building any: those
/// without floating-point registers, and all others.
pub(crate) fn directories(target: &Path, board: &Board, config: Config) -> Option<[PathBuf; 2]> {
    let directory = target.join(format!("{}-{}", board.name, config.name()));
    let mut programs = board.targets().map(|target| directory.join(target).join(PROTECTION_DOMAINS));
    let all = programs.next()?;
    Some([programs.next().unwrap_or_else(|| all.clone()), all])
}

/// The target directory of programs that run on this machine.
pub(crate) fn host_directory(workspace: &Workspace) -> PathBuf {
    workspace.target.join("microkit/host")
}

/// Cargo, to be run in the Microkit workspace. It does not get the compiler flags that the caller meant for
/// the host.
pub(crate) fn cargo_in(workspace: &Workspace) -> Command {
    let mut command = cargo(&workspace.root.join("platform/microkit"));
    isolate(&mut command);
    command
}

/// Keeps the caller's variables for the host away from Cargo.
pub(super) fn isolate(cargo: &mut Command) {
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // All boards would share the caller's own target directory.
        .env_remove("CARGO_TARGET_DIR")
        // Git's configuration may name local copies of repositories, which Cargo's own fetching ignores.
        .env("CARGO_NET_GIT_FETCH_WITH_CLI", "true");
}
