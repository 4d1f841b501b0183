//! Checks of programs that another build has made (`--programs`), before anything is built from them. What is
//! wrong with such a program would otherwise show when the system runs, or not at all.

use object::{Architecture, Object, ObjectKind, ObjectSymbol};
use std::path::{Path, PathBuf};

/// The version of the interface between `ferry.h` and `libferry.a` that this program has.
const ABI: &str = "1";
/// Beginning of the name of the symbol that says which version a program in C was linked with.
const ABI_SYMBOL: &str = "ferry_abi_";

/// What is wrong with a program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadyError {
    #[error(
        "{place}: {} is no ELF file; put the linked program there, or correct the path", path.display()
    )]
    NoElf { place: String, path: PathBuf },
    #[error("{place}: {} is not linked; link it, and put the program there", path.display())]
    NotLinked { place: String, path: PathBuf },
    #[error(
        "{place}: {} is a program for {found}, and the system is for {wanted}; compile it with the compiler for \
         {wanted}, or name the directory of that build with --programs", path.display()
    )]
    Architecture { place: String, path: PathBuf, found: String, wanted: String },
    #[error(
        "{place}: {} was linked with a libferry.a of ABI version {found}, and this ferry has {ABI}; let \
         `ferry library` write it again, and compile and link with that", path.display()
    )]
    Abi { place: String, path: PathBuf, found: String },
}

/// The object crate's name for the processor whose name seL4 has.
fn architecture(name: &str) -> Architecture {
    match name {
        "aarch64" => Architecture::Aarch64,
        "riscv64" => Architecture::Riscv64,
        "x86_64" => Architecture::X86_64,
        _ => Architecture::Unknown,
    }
}

/// Whether a program is a client in C.
pub(crate) fn is_in_c(contents: &[u8]) -> bool {
    object::File::parse(contents).is_ok_and(|program| abi(&program).is_some())
}

/// Refuses a program that cannot be the one that `place` names. `wanted` is the architecture, by seL4's name.
pub(crate) fn check(place: String, path: &Path, contents: &[u8], wanted: &str) -> Result<(), ReadyError> {
    let path = path.to_owned();
    let Ok(program) = object::File::parse(contents) else { return Err(ReadyError::NoElf { place, path }) };
    let found = program.architecture();
    if found != architecture(wanted) {
        let (found, wanted) = (format!("{found:?}").to_lowercase(), wanted.to_owned());
        return Err(ReadyError::Architecture { place, path, found, wanted });
    }
    if !matches!(program.kind(), ObjectKind::Executable | ObjectKind::Dynamic) {
        return Err(ReadyError::NotLinked { place, path });
    }
    match abi(&program) {
        Some(found) if found != ABI => Err(ReadyError::Abi { place, path, found }),
        _ => Ok(()),
    }
}

/// The ABI version of the library that a program in C has, if it is a client.
fn abi(program: &object::File<'_>) -> Option<String> {
    let mut names = program.symbols().filter(ObjectSymbol::is_definition);
    names.find_map(|symbol| symbol.name().ok()?.strip_prefix(ABI_SYMBOL).map(ToOwned::to_owned))
}

#[cfg(test)]
#[path = "../../platform/classic/image/tests/elf/mod.rs"]
pub(crate) mod elf;

#[cfg(test)]
mod tests {
    use super::{ABI, check, elf};
    use std::path::Path;

    /// Offsets of the type and the machine in the header of an ELF file.
    const TYPE: usize = 16;
    const MACHINE: usize = 18;

    fn error(contents: &[u8], wanted: &str) -> Option<String> {
        let path = Path::new("build/sensor.elf");
        check("system.xml:7".to_owned(), path, contents, wanted).err().map(|error| error.to_string())
    }

    #[test]
    fn what_another_build_has_made_is_checked() {
        let with = |symbols: &[&str]| elf::program(symbols, 0);
        let good = with(&["ferry_abi_1", "ferry_out"]);
        assert_eq!(error(&good, "x86_64"), None);
        assert_eq!(error(&with(&[]), "x86_64"), None, "a program that is no client");
        let changed = |at: usize, value: u8| {
            let mut changed = good.clone();
            changed[at] = value;
            changed
        };
        for (contents, wanted, says) in [
            (b"#!/bin/sh".to_vec(), "x86_64", "build/sensor.elf is no ELF file"),
            (good[..40].to_vec(), "x86_64", "is no ELF file"),
            (Vec::new(), "x86_64", "is no ELF file"),
            (changed(TYPE, 1), "x86_64", "is not linked"),
            (good.clone(), "riscv64", "is a program for x86_64, and the system is for riscv64"),
            (changed(MACHINE, 183), "x86_64", "is a program for aarch64, and the system is for x86_64"),
            (
                with(&["ferry_abi_2", "ferry_out"]),
                "x86_64",
                "a libferry.a of ABI version 2, and this ferry has 1",
            ),
        ] {
            let error = error(&contents, wanted).unwrap();
            assert!(error.starts_with("system.xml:7: ") && error.contains(says), "{error}");
        }
    }

    #[test]
    fn the_version_is_that_of_the_header() {
        let header = include_str!("../../client-pd/c/include/ferry.h");
        assert!(header.contains(&format!("#define FERRY_ABI_VERSION {ABI}\n")));
        assert!(header.contains(&format!("extern const uint32_t {}{ABI};", super::ABI_SYMBOL)));
    }
}
