//! What the image and the programs are: their hashes, and what reading the image back found. The image is
//! the one that `ferry image` builds from the same sources with the same options.

use super::bundle::Bundle;
use super::gaps::Gaps;
use super::subject::{FORMAT, Subject};
use super::versions;
use crate::built::Built;
use crate::classic::Classic;
use crate::digest::sha256;
use crate::error::Error;
use crate::file;
use crate::hosted::Hosted;
use crate::inspect;
use crate::microkit::{self, Inspection, Microkit, MicrokitError, SdkError};
use crate::search::Origin;
use crate::target::{Platform, Selection};
use ferry_description::Domain;
use serde::Serialize;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The hashes of an image's files, as `sha256sum` checks them in the directory of `ferry image`.
pub(super) const IMAGE_SUMS: &str = "image/SHA256SUMS";
pub(super) const HASHES: &str = "image/hashes.json";
pub(super) const LOCK: &str = "image/Cargo.lock";
pub(super) const INSPECTION: &str = "inspect.txt";

/// `image/hashes.json`.
#[derive(Serialize)]
struct Hashes {
    format: u32,
    /// The files of the image, as `ferry image` names them.
    image: Vec<Hash>,
    /// The programs of the protection domains, as they were compiled.
    programs: Vec<Program>,
    /// What else is in the image, or starts the system.
    others: Vec<Hash>,
    /// What regions are filled with.
    contents: Vec<Hash>,
}

/// A file.
#[derive(Serialize)]
struct Hash {
    name: String,
    bytes: usize,
    sha256: String,
}

/// The program of a protection domain.
#[derive(Serialize)]
struct Program {
    domain: String,
    /// Its path in the system description.
    path: String,
    origin: Origin,
    /// What it was compiled for. Null for a program that was there already.
    rust_target: Option<String>,
    bytes: usize,
    sha256: String,
}

impl Hash {
    fn of(name: impl Into<String>, contents: &[u8]) -> Self {
        Self { name: name.into(), bytes: contents.len(), sha256: sha256(contents) }
    }

    fn of_file(name: &str, path: &Path) -> Result<Self, Error> {
        Ok(Self::of(name, &fs::read(path).map_err(file::failed("read", path))?))
    }
}

/// What a platform has built.
struct Products {
    built: Built,
    image: Vec<Hash>,
    others: Vec<Hash>,
    /// What reading the image back found, and whether it is what it should be.
    inspection: Option<(String, bool)>,
}

/// Builds everything, and adds what it is. Gives the platform for the tests; none if this machine cannot
/// build for it.
pub(super) fn build(
    subject: &Subject<'_>,
    bundle: &mut Bundle,
    gaps: &mut Gaps,
) -> Result<Option<Arc<Built>>, Error> {
    let products = match subject.target.platform {
        Platform::Hosted => hosted(subject, gaps)?,
        Platform::Classic => classic(subject)?,
        Platform::Microkit => match microkit(subject) {
            Err(Error::Sdk(SdkError::Missing)) => {
                let why = "no Microkit SDK was found; set MICROKIT_SDK";
                for file in [IMAGE_SUMS, HASHES, LOCK, INSPECTION] {
                    gaps.missing(file, why);
                }
                gaps.failure("nothing was built, because no Microkit SDK was found");
                return Ok(None);
            }
            products => products?,
        },
    };
    let Products { built, image, others, inspection } = products;
    if !image.is_empty() {
        let sums = image.iter().fold(String::new(), |mut text, hash| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}  {}", hash.sha256, hash.name);
            text
        });
        bundle.add(IMAGE_SUMS, sums);
    }
    if let Some((text, is_right)) = inspection {
        if !is_right {
            gaps.failure(format!("the image is not what the description says ({INSPECTION})"));
        }
        bundle.add(INSPECTION, text + "\n");
    }
    let programs = programs(subject, &built)?;
    let hashes = Hashes { format: FORMAT, image, programs, others, contents: contents(subject)? };
    bundle.add_json(HASHES, &hashes)?;
    match subject.project.lock(subject.target.platform) {
        Some(lock) => bundle.add(LOCK, fs::read(&lock).map_err(file::failed("read", &lock))?),
        None => gaps.missing(LOCK, "the project has no Cargo package"),
    }
    Ok(Some(Arc::new(built)))
}

