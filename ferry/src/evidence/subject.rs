//! Of what there is evidence: a project for a target, as the command line names them. The parts of
//! `ferry evidence` read it, and none changes it.

use crate::arguments::EvidenceArguments;
use crate::file;
use crate::prefill::Prefill;
use crate::project::Project;
use crate::shell;
use crate::target::{Platform, Target};
use crate::workspace::Workspace;
use ferry_description::Description;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// The command, as it is called.
pub(super) const COMMAND: &str = "ferry evidence";
/// The version of the format of all files in JSON.
pub(super) const FORMAT: u32 = 1;

/// Of what there is evidence.
pub(super) struct Subject<'a> {
    pub(super) arguments: &'a EvidenceArguments,
    pub(super) target: Target,
    pub(super) product: bool,
    pub(super) project: Arc<Project>,
    pub(super) prefills: Vec<Prefill>,
    pub(super) description: Description,
    pub(super) workspace: Workspace,
    /// Where the image is built. It is removed at the end.
    pub(super) directory: &'a Path,
}

impl Subject<'_> {
    /// The command line that makes the same evidence in the project's directory, without the directory that
    /// it is written to.
    pub(super) fn command(&self) -> String {
        let mut words = COMMAND.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(["--platform", self.target.platform.name()]);
        if self.target.platform == Platform::Microkit {
            command.args(["--board", self.target.board.name, "--config", self.target.config.name()]);
        }
        if let Some(processors) = self.target.processors {
            command.args(["--processors", &processors.to_string()]);
        }
        if self.product {
            command.arg("--product");
        }
        for directory in self.arguments.system.project.programs() {
            command.arg("--programs").arg(directory);
        }
        for (region, path) in &self.arguments.system.prefill {
            command.arg("--prefill").arg(file::argument(region, path));
        }
        shell::Line(&command).to_string()
    }
}
