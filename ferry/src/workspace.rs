//! Where Ferry's sources and build products are.

use cargo_metadata::{Metadata, MetadataCommand};
use std::path::{Path, PathBuf};

/// Ferry's own workspace: the sources of central, of the runtimes and of the image builders.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// The directory that holds the workspace's `Cargo.lock`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory for these sources.
    pub(crate) target: PathBuf,
    /// Directory for everything that Cargo does not build: the kernel, images.
    products: PathBuf,
}

/// Why the workspace was not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    #[error(
        "Ferry's sources are neither above this directory nor where this program was compiled; run it inside a \
         checkout of Ferry, or let the project's package depend on ferry-client"
    )]
    NotFound,
    #[error("{}: cargo cannot describe the workspace: {cause}; run `cargo metadata` there", root.display())]
    Metadata { root: PathBuf, cause: Box<cargo_metadata::Error> },
    #[error(
        "this is ferry {program}, and the sources in {} are those of ferry {sources}; install the same version: \
         cargo install --path {}", root.display(), root.join("ferry").display()
    )]
    Version { program: &'static str, sources: String, root: PathBuf },
}

impl Workspace {
    /// The checkout above the current directory, else the one in which this program was compiled.
    pub(crate) fn locate() -> Result<Self, WorkspaceError> {
        let here = std::env::current_dir().unwrap_or_default();
        let root = above(&here).or_else(compiled).ok_or(WorkspaceError::NotFound)?;
        Self::at(root)
    }

    /// The sources that belong to a project: those of the client library on which it depends, else those of
    /// the checkout in which it lies, else those from which this program was compiled. `products` is the
    /// directory for what is built for the project.
    pub(crate) fn of(
        directory: &Path,
        library: Option<&Path>,
        products: PathBuf,
    ) -> Result<Self, WorkspaceError> {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let library = library.and_then(above);
        let root = library.or_else(|| above(&directory)).or_else(compiled).ok_or(WorkspaceError::NotFound)?;
        let workspace = Self::at(root)?;
        if workspace.root.canonicalize().is_ok_and(|root| directory.starts_with(root)) {
            return Ok(workspace);
        }
        // Somebody else's sources are only read.
        Ok(Self { target: products.join("own"), products, ..workspace })
    }

    fn at(root: PathBuf) -> Result<Self, WorkspaceError> {
        let metadata = describe(&root)?;
        let program = env!("CARGO_PKG_VERSION");
        let own = metadata.packages.iter().find(|package| package.name.as_str() == env!("CARGO_PKG_NAME"));
        let sources = own.map(|own| own.version.to_string()).unwrap_or_default();
        if sources != program {
            return Err(WorkspaceError::Version { program, sources, root });
        }
        let target = metadata.target_directory.into_std_path_buf();
        Ok(Self { root, products: target.join("ferry"), target })
    }

    /// The packages that a Cargo command in the workspace selects if it names none.
    pub(crate) fn default_members(&self) -> Result<Vec<String>, WorkspaceError> {
        let metadata = describe(&self.root)?;
        Ok(metadata.workspace_default_packages().iter().map(|package| package.name.to_string()).collect())
    }

    /// Directory for everything that Cargo does not build: the kernel, images, the generated input.
    pub(crate) fn products(&self) -> PathBuf {
        self.products.clone()
    }
}

/// What Cargo says about the packages of a workspace.
fn describe(root: &Path) -> Result<Metadata, WorkspaceError> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root.join("Cargo.toml")).no_deps();
    command.exec().map_err(|cause| WorkspaceError::Metadata { root: root.to_owned(), cause: Box::new(cause) })
}

/// The checkout in which this program was compiled, if it is still there.
fn compiled() -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|root| is_ferry(root)).map(Path::to_owned)
}

/// The checkout in which a directory lies.
fn above(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|directory| is_ferry(directory)).map(Path::to_owned)
}

fn is_ferry(directory: &Path) -> bool {
    directory.join("platform/classic/pds/Cargo.toml").is_file()
}
