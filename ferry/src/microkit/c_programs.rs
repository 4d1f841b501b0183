//! What programs in C link on Microkit: the client library, the SDK's `libmicrokit`, and `glue.c` between the
//! two, which is compiled against the SDK's own `microkit.h`.

use super::{Microkit, MicrokitError, PROTECTION_DOMAINS, cargo_in};
use crate::c::{self, CError};
use crate::programs::Programs;
use crate::project::Project;
use crate::registers;
use crate::search::Search;
use crate::target::Platform;
use crate::tools;
use crate::workspace::Workspace;
use ferry_description::Domain;
use std::path::PathBuf;

/// The package of the library that C programs link.
const LIBRARY: &str = "ferry-c-microkit";

impl Microkit {
    /// Refuses the program of a client that never starts one, and one that uses floating-point registers
    /// which its domain does not have.
    pub(super) fn check_program(&self, domain: &Domain) -> Result<(), MicrokitError> {
        let search = self.search(domain);
        search.check_ready(domain, self.board.architecture.name)?;
        self.check_resources(domain, &search)?;
        Ok(c::check_start(domain, &search, c::REGION)?)
    }

    /// Refuses a program that needs more of its domain than that has: stack, or registers.
    fn check_resources(&self, domain: &Domain, search: &Search) -> Result<(), MicrokitError> {
        let is_in_c = self.programs.is_in_c(domain) || search.is_ready_in_c(domain);
        if is_in_c {
            c::check_stack(domain)?;
        }
        if domain.fpu {
            return Ok(());
        }
        let (place, program) = (domain.place.to_string(), domain.program.clone());
        // There the SDK's libmicrokit, which the program links, was made with these registers.
        if is_in_c && self.board.architecture.c_needs_fpu {
            return Err(MicrokitError::FloatingPointInC { place, program });
        }
        let contents = search.read(domain)?;
        let elf = object::File::parse(contents.as_slice()).ok();
        match elf.and_then(|elf| registers::first_use(&elf)) {
            None => Ok(()),
            Some(function) => Err(MicrokitError::FloatingPoint { place, program, function }),
        }
    }

    /// Where the programs in C of a project go that are compiled for a target.
    pub(super) fn c_output(&self, project: &Project, target: &str) -> PathBuf {
        let configuration = format!("{}-{}", self.board.name, self.config.name());
        project.c_output(Platform::Microkit).join(configuration).join(target)
    }

    /// Compiles the programs in C of a project: for domains with floating-point registers, and for those
    /// without, where these are other programs.
    pub(super) fn compile_c(
        &self,
        workspace: &Workspace,
        project: &Project,
    ) -> Result<Programs, MicrokitError> {
        let mut programs = Programs::default();
        for target in self.board.targets() {
            let output = self.c_output(project, target);
            programs.add(project.compile_c(|| self.c_build(workspace, output, target))?);
        }
        Ok(programs)
    }

    /// How programs in C are made for a target of the board.
    pub(crate) fn c_build<'a>(
        &self,
        workspace: &'a Workspace,
        output: PathBuf,
        target: &'static str,
    ) -> Result<c::Build<'a>, MicrokitError> {
        let toolchain = c::of_architecture(self.board)?;
        let board = self.sdk.of(self.board.name, self.config.name());
        let mut search = std::ffi::OsString::from("-L");
        search.push(board.join("lib"));
        // The SDK's headers use the keyword `asm`, which C11 does not have.
        let mut compile = vec!["-fasm".into()];
        if self.board.architecture.target_without_fpu == Some(target) {
            compile.extend(toolchain.without_fpu.iter().map(Into::into));
        }
        Ok(c::Build {
            toolchain,
            ferry: &workspace.root,
            library: self.c_library(workspace, toolchain.library_target.unwrap_or(target))?,
            glue: Some(workspace.root.join("platform/microkit/c/glue.c")),
            microkit: board.join("include"),
            script: Some(board.join("lib/microkit.ld")),
            compile,
            link: vec![search],
            output,
        })
    }

    /// Builds the client library.
    fn c_library(&self, workspace: &Workspace, target: &'static str) -> Result<PathBuf, MicrokitError> {
        tools::can_compile_or_install(target)?;
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

#[cfg(test)]
mod tests {
    use super::{Microkit, MicrokitError};
    use crate::c::CError;
    use crate::microkit::Sdk;
    use crate::programs::{Programs, ProgramsError};
    use crate::ready::elf;
    use crate::search::Search;
    use crate::target::{Config, Selection};
    use ferry_boards::Board;
    use ferry_description::{Description, Domain, Source};
    use std::fs;
    use std::path::{Path, PathBuf};

    /// What is wrong on a PC with a client whose program in C defines these symbols.
    fn mistake(symbols: &[&str], fpu: bool) -> Option<MicrokitError> {
        let directory = tempfile::tempdir().unwrap();
        let board = Board::of_microkit("x86_64_generic").unwrap();
        let place = directory.path().join(board.architecture.target);
        fs::create_dir(&place).unwrap();
        let file = place.join("producer.elf");
        fs::write(&file, elf::program(symbols, 0)).unwrap();
        let in_c = Programs::ready(vec![("producer".to_owned(), file)]);
        let microkit = Microkit {
            sdk: Sdk { directory: PathBuf::new() },
            board,
            config: Config::Release,
            selection: Selection::System,
            product: false,
            builder: PathBuf::new(),
            own: PathBuf::new(),
            programs: Search { in_c, ..Search::default() },
        };
        microkit.check_program(&Domain { fpu, ..producer() }).err()
    }

    /// A client.
    fn producer() -> Domain {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench"));
        let read = |name: &str| Source::read(&root.join(name)).unwrap();
        let description = Description::check(&read("system.xml"), &read("flows-keep.toml"), &[]);
        let domains = description.map_err(|mistakes| mistakes.render(false)).unwrap().system.domains;
        domains.into_iter().find(|domain| domain.name == "producer").unwrap()
    }

    #[test]
    fn a_client_in_c_that_forgets_ferry_is_refused() {
        assert!(mistake(&["init", "ferry_out"], true).is_none());
        let forgets = mistake(&["init"], true).unwrap();
        assert!(
            matches!(
                &forgets,
                MicrokitError::Programs(ProgramsError::C(CError::NeverStarts { program, .. }))
                    if program == "producer.elf"
            ),
            "{forgets}"
        );
        assert!(forgets.to_string().contains("call ferry_init"), "{forgets}");
    }

    #[test]
    fn a_program_in_c_has_floating_point_registers_where_libmicrokit_has() {
        let without = mistake(&["init", "ferry_out"], false).unwrap();
        assert!(
            matches!(&without, MicrokitError::FloatingPointInC { program, .. } if program == "producer.elf"),
            "{without}"
        );
        assert!(without.to_string().contains("remove fpu=\"false\""), "{without}");
    }
}
