//! Compiles and links the C programs of a project for one platform.
//!
//! Everything is made in a directory of its own and then renamed into its place, so two commands at a time do
//! not see each other's halves.

use crate::c::{CError, DIRECTORY, Program, Toolchain};
use crate::file;
use crate::programs::{Programs, ProgramsError};
use crate::progress::Step;
use crate::tools::ToolsError;
use crate::workspace::Workspace;
use ferry_boards::Board;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What all C programs of a platform are compiled with.
pub(crate) const STRICT: [&str; 6] = ["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror"];

/// What programs without an operating system are compiled with besides, and linked.
const BARE: [&str; 4] =
    ["-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"];
const LINK_BARE: [&str; 4] = [
    "-nostdlib",
    "-static",
    "-no-pie",
    "-Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,max-page-size=4096",
];

/// Programs that are measured, and where they lie: each apart from all others, so that a trace of program
/// counters tells them from each other. `bench/src/pd/addresses.rs` says it for those in Rust.
const MEASURED: [(&str, &str); 2] = [("c_producer", "0x4000000"), ("c_consumer", "0x8000000")];
/// Where the SDK's linker script puts programs.
const USUAL_PLACE: &str = ". = 0x200000;";

/// How the programs of one platform are made.
pub(crate) struct Build<'a> {
    pub(crate) toolchain: &'static Toolchain,
    /// The directory of Ferry's sources.
    pub(crate) ferry: &'a Path,
    /// The client library: Cargo's file.
    pub(crate) library: PathBuf,
    /// The platform's own half of the library, in C, if it has one.
    pub(crate) glue: Option<PathBuf>,
    /// The directory with the platform's `microkit.h`.
    pub(crate) microkit: PathBuf,
    /// The platform's linker script, if it has one of its own.
    pub(crate) script: Option<PathBuf>,
    /// More arguments for the compiler, and for linking.
    pub(crate) compile: Vec<OsString>,
    pub(crate) link: Vec<OsString>,
    /// Where the programs go.
    pub(crate) output: PathBuf,
}

/// Compiles and links all programs. `directory` is the project's.
pub(crate) fn compile(build: &Build<'_>, directory: &Path, programs: &[Program]) -> Result<Programs, CError> {
    let compiler = build.toolchain.compiler()?;
    let _step =
        Step::begin(format!("building {}", ferry_description::count(programs.len(), "program") + " in C"));
    fs::create_dir_all(&build.output).map_err(file::failed("create", &build.output))?;
    let made = tempfile::Builder::new().prefix("making-").tempdir_in(&build.output);
    let made = made.map_err(file::failed("create", &build.output))?;
    let headers = directory.join(DIRECTORY);
    let glue = match &build.glue {
        Some(glue) => Some(build.object(compiler, glue, &[], &made.path().join("glue.o"))?),
        None => None,
    };
    let mut files = Vec::new();
    for program in programs {
        let mut objects = Vec::new();
        for (number, source) in program.sources.iter().enumerate() {
            let object = made.path().join(format!("{}-{number}.o", program.name));
            objects.push(build.object(compiler, source, &[&headers], &object)?);
        }
        objects.extend(glue.clone());
        let linked = made.path().join(&program.name);
        build.link(compiler, program, &objects, &linked)?;
        let file = build.output.join(&program.name);
        fs::rename(&linked, &file).map_err(file::failed("write", &file))?;
        files.push((program.name.clone(), file));
    }
    Ok(Programs::ready(files))
}

impl<'a> Build<'a> {
    /// For a platform that is not Microkit, and offers its names to programs in C: `package` is the library.
    pub(crate) fn of_package(
        toolchain: &'static Toolchain,
        workspace: &'a Workspace,
        package: &str,
        board: Option<&Board>,
        output: PathBuf,
    ) -> Result<Self, ProgramsError> {
        let (ferry, library) = (&workspace.root, Programs::build_library(workspace, package, board)?);
        let microkit = ferry.join("client-pd/c/portable");
        let [compile, link] = [const { Vec::new() }; 2];
        Ok(Self { toolchain, ferry, library, glue: None, microkit, script: None, compile, link, output })
    }

