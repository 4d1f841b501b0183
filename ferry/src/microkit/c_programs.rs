//! What programs in C link on Microkit: the client library, the SDK's `libmicrokit`, and `glue.c` between the
//! two, which is compiled against the SDK's own `microkit.h`.

use super::{Microkit, MicrokitError, PROTECTION_DOMAINS, cargo_in};
use crate::c::{self, CError};
use crate::programs::Programs;
use crate::project::Project;
use crate::ready;
use crate::setup;
use crate::target::Platform;
use crate::workspace::Workspace;
use ferry_description::Domain;
use std::path::PathBuf;

/// The package of the library that C programs link.
const LIBRARY: &str = "ferry-c-microkit";

impl Microkit {
    /// Refuses the program of a client that never starts one, and one in C without floating-point registers.
    pub(super) fn check_program(&self, domain: &Domain) -> Result<(), MicrokitError> {
        let search = self.search(domain);
        if !domain.fpu && (self.programs.is_in_c(domain) || ready::is_in_c(domain, &search)) {
            let (place, program) = (domain.place.to_string(), domain.program.clone());
            return Err(MicrokitError::FloatingPoint { place, program });
        }
        ready::check(domain, &search, self.board.architecture.name)?;
        Ok(c::check_start(domain, &search, c::REGION)?)
    }

    /// Where the programs in C of a project go.
    pub(super) fn c_output(&self, project: &Project) -> PathBuf {
        let configuration = format!("{}-{}", self.board.name, self.config.name());
        project.c_output(Platform::Microkit).join(configuration).join(self.board.architecture.target)
    }

    /// How the programs in C of a project are made. There are none without floating-point registers, because
    /// the SDK's `libmicrokit` uses these.
    pub(crate) fn c_build<'a>(
        &self,
        workspace: &'a Workspace,
        output: PathBuf,
    ) -> Result<c::Build<'a>, MicrokitError> {
        let target = self.board.architecture.target;
        let toolchain = c::of_architecture(self.board)?;
        let board = self.sdk.of(self.board.name, self.config.name());
        let mut search = std::ffi::OsString::from("-L");
        search.push(board.join("lib"));
        Ok(c::Build {
            toolchain,
            ferry: &workspace.root,
            library: self.c_library(workspace, toolchain.library_target.unwrap_or(target))?,
            glue: Some(workspace.root.join("platform/microkit/c/glue.c")),
            microkit: board.join("include"),
            script: Some(board.join("lib/microkit.ld")),
            // The SDK's headers use this keyword, which C11 does not have.
            compile: vec!["-fasm".into()],
            link: vec![search],
            output,
        })
    }

    /// Builds the client library.
    fn c_library(&self, workspace: &Workspace, target: &'static str) -> Result<PathBuf, MicrokitError> {
        setup::can_compile_or_install(target)?;
        let mut cargo = cargo_in(workspace);
        cargo.args(["build", "--lib", "--profile", PROTECTION_DOMAINS, "--locked", "--package", LIBRARY]);
        cargo.arg("--target-dir").arg(self.directory(workspace));
        self.compile_for(&mut cargo, target);
        Ok(Programs::library(cargo, &format!("the C client library for {}", self.board.name))?)
    }
}

impl From<CError> for MicrokitError {
    fn from(error: CError) -> Self {
        Self::Programs(error.into())
    }
}
