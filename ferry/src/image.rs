//! `ferry image`: a bootable image on disk.

use crate::arguments::ImageArguments;
use crate::classic::Classic;
use crate::error::Error;
use crate::file;
use crate::microkit::Microkit;
use crate::target::Platform;
use crate::workspace::Workspace;
use std::fs;

/// Builds the image and says how to boot it.
pub(crate) fn image(arguments: &ImageArguments) -> Result<(), Error> {
    let mut prefills = Vec::new();
    for (region, path) in &arguments.prefill {
        prefills.push((region.clone(), fs::read(path).map_err(file::failed("read", path))?));
    }
    let grown: Vec<(&str, u64)> =
        prefills.iter().map(|(region, contents)| (region.as_str(), contents.len() as u64)).collect();
    let description = arguments.description.load(&grown)?;
    if let Some((region, _)) = prefills.iter().find(|(region, _)| description.system.region(region).is_none())
    {
        return Err(Error::NoSuchRegion { region: region.clone() });
    }
    let target = arguments.target;
    match target.platform {
        Platform::Hosted => return Err(Error::NoImage),
        Platform::Microkit => {
            let microkit = Microkit::build(&Workspace::locate()?, target.board, target.config)?;
            let files = &arguments.description;
            let emulator =
                microkit.emulator(&files.system, &files.flows, &prefills, &[], &arguments.output)?;
            println!("{}", arguments.output.join("image").display());
            println!("boot with: {:?}", emulator.command);
        }
        Platform::Classic => {
            let classic = Classic::build(&Workspace::locate()?)?;
            let output = &arguments.output;
            let image = classic.write_image(&description, &prefills, &output.join("system.elf"))?;
            let kernel = output.join("kernel.elf");
            fs::copy(&image.kernel, &kernel).map_err(file::failed("write", &kernel))?;
            println!("{}\n{}", kernel.display(), image.system.display());
            println!(
                "boot with: qemu-system-x86_64 -cpu qemu64 -m 512 -display none -serial stdio -no-reboot \\"
            );
            println!(
                "  -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel {} -initrd {}",
                kernel.display(),
                image.system.display()
            );
        }
    }
    Ok(())
}
