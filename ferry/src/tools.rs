//! The tools that building and booting need. A missing tool is installed if this process may do that, and a
//! line says so. Otherwise the error names the one command that installs everything. `ferry setup` and the
//! modules that compile and boot call this.

use crate::progress::Step;
use crate::shell;
use ferry_boards::{Board, MICROKIT, PC99, PC99_EMULATOR};
use std::fmt;
use std::path::Path;
use std::process::{Command, Output};

/// Programs, each with its Debian package. `as` comes with the package of `objcopy`.
const TOOLS: [(&str, &str); 5] = [
    (PC99_EMULATOR.program, PC99_EMULATOR.package),
    ("gcc", "gcc"),
    ("objcopy", "binutils"),
    ("make", "make"),
    ("python3", "python3-venv"),
];

/// Why tools are missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolsError {
    #[error("{} missing; install with\n  sudo apt-get install {packages}", Missing(programs))]
    Tools { programs: Vec<&'static str>, packages: String },
    #[error("Rust cannot compile for {0}; install that with\n  rustup target add {0}")]
    Target(String),
    #[error("`{command}` failed; run it yourself and read its message\n{output}")]
    Command { command: String, output: String },
}

/// Displays missing programs, as in "gcc, make are".
struct Missing<'a>(&'a [&'static str]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.0.len() == 1 { "is" } else { "are" };
        write!(formatter, "{} {verb}", self.0.join(", "))
    }
}

/// Makes sure that all tools for the classic platform are installed.
pub(crate) fn of_classic() -> Result<(), ToolsError> {
    let missing: Vec<_> = TOOLS.into_iter().filter(|(program, _)| !is_installed(program)).collect();
    if !missing.is_empty() {
        install_packages(&missing)?;
    }
    can_compile_or_install(PC99.architecture.target)
}

/// Makes sure that all tools are installed that building for `board` and booting it need.
pub(crate) fn of_microkit(board: &Board) -> Result<(), ToolsError> {
    // The emulators of all boards are installed at once, so that a user is asked only once.
    let emulators = MICROKIT.iter().filter_map(|board| board.emulator);
    let emulators = emulators.map(|emulator| (emulator.program, emulator.package));
    let mut missing: Vec<_> = emulators.filter(|(program, _)| !is_installed(program)).collect();
    if !has_libclang() {
        missing.push(("libclang", "libclang-dev"));
    }
    if !missing.is_empty() {
        install_packages(&missing)?;
    }
    board.targets().try_for_each(can_compile_or_install)
}

/// The first of these programs that is installed. Each comes with its Debian package. If none is, installs
/// the first one.
pub(crate) fn one_of(programs: &[(&'static str, &'static str)]) -> Result<&'static str, ToolsError> {
    if let Some((program, _)) = programs.iter().find(|(program, _)| is_installed(program)) {
        return Ok(program);
    }
    install_packages(&programs[..1])?;
    Ok(programs[0].0)
}

/// Makes sure that Rust can compile for a target.
pub(crate) fn can_compile_or_install(target: &str) -> Result<(), ToolsError> {
    if can_compile(target) { Ok(()) } else { install_target(target) }
}

/// Whether libclang is installed, with which rust-sel4 reads the kernel's headers. Looks where the caller
/// says, and where Debian's packages put it.
fn has_libclang() -> bool {
    let has_library = |directory: &Path| {
        let entries = directory.read_dir().into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libclang"))
    };
    std::env::var_os("LIBCLANG_PATH").is_some_and(|directory| has_library(Path::new(&directory)))
        || Path::new("/usr/lib").read_dir().into_iter().flatten().flatten().any(|entry| {
            entry.file_name().to_string_lossy().starts_with("llvm-") && has_library(&entry.path().join("lib"))
        })
}

/// Makes sure that Python can make environments.
pub(crate) fn environments() -> Result<(), ToolsError> {
    if can_make_environments() {
        return Ok(());
    }
    install_packages(&[("the module ensurepip of python3", "python3-venv")])
}

/// Whether `python3 -m venv` makes environments with pip. On Debian that is in a package of its own.
fn can_make_environments() -> bool {
    let mut ask = Command::new("python3");
    ask.args(["-c", "import ensurepip, venv"]).output().is_ok_and(|output| output.status.success())
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn install_packages(missing: &[(&'static str, &'static str)]) -> Result<(), ToolsError> {
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    let programs = missing.iter().map(|(program, _)| *program).collect();
    let error = ToolsError::Tools { programs, packages: packages.join(" ") };
    if !is_root() || !is_installed("apt-get") {
        return Err(error);
    }
    let _step = Step::begin(format!("installing {} with apt-get", packages.join(", ")));
    run(Command::new("apt-get").args(["-qq", "update"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run(install.args(["-qq", "install", "--yes", "--no-install-recommends"]).args(packages))
}

/// Whether this process may install packages, that is, runs as root. The owner of `/proc/self` is the user of
/// the process.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|metadata| metadata.uid() == 0)
}

fn can_compile(target: &str) -> bool {
    let mut ask = Command::new("rustc");
    ask.args(["--print", "target-libdir", "--target", target]);
    let directory = ask.output().ok().and_then(|output| String::from_utf8(output.stdout).ok());
    directory.is_some_and(|directory| Path::new(directory.trim()).is_dir())
}

fn install_target(target: &str) -> Result<(), ToolsError> {
    let missing = || ToolsError::Target(target.to_owned());
    if !is_installed("rustup") {
        return Err(missing());
    }
    let _step = Step::begin(format!("installing the Rust target {target} with rustup"));
    run(Command::new("rustup").args(["target", "add", target]))?;
    if can_compile(target) { Ok(()) } else { Err(missing()) }
}

fn run(command: &mut Command) -> Result<(), ToolsError> {
    let line = shell::Line(command).to_string();
    let failed = |output: String| ToolsError::Command { command: line, output };
    match command.output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())),
        Err(cause) => Err(failed(cause.to_string())),
    }
}
