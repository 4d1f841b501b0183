//! Finds the kernel's source on this machine and hands out its configuration. Nothing here writes to the
//! source: it lies in Cargo's registry cache, which other projects share.

use crate::Error;
use cargo_metadata::{CargoOpt, MetadataCommand};
use std::fs;
use std::path::{Path, PathBuf};

const PACKAGE: &str = "sel4-sys";
const AUTOCONF: &str = include_str!("../autoconf.h");
const KERNEL_STACK: &str = include_str!("../kernel_stack.h");

/// The source tree of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    directory: PathBuf,
}

impl Source {
    /// Asks Cargo where the source is; Cargo downloads it if it has not yet. `workspace` is Ferry's root
    /// directory, the one with `Cargo.lock`.
    pub fn locate(workspace: &Path) -> Result<Self, Error> {
        let metadata = MetadataCommand::new()
            .manifest_path(workspace.join("Cargo.toml"))
            .features(CargoOpt::AllFeatures)
            .exec()
            .map_err(|cause| Error::Metadata { workspace: workspace.to_owned(), cause: Box::new(cause) })?;
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name.as_str() == PACKAGE)
            .ok_or_else(|| Error::NoPackage { package: PACKAGE, workspace: workspace.to_owned() })?;
        let directory = package.manifest_path.with_file_name("seL4").into_std_path_buf();
        if directory.join("Makefile").is_file() {
            Ok(Self { directory })
        } else {
            Err(Error::NoSource { directory })
        }
    }

    /// The directory `seL4/` of the package: the kernel's `Makefile`, `src/`, `include/` and `libsel4/`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Everything that configures the kernel and is not in its source. [`write_configuration`] writes it, and
/// `build` compares it to tell whether an earlier kernel is still the right one.
pub(crate) const CONFIGURATION: [(&str, &str); 2] =
    [("autoconf.h", AUTOCONF), ("kernel_stack.h", KERNEL_STACK)];

/// Writes the configuration headers into `directory`, creating it.
pub(crate) fn write_configuration(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    for (name, text) in CONFIGURATION {
        let path = directory.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
    }
    Ok(())
}
