//! Reads an image back from the bytes of its file, and compares it with what the description, the programs
//! and the SDK give. First comes the accounting (`account`), which knows what each difference means. Then
//! each object of the specification must be the one that a build makes, so that nothing of the supervisor
//! and of Microkit's monitor differs either. At last all other parts of the file, if there is another build
//! to compare with: the kernel, the loader, the initialiser.
//!
//! A release image has no names of objects. An object has the name of that at its place in the build's
//! specification. If an image has another order, then everything in it differs.

use std::path::Path;

use ferry_description::{Compared, Difference};
use sel4_capdl_initializer_types::Object;

use crate::build::Specified;
use crate::error::Error;
use crate::image_file::{ImageFile, Part};
use crate::objects::Named;
use crate::sdk::Target;
use crate::{account, archived, program_pages};

/// How many differing objects are named.
const NAMED: usize = 8;

/// Compares the file of an image with what it should be. `build` is the file of another build.
pub(crate) fn file(
    target: &Target,
    specified: &Specified,
    image: &Path,
    build: Option<&Path>,
) -> Result<Result<Compared, Vec<String>>, Error> {
    let read = |path: &Path| std::fs::read(path).map_err(Error::file("read", path));
    let bytes = read(image)?;
    let found = ImageFile::read(&bytes, target)?;
    let mut objects = archived::objects(found.specification, found.frames)?;
    let mut lines = Vec::new();
    let mut compared = Compared::default();
    let as_many = objects.len() == specified.objects.len();
    if !as_many {
        let (found, wanted) = (objects.len(), specified.objects.len());
        lines.push(format!("the image has {found} objects, and a build has {wanted}"));
    }
    // Only a debug image has names of its own. Without them, no object is known in another number of objects.
    if as_many || objects.iter().all(|named| named.name.is_some()) {
        let differences;
        (differences, compared) = account(&mut objects, as_many, &target.into(), specified)?;
        lines.extend(differences.iter().map(ToString::to_string));
    }
    if lines.is_empty() {
        lines = other_objects(&objects, &specified.objects);
    }
    if let Some(build) = build.filter(|_| lines.is_empty()) {
        let built = read(build)?;
        lines = other_parts(&found, &ImageFile::read(&built, target)?);
        if lines.is_empty() && bytes != built {
            lines.push("the image has bytes that are loaded nowhere, and the build has others".into());
        }
    }
    Ok(if lines.is_empty() { Ok(compared) } else { Err(lines) })
}

/// The accounting, of an image's objects. They get the names of those of the build, if there are as many.
fn account(
    objects: &mut [Named],
    as_many: bool,
    kernel: &account::Kernel,
    specified: &Specified,
) -> Result<(Vec<Difference>, Compared), Error> {
    for (named, wanted) in objects.iter_mut().zip(&specified.objects).filter(|_| as_many) {
        named.name.clone_from(&wanted.name);
    }
    let program = |number: usize| {
        let name = &specified.description.system.domains[number].name;
        let program = specified.programs.iter().find(|(domain, _)| domain == name);
        program.map(|(_, program)| program_pages::of_program(program)).unwrap_or_default()
    };
    let description = &specified.description;
    account::differences(objects, kernel, description, &specified.placement, &specified.filled, &program)
}

/// Objects that are others than those of the build, in words.
fn other_objects(found: &[Named], wanted: &[Named]) -> Vec<String> {
    let differing = found.iter().zip(wanted).filter(|(found, wanted)| found.object != wanted.object);
    let differing: Vec<String> = differing.map(|(found, wanted)| other_object(found, wanted)).collect();
    let more = differing.len().saturating_sub(NAMED);
    let mut lines: Vec<String> = differing.into_iter().take(NAMED).collect();
    if more > 0 {
        lines.push(format!("{more} more objects differ from those of a build"));
    }
    lines
}

fn other_object(found: &Named, wanted: &Named) -> String {
    let name = wanted.name.as_deref().unwrap_or("without a name");
    match (&found.object, &wanted.object) {
        (Object::Frame(found), Object::Frame(wanted)) if found.paddr != wanted.paddr => {
            format!("the frame `{name}` has another physical address in the image than in a build")
        }
        (Object::Frame(found), Object::Frame(wanted)) if found.size_bits == wanted.size_bits => {
            format!("the contents of `{name}` in the image are not those of a build")
        }
        _ => format!("the object `{name}` in the image is not that of a build"),
    }
}

fn other_parts(found: &ImageFile<'_>, built: &ImageFile<'_>) -> Vec<String> {
    let differs = |part: Part| {
        let of = |file: &ImageFile<'_>| -> Vec<u8> {
            let parts = file.parts.iter().filter(|(kind, _)| *kind == part);
            parts.flat_map(|(_, bytes)| bytes.iter().copied()).collect()
        };
        of(found) != of(built)
    };
    let all = [Part::Headers, Part::Loader, Part::Kernel, Part::Initialiser];
    let differing = all.into_iter().filter(|part| differs(*part));
    differing.map(|part| format!("{} in the image is not that of a build", part.words())).collect()
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
