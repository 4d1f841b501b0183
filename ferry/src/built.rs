//! A platform, with everything built that its systems share. `run`, `test` and `bench` run systems on it.

use crate::boot::Bootable;
use crate::classic::{self, Classic, ClassicError};
use crate::description_files::DescriptionFiles;
use crate::hosted::{Hosted, HostedError};
use crate::microkit::{Microkit, MicrokitError};
use crate::prefill::{Prefill, Priority};
use crate::programs::ProgramsError;
use crate::project::Project;
use crate::search::{Origin, Search};
use crate::target::{Platform, Selection, Target};
use crate::workspace::Workspace;
use ferry_boards::PC99;
use ferry_description::{Description, Domain};
use ferry_harness::Feature;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The kernel's last line before the system starts, if it prints at all.
const KERNEL_IS_DONE: &str = "Booting all finished";

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
    #[error(transparent)]
    Programs(#[from] ProgramsError),
}

impl Built {
    /// Builds what all systems of the platform share.
    pub(crate) fn build(
        target: Target,
        selection: Selection,
        workspace: &Workspace,
        project: &Project,
    ) -> Result<Self, BuiltError> {
        Ok(match target.platform {
            Platform::Classic => Self::Classic(Classic::build(workspace, selection, project)?),
            Platform::Microkit => {
                // Nothing is built that could not run.
                Microkit::emulated(target.board)?;
                Self::Microkit(Microkit::build(workspace, target.board, target.config, selection, project)?)
            }
            Platform::Hosted => {
                Self::Hosted(Hosted::build(workspace, selection, target.processors, project)?)
            }
        })
    }

    /// Writes the files that a system needs into `directory`, and gives the emulator that runs it.
    /// `description` is the checked contents of `files`. Its regions have the size of their prefills. `boot`
    /// is the number of the boot of this system, from 1 on: processors that take turns end them elsewhere in
    /// each.
    pub(crate) fn emulator(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
        boot: u32,
    ) -> Result<Bootable, BuiltError> {
        match self {
            Self::Classic(classic) => {
                let description = &with_priorities(description, priorities);
                let image = classic.write_image(description, prefills, &directory.join("system.elf"))?;
                Ok(classic::emulator(&image, prefills))
            }
            Self::Microkit(microkit) => {
                Ok(microkit.bootable(files, description, prefills, priorities, directory, boot)?)
            }
            Self::Hosted(hosted) => {
                Ok(hosted.emulator(files, description, prefills, priorities, directory)?)
            }
        }
    }

    /// Whether the platform has a feature that a scenario needs.
    pub(crate) fn offers(&self, feature: Feature) -> bool {
        match (feature, self) {
            (Feature::Priorities, Self::Hosted(hosted)) => hosted.obeys_priorities(),
            (Feature::Capabilities, Self::Hosted(_)) | (Feature::Processors, Self::Classic(_)) => false,
            // Mallory runs on another core than central, whatever their priorities are.
            (Feature::Priorities, Self::Microkit(microkit)) => !microkit.has_several_cores(),
            (Feature::Processors, Self::Microkit(microkit)) => microkit.has_several_cores(),
            (Feature::Clock, Self::Microkit(microkit)) => microkit.has_clock(),
            _ => true,
        }
    }

    /// How the last line begins that the kernel prints before the system starts. If the kernel prints
    /// nothing, it is that of the firmware. `None` if that does not print either.
    pub(crate) fn last_boot_line(&self) -> Option<&'static str> {
        match self {
            Self::Classic(_) => Some(KERNEL_IS_DONE),
            Self::Microkit(microkit) if microkit.kernel_talks() => Some(KERNEL_IS_DONE),
            Self::Microkit(microkit) => microkit.last_firmware_line(),
            Self::Hosted(_) => None,
        }
    }

    /// What to tell a user while a system runs.
    pub(crate) fn what_runs(&self) -> &'static str {
        match self {
            Self::Classic(_) | Self::Microkit(_) => "booting seL4 in QEMU",
            Self::Hosted(_) => "running the system as Linux processes",
        }
    }

    /// The file of a protection domain's program.
    pub(crate) fn program_path(&self, domain: &Domain) -> Result<PathBuf, BuiltError> {
        Ok(self.search(domain).path(domain)?)
    }

    /// The ELF file of a protection domain.
    pub(crate) fn program(&self, domain: &Domain) -> Result<Vec<u8>, BuiltError> {
        Ok(self.search(domain).read(domain)?)
    }

    /// Who built the program of a protection domain.
    pub(crate) fn origin(&self, domain: &Domain) -> Origin {
        self.search(domain).origin(domain)
    }

    /// The target that the program of a protection domain is compiled for. `None` for this machine.
    pub(crate) fn rust_target(&self, domain: &Domain) -> Option<&'static str> {
        match self {
            Self::Classic(_) => Some(PC99.architecture.target),
            Self::Microkit(microkit) => Some(microkit.rust_target(domain)),
            Self::Hosted(_) => None,
        }
    }

    /// Where the program of a protection domain is.
    fn search(&self, domain: &Domain) -> Cow<'_, Search> {
        match self {
            Self::Classic(classic) => Cow::Borrowed(classic.programs()),
            Self::Microkit(microkit) => Cow::Owned(microkit.search(domain)),
            Self::Hosted(hosted) => Cow::Borrowed(hosted.programs()),
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
