//! `ferry image`: writes a bootable image to disk.

use crate::arguments::ImageArguments;
use crate::classic::{self, Classic, Image};
use crate::error::Error;
use crate::file;
use crate::inspect;
use crate::microkit::{self, Microkit, MicrokitError};
use crate::output::line;
use crate::shell;
use crate::target::{Platform, Selection};
use std::fs;

/// Builds the image and prints the command that boots it.
pub(crate) fn image(arguments: &ImageArguments) -> Result<(), Error> {
    let (target, project, prefills, description) = arguments.system.load()?;
    if arguments.product && target.platform != Platform::Microkit {
        return Err(Error::NoProduct);
    }
    let output = &arguments.output;
    file::check_output(output)?;
    let emulator = match target.platform {
        Platform::Hosted => return Err(Error::NoImage),
        Platform::Microkit => {
            let workspace = project.workspace()?;
            let mut microkit =
                Microkit::build(&workspace, target.board, target.config, Selection::System, &project)?;
            if arguments.product {
                microkit = microkit.for_products();
            }
            let compared = microkit.image(&project.files, &description, &prefills, &[], output)?;
            line(format_args!("{}\n{compared}", output.join(microkit::IMAGE).display()))?;
            match microkit.emulator(output, description.system.highest_core(), 1) {
                // The image is there. Whoever has another machine can boot it.
                Err(why @ (MicrokitError::NoEmulator(_) | MicrokitError::Timer(_))) => {
                    line(format_args!("{why}"))?;
                    return Ok(());
                }
                emulator => emulator?,
            }
        }
        Platform::Classic => {
            let classic = Classic::build(&project.workspace()?, Selection::System, &project)?;
            let image = classic.write_image(&description, &prefills, &output.join("system.elf"))?;
            let written = fs::read(&image.system).map_err(file::failed("read", &image.system))?;
            let (differences, compared) = classic.inspect(&description, &prefills, &written)?;
            let compared = inspect::result(&differences, compared)?;
            let kernel = output.join("kernel.elf");
            fs::copy(&image.kernel, &kernel).map_err(file::failed("write", &kernel))?;
            line(format_args!("{}\n{}\n{compared}", kernel.display(), image.system.display()))?;
            classic::emulator(&Image { kernel, ..image }, &prefills)
        }
    };
    line(format_args!("boot with: {}", shell::Line(&emulator.command)))?;
    Ok(())
}
