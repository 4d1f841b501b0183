//! `ferry image`: writes a bootable image to disk.

use crate::arguments::ImageArguments;
use crate::classic::{self, Classic, Image};
use crate::error::Error;
use crate::file;
use crate::inspect;
use crate::microkit::{self, Microkit};
use crate::output::line;
use crate::prefill;
use crate::shell;
use crate::target::{Platform, Selection};
use crate::workspace::Workspace;
use std::fs;

/// Builds the image and prints the command that boots it.
pub(crate) fn image(arguments: &ImageArguments) -> Result<(), Error> {
    let prefills = prefill::read(&arguments.prefill)?;
    let description = arguments.description.load_for(arguments.target.rules(), &prefill::sizes(&prefills))?;
    if let Some((region, _)) = prefills.iter().find(|(region, _)| description.system.region(region).is_none())
    {
        return Err(Error::NoSuchRegion { region: region.clone() });
    }
    let target = arguments.target;
    if arguments.product && target.platform != Platform::Microkit {
        return Err(Error::NoProduct);
    }
    let output = &arguments.output;
    let emulator = match target.platform {
        Platform::Hosted => return Err(Error::NoImage),
        Platform::Microkit => {
            let mut microkit =
                Microkit::build(&Workspace::locate()?, target.board, target.config, Selection::System)?;
            if arguments.product {
                microkit = microkit.for_products();
            }
            let files = &arguments.description;
            let (emulator, compared) = microkit.image(&files.system, &files.flows, &prefills, &[], output)?;
            line(format_args!("{}\n{compared}", output.join(microkit::IMAGE).display()))?;
            emulator
        }
        Platform::Classic => {
            let classic = Classic::build(&Workspace::locate()?, Selection::System)?;
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
