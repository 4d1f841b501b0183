//! From a finished specification to the files that QEMU boots.

use std::path::Path;

use ferry_boards::Form;
use microkit_tool::MemoryRegion;
use microkit_tool::capdl::CapDLSpecContainer;
use microkit_tool::capdl::allocation::{
    CapDLAllocEmulationErrorLevel, simulate_capdl_object_alloc_algorithm,
};
use microkit_tool::capdl::initialiser::CapDLInitialiser;
use microkit_tool::capdl::packaging::pack_spec_into_initial_task;
use microkit_tool::elf::ElfFile;
use microkit_tool::loader::Loader;
use microkit_tool::report::write_report;
use microkit_tool::sdf::SysMemoryRegion;
use microkit_tool::sel4::{Arch, emulate_kernel_boot, emulate_kernel_boot_partial};

use crate::addresses;
use crate::error::Error;
use crate::sdk::Target;

/// The name of the image's file.
pub(crate) const IMAGE: &str = "image";

/// Writes image and report of a system. If addresses of regions are to be chosen first, they are chosen, and
/// nothing is written: the result is `false`, and the specification must be made again.
pub(crate) fn system(
    target: &Target,
    mut specification: CapDLSpecContainer,
    programs: &[ElfFile],
    regions: &mut [SysMemoryRegion],
    output: &Path,
) -> Result<bool, Error> {
    let image = output.join(IMAGE);
    let mut initialiser = CapDLInitialiser::new(target.program("initialiser.elf")?);
    pack_spec_into_initial_task(
        &target.kernel,
        &target.config_name,
        &specification,
        programs,
        &mut initialiser,
    );
    if let Arch::X86_64 = target.kernel.arch {
        initialiser.elf.reserialise(&image).map_err(Error::Image)?;
        for kernel in ["sel4.elf", "sel4_32.elf"] {
            let copy = output.join(kernel);
            std::fs::copy(target.program_path(kernel), &copy).map_err(Error::file("write", &copy))?;
        }
    } else {
        let kernel = target.program("sel4.elf")?;
        let addresses = initialiser.image_bound();
        let bytes = addresses.end - addresses.start;
        let (mut memory, boot_region) = emulate_kernel_boot_partial(&target.kernel, &kernel);
        let base = memory.allocate_from(bytes, boot_region.end).ok_or(Error::NoRoomForTask)?;
        initialiser.set_phys_base(base);
        let boot = emulate_kernel_boot(
            &target.kernel,
            &kernel,
            MemoryRegion::new(base, base + bytes),
            MemoryRegion::new(initialiser.elf.lowest_vaddr(), addresses.end),
        );
        let may_choose = addresses::are_chosen(regions);
        let level = if may_choose {
            CapDLAllocEmulationErrorLevel::Suppressed
        } else {
            CapDLAllocEmulationErrorLevel::PrintStderr
        };
        if !simulate_capdl_object_alloc_algorithm(&mut specification, &boot, &target.kernel, level) {
            if !may_choose {
                return Err(Error::OutOfMemory { objects: specification.spec.objects.len() });
            }
            addresses::forget(regions);
        }
        if addresses::choose(regions, &boot.untyped_objects, &target.kernel)? {
            return Ok(false);
        }
        // The initialiser compares them with what the kernel gives it.
        initialiser.add_expected_untypeds(&boot.untyped_objects);
        let loader = target.program_path("loader.elf");
        let loader = Loader::new(&target.kernel, &loader, &kernel, &initialiser.elf, base, &addresses);
        write_loader(target, &loader, &image);
    }
    write_report(&specification, &target.kernel, &output.join("report.txt"));
    Ok(true)
}

/// Writes an image whose initial task is `program`.
pub(crate) fn root_task(target: &Target, program: &Path, image: &Path) -> Result<(), Error> {
    let task =
        ElfFile::from_path(program).map_err(|cause| Error::Program { path: program.to_owned(), cause })?;
    let kernel = target.program("sel4.elf")?;
    let addresses =
        task.lowest_vaddr()..task.highest_vaddr().next_multiple_of(target.kernel.minimum_page_size);
    let (mut memory, boot_region) = emulate_kernel_boot_partial(&target.kernel, &kernel);
    let base =
        memory.allocate_from(addresses.end - addresses.start, boot_region.end).ok_or(Error::NoRoomForTask)?;
    let loader = target.program_path("loader.elf");
    let loader = Loader::new(&target.kernel, &loader, &kernel, &task, base, &addresses);
    write_loader(target, &loader, image);
    Ok(())
}

/// Writes an image that begins with Microkit's loader, in the form in which the board takes it.
fn write_loader(target: &Target, loader: &Loader<'_>, image: &Path) {
    if target.board.architecture.form == Form::Uboot {
        loader.write_uimage(image);
    } else {
        loader.write_image(image);
    }
}
