//! Programs in C: where a project has them, and how they become protection domains. `toolchain.rs` knows the
//! compilers, `build.rs` compiles and links.
//!
//! A program `logger` is the file `c/logger.c` of a project, or all files `c/logger/*.c`. All of them may
//! include headers from `c/`. Each links the client library (`client-pd/c`), which is the Rust one.

mod build;
mod stack;
mod start;
mod toolchain;

use crate::file::{self, FileError};
use crate::target::{Platform, Target};
use crate::tools::ToolsError;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use build::{Build, compile};
pub(crate) use stack::check_stack;
pub(crate) use start::{START, check_start};
pub(crate) use toolchain::{CLASSIC, HOSTED, Toolchain, of_architecture};

/// The directory of a project with its C programs.
pub(crate) const DIRECTORY: &str = "c";
/// The symbol by which a client finds the region to which it writes its requests.
pub(crate) const REGION: &str = "ferry_out";

/// A program in C.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) sources: Vec<PathBuf>,
}

/// Why a program in C is missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CError {
    #[error(transparent)]
    Tools(#[from] ToolsError),
    #[error("the C compiler did not accept {}; its messages are above", .0.display())]
    Compile(PathBuf),
    #[error(
        "{program}: it includes a ferry.h that has another ABI version than the client library of this ferry; remove \
         that copy, and include {}, which `ferry` names to the compiler", header.display()
    )]
    WrongAbi { program: String, header: PathBuf },
    #[error(
        "{program}: the program has no function `{function}`; each protection domain in C has `void init(void)` and \
         `void notified(microkit_channel channel)`"
    )]
    NoEntry { program: String, function: &'static str },
    #[error("{program}: the program could not be linked:\n{said}")]
    Link { program: String, said: String },
    #[error(
        "the project has the program `{0}` twice, in src/bin and in {DIRECTORY}; give one of them another name"
    )]
    Twice(String),
    #[error(
        "there is no C library for {0}; the boards that have one are those of the architectures aarch64, riscv64 and x86_64"
    )]
    Architecture(&'static str),
    #[error(
        "{place}: the program `{program}` of a client never asks central to let it in; in C, include ferry.h, link \
         libferry.a and call ferry_init, in Rust use ferry_client::start!, or take the map with setvar_vaddr=\"{REGION}\" \
         away"
    )]
    NeverStarts { place: String, program: String },
    #[error(
        "{place}: `{program}` is a client in C, and its stack has {found} bytes, fewer than the client library may \
         need; give it stack_size=\"0x1_0000\""
    )]
    SmallStack { place: String, program: String, found: u64 },
    #[error("{} and {} are both the program `{name}`; give one of them another name", first.display(), second.display())]
    TwiceInC { name: String, first: PathBuf, second: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
}

/// The C programs below a directory, by name. None if the directory does not exist.
pub(crate) fn programs(directory: &Path) -> Result<Vec<Program>, CError> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut programs: Vec<Program> = Vec::new();
    let mut places: Vec<PathBuf> = Vec::new();
    for path in entries(directory)? {
        let sources = if path.is_dir() {
            entries(&path)?.into_iter().filter(|path| is_source(path)).collect()
        } else if is_source(&path) {
            vec![path.clone()]
        } else {
            Vec::new()
        };
        // Only a file has an extension that is no part of the name.
        let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
        let Some(name) = name.filter(|_| !sources.is_empty()) else { continue };
        let name = name.to_string_lossy().into_owned();
        if let Some(first) = programs.iter().position(|program| program.name == name) {
            // One would replace the other without a word.
            return Err(CError::TwiceInC { name, first: places[first].clone(), second: path });
        }
        programs.push(Program { name, sources });
        places.push(path);
    }
    programs.sort();
    Ok(programs)
}

/// A description of protection domains in C, with the registers that they need for the target.
pub(crate) fn with_registers(described: &str, target: Target) -> String {
    if target.platform == Platform::Microkit && target.board.architecture.c_needs_fpu {
        return described.replace(" fpu=\"false\"", "");
    }
    described.to_owned()
}

fn is_source(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension == "c")
}

/// What is in a directory, by name.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    let read =
        || fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().map_err(file::failed("read", directory))?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::programs;
    use std::fs;

    #[test]
    fn a_program_is_a_file_or_a_directory_of_files() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for name in [
            "logger.c",
            "shared.h",
            "gate/main.c",
            "gate/table.c",
            "gate/table.h",
            "gate.old/main.c",
            "notes/readme.txt",
        ] {
            write(name);
        }
        let found = programs(directory.path()).unwrap();
        let found: Vec<_> =
            found.iter().map(|program| (program.name.as_str(), program.sources.len())).collect();
        assert_eq!(found, [("gate", 2), ("gate.old", 1), ("logger", 1)]);
        assert_eq!(programs(&directory.path().join("none")).unwrap(), []);
        write("logger/main.c");
        let twice = programs(directory.path()).unwrap_err().to_string();
        let [first, second] = ["logger", "logger.c"].map(|name| directory.path().join(name));
        assert_eq!(
            twice,
            format!(
                "{} and {} are both the program `logger`; give one of them another name",
                first.display(),
                second.display()
            )
        );
    }
}