fn hosted(subject: &Subject<'_>, gaps: &mut Gaps) -> Result<Products, Error> {
    let Subject { target, project, workspace, .. } = subject;
    let hosted = Hosted::build(workspace, Selection::System, target.processors, project)
        .map_err(crate::built::BuiltError::from)?;
    for file in [IMAGE_SUMS, INSPECTION] {
        gaps.missing(file, "the hosted platform has no image: its protection domains are Linux processes");
    }
    let others = vec![Hash::of_file("launcher", hosted.launcher())?];
    Ok(Products { built: Built::Hosted(hosted), image: Vec::new(), others, inspection: None })
}

fn classic(subject: &Subject<'_>) -> Result<Products, Error> {
    let Subject { project, workspace, prefills, description, directory, .. } = subject;
    let classic = Classic::build(workspace, Selection::System, project)?;
    let image = classic.write_image(description, prefills, &directory.join("system.elf"))?;
    let written = fs::read(&image.system).map_err(file::failed("read", &image.system))?;
    let (differences, compared) = classic.inspect(description, prefills, &written)?;
    let inspection = match inspect::result(&differences, compared) {
        Err(differs @ Error::ImageDiffers { .. }) => (differs.to_string(), false),
        compared => (compared?, true),
    };
    let hashes = vec![Hash::of_file("kernel.elf", &image.kernel)?, Hash::of("system.elf", &written)];
    let others = vec![Hash::of("initialiser", classic.initialiser())];
    Ok(Products { built: Built::Classic(classic), image: hashes, others, inspection: Some(inspection) })
}

fn microkit(subject: &Subject<'_>) -> Result<Products, Error> {
    let Subject { target, project, workspace, prefills, description, directory, .. } = subject;
    let microkit = Microkit::build(workspace, target.board, target.config, Selection::System, project)?;
    let image = if subject.product { microkit.for_products() } else { microkit.clone() };
    image.image(&project.files, description, prefills, &[], directory)?;
    let inspection =
        match image.inspect(&directory.join(microkit::IMAGE), &project.files, description, prefills)? {
            Inspection::Equal(compared) => (compared, true),
            Inspection::Differs(lines) => {
                (Error::ImageDiffers { count: lines.len(), lines: lines.join("\n  ") }.to_string(), false)
            }
        };
    let files = [microkit::KERNEL, microkit::IMAGE].into_iter().map(|name| (name, directory.join(name)));
    let files = files.filter(|(_, path)| path.is_file());
    let hashes = files.map(|(name, path)| Hash::of_file(name, &path)).collect::<Result<_, _>>()?;
    let others = image.others().map(|(name, path)| Hash::of_file(name, &path));
    let others = others.collect::<Result<_, _>>()?;
    Ok(Products { built: Built::Microkit(microkit), image: hashes, others, inspection: Some(inspection) })
}

/// The programs of all protection domains.
fn programs(subject: &Subject<'_>, built: &Built) -> Result<Vec<Program>, Error> {
    let host = versions::host();
    let target_of = |domain: &Domain| built.rust_target(domain).map(ToOwned::to_owned).or(host.clone());
    let domains = subject.description.system.domains.iter();
    let programs = domains.map(|domain| {
        let contents = built.program(domain)?;
        let origin = built.origin(domain);
        Ok(Program {
            domain: domain.name.clone(),
            path: domain.program.clone(),
            origin,
            rust_target: target_of(domain).filter(|_| origin != Origin::Ready),
            bytes: contents.len(),
            sha256: sha256(&contents),
        })
    });
    programs.collect()
}

/// What fills regions: files of the description, and those of `--prefill`.
fn contents(subject: &Subject<'_>) -> Result<Vec<Hash>, Error> {
    let given = subject.prefills.iter().map(|(region, contents)| Ok(Hash::of(region.as_str(), contents)));
    let regions = subject.description.system.regions.iter();
    // The description says none for regions that a caller fills.
    let stated =
        regions.filter_map(|region| region.prefill.as_ref().map(|path| Hash::of_file(&region.name, path)));
    given.chain(stated).collect()
}

/// Whether there is something that boots the image.
pub(super) fn boots(subject: &Subject<'_>) -> Result<(), MicrokitError> {
    if subject.target.platform == Platform::Microkit {
        Microkit::emulated(subject.target.board)?;
    }
    Ok(())
}
