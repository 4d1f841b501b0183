//! Builds programs with Cargo, and keeps where each of them is.

use crate::c::CError;
use crate::cargo;
use crate::file::FileError;
use crate::progress::{self, Step};
use crate::ready::ReadyError;
use crate::target::Selection;
use crate::workspace::Workspace;
use cargo_metadata::{Artifact, Message};
use ferry_boards::Board;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs that Cargo has built.
#[derive(Clone, Default, Debug)]
pub(crate) struct Programs {
    /// The name of each, and its file. A name occurs once for each target for which it was built.
    files: Vec<(String, PathBuf)>,
}

/// Which programs of a package of protection domains are built.
pub(crate) type Features<'a> = (Selection, &'a str);

/// Why a program is missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramsError {
    #[error("could not start cargo: {0}; install Rust from https://rustup.rs")]
    Cargo(std::io::Error),
    #[error("cargo could not build {0}; its messages are above")]
    Build(String),
    #[error(
        "{place}: there is no program `{program}`; add it as a binary to the project's package, put the file \
         into a directory of --programs, or correct the path (there are: {known}; also looked into: {looked})"
    )]
    Unknown { place: String, program: String, known: String, looked: String },
    #[error(transparent)]
    Ready(#[from] ReadyError),
    #[error(transparent)]
    Taken(#[from] Taken),
    #[error("cargo did not say where it put {0}; run the command again")]
    Lost(String),
    #[error("could not read {}: {cause}; run the command again", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
    #[error(transparent)]
    C(#[from] CError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// A program of a project has the name of one of Ferry's own.
#[derive(Debug, thiserror::Error)]
#[error("the project has a program `{name}`, which is the name of one of Ferry's own; give it another name")]
pub(crate) struct Taken {
    pub(crate) name: String,
}

impl Programs {
    /// Builds all binaries of `packages` for a board without an operating system.
    pub(crate) fn build_freestanding(
        workspace: &Workspace,
        packages: &[&str],
        features: Features<'_>,
        board: &Board,
    ) -> Result<Self, ProgramsError> {
        let mut cargo = of_workspace(workspace, packages, features);
        freestanding(&mut cargo, board);
        Self::run(cargo, &packages.join(" and "))
    }

    /// Builds all binaries of `packages` for this machine. The caller's compiler flags apply, for example
    /// those of a sanitizer.
    pub(crate) fn build_for_this_machine(
        workspace: &Workspace,
        packages: &[&str],
        features: Features<'_>,
    ) -> Result<Self, ProgramsError> {
        Self::run(of_workspace(workspace, packages, features), &packages.join(" and "))
    }

    /// Builds one program of Ferry's that runs on this machine, without optimisation. The command names no
    /// package: so the features of its dependencies are those that they have for every plain Cargo command in
    /// the checkout, and Cargo compiles none of them twice.
    pub(crate) fn build_tool(workspace: &Workspace, program: &str) -> Result<Self, ProgramsError> {
        let mut cargo = cargo::cargo(&workspace.root);
        cargo.args(["build", "--bin", program, "--target-dir"]).arg(&workspace.target);
        Self::run(cargo, program)
    }

    /// Programs that are built already.
    pub(crate) fn ready(files: Vec<(String, PathBuf)>) -> Self {
        Self { files }
    }

    /// Adds programs that were built otherwise.
    pub(crate) fn add(&mut self, more: Self) {
        self.files.extend(more.files);
    }

    /// Runs a `cargo build`, and notes what it builds.
    pub(crate) fn run(cargo: Command, what: &str) -> Result<Self, ProgramsError> {
        let mut files = Vec::new();
        build(cargo, what, |artifact| {
            if let Some(file) = artifact.executable {
                files.push((artifact.target.name, file.into_std_path_buf()));
            }
        })?;
        Ok(Self { files })
    }

    /// Builds the library that C programs link, for a board without an operating system or for this machine.
    pub(crate) fn build_library(
        workspace: &Workspace,
        package: &str,
        board: Option<&Board>,
    ) -> Result<PathBuf, ProgramsError> {
        let mut cargo = cargo::cargo(&workspace.root);
        cargo.args(["build", "--lib", "--release", "--package", package, "--target-dir"]);
        cargo.arg(&workspace.target);
        if let Some(board) = board {
            freestanding(&mut cargo, board);
        }
        Self::library(cargo, "the C client library")
    }

    /// Runs a `cargo build` of a static library, and gives its file.
    pub(crate) fn library(cargo: Command, what: &str) -> Result<PathBuf, ProgramsError> {
        let mut library = None;
        build(cargo, what, |artifact| {
            let mut files = artifact.filenames.into_iter();
            library = files.find(|file| file.extension() == Some("a")).or(library.take());
        })?;
        library.map(Into::into).ok_or_else(|| ProgramsError::Lost(what.to_owned()))
    }

    /// The file of a program.
    pub(crate) fn path(&self, name: &str) -> Result<&Path, ProgramsError> {
        self.find(name).ok_or_else(|| ProgramsError::Lost(name.to_owned()))
    }

    /// Takes a program out, so that no description can name it.
    pub(crate) fn take(&mut self, name: &str) -> Result<PathBuf, ProgramsError> {
        let path = self.path(name)?.to_owned();
        self.files.retain(|(found, _)| found != name);
        Ok(path)
    }

    /// Those that were built for a target.
    pub(crate) fn of_target(&self, target: &str) -> Self {
        let is_of_target = |path: &Path| path.components().any(|component| component.as_os_str() == target);
        Self { files: self.files.iter().filter(|(_, path)| is_of_target(path)).cloned().collect() }
    }

    /// The file of a program, if it is one of these.
    pub(crate) fn find(&self, name: &str) -> Option<&Path> {
        self.files.iter().find(|(found, _)| found == name).map(|(_, path)| path.as_path())
    }

    /// The names of the programs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }
}

/// Runs a `cargo build`, and passes on what it builds.
fn build(mut cargo: Command, what: &str, mut built: impl FnMut(Artifact)) -> Result<(), ProgramsError> {
    let mut step = Step::begin(format!("building {what}"));
    cargo.arg("--message-format=json-render-diagnostics").args(progress::quiet()).stdout(Stdio::piped());
    let mut child = cargo.spawn().map_err(ProgramsError::Cargo)?;
    if let Some(output) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(output)).map_while(Result::ok) {
            let Message::CompilerArtifact(artifact) = message else { continue };
            step.detail(format!("building {}", artifact.target.name));
            built(artifact);
        }
    }
    let status = child.wait().map_err(ProgramsError::Cargo)?;
    if status.success() { Ok(()) } else { Err(ProgramsError::Build(what.to_owned())) }
}

/// A `cargo build` of packages in Ferry's workspace.
fn of_workspace(workspace: &Workspace, packages: &[&str], (selection, domains): Features<'_>) -> Command {
    let mut command = cargo::cargo(&workspace.root);
    command
        .args(["build", "--bins", "--release", "--target-dir"])
        .arg(directory(workspace, selection))
        .args(selection.arguments(domains))
        .args(packages.iter().flat_map(|package| ["--package", package]));
    build_in(&mut command, &workspace.target);
    command
}

/// Where Cargo puts the programs of a selection. Commands that need different ones can run at the same time.
/// What Cargo keeps between builds is the same for all, so nothing is compiled twice.
pub(crate) fn directory(workspace: &Workspace, selection: Selection) -> PathBuf {
    workspace.products().join("programs").join(selection.name())
}

/// Has Cargo keep what it needs between builds in `directory`, unless the caller has one for that already.
pub(crate) fn build_in(cargo: &mut Command, directory: &Path) {
    const VARIABLE: &str = "CARGO_BUILD_BUILD_DIR";
    if std::env::var_os(VARIABLE).is_none() {
        cargo.env(VARIABLE, directory);
    }
}

/// Has Cargo compile for a board without an operating system.
pub(crate) fn freestanding(cargo: &mut Command, board: &Board) {
    cargo
        // The caller's flags are meant for the host.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env(flags_variable(board.architecture.target), board.architecture.flags)
        .args(["--target", board.architecture.target]);
}

/// The environment variable from which Cargo takes the compiler flags for a target.
pub(crate) fn flags_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::Programs;
    use std::path::Path;

    #[test]
    fn programs_of_two_targets_are_told_apart() {
        let both = ["/t/aarch64-one/release/a", "/t/aarch64-two/release/a"];
        let both = Programs::ready(both.map(|path| ("a".into(), path.into())).into());
        assert_eq!(both.of_target("aarch64-two").path("a").unwrap(), Path::new("/t/aarch64-two/release/a"));
    }
}
