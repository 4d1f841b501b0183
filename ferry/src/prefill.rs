//! What a system starts with besides its description: contents of regions, and, for tests, other priorities.

use crate::file::{self, FileError};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

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
            let mut word = OsString::from(format!("{region}="));
            word.push(&path);
            Ok(word)
        })
        .collect()
}

/// Reads the files of `--prefill`.
pub(crate) fn read(files: &[(String, PathBuf)]) -> Result<Vec<Prefill>, FileError> {
    let read = |(region, path): &(String, PathBuf)| {
        Ok((region.clone(), fs::read(path).map_err(file::failed("read", path))?))
    };
    files.iter().map(read).collect()
}

/// The regions, and the bytes that each must have at least.
pub(crate) fn sizes(prefills: &[Prefill]) -> Vec<(&str, u64)> {
    prefills.iter().map(|(region, contents)| (region.as_str(), contents.len() as u64)).collect()
}
