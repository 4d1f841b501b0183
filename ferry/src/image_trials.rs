//! Trials of images as files, which boot nothing: two builds in two directories give the same bytes, and an
//! image with another byte in a program is recognised. `ferry test` runs them for each board of Microkit, and
//! the first one for classic.

use crate::classic::Classic;
use crate::description_files::DescriptionFiles;
use crate::file;
use crate::microkit::{self, Inspection, Microkit};
use crate::project::Project;
use crate::runner::trial;
use crate::target::Selection;
use crate::workspace::Workspace;
use libtest_mimic::{Failed, Trial};
use object::{Object, ObjectSection};
use std::fs;
use std::path::{Path, PathBuf};

/// A protection domain of the demo, and its program.
const DOMAIN: &str = "sender";

/// The trial for a board. `directory` is for its files.
pub(crate) fn of_microkit(
    prefix: &str,
    microkit: &Microkit,
    files: &DescriptionFiles,
    directory: PathBuf,
) -> Trial {
    let (microkit, files) = (microkit.clone(), files.clone());
    let name = format!("{prefix}two_builds_give_the_same_image_and_a_changed_program_is_found");
    trial(name, move || {
        let description = files.load(&[])?;
        let build = |name: &str| -> Result<(PathBuf, Vec<u8>), Failed> {
            let output = directory.join(name);
            microkit.image(&files, &description, &[], &[], &output)?;
            let image = output.join(microkit::IMAGE);
            let bytes = read(&image)?;
            Ok((image, bytes))
        };
        let (image, mut bytes) = build("first")?;
        if bytes != build("another/second")?.1 {
            return Err("two builds gave two images".into());
        }
        let inspect = || microkit.inspect(&image, &files, &description, &[]);
        if let Inspection::Differs(lines) = inspect()? {
            return Err(lines.join("\n").into());
        }
        let domain = description.system.domains.iter().find(|domain| domain.name == DOMAIN);
        let domain = domain.ok_or("the demo has no sender")?;
        let at = position(&bytes, &microkit.search(domain).read(domain)?)?;
        bytes[at] ^= 1;
        fs::write(&image, &bytes).map_err(file::failed("write", &image))?;
        match inspect()? {
            Inspection::Differs(lines)
                if lines.len() == 1 && lines[0].starts_with(&format!("the program of `{DOMAIN}`")) =>
            {
                Ok(())
            }
            other => Err(format!("a changed program was not found: {other:?}").into()),
        }
    })
}

/// The trial for classic. It builds in the process, so all that differs is the file.
pub(crate) fn of_classic(workspace: &Workspace, demo: &Project, directory: PathBuf) -> Trial {
    let (workspace, demo) = (workspace.clone(), demo.clone());
    trial("two_builds_give_the_same_image", move || {
        let classic = Classic::build(&workspace, Selection::System, &demo)?;
        let description = demo.files.load(&[])?;
        let build = |name: &str| -> Result<Vec<u8>, Failed> {
            let path = directory.join(name).join("system.elf");
            classic.write_image(&description, &[], &path)?;
            read(&path)
        };
        if build("first")? == build("another/second")? {
            Ok(())
        } else {
            Err("two builds gave two images".into())
        }
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    Ok(fs::read(path).map_err(file::failed("read", path))?)
}

/// Where an image has a piece of a program that nothing else in it has. Most of a program is in the image as
/// it is, page by page.
fn position(image: &[u8], program: &[u8]) -> Result<usize, Failed> {
    const PIECE: usize = 64;
    let once = |piece: &[u8]| {
        let mut found = image.windows(PIECE).enumerate().filter(|(_, window)| *window == piece);
        let (at, _) = found.next()?;
        found.next().is_none().then_some(at)
    };
    // Its code. Most of the file is what a debugger reads, and that is in no image.
    let file = object::File::parse(program)?;
    let code = file.section_by_name(".text").ok_or("the program has no code")?.data()?;
    let mut pieces =
        code.chunks_exact(PIECE).filter(|piece| piece.iter().filter(|byte| **byte != 0).count() > PIECE / 2);
    Ok(pieces.find_map(once).ok_or("no piece of the program is in the image")?)
}
