//! The two files of a system, and how they become a checked description.

use ferry_description::{Description, Mistakes, Platform, ReadError, Source};
use std::path::{Path, PathBuf};

/// The system description of a project.
pub(crate) const SYSTEM: &str = "system.xml";
/// Its flows.
pub(crate) const FLOWS: &str = "flows.toml";

/// The files of a system.
#[derive(Clone, Debug)]
pub(crate) struct DescriptionFiles {
    /// The system description.
    pub(crate) system: PathBuf,
    /// The flows: who may send to whom.
    pub(crate) flows: PathBuf,
}

/// Why there is no checked description.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescriptionError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}

impl DescriptionFiles {
    /// The files of the project in a directory.
    pub(crate) fn of_directory(directory: &Path) -> Self {
        Self { system: directory.join(SYSTEM), flows: directory.join(FLOWS) }
    }

    /// Reads and checks both files, for every platform. `grown` names regions, and the number of bytes that
    /// each must have at least.
    pub(crate) fn load(&self, grown: &[(&str, u64)]) -> Result<Description, DescriptionError> {
        let (system, flows) = (Source::read(&self.system)?, Source::read(&self.flows)?);
        Ok(Description::check(&system, &flows, grown)?)
    }

    /// The same, for one platform or board.
    pub(crate) fn load_for(
        &self,
        platform: &Platform,
        grown: &[(&str, u64)],
    ) -> Result<Description, DescriptionError> {
        let description = self.load(grown)?;
        description.check_for(platform)?;
        Ok(description)
    }
    /// Reads and checks both files, as if they were called `system` and `flows`: places in them have these
    /// names.
    pub(crate) fn load_as(
        &self,
        [system, flows]: [&str; 2],
        grown: &[(&str, u64)],
    ) -> Result<Description, DescriptionError> {
        let called = |path: &Path, name: &str| {
            let read = Source::read(path)?;
            Ok::<_, ReadError>(Source::new(name, read.text()).with_directories(read.directories().to_vec()))
        };
        let (system, flows) = (called(&self.system, system)?, called(&self.flows, flows)?);
        Ok(Description::check(&system, &flows, grown)?)
    }
}
