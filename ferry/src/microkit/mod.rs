//! The Microkit platform. Its programs are compiled against the headers of a Microkit SDK. Ferry's image
//! builder (`platform/microkit/image`), a separate program, makes the image.
//!
//! `platform/microkit` is a workspace of its own, because its dependencies come from git, so nothing of it is
//! linked here. Each board and configuration has its own target directory, because the kernel's configuration
//! is compiled into the programs.

mod builder;
mod sdk;

use crate::boot::Emulator;
use crate::file::{self, FileError};
use crate::prefill::{Prefill, Priority};
use crate::programs::flags_variable;
use crate::progress::{self, Step};
use crate::setup::{self, SetupError};
use crate::target::{Config, Selection};
use crate::workspace::{self, Workspace};
use builder::{DIFFERS, output_of, prefilled, run_builder, success};
use ferry_boards::{Board, Files, Loading};
use sdk::Sdk;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use builder::Inspection;
pub(crate) use sdk::{SdkError, is_there as sdk_is_there};

/// File names that the image builder uses: of the image, and of the kernel beside it on boards whose boot
/// loader starts the kernel.
pub(crate) const IMAGE: &str = "image";
const KERNEL: &str = "sel4_32.elf";

/// Cargo's profile for protection domains. The directory in which Cargo puts them has the same name.
const PROTECTION_DOMAINS: &str = "protection-domain";
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
    programs: PathBuf,
    /// Programs for protection domains with `fpu="false"`, on boards where these are compiled separately.
    programs_without_fpu: Option<PathBuf>,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MicrokitError {
    #[error(transparent)]
    Sdk(#[from] SdkError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("could not start {program}: {cause}")]
    Start { program: String, cause: std::io::Error },
    #[error("cargo could not build {0} for Microkit; its messages are above")]
    Build(&'static str),
    #[error("the image builder failed:\n{0}")]
    Image(String),
    #[error("cargo did not say where it put {0}; run the command again")]
    NoProgram(&'static str),
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
    ) -> Result<Self, MicrokitError> {
        let built = Self::find(workspace, board, config, selection)?;
        built.cargo(workspace, "release", &[BUILDER], "the image builder", |cargo| {
            cargo.arg("--target-dir").arg(host_directory(workspace));
        })?;
        built.cargo(
            workspace,
            PROTECTION_DOMAINS,
            &[DOMAINS, "ferry-supervisor", "ferry-demo-supervisor"],
            "the protection domains",
            |cargo| {
                built.freestanding(cargo, &built.directory(workspace));
                cargo.args(board.target_without_fpu.into_iter().flat_map(|target| ["--target", target]));
                cargo.args(selection.arguments(DOMAINS));
            },
        )?;
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
        setup::microkit_tools(board)?;
        let mut built = Self {
            sdk,
            board,
            config,
            selection,
            product: false,
            builder: host_directory(workspace).join("release").join(BUILDER),
            programs: PathBuf::new(),
            programs_without_fpu: None,
        };
        let directory = built.directory(workspace);
        let mut programs = board.targets().map(|target| directory.join(target).join(PROTECTION_DOMAINS));
        built.programs = programs.next().unwrap_or_default();
        built.programs_without_fpu = programs.next();
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
    pub(crate) fn freestanding(&self, cargo: &mut Command, directory: &Path) {
        let headers = self.sdk.headers(self.board.name, self.config.name());
        cargo
            .args(["--target", self.board.target, "--target-dir"])
            .arg(directory)
            // rust-sel4 uses unstable features of the compiler. This variable makes a stable compiler accept
            // them.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("SEL4_INCLUDE_DIRS", headers)
            .env(flags_variable(self.board.target), self.board.flags);
    }

    /// Builds an image in `directory`, and gives the emulator that boots it.
    pub(crate) fn emulator(
        &self,
        system: &Path,
        flows: &Path,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
    ) -> Result<Emulator, MicrokitError> {
        Ok(self.image(system, flows, prefills, priorities, directory)?.0)
    }

    /// The same, and what the image builder compared when it read the image back.
    pub(crate) fn image(
        &self,
        system: &Path,
        flows: &Path,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
    ) -> Result<(Emulator, String), MicrokitError> {
        let mut command = self.system_builder(system, flows, directory);
        prefilled(&mut command, prefills, priorities, directory)?;
        let compared = run_builder(command)?;
        Ok((self.emulator_of(directory), compared))
    }

    /// Has the image builder read an image back. It makes a build of its own to compare with, in a directory
    /// that is removed at the end.
    pub(crate) fn inspect(
        &self,
        image: &Path,
        system: &Path,
        flows: &Path,
        prefills: &[Prefill],
        priorities: &[Priority],
    ) -> Result<Inspection, MicrokitError> {
        // Others may inspect images at the same time.
        let here = format!("inspect-{}-{}", std::process::id(), self.config.name());
        let directory = self.programs.join(here);
        let mut command = self.system_builder(system, flows, &directory);
        prefilled(&mut command, prefills, priorities, &directory)?;
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

    fn system_builder(&self, system: &Path, flows: &Path, directory: &Path) -> Command {
        let mut command = self.image_builder(directory);
        command.arg("--system").arg(system).arg("--flows").arg(flows);
        command.arg("--search-path").arg(&self.programs);
        if let Some(programs) = &self.programs_without_fpu {
            command.arg("--search-path-without-fpu").arg(programs);
        }
        if self.product {
            command.arg("--product");
        }
        command
    }

    /// The ELF file of a protection domain. `fpu` is the value of its attribute `fpu`.
    pub(crate) fn program(&self, name: &str, fpu: bool) -> Result<Vec<u8>, MicrokitError> {
        let without = self.programs_without_fpu.as_ref().filter(|_| !fpu);
        let path = without.unwrap_or(&self.programs).join(name);
        Ok(fs::read(&path).map_err(file::failed("read", &path))?)
    }

    /// Has the stock Microkit tool read the system description. If the tool refuses it, the error holds its
    /// message.
    pub(crate) fn stock_check(
        &self,
        system: &Path,
        flows: &Path,
        directory: &Path,
    ) -> Result<(), MicrokitError> {
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
        let mut command = self.image_builder(directory);
        command.arg("--system").arg(system).arg("--flows").arg(flows);
        command.arg("--search-path").arg(&self.programs).arg("--stock-check");
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
    ) -> Result<Emulator, MicrokitError> {
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
        let products = directory.join("cargo");
        let program = self.kernel_test_program(workspace, &products)?;
        match self.board.emulator.loading {
            Loading::At(_) => {
                let mut command = self.image_builder(directory);
                command.arg("--root-task").arg(&program);
                run_builder(command)?;
            }
            Loading::Multiboot => {
                let kernel = self.sdk.program(self.board.name, self.config.name(), KERNEL);
                let copy = |from: &Path, name: &str| {
                    let to = directory.join(name);
                    fs::copy(from, &to).map(drop).map_err(file::failed("write", &to))
                };
                copy(&kernel, KERNEL)?;
                copy(&program, IMAGE)?;
            }
        }
        Ok(self.emulator_of(directory))
    }

    fn kernel_test_program(&self, workspace: &Workspace, products: &Path) -> Result<PathBuf, MicrokitError> {
        const PACKAGE: &str = "ferry-kernel-tests";
        let _step = Step::begin(format!("building the root task's tests for Microkit ({self})"));
        let mut command = cargo_in(workspace);
        command
            .args(["test", "--release", "--locked", "--no-run", "--package", PACKAGE])
            .args(progress::quiet());
        command.arg("--message-format=json-render-diagnostics");
        self.freestanding(&mut command, products);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|cause| MicrokitError::Start { program: "cargo".into(), cause })?;
        if !output.status.success() {
            return Err(MicrokitError::Build("the root task's tests"));
        }
        let executable = cargo_metadata::Message::parse_stream(output.stdout.as_slice())
            .map_while(Result::ok)
            .filter_map(|message| match message {
                cargo_metadata::Message::CompilerArtifact(artifact) => artifact.executable,
                _ => None,
            })
            .last();
        Ok(executable.ok_or(MicrokitError::NoProgram(PACKAGE))?.into_std_path_buf())
    }

    fn image_builder(&self, directory: &Path) -> Command {
        let mut command = Command::new(&self.builder);
        command.arg("--sdk").arg(&self.sdk.directory);
        command.args(["--board", self.board.name, "--config", self.config.name(), "--output"]);
        command.arg(directory);
        command
    }

    /// The emulator for the board, with the image in `directory`.
    fn emulator_of(&self, directory: &Path) -> Emulator {
        let files = Files { kernel: &directory.join(KERNEL), image: &directory.join(IMAGE) };
        Emulator { command: self.board.emulate(files, 0), status_of: self.board.exit.status() }
    }
}

/// Where the programs for a board and configuration lie when they are built, without building any: those
/// without floating-point registers, and all others.
pub(crate) fn directories(workspace: &Workspace, board: &Board, config: Config) -> Option<[PathBuf; 2]> {
    let directory = workspace.target.join("microkit").join(format!("{}-{}", board.name, config.name()));
    let mut programs = board.targets().map(|target| directory.join(target).join(PROTECTION_DOMAINS));
    let all = programs.next()?;
    Some([programs.next().unwrap_or_else(|| all.clone()), all])
}

/// The target directory of programs that run on this machine.
pub(crate) fn host_directory(workspace: &Workspace) -> PathBuf {
    workspace.target.join("microkit/host")
}

/// Cargo, to be run in the Microkit workspace. It does not get the compiler flags that the caller meant for
/// the host.
pub(crate) fn cargo_in(workspace: &Workspace) -> Command {
    let mut command = workspace::cargo(&workspace.root.join("platform/microkit"));
    command
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // All boards would share the caller's own target directory.
        .env_remove("CARGO_TARGET_DIR")
        // Git's configuration may name local copies of repositories, which Cargo's own fetching ignores.
        .env("CARGO_NET_GIT_FETCH_WITH_CLI", "true");
    command
}