    /// Writes the library, with the platform's half of it, and its headers. Returns the files.
    pub(crate) fn write_library(&self) -> Result<Vec<PathBuf>, CError> {
        let write = |from: &Path, name: &str| {
            let to = self.output.join(name);
            fs::copy(from, &to).map_err(file::failed("write", &to)).map(|_| to)
        };
        fs::create_dir_all(&self.output).map_err(file::failed("create", &self.output))?;
        let mut written =
            vec![write(&self.library, "libferry.a")?, write(&self.header().join("ferry.h"), "ferry.h")?];
        let Some(glue) = &self.glue else {
            written.push(write(&self.microkit.join("microkit.h"), "microkit.h")?);
            return Ok(written);
        };
        let compiler = self.toolchain.compiler()?;
        let made = tempfile::tempdir_in(&self.output).map_err(file::failed("create", &self.output))?;
        let object = self.object(compiler, glue, &[], &made.path().join("glue.o"))?;
        // The archiver comes with the compiler, and has its name.
        let archiver = compiler.replace("gcc", "ar").replace("clang", "ar");
        let mut command = Command::new(&archiver);
        // Rust's objects hold bitcode too. An LLVM plugin, where one is installed, would read only that, and
        // the archive would have an index without the symbols of these objects.
        command.args(["--plugin", "/dev/null", "r"]).arg(&written[0]).arg(object).stdin(Stdio::null());
        let output = command.output().map_err(|cause| not_started(&archiver, &cause))?;
        if output.status.success() {
            return Ok(written);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(CError::Link { program: archiver, said: said.trim_end().to_owned() })
    }

    /// Where `ferry.h` is.
    fn header(&self) -> PathBuf {
        self.ferry.join("client-pd/c/include")
    }

    /// Compiles one file. What the compiler says goes to the user.
    fn object(
        &self,
        compiler: &str,
        source: &Path,
        headers: &[&Path],
        object: &Path,
    ) -> Result<PathBuf, CError> {
        let mut command = Command::new(compiler);
        command.args(STRICT).args(self.toolchain.architecture).args(&self.compile);
        command.arg("-I").arg(self.header());
        command.args(headers.iter().flat_map(|directory| ["-I".as_ref(), directory.as_os_str()]));
        if self.toolchain.is_bare {
            command.args(BARE).arg("-isystem").arg(self.ferry.join("client-pd/c/freestanding"));
        }
        // The SDK's own headers would not pass all of these warnings.
        command.arg("-isystem").arg(&self.microkit);
        command.arg("-c").arg(source).arg("-o").arg(object).stdin(Stdio::null());
        let status = command.status().map_err(|cause| not_started(compiler, &cause))?;
        if status.success() { Ok(object.to_owned()) } else { Err(CError::Compile(source.to_owned())) }
    }

    /// Arguments that say where a program lies. `linked` is the program's file; what is made for it goes
    /// beside it.
    fn place(&self, program: &str, linked: &Path) -> Result<Vec<OsString>, CError> {
        let elsewhere = MEASURED.into_iter().find(|(measured, _)| *measured == program);
        let script = match (&self.script, elsewhere) {
            (None, None) => return Ok(Vec::new()),
            (None, Some((_, base))) => return Ok(vec![format!("-Wl,-Ttext-segment={base}").into()]),
            (Some(script), None) => script.clone(),
            (Some(script), Some((_, base))) => {
                let text = fs::read_to_string(script).map_err(file::failed("read", script))?;
                let moved = linked.with_extension("ld");
                file::write(&moved, text.replacen(USUAL_PLACE, &format!(". = {base};"), 1))?;
                moved
            }
        };
        Ok(vec!["-T".into(), script.into()])
    }

    fn link(
        &self,
        compiler: &str,
        program: &Program,
        objects: &[PathBuf],
        linked: &Path,
    ) -> Result<(), CError> {
        let mut command = Command::new(compiler);
        if self.toolchain.is_bare {
            command.args(LINK_BARE);
        }
        command.args(self.toolchain.architecture).args(self.toolchain.link).args(&self.link);
        command.args(self.place(&program.name, linked)?).args(objects);
        // The library and the platform need functions of each other.
        command
            .arg("-Wl,--start-group")
            .arg(&self.library)
            .args(self.toolchain.libraries)
            .arg("-Wl,--end-group");
        command.arg("-o").arg(linked).stdin(Stdio::null());
        let output = command.output().map_err(|cause| not_started(compiler, &cause))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let program = program.name.clone();
        if said.contains("undefined reference to `ferry_abi_") {
            return Err(CError::WrongAbi { program, header: self.header().join("ferry.h") });
        }
        let missing = |function: &&str| said.contains(&format!("undefined reference to `{function}'"));
        match ["init", "notified"].into_iter().find(missing) {
            Some(function) => Err(CError::NoEntry { program, function }),
            None => Err(CError::Link { program, said: said.trim_end().to_owned() }),
        }
    }
}

fn not_started(compiler: &str, cause: &std::io::Error) -> ToolsError {
    ToolsError::Command { command: compiler.to_owned(), output: cause.to_string() }
}
