//! Where Ferry's sources and build products are.

use cargo_metadata::MetadataCommand;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Ferry's own workspace.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// The directory that holds the workspace's `Cargo.lock`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory. Everything that is built goes below it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the workspace in which this program was compiled, else one above the current directory.
    pub(crate) fn locate() -> Result<Self, WorkspaceError> {
        let compiled = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned);
        let current = std::env::current_dir().unwrap_or_default();
        let above = current.ancestors().map(Path::to_owned);
        let root = compiled
            .into_iter()
            .chain(above)
            .find(|directory| directory.join("platform/classic/pds/Cargo.toml").is_file())
            .ok_or(WorkspaceError::NotFound)?;
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .exec()
            .map_err(|cause| WorkspaceError::Metadata { root: root.clone(), cause: Box::new(cause) })?;
        Ok(Self { root, target: metadata.target_directory.into_std_path_buf() })
    }

    /// Directory for everything that Cargo does not build: the kernel, images, the generated input.
    pub(crate) fn products(&self) -> PathBuf {
        self.target.join("ferry")
    }
}

/// Cargo, to be run in `directory`. If Cargo has started this program, it is the same Cargo.
pub(crate) fn cargo(directory: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(directory).stdin(Stdio::null());
    cargo
}

/// Why the workspace was not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    #[error("Ferry's sources are not where this program was compiled; run it inside a checkout of Ferry")]
    NotFound,
    #[error("{}: cargo cannot describe the workspace: {cause}; run `cargo metadata` there", root.display())]
    Metadata { root: PathBuf, cause: Box<cargo_metadata::Error> },
}
