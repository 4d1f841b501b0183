//! The image of the Microkit platform: its programs are built against the headers of a Microkit SDK, and an image
//! builder of its own (`platform/microkit/image`) makes the image, as a separate program.
//!
//! `platform/microkit` is a workspace of its own, because its dependencies come from git; nothing of it is linked here.
//! Every board and configuration has a target directory of its own: the kernel's configuration is compiled into the
//! programs.

mod lint;
mod sdk;

use crate::boot::Emulator;
use crate::built::Priority;
use crate::error::Error;
use crate::prefill::{self, Prefill};
use crate::progress::Step;
use crate::workspace::Workspace;
use clap::ValueEnum;
use sdk::Sdk;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use lint::lint;
pub(crate) use sdk::{SdkError, is_there as sdk_is_there};

/// Flags for programs on x86-64: their addresses are fixed, and nothing is writable only until start-up.
const X86_FLAGS: &str = "-Crelocation-model=static -Crelro-level=off";

/// Flags for programs on AArch64. The compiler would assemble neighbouring words of a structure in a vector register, by way of the
/// stack: in central 20 instructions more for each wake-up.
const ARM_FLAGS: &str = "-Cno-vectorize-slp";

/// Cargo's profile for protection domains; also the directory where it puts them.
const PROTECTION_DOMAINS: &str = "protection-domain";

/// The boards that are emulated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Board {
    /// Arm, by QEMU's machine `virt`.
    #[value(name = "qemu_virt_aarch64")]
    Aarch64,
    /// A PC.
    #[value(name = "x86_64_generic")]
    X86,
}

/// The kernel's configurations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Config {
    /// The kernel prints and checks itself.
    Debug,
    /// The kernel as it is shipped.
    Release,
    /// The kernel counts and keeps a log.
    Benchmark,
}

/// Programs and builder, made once, from which any number of images is made.
#[derive(Debug)]
pub(crate) struct Microkit {
    sdk: Sdk,
    board: Board,
    config: Config,
    builder: PathBuf,
    programs: PathBuf,
    /// Those for protection domains with `fpu="false"`, where they are others.
    programs_without_fpu: Option<PathBuf>,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MicrokitError {
    #[error("could not start {program}: {cause}")]
    Start { program: String, cause: std::io::Error },
    #[error("cargo could not build {0} for Microkit; its messages are above")]
    Build(&'static str),
    #[error("the image builder failed:\n{0}")]
    Image(String),
    #[error("cargo did not say where it put {0}; run the command again")]
    NoProgram(&'static str),
}

impl Board {
    /// Its name in the SDK.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "qemu_virt_aarch64",
            Self::X86 => "x86_64_generic",
        }
    }

    /// What Rust calls it.
    fn target(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64-unknown-none",
            Self::X86 => "x86_64-unknown-none",
        }
    }

    /// What Rust calls it without floating-point and vector registers, for protection domains with `fpu="false"`. On x86-64
    /// no program uses them.
    fn target_without_fpu(self) -> Option<&'static str> {
        match self {
            Self::Aarch64 => Some("aarch64-unknown-none-softfloat"),
            Self::X86 => None,
        }
    }

    /// All that is compiled for.
    fn targets(self) -> impl Iterator<Item = &'static str> {
        [Some(self.target()), self.target_without_fpu()].into_iter().flatten()
    }
}

impl Config {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
            Self::Benchmark => "benchmark",
        }
    }
}

impl fmt::Display for Microkit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.board.name(), self.config.name())
    }
}

impl Microkit {
    /// Builds what all images of a board and configuration share.
    pub(crate) fn build(workspace: &Workspace, board: Board, config: Config) -> Result<Self, Error> {
        let built = Self::find(workspace, board, config)?;
        built.cargo(workspace, "release", &["ferry-microkit-image"], "the image builder", |cargo| {
            cargo.arg("--target-dir").arg(host_directory(workspace));
        })?;
        built.cargo(
            workspace,
            PROTECTION_DOMAINS,
            &["ferry-pds-microkit", "ferry-supervisor"],
            "the protection domains",
            |cargo| {
                built.freestanding(cargo, &built.directory(workspace));
                cargo.args(board.target_without_fpu().into_iter().flat_map(|target| ["--target", target]));
            },
        )?;
        Ok(built)
    }

