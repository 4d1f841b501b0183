//! A platform with everything built that its images share: what `run` and `test` boot on.

use crate::arguments::{DescriptionFiles, Platform, Target};
use crate::boot::Machine;
use crate::classic::{self, Classic, Prefill};
use crate::error::Error;
use crate::microkit::Microkit;
use crate::workspace::Workspace;
use ferry_description::Description;
use std::path::Path;

/// A platform, ready to make images.
pub(crate) enum Lane {
    Classic(Classic),
    Microkit(Microkit),
}

impl Lane {
    /// Builds what all images of a platform share.
    pub(crate) fn build(target: Target, workspace: &Workspace) -> Result<Self, Error> {
        Ok(match target.platform {
            Platform::Classic => Self::Classic(Classic::build(workspace)?),
            Platform::Microkit => Self::Microkit(Microkit::build(workspace, target.board, target.config)?),
        })
    }

    /// Makes an image in `directory` and the machine that boots it. `description` is what the files say, checked for
    /// the sizes of the prefills.
    pub(crate) fn machine(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        prefills: &[Prefill],
        directory: &Path,
    ) -> Result<Machine, Error> {
        match self {
            Self::Classic(classic) => {
                let image = classic.write_image(description, prefills, &directory.join("system.elf"))?;
                let bytes = prefills.iter().map(|(_, contents)| contents.len() as u64).sum();
                Ok(classic::machine(&image, bytes))
            }
            Self::Microkit(microkit) => microkit.machine(&files.system, &files.flows, prefills, directory),
        }
    }
}
