//! A platform, with everything built that its systems share. `run`, `test` and `bench` run systems on it.

use crate::boot::Emulator;
use crate::classic::{self, Classic, ClassicError};
use crate::description_files::DescriptionFiles;
use crate::hosted::{Hosted, HostedError};
use crate::microkit::{Microkit, MicrokitError};
use crate::prefill::{Prefill, Priority};
use crate::target::{Platform, Selection, Target};
use crate::workspace::Workspace;
use ferry_description::Description;
use ferry_harness::Feature;
use std::path::Path;

/// A platform, ready to run systems.
pub(crate) enum Built {
    Classic(Classic),
    Microkit(Microkit),
    Hosted(Hosted),
}

/// Why a platform cannot run a system.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuiltError {
    #[error(transparent)]
    Classic(#[from] ClassicError),
    #[error(transparent)]
    Microkit(#[from] MicrokitError),
    #[error(transparent)]
    Hosted(#[from] HostedError),
}

impl Built {
    /// Builds what all systems of the platform share.
    pub(crate) fn build(
        target: Target,
        selection: Selection,
        workspace: &Workspace,
    ) -> Result<Self, BuiltError> {
        Ok(match target.platform {
            Platform::Classic => Self::Classic(Classic::build(workspace, selection)?),
            Platform::Microkit => {
                Self::Microkit(Microkit::build(workspace, target.board, target.config, selection)?)
            }
            Platform::Hosted => Self::Hosted(Hosted::build(workspace, selection, target.processors)?),
        })
    }

    /// Writes the files that a system needs into `directory`, and gives the emulator that runs it.
    /// `description` is the checked contents of `files`. Its regions have the size of their prefills.
    pub(crate) fn emulator(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
    ) -> Result<Emulator, BuiltError> {
        match self {
            Self::Classic(classic) => {
                let description = &with_priorities(description, priorities);
                let image = classic.write_image(description, prefills, &directory.join("system.elf"))?;
                Ok(classic::emulator(&image, prefills))
            }
            Self::Microkit(microkit) => {
                Ok(microkit.emulator(&files.system, &files.flows, prefills, priorities, directory)?)
            }
            Self::Hosted(hosted) => Ok(hosted.emulator(files, prefills, priorities, directory)?),
        }
    }

    /// Whether the platform has a feature that a scenario needs.
    pub(crate) fn offers(&self, feature: Feature) -> bool {
        match (feature, self) {
            (Feature::Priorities, Self::Hosted(hosted)) => hosted.obeys_priorities(),
            (Feature::Capabilities, Self::Hosted(_)) => false,
            _ => true,
        }
    }

    /// What to tell a user while a system runs.
    pub(crate) fn what_runs(&self) -> &'static str {
        match self {
            Self::Classic(_) | Self::Microkit(_) => "booting seL4 in QEMU",
            Self::Hosted(_) => "running the system as Linux processes",
        }
    }

    /// The ELF file of a protection domain. `fpu` is the value of its attribute `fpu`.
    pub(crate) fn program(&self, name: &str, fpu: bool) -> Result<Vec<u8>, BuiltError> {
        match self {
            Self::Classic(classic) => Ok(classic.program(name)?),
            Self::Microkit(microkit) => Ok(microkit.program(name, fpu)?),
            Self::Hosted(hosted) => Ok(hosted.program(name)?),
        }
    }
}

/// The description, with these priorities in place of its own.
fn with_priorities(description: &Description, priorities: &[Priority]) -> Description {
    let mut description = description.clone();
    for (name, priority) in priorities {
        for domain in description.system.domains.iter_mut().filter(|domain| domain.name == *name) {
            domain.priority = *priority;
        }
    }
    description
}
