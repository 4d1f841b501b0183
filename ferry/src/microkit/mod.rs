//! The Microkit platform. Its programs are compiled against the headers of a Microkit SDK. Ferry's image
//! builder (`platform/microkit/image`), a separate program, makes the image.
//!
//! `platform/microkit` is a workspace of its own, because its dependencies come from git, so nothing of it is
//! linked here. Each board and configuration has its own target directory, because the kernel's configuration
//! is compiled into the programs.

mod builder;
mod c_programs;
mod cargo;
mod error;
mod find;
mod parts;

use crate::boot::Bootable;
use crate::cores;
use crate::description_files::DescriptionFiles;
use crate::file;
use crate::pc_timer;
use crate::prefill::{Prefill, Priority};
use crate::programs::{Programs, flags_variable};
use crate::progress::{self, Step};
use crate::project::{Compilation, Project};
use crate::search::Search;
use crate::target::{Config, Platform, Selection};
use crate::tools;
use crate::workspace::Workspace;
use builder::{DIFFERS, output_of, prefilled, run_builder, success};
use cargo::{PROTECTION_DOMAINS, isolate};
use ferry_boards::{Board, Files, Form, Processors, sdk};
use ferry_description::{Description, Domain};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use builder::Inspection;
pub(crate) use cargo::{cargo_in, directories, host_directory};
pub(crate) use error::MicrokitError;
pub(crate) use find::{Sdk, SdkError, is_there as sdk_is_there};

/// File names that the image builder uses: of the image, and of the kernel beside it on boards whose boot
/// loader starts the kernel.
pub(crate) const IMAGE: &str = "image";
pub(crate) const KERNEL: &str = "sel4_32.elf";

/// The package of the image builder, and its program.
const BUILDER: &str = "ferry-microkit-image";
/// The package of all protection domains.
pub(crate) const DOMAINS: &str = "ferry-pds-microkit";

/// The programs and the image builder. They are built once, for any number of images.
#[derive(Clone, Debug)]
pub(crate) struct Microkit {
    sdk: Sdk,
    board: &'static Board,
    config: Config,
    selection: Selection,
    /// Whether images are those of a product: nobody can call the supervisor.
    product: bool,
    builder: PathBuf,
    /// Where the builder finds Ferry's own programs.
    own: PathBuf,
    /// The programs, of all targets of the board.
    programs: Search,
}

impl fmt::Display for Microkit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.board.name, self.config.name())
    }
}

impl Microkit {
    /// Builds what all images of this board and configuration share.
    pub(crate) fn build(
        workspace: &Workspace,
        board: &'static Board,
        config: Config,
        selection: Selection,
        project: &Project,
    ) -> Result<Self, MicrokitError> {
        let mut built = Self::find(workspace, board, config, selection)?;
        built.cargo(workspace, "release", &[BUILDER], "the image builder", |cargo| {
            cargo.arg("--target-dir").arg(host_directory(workspace));
        })?;
        let mut cargo = cargo_in(workspace);
        cargo.args(["build", "--profile", PROTECTION_DOMAINS, "--locked"]);
        let packages = [DOMAINS, "ferry-supervisor", "ferry-demo-supervisor"];
        cargo.args(packages.iter().flat_map(|package| ["--package", package]));
        cargo.arg("--target-dir").arg(built.directory(workspace)).args(selection.arguments(DOMAINS));
        built.freestanding(&mut cargo);
        built.without_fpu(&mut cargo);
        let own = Programs::run(cargo, &format!("the protection domains for Microkit ({built})"))?;
        let compilation = Compilation {
            platform: Platform::Microkit,
            profile: PROTECTION_DOMAINS,
            directory: &format!("{}-{}", board.name, config.name()),
            build: &built.directory(workspace),
            // It has the revisions of rust-sel4 that fit together.
            lock: Some(&workspace.root.join("platform/microkit/Cargo.lock")),
        };
        let compiled = project.compile(&workspace.root, &compilation, |cargo| {
            isolate(cargo);
            built.freestanding(cargo);
            built.without_fpu(cargo);
        })?;
        let in_c = built.compile_c(workspace, project)?;
        built.programs = Search::new(own, compiled, in_c, project.ready.clone())?;
        Ok(built)
    }

    /// Finds the SDK and the places of the programs, without building anything.
    pub(crate) fn find(
        workspace: &Workspace,
        board: &'static Board,
        config: Config,
        selection: Selection,
    ) -> Result<Self, MicrokitError> {
        let sdk = Sdk::find()?;
        sdk::directory(&sdk.directory, board.name, config.name()).map_err(SdkError::from)?;
        tools::of_microkit(board)?;
        let mut built = Self {
            sdk,
            board,
            config,
            selection,
            product: false,
            builder: host_directory(workspace).join("release").join(BUILDER),
            own: PathBuf::new(),
            programs: Search::default(),
        };
        built.own = built.directory(workspace).join(board.architecture.target).join(PROTECTION_DOMAINS);
        Ok(built)
    }

