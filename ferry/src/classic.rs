//! The classic platform: its kernel and programs, the images that `ferry-classic-image` makes of them, and
//! the PC that boots one.

use crate::boot::Bootable;
use crate::c;
use crate::file::{self, FileError};
use crate::prefill::Prefill;
use crate::programs::{Programs, ProgramsError, freestanding};
use crate::progress::Step;
use crate::project::{Compilation, Project};
use crate::search::Search;
use crate::target::{Platform, Selection};
use crate::tools::{self, ToolsError};
use crate::workspace::Workspace;
use ferry_boards::{Files, PC99, PC99_EMULATOR, Processors};
use ferry_classic_image::{ImageError, InspectError};
use ferry_classic_kernel::{KernelImage, Source, build};
use ferry_description::{Compared, Description, Difference, Domain};
use std::fs;
use std::path::{Path, PathBuf};

/// The package of the initialiser. Its program has the same name.
const INITIALISER: &str = "ferry-root-task";
/// The package with all protection domains.
pub(crate) const DOMAINS: &str = "ferry-pds-classic";

/// The package of the library that C programs link.
pub(crate) const C_LIBRARY: &str = "ferry-c-classic";

/// The kernel and the programs. They are built once, for any number of images.
pub(crate) struct Classic {
    kernel: KernelImage,
    /// The initialiser's ELF file.
    initialiser: Vec<u8>,
    programs: Search,
}

/// An image on disk.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// The kernel. The boot loader starts it.
    pub(crate) kernel: PathBuf,
    /// The initialiser and the system. The boot loader hands this to the kernel as a module.
    pub(crate) system: PathBuf,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClassicError {
    #[error(transparent)]
    Tools(#[from] ToolsError),
    #[error(transparent)]
    Kernel(#[from] ferry_classic_kernel::Error),
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Classic {
    /// Builds what all images share.
    pub(crate) fn build(
        workspace: &Workspace,
        selection: Selection,
        project: &Project,
    ) -> Result<Self, ClassicError> {
        tools::of_classic()?;
        let kernel = build_kernel(workspace)?;
        let packages = [INITIALISER, DOMAINS];
        let mut own = Programs::build_freestanding(workspace, &packages, (selection, DOMAINS), &PC99)?;
        let initialiser = own.take(INITIALISER)?;
        let initialiser = fs::read(&initialiser).map_err(file::failed("read", &initialiser))?;
        let compilation = Compilation::release(Platform::Classic, &workspace.target);
        let compiled = project.compile(&workspace.root, &compilation, |cargo| freestanding(cargo, &PC99))?;
        let in_c = project.compile_c::<ProgramsError>(|| {
            let output = project.c_output(Platform::Classic);
            c::Build::of_package(&c::CLASSIC, workspace, C_LIBRARY, Some(&PC99), output)
        })?;
        Ok(Self { kernel, initialiser, programs: Search::new(own, compiled, in_c, project.ready.clone())? })
    }

    /// Where the programs are.
    pub(crate) fn programs(&self) -> &Search {
        &self.programs
    }

    /// The initialiser's ELF file.
    pub(crate) fn initialiser(&self) -> &[u8] {
        &self.initialiser
    }

    /// The bytes of an image.
    pub(crate) fn image(
        &self,
        description: &Description,
        prefills: &[Prefill],
    ) -> Result<Vec<u8>, ClassicError> {
        for domain in &description.system.domains {
            self.programs.check_ready(domain, PC99.architecture.name)?;
            c::check_start(domain, &self.programs, c::REGION).map_err(ProgramsError::from)?;
        }
        let program = |domain: &Domain| Ok(self.programs.read(domain)?);
        Ok(ferry_classic_image::image(description, &self.initialiser, &program, prefills)?)
    }

    /// Reads an image back, and compares it with the description and with what it should consist of.
    pub(crate) fn inspect(
        &self,
        description: &Description,
        prefills: &[Prefill],
        image: &[u8],
    ) -> Result<(Vec<Difference>, Compared), ClassicError> {
        let program = |domain: &Domain| Ok(self.programs.read(domain)?);
        Ok(ferry_classic_image::inspect(description, image, &self.initialiser, &program, prefills)?)
    }

    /// Writes an image to `path`.
    pub(crate) fn write_image(
        &self,
        description: &Description,
        prefills: &[Prefill],
        path: &Path,
    ) -> Result<Image, ClassicError> {
        file::write(path, self.image(description, prefills)?)?;
        Ok(Image { kernel: self.kernel.elf32.clone(), system: path.to_owned() })
    }
}

/// Builds the kernel. A lock lets only one build run at a time: two builds in one directory would overwrite
/// each other's files.
fn build_kernel(workspace: &Workspace) -> Result<KernelImage, ClassicError> {
    let directory = workspace.products().join("kernel");
    fs::create_dir_all(&directory).map_err(file::failed("create", &directory))?;
    let lock_path = directory.join("lock");
    let lock = fs::File::create(&lock_path).map_err(file::failed("create", &lock_path))?;
    lock.lock().map_err(file::failed("lock", &lock_path))?;
    let source = Source::locate(&workspace.root)?;
    let mut shown = None;
    let kernel = build(&source, &directory, |step| {
        // Dropping the earlier step ends its line before the next line begins.
        shown = None;
        if step != ferry_classic_kernel::Step::UpToDate {
            shown = Some(Step::begin(step.to_string()));
        }
    });
    drop(shown);
    Ok(kernel?)
}

/// The emulated PC that boots an image with these prefills.
pub(crate) fn emulator(image: &Image, prefills: &[Prefill]) -> Bootable {
    let input_bytes: u64 = prefills.iter().map(|(_, contents)| contents.len() as u64).sum();
    // Memory for the boot loader's copy of the image, for the initialiser's copy, and for the alignment of
    // both.
    let more_mebibytes = (input_bytes >> 20) * 3;
    let files = Files { kernel: &image.kernel, image: &image.system };
    let command = PC99.emulate(&PC99_EMULATOR, files, more_mebibytes, Processors::One);
    Bootable { command, status_of: PC99.status() }
}
