//! What a system starts with besides its description: contents of regions, and, for tests, other priorities.

use crate::file::{self, FileError};
use crate::target::Platform;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Size of the largest file in MiB. On the classic platform each page of the file takes two slots of the
/// initialiser's CNode, which has 2^17.
const LARGEST_ON_CLASSIC: u64 = 224;
/// The same on other platforms: half of what the emulated boards have.
const LARGEST: u64 = 1024;

/// Why a region cannot be filled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrefillError {
    #[error("{}: there is no such file; name one that exists", .0.display())]
    Missing(PathBuf),
    #[error("{} is a directory, a pipe or a device; name a file", .0.display())]
    NoFile(PathBuf),
    #[error("{}: {cause}; check its permissions", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("{} has {bytes} bytes; a system on {platform} takes at most {limit} MiB", path.display())]
    TooLarge { path: PathBuf, bytes: u64, platform: &'static str, limit: u64 },
}

/// The name of a region, and its contents from the first byte on.
pub(crate) type Prefill = (String, Vec<u8>);

/// The name of a protection domain, and the priority that replaces the one of its description. Tests use this
/// for priorities that `ferry check` forbids.
pub(crate) type Priority = (&'static str, u8);

/// Writes each prefill to a file in `directory`, which is created if it does not exist. Returns the arguments
/// `REGION=FILE` that image builders and the launcher take.
pub(crate) fn write(prefills: &[Prefill], directory: &Path) -> Result<Vec<OsString>, FileError> {
    fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
    prefills
        .iter()
        .map(|(region, contents)| {
            let path = directory.join(region).with_extension("prefill");
            fs::write(&path, contents).map_err(file::failed("write", &path))?;
            Ok(file::argument(region, &path))
        })
        .collect()
}

/// Reads the files of `--prefill`.
pub(crate) fn read(files: &[(String, PathBuf)], platform: Platform) -> Result<Vec<Prefill>, PrefillError> {
    files.iter().map(|(region, path)| Ok((region.clone(), contents(path, platform)?))).collect()
}

/// The contents of a file that a machine of this platform can hold.
fn contents(path: &Path, platform: Platform) -> Result<Vec<u8>, PrefillError> {
    let path_of = || path.to_owned();
    let unreadable = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => PrefillError::Missing(path_of()),
        _ => PrefillError::Unreadable { path: path_of(), cause },
    };
    // A pipe or a device may never end, so it is not even opened.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PrefillError::NoFile(path_of()));
    }
    let limit = match platform {
        Platform::Classic => LARGEST_ON_CLASSIC,
        Platform::Hosted | Platform::Microkit => LARGEST,
    };
    if metadata.len() > limit << 20 {
        return Err(PrefillError::TooLarge {
            path: path_of(),
            bytes: metadata.len(),
            platform: platform.name(),
            limit,
        });
    }
    fs::read(path).map_err(unreadable)
}

/// The regions, and the bytes that each must have at least.
pub(crate) fn sizes(prefills: &[Prefill]) -> Vec<(&str, u64)> {
    prefills.iter().map(|(region, contents)| (region.as_str(), contents.len() as u64)).collect()
}
