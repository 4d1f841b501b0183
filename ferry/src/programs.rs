//! Builds programs of this workspace with Cargo and finds their ELF files. These are the programs of the
//! classic platform, and those that run on this machine.

use crate::progress::{self, Step};
use crate::target::Selection;
use crate::workspace::{self, Workspace};
use cargo_metadata::Message;
use ferry_boards::Board;
use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs that were built.
#[derive(Debug)]
pub(crate) struct Programs {
    files: BTreeMap<String, PathBuf>,
}

/// Which programs of a package of protection domains are built. `None` for packages without any.
pub(crate) type Features<'a> = Option<(Selection, &'a str)>;

/// Why a program is missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramsError {
    #[error("could not start cargo: {0}; install Rust from https://rustup.rs")]
    Cargo(std::io::Error),
    #[error("cargo could not build {0}; its messages are above")]
    Build(String),
    #[error(
        "{place}: the domain's program is `{program}`, and none of the programs built is called `{name}`; \
         put its source into client-pd/src/pd/{name}.rs or correct the path (there are: {known})"
    )]
    Unknown { place: String, program: String, name: String, known: String },
    #[error("could not read {}: {cause}; run the command again", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
}

impl Programs {
    /// Builds all binaries of `packages` for a board without an operating system.
    pub(crate) fn build_freestanding(
        workspace: &Workspace,
        packages: &[&str],
        features: Features<'_>,
        board: &Board,
    ) -> Result<Self, ProgramsError> {
        Self::build(workspace, "release", packages, features, |cargo| {
            cargo
                // The caller's flags are meant for the host.
                .env_remove("RUSTFLAGS")
                .env_remove("CARGO_ENCODED_RUSTFLAGS")
                .env(flags_variable(board.target), board.flags)
                .args(["--target", board.target]);
        })
    }

    /// Builds all binaries of `packages` for this machine. The caller's compiler flags apply, for example
    /// those of a sanitizer.
    pub(crate) fn build_for_this_machine(
        workspace: &Workspace,
        profile: &str,
        packages: &[&str],
        features: Features<'_>,
    ) -> Result<Self, ProgramsError> {
        Self::build(workspace, profile, packages, features, |_| {})
    }

    fn build(
        workspace: &Workspace,
        profile: &str,
        packages: &[&str],
        features: Features<'_>,
        more: impl FnOnce(&mut Command),
    ) -> Result<Self, ProgramsError> {
        let mut step = Step::begin(format!("building {}", packages.join(" and ")));
        let mut command = workspace::cargo(&workspace.root);
        let directory = features
            .map_or(Path::new(""), |(selection, _)| Path::new(selection.directory().unwrap_or_default()));
        command
            .args(["build", "--bins", "--profile", profile, "--target-dir"])
            .arg(workspace.target.join(directory))
            .args(features.iter().flat_map(|(selection, domains)| selection.arguments(domains)))
            .arg("--message-format=json-render-diagnostics")
            .args(progress::quiet())
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .stdout(Stdio::piped());
        more(&mut command);
        let mut child = command.spawn().map_err(ProgramsError::Cargo)?;
        let mut files = BTreeMap::new();
        if let Some(output) = child.stdout.take() {
            for message in Message::parse_stream(BufReader::new(output)).map_while(Result::ok) {
                let Message::CompilerArtifact(artifact) = message else { continue };
                step.detail(format!("building {}", artifact.target.name));
                if let Some(file) = artifact.executable {
                    files.insert(artifact.target.name, file.into_std_path_buf());
                }
            }
        }
        let status = child.wait().map_err(ProgramsError::Cargo)?;
        if status.success() { Ok(Self { files }) } else { Err(ProgramsError::Build(packages.join(" and "))) }
    }

    /// The path of a built program. `program` is its path in the system description, of which only the file
    /// stem counts. `place` is where that path is written, for the error.
    pub(crate) fn path(&self, program: &str, place: &dyn std::fmt::Display) -> Result<&Path, ProgramsError> {
        let name = Path::new(program).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = self.files.get(&name).ok_or_else(|| ProgramsError::Unknown {
            place: place.to_string(),
            program: program.to_owned(),
            name,
            known: self.files.keys().cloned().collect::<Vec<_>>().join(", "),
        })?;
        Ok(path)
    }

    /// The contents of a program's ELF file. The arguments are those of [`path`](Self::path).
    pub(crate) fn read(
        &self,
        program: &str,
        place: &dyn std::fmt::Display,
    ) -> Result<Vec<u8>, ProgramsError> {
        let path = self.path(program, place)?;
        std::fs::read(path).map_err(|cause| ProgramsError::Read { path: path.to_owned(), cause })
    }
}

/// The environment variable from which Cargo takes the compiler flags for a target.
pub(crate) fn flags_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"))
}
