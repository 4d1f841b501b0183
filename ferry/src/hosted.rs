//! The hosted platform, which has neither an image nor an emulator. Its launcher runs protection domains as
//! Linux processes. The launcher is judged like an emulator: its standard output is the console, and its exit
//! status is the code with which the system ends.

use crate::boot::Bootable;
use crate::c;
use crate::description_files::DescriptionFiles;
use crate::file::{self, FileError};
use crate::prefill::{self, Prefill, Priority};
use crate::programs::{Programs, ProgramsError};
use crate::project::{Compilation, Project};
use crate::search::Search;
use crate::target::{Platform, Selection};
use crate::workspace::Workspace;
use ferry_description::Description;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of the launcher.
const LAUNCHER: &str = "ferry-hosted";
/// The package with all protection domains.
pub(crate) const DOMAINS: &str = "ferry-pds-hosted";
/// The package of the library that C programs link.
pub(crate) const C_LIBRARY: &str = "ferry-c-hosted";

/// The launcher and the programs. They are built once, for any number of systems.
pub(crate) struct Hosted {
    launcher: PathBuf,
    programs: Search,
    /// The number of processors that a system may use. By default all.
    processors: Option<NonZeroUsize>,
    /// Whether protection domains are scheduled by their priorities.
    by_priority: bool,
}

/// Why a system cannot run here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostedError {
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Hosted {
    /// Builds what all systems share.
    pub(crate) fn build(
        workspace: &Workspace,
        selection: Selection,
        processors: Option<NonZeroUsize>,
        project: &Project,
    ) -> Result<Self, HostedError> {
        // The launcher does nothing that takes long, so it needs no optimised build.
        let launcher = Programs::build_tool(workspace, LAUNCHER)?;
        let launcher = launcher.path(LAUNCHER)?.to_owned();
        let own = Programs::build_for_this_machine(workspace, &[DOMAINS], (selection, DOMAINS))?;
        let compilation = Compilation::release(Platform::Hosted, &workspace.target);
        let compiled = project.compile(&workspace.root, &compilation, |_| {})?;
        let in_c = project.compile_c::<ProgramsError>(|| {
            c::Build::of_package(&c::HOSTED, workspace, C_LIBRARY, None, project.c_output(Platform::Hosted))
        })?;
        let programs = Search::new(own, compiled, in_c, project.ready.clone())?;
        let by_priority = processors == Some(NonZeroUsize::MIN)
            && Command::new(&launcher).arg("--may-prioritise").status().is_ok_and(|status| status.success());
        Ok(Self { launcher, programs, processors, by_priority })
    }

    /// Where the programs are.
    pub(crate) fn programs(&self) -> &Search {
        &self.programs
    }

    /// The program that starts systems.
    pub(crate) fn launcher(&self) -> &Path {
        &self.launcher
    }

    /// Whether protection domains are scheduled by their priorities. That takes a system on one processor,
    /// and a user whom Linux lets use the real-time class.
    pub(crate) fn obeys_priorities(&self) -> bool {
        self.by_priority
    }

    /// The launcher, as the emulator of the system that `files` describe. The contents of regions are written
    /// to `directory`.
    pub(crate) fn emulator(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
    ) -> Result<Bootable, HostedError> {
        let mut command = Command::new(&self.launcher);
        command.arg("--system").arg(&files.system).arg("--flows").arg(&files.flows);
        for domain in &description.system.domains {
            self.programs.check_ready(domain, std::env::consts::ARCH)?;
            // Programs in Rust have no symbols here that say whether they start a client.
            if self.programs.is_in_c(domain) {
                c::check_start(domain, &self.programs, c::START).map_err(ProgramsError::from)?;
            }
            let program = self.programs.path(domain)?;
            command.arg("--program").arg(file::argument(&domain.name, &program));
        }
        for word in prefill::write(prefills, directory)? {
            command.arg("--prefill").arg(word);
        }
        if let Some(processors) = self.processors {
            command.args(["--processors", &processors.to_string()]);
        }
        if self.by_priority {
            command.arg("--priorities");
        }
        for (domain, priority) in priorities {
            command.arg("--priority").arg(format!("{domain}={priority}"));
        }
        Ok(Bootable { command, status_of: i32::from })
    }
}