    /// The same, for images of a product.
    pub(crate) fn for_products(&self) -> Self {
        Self { product: true, ..self.clone() }
    }

    /// The target directory of programs for this board and configuration.
    pub(crate) fn directory(&self, workspace: &Workspace) -> PathBuf {
        let mut directory = format!("{}-{}", self.board.name, self.config.name());
        if let Some(apart) = self.selection.directory() {
            directory = format!("{directory}-{apart}");
        }
        workspace.target.join("microkit").join(directory)
    }

    /// Runs `cargo build` for packages of the Microkit workspace.
    fn cargo(
        &self,
        workspace: &Workspace,
        profile: &str,
        packages: &[&str],
        what: &'static str,
        more: impl FnOnce(&mut Command),
    ) -> Result<(), MicrokitError> {
        let _step = Step::begin(format!("building {what} for Microkit ({self})"));
        let mut command = cargo_in(workspace);
        command.args(["build", "--profile", profile, "--locked"]).args(progress::quiet());
        command.args(packages.iter().flat_map(|package| ["--package", package]));
        more(&mut command);
        let status =
            command.status().map_err(|cause| MicrokitError::Start { program: "cargo".into(), cause })?;
        if status.success() { Ok(()) } else { Err(MicrokitError::Build(what)) }
    }

    /// Adds the arguments and variables that Cargo needs to compile for the board.
    pub(crate) fn freestanding(&self, cargo: &mut Command) {
        self.compile_for(cargo, self.board.architecture.target);
    }

    /// The same, for a target. If these variables were not the same for all that share a directory, Cargo
    /// would compile again what they share.
    fn compile_for(&self, cargo: &mut Command, target: &str) {
        let headers = self.sdk.headers(self.board.name, self.config.name());
        cargo
            .args(["--target", target])
            // rust-sel4 uses unstable features of the compiler. This variable makes a stable compiler accept
            // them.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("SEL4_INCLUDE_DIRS", headers)
            .env(flags_variable(target), self.board.architecture.flags);
    }

    /// Has Cargo compile for domains without floating-point registers too, where these are other programs.
    fn without_fpu(&self, cargo: &mut Command) {
        cargo.args(
            self.board.architecture.target_without_fpu.into_iter().flat_map(|target| ["--target", target]),
        );
    }

    /// Builds an image in `directory`, and gives what the image builder compared when it read the image back.
    /// `description` is the checked contents of `files`.
    pub(crate) fn image(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
    ) -> Result<String, MicrokitError> {
        let mut command = self.system_builder(files, description, directory)?;
        prefilled(&mut command, prefills, priorities, directory)?;
        run_builder(command)
    }

    /// The same, and gives the emulator that boots the image, for boot number `boot`.
    pub(crate) fn bootable(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
        boot: u32,
    ) -> Result<Bootable, MicrokitError> {
        // It says so before it builds, if there is none.
        Self::emulated(self.board)?;
        self.image(files, description, prefills, priorities, directory)?;
        self.emulator(directory, description.system.highest_core(), boot)
    }

    /// Has the image builder read an image back. It makes a build of its own to compare with, in a directory
    /// that is removed at the end.
    pub(crate) fn inspect(
        &self,
        image: &Path,
        files: &DescriptionFiles,
        description: &Description,
        prefills: &[Prefill],
    ) -> Result<Inspection, MicrokitError> {
        // Others may inspect images at the same time.
        let here = format!("inspect-{}-{}", std::process::id(), self.config.name());
        let directory = self.own.join(here);
        let mut command = self.system_builder(files, description, &directory)?;
        prefilled(&mut command, prefills, &[], &directory)?;
        command.arg("--inspect").arg(image);
        let output = output_of(&mut command);
        let _ = fs::remove_dir_all(&directory);
        let output = output?;
        if output.status.code() == Some(DIFFERS) {
            let lines = String::from_utf8_lossy(&output.stdout);
            return Ok(Inspection::Differs(lines.lines().map(ToOwned::to_owned).collect()));
        }
        Ok(Inspection::Equal(success(output)?))
    }

    fn system_builder(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        directory: &Path,
    ) -> Result<Command, MicrokitError> {
        let mut command = self.image_builder(directory);
        command.arg("--system").arg(&files.system).arg("--flows").arg(&files.flows);
        for domain in &description.system.domains {
            self.check_program(domain)?;
            let program = self.search(domain).path(domain)?;
            command.arg("--program").arg(file::argument(&domain.name, &program));
        }
        // The supervisor is no domain of the description.
        command.arg("--search-path").arg(&self.own);
        command
            .args(self.programs.ready.iter().flat_map(|ready| ["--search-path".as_ref(), ready.as_os_str()]));
        if self.product {
            command.arg("--product");
        }
        Ok(command)
    }

    /// Where the program of a domain is: some boards have other programs for domains without floating-point
    /// registers.
    pub(crate) fn search(&self, domain: &Domain) -> Search {
        self.programs.of_target(self.rust_target(domain))
    }

