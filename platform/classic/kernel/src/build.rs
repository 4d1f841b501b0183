//! Compiles the kernel with its own Makefile, in a copy of the source. A copy, because one of the kernel's
//! generators writes next to itself, and Cargo's registry cache belongs to all projects. The result is a
//! multiboot image for QEMU.

use crate::error::Error;
use crate::python;
use crate::source::{CONFIGURATION, Source, write_configuration};
use crate::step::{Step, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Warnings are off, because a newer compiler finds new ones in old code and the Makefile turns them into
/// errors. The next two flags are there because the kernel relies on C that optimisers have since learnt to
/// exploit: it reads a table through pointers of other types, and the BIOS data area at address 0x400 through
/// a null-based pointer. The last three are there because distributions turn on defaults that need support
/// which a kernel does not have.
const COMPILER_FLAGS: [&str; 6] = [
    "-w",
    "-fno-strict-aliasing",
    "-fno-delete-null-pointer-checks",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-fno-pie",
];

/// A change to the copy of the source: in `file`, `right` replaces `wrong`.
struct Repair {
    file: &'static str,
    wrong: &'static str,
    right: &'static str,
}

/// The kernel keeps the address of a page fault in 32 bits, as its 32-bit version does. Without the repair a
/// report of a fault above 4 GiB would name a wrong address, and central's window and all stacks are
/// above that.
const REPAIRS: [Repair; 1] = [Repair {
    file: "src/arch/x86/kernel/vspace.c",
    wrong: "    uint32_t addr;\n    uint32_t fault;\n",
    right: "    word_t addr;\n    uint32_t fault;\n",
}];

/// A kernel that is ready to boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelImage {
    /// For QEMU's `-kernel`: the kernel as a 32-bit ELF file, because a multiboot loader takes nothing else.
    pub elf32: PathBuf,
    /// The same kernel as a 64-bit ELF file with symbols, for debuggers.
    pub elf64: PathBuf,
}

/// Builds the kernel into `out_dir`, which is created, and calls `progress` before each step. A kernel that
/// an earlier call built from the same source, configuration and compiler is returned at once.
///
/// Needs `make`, `gcc`, binutils and Python 3; each error names the package to install. Two calls with the
/// same `out_dir` must not run at the same time.
pub fn build(source: &Source, out_dir: &Path, mut progress: impl FnMut(Step)) -> Result<KernelImage, Error> {
    fs::create_dir_all(out_dir).map_err(Error::file("create", out_dir))?;
    let out_dir = &out_dir.canonicalize().map_err(Error::file("find", out_dir))?;
    let image = KernelImage { elf32: out_dir.join("kernel.elf32"), elf64: out_dir.join("kernel.elf") };
    let stamp = out_dir.join("built-from");
    let identity = identity(source)?;
    if image.elf32.is_file() && fs::read_to_string(&stamp).is_ok_and(|built| built == identity) {
        progress(Step::UpToDate);
        return Ok(image);
    }

    let programs = python::prepare(out_dir, &mut progress)?;
    progress(Step::CopySource);
    let configuration = out_dir.join("configuration");
    write_configuration(&configuration)?;
    let tree = out_dir.join("source");
    let objects = out_dir.join("objects");
    for directory in [&tree, &objects] {
        if directory.exists() {
            fs::remove_dir_all(directory).map_err(Error::file("remove", directory))?;
        }
    }
    copy_directory(source.directory(), &tree)?;
    repair(&tree)?;
    fs::create_dir_all(&objects).map_err(Error::file("create", &objects))?;

    progress(Step::Compile);
    compile(&objects, &programs)?;
    let built = objects.join("kernel.elf");
    fs::copy(&built, &image.elf64).map_err(Error::file("copy", &built))?;

    progress(Step::Convert);
    let mut convert = Command::new("objcopy");
    convert.args(["-O", "elf32-i386"]).arg(&image.elf64).arg(&image.elf32);
    run(convert, "binutils", "convert the kernel to a 32-bit ELF file", "read objcopy's message", None)?;
    fs::write(&stamp, identity).map_err(Error::file("write", &stamp))?;
    Ok(image)
}

fn repair(tree: &Path) -> Result<(), Error> {
    for Repair { file, wrong, right } in REPAIRS {
        let path = tree.join(file);
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        if text.matches(wrong).count() != 1 {
            let problem = format!("expected the text to repair exactly once: {wrong:?}");
            return Err(Error::Interface { path, problem });
        }
        fs::write(&path, text.replace(wrong, right)).map_err(Error::file("write", &path))?;
    }
    Ok(())
}

/// Everything that decides what the compiled kernel looks like.
fn identity(source: &Source) -> Result<String, Error> {
    let mut version = Command::new("gcc");
    version.arg("--version");
    let version = run(version, "gcc", "ask gcc for its version", "reinstall gcc", None)?;
    let mut identity = format!("{}\n", source.directory().display());
    identity.push_str(&String::from_utf8_lossy(&version.stdout));
    identity.push_str(&COMPILER_FLAGS.join(" "));
    for Repair { right, .. } in REPAIRS {
        identity.push_str(right);
    }
    for (_, text) in CONFIGURATION {
        identity.push_str(text);
    }
    Ok(identity)
}

/// Compiles in `objects`, which has the source and the configuration beside it. They are named from there:
/// the kernel's Makefile takes a blank in a path to be the end of it.
fn compile(objects: &Path, programs: &Path) -> Result<(), Error> {
    let mut path = programs.as_os_str().to_owned();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    let mut make = Command::new("make");
    make.current_dir(objects)
        // Flags and jobs of a `make` that called us are not meant for the kernel.
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS")
        .env_remove("NK_CFLAGS")
        .env("PATH", path)
        .env("LC_ALL", "C")
        // The Makefile appends to these three, so what is here comes first: our autoconf.h before its own.
        .env("CPPFLAGS", "-I../configuration")
        .env("CFLAGS", format!("-include ../configuration/kernel_stack.h {}", COMPILER_FLAGS.join(" ")))
        .env("ASFLAGS", "-fcf-protection=none")
        .args(["--makefile", "../source/Makefile", "SOURCE_ROOT=../source"])
        .args(["ARCH=x86", "PLAT=pc99", "SEL4_ARCH=x86_64", "TOOLPREFIX=", "PYTHON=python"])
        // Declares what the assertions of a debug build use; autoconf.h alone does not.
        .arg("DEBUG=1")
        // Skips the developers' style checks. They do not change the result, and xmllint would be one more
        // package.
        .args(["CIRCULAR_INCLUDES=true", "XMLLINT_PATH=true", "SKIP_PATH_CHECKS=1"])
        .args(["--jobs=2", "kernel.elf"]);
    let log = objects.join("log");
    run(make, "make gcc", "compile the kernel", "gcc 12 is known to work", Some(&log)).map(drop)
}

fn copy_directory(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::file("create", to))?;
    for entry in fs::read_dir(from).map_err(Error::file("read", from))? {
        let entry = entry.map_err(Error::file("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(Error::file("read", &source))?.is_dir() {
            copy_directory(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(Error::file("copy", &source))?;
        }
    }
    Ok(())
}
