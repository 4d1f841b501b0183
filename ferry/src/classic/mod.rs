//! The image of the classic platform: a checked description becomes the compiled system that the initialiser reads,
//! packed behind the initialiser, beside the kernel.
//!
//! Regions, mappings, grants and the window are taken from `ferry_description` one to one; nothing here decides who
//! may reach what.

mod program;
mod system;

use crate::boot::Emulator;
use crate::error::Error;
use crate::prefill::Prefill;
use crate::programs::{Programs, ProgramsError};
use crate::progress::Step;
use crate::setup;
use crate::workspace::Workspace;
use ferry_classic_kernel::{KernelImage, Source, build};
use ferry_description::Description;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use system::ClassicError;

/// The package of the initialiser and its program.
const INITIALISER: &str = "ferry-root-task";
/// The package of all protection domains.
const DOMAINS: &str = "ferry-pds-classic";
/// Memory of the machine without any input, in MiB.
const BASE_MEMORY: u64 = 512;

/// Kernel and programs, built once, from which any number of images is made.
pub(crate) struct Classic {
    kernel: KernelImage,
    programs: Programs,
}

/// An image on disk.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// The kernel, for QEMU's `-kernel`.
    pub(crate) kernel: PathBuf,
    /// Initialiser and system, for QEMU's `-initrd`.
    pub(crate) system: PathBuf,
}

impl Classic {
    /// Builds what all images share.
    pub(crate) fn build(workspace: &Workspace) -> Result<Self, Error> {
        setup::tools()?;
        let kernel = build_kernel(workspace)?;
        let programs = Programs::build_freestanding(workspace, &[INITIALISER, DOMAINS])?;
        Ok(Self { kernel, programs })
    }

    /// The ELF file of one of the protection domains.
    pub(crate) fn program(&self, name: &str) -> Result<Vec<u8>, ProgramsError> {
        self.programs.read(name, &"ferry")
    }

    /// The bytes of an image.
    pub(crate) fn image(&self, description: &Description, prefills: &[Prefill]) -> Result<Vec<u8>, Error> {
        let compiled = system::compile(description, &self.programs, prefills)?;
        let initialiser = self.programs.read(INITIALISER, &"ferry")?;
        Ok(ferry_classic_spec::pack(&initialiser, &compiled).map_err(ClassicError::Pack)?)
    }

    /// Writes an image to `path`.
    pub(crate) fn write_image(
        &self,
        description: &Description,
        prefills: &[Prefill],
        path: &Path,
    ) -> Result<Image, Error> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        }
        let image = self.image(description, prefills)?;
        fs::write(path, image).map_err(Error::file("write", path))?;
        Ok(Image { kernel: self.kernel.elf32.clone(), system: path.to_owned() })
    }
}

/// One build at a time: two in the same directory would be in each other's way.
fn build_kernel(workspace: &Workspace) -> Result<KernelImage, Error> {
    let directory = workspace.products().join("kernel");
    fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
    let lock_path = directory.join("lock");
    let lock = fs::File::create(&lock_path).map_err(Error::file("create", &lock_path))?;
    lock.lock().map_err(Error::file("lock", &lock_path))?;
    let source = Source::locate(&workspace.root)?;
    let mut shown = None;
    let kernel = build(&source, &directory, |step| {
        // The step before ends its line first.
        shown = None;
        if step != ferry_classic_kernel::Step::UpToDate {
            shown = Some(Step::begin(step.to_string()));
        }
    });
    drop(shown);
    Ok(kernel?)
}

/// The emulated PC that boots an image whose prefilled regions have `input_bytes` bytes.
pub(crate) fn emulator(image: &Image, input_bytes: u64) -> Emulator {
    // The boot loader's copy of the image, the initialiser's, and room for both to be aligned.
    let memory = BASE_MEMORY + (input_bytes >> 20) * 3;
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args(["-machine", "pc", "-accel", "tcg", "-cpu", "qemu64", "-nodefaults"])
        .args(["-m", &format!("{memory}M")])
        .args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"])
        .arg("-kernel")
        .arg(&image.kernel)
        .arg("-initrd")
        .arg(&image.system);
    Emulator { command, status_of: debug_exit_status }
}

/// QEMU's exit status when the system ends with `code`.
fn debug_exit_status(code: u8) -> i32 {
    i32::from(code.min(127)) * 2 + 1
}