    /// The target that a domain's program is compiled for.
    pub(crate) fn rust_target(&self, domain: &Domain) -> &'static str {
        let without = self.board.architecture.target_without_fpu.filter(|_| !domain.fpu);
        without.unwrap_or(self.board.architecture.target)
    }

    /// Whether the kernel runs on several cores.
    pub(crate) fn has_several_cores(&self) -> bool {
        self.config.has_several_cores()
    }

    /// Whether programs can read the processor's clock, and QEMU can count instructions for it.
    pub(crate) fn has_clock(&self) -> bool {
        *self.board.architecture == ferry_boards::X86_64 && !self.has_several_cores()
    }

    /// Whether the kernel prints while it boots.
    pub(crate) fn kernel_talks(&self) -> bool {
        self.config.talks()
    }

    /// How the last line of the emulator's firmware begins, if it prints.
    pub(crate) fn last_firmware_line(&self) -> Option<&'static str> {
        self.board.emulator?.last_firmware_line
    }

    /// Has the stock Microkit tool read the system description. If the tool refuses it, the error holds its
    /// message.
    pub(crate) fn stock_check(
        &self,
        files: &DescriptionFiles,
        description: &Description,
        directory: &Path,
    ) -> Result<(), MicrokitError> {
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
        let mut command = self.system_builder(files, description, directory)?;
        command.arg("--stock-check");
        run_builder(command).map(drop)
    }

    /// Runs the unit tests of the image builder.
    pub(crate) fn builder_tests(workspace: &Workspace) -> Result<(), MicrokitError> {
        let mut command = cargo_in(workspace);
        command.env("MICROKIT_SDK", Sdk::find()?.directory);
        command.args(["test", "--quiet", "--release", "--locked", "--package", BUILDER, "--target-dir"]);
        command.arg(host_directory(workspace));
        run_builder(command).map(drop)
    }

    /// Builds the tests that run in a root task, and gives the emulator that runs them.
    pub(crate) fn kernel_tests(
        &self,
        workspace: &Workspace,
        directory: &Path,
    ) -> Result<Bootable, MicrokitError> {
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
        let products = directory.join("cargo");
        let program = self.kernel_test_program(workspace, &products)?;
        match self.board.architecture.form {
            Form::Raw | Form::Uboot => {
                let mut command = self.image_builder(directory);
                command.arg("--root-task").arg(&program);
                run_builder(command)?;
            }
            Form::Multiboot => {
                let kernel = self.sdk.program(self.board.name, self.config.name(), KERNEL);
                let copy = |from: &Path, name: &str| {
                    let to = directory.join(name);
                    fs::copy(from, &to).map(drop).map_err(file::failed("write", &to))
                };
                copy(&kernel, KERNEL)?;
                copy(&program, IMAGE)?;
            }
        }
        self.emulator(directory, 0, 1)
    }

    fn kernel_test_program(&self, workspace: &Workspace, products: &Path) -> Result<PathBuf, MicrokitError> {
        const PACKAGE: &str = "ferry-kernel-tests";
        let mut command = cargo_in(workspace);
        command.args(["test", "--release", "--locked", "--no-run", "--package", PACKAGE]);
        command.arg("--target-dir").arg(products);
        self.freestanding(&mut command);
        let tests = Programs::run(command, &format!("the root task's tests for Microkit ({self})"))?;
        Ok(tests.path(&PACKAGE.replace('-', "_"))?.to_owned())
    }

    fn image_builder(&self, directory: &Path) -> Command {
        let mut command = Command::new(&self.builder);
        command.arg("--sdk").arg(&self.sdk.directory);
        command.args(["--board", self.board.name, "--config", self.config.name(), "--output"]);
        command.arg(directory);
        command
    }

    /// What emulates a board. Where nothing does, images can be built and not run.
    pub(crate) fn emulated(board: &Board) -> Result<&'static ferry_boards::Emulator, MicrokitError> {
        board.emulator.ok_or(MicrokitError::NoEmulator(board.name))
    }

    /// The emulator for the board, with the image that is in `directory`. Its protection domains run on the
    /// cores up to `highest_core`. `boot` is the number of the boot of this system, from 1 on.
    pub(crate) fn emulator(
        &self,
        directory: &Path,
        highest_core: u8,
        boot: u32,
    ) -> Result<Bootable, MicrokitError> {
        let files = Files { kernel: &directory.join(KERNEL), image: &directory.join(IMAGE) };
        let emulator = Self::emulated(self.board)?;
        let command = |processors| self.board.emulate(emulator, files, 0, processors);
        let mut processors = cores::processors(self.board, self.config, highest_core, boot);
        if let Processors::InTurns { number, round } = &mut processors
            && self.board.architecture.form == Form::Multiboot
        {
            let boot_in = |round| command(Processors::InTurns { number: *number, round });
            *round = pc_timer::round(files.kernel, *number, &cores::rounds_of_pc(boot), boot_in)?;
        }
        let command = command(processors);
        Ok(Bootable { command, status_of: self.board.status() })
    }
}