    /// The same with nothing built.
    fn find(workspace: &Workspace, board: Board, config: Config) -> Result<Self, Error> {
        let sdk = Sdk::find()?;
        board.targets().try_for_each(crate::setup::microkit_tools)?;
        let mut built = Self {
            sdk,
            board,
            config,
            builder: host_directory(workspace).join("release/ferry-microkit-image"),
            programs: PathBuf::new(),
            programs_without_fpu: None,
        };
        let directory = built.directory(workspace);
        let mut programs = board.targets().map(|target| directory.join(target).join(PROTECTION_DOMAINS));
        built.programs = programs.next().unwrap_or_default();
        built.programs_without_fpu = programs.next();
        Ok(built)
    }

    /// The target directory of programs for the board.
    fn directory(&self, workspace: &Workspace) -> PathBuf {
        workspace.target.join("microkit").join(format!("{}-{}", self.board.name(), self.config.name()))
    }

    /// Runs `cargo build` for packages of the platform's workspace.
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
        command.args(["build", "--quiet", "--profile", profile, "--locked"]);
        command.args(packages.iter().flat_map(|package| ["--package", package]));
        more(&mut command);
        let status =
            command.status().map_err(|cause| MicrokitError::Start { program: "cargo".into(), cause })?;
        if status.success() { Ok(()) } else { Err(MicrokitError::Build(what)) }
    }

    /// What Cargo needs to compile for the board.
    fn freestanding(&self, cargo: &mut Command, directory: &Path) {
        let headers = self.sdk.headers(self.board.name(), self.config.name());
        cargo
            .args(["--target", self.board.target(), "--target-dir"])
            .arg(directory)
            // rust-sel4 uses features of the compiler that are not stable; a stable compiler has them all the same.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("SEL4_INCLUDE_DIRS", headers)
            .env("CARGO_TARGET_X86_64_UNKNOWN_NONE_RUSTFLAGS", X86_FLAGS)
            .env("CARGO_TARGET_AARCH64_UNKNOWN_NONE_RUSTFLAGS", ARM_FLAGS);
    }

    /// Builds an image into `directory`, and the emulator that boots it.
    pub(crate) fn emulator(
        &self,
        system: &Path,
        flows: &Path,
        prefills: &[Prefill],
        priorities: &[Priority],
        directory: &Path,
    ) -> Result<Emulator, Error> {
        let mut command = self.image_builder(directory);
        command.arg("--system").arg(system).arg("--flows").arg(flows);
        command.arg("--search-path").arg(&self.programs);
        if let Some(programs) = &self.programs_without_fpu {
            command.arg("--search-path-without-fpu").arg(programs);
        }
        for word in prefill::write(prefills, directory)? {
            command.arg("--prefill").arg(word);
        }
        for (domain, priority) in priorities {
            command.arg("--priority").arg(format!("{domain}={priority}"));
        }
        run_builder(command)?;
        Ok(self.emulator_of(directory))
    }

    /// The ELF file of one of the protection domains.
    pub(crate) fn program(&self, name: &str, fpu: bool) -> Result<Vec<u8>, Error> {
        let without = self.programs_without_fpu.as_ref().filter(|_| !fpu);
        let path = without.unwrap_or(&self.programs).join(name);
        fs::read(&path).map_err(Error::file("read", &path))
    }

    /// Has the stock Microkit tool read the system description; its words, if it refuses.
    pub(crate) fn stock_check(&self, system: &Path, flows: &Path, directory: &Path) -> Result<(), Error> {
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        let mut command = self.image_builder(directory);
        command.arg("--system").arg(system).arg("--flows").arg(flows);
        command.arg("--search-path").arg(&self.programs).arg("--stock-check");
        Ok(run_builder(command)?)
    }

    /// Builds the tests that run in a root task, and the emulator that runs them.
    pub(crate) fn kernel_tests(&self, workspace: &Workspace, directory: &Path) -> Result<Emulator, Error> {
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        let products = directory.join("cargo");
        let program = self.kernel_test_program(workspace, &products)?;
        if self.board == Board::Aarch64 {
            let mut command = self.image_builder(directory);
            command.arg("--root-task").arg(&program);
            run_builder(command)?;
        } else {
            let kernel = self.sdk.program(self.board.name(), self.config.name(), "sel4_32.elf");
            let copy = |from: &Path, name: &str| {
                let to = directory.join(name);
                fs::copy(from, &to).map(drop).map_err(Error::file("write", &to))
            };
            copy(&kernel, "sel4_32.elf")?;
            copy(&program, "image")?;
        }
        Ok(self.emulator_of(directory))
    }

    fn kernel_test_program(&self, workspace: &Workspace, products: &Path) -> Result<PathBuf, Error> {
        const PACKAGE: &str = "ferry-kernel-tests";
        let _step = Step::begin(format!("building the root task's tests for Microkit ({self})"));
        let mut command = cargo_in(workspace);
        command.args(["test", "--quiet", "--release", "--locked", "--no-run", "--package", PACKAGE]);
        command.arg("--message-format=json-render-diagnostics");
        self.freestanding(&mut command, products);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|cause| MicrokitError::Start { program: "cargo".into(), cause })?;
        if !output.status.success() {
            return Err(MicrokitError::Build("the root task's tests").into());
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
        command.args(["--board", self.board.name(), "--config", self.config.name(), "--output"]);
        command.arg(directory);
        command
    }

    /// The emulated board with the image in `directory`.
    fn emulator_of(&self, directory: &Path) -> Emulator {
        let image = directory.join("image");
        let (mut command, status_of): (_, fn(u8) -> i32) = match self.board {
            Board::Aarch64 => {
                let mut command = Command::new("qemu-system-aarch64");
                let mut loader = OsString::from("loader,addr=0x70000000,cpu-num=0,file=");
                loader.push(&image);
                command
                    .args(["-machine", "virt,virtualization=on", "-cpu", "cortex-a53", "-m", "size=2G"])
                    .args(["-semihosting-config", "enable=on,userspace=on,target=native", "-device"])
                    .arg(loader);
                (command, i32::from)
            }
            Board::X86 => {
                let mut command = Command::new("qemu-system-x86_64");
                command
                    .args(["-cpu", "qemu64,+fsgsbase,+pdpe1gb,+xsave,+xsaveopt", "-m", "1G", "-kernel"])
                    .arg(directory.join("sel4_32.elf"))
                    .arg("-initrd")
                    .arg(&image)
                    .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
                (command, |code| i32::from(code.min(127)) * 2 + 1)
            }
        };
        command.args([
            "-accel",
            "tcg",
            "-display",
            "none",
            "-monitor",
            "none",
            "-serial",
            "stdio",
            "-no-reboot",
        ]);
        Emulator { command, status_of }
    }
}

/// The target directory of what runs on this machine.
fn host_directory(workspace: &Workspace) -> PathBuf {
    workspace.target.join("microkit/host")
}

/// Cargo in the platform's workspace, without the flags that the caller meant for the host.
fn cargo_in(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace.root.join("platform/microkit"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // The caller's own target directory would be shared by all boards.
        .env_remove("CARGO_TARGET_DIR")
        // Git knows where a machine keeps its copies of repositories; Cargo's own fetching does not.
        .env("CARGO_NET_GIT_FETCH_WITH_CLI", "true")
        .stdin(Stdio::null());
    command
}

fn run_builder(mut command: Command) -> Result<(), MicrokitError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|cause| MicrokitError::Start { program, cause })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(MicrokitError::Image(String::from_utf8_lossy(&said).trim().to_owned()))
}
