//! What a system starts with that its description does not say: contents of regions, and for tests other
//! priorities.

use crate::file::{self, FileError};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// A region's name and its contents from the first byte on.
pub(crate) type Prefill = (String, Vec<u8>);

/// A domain and the priority that it gets whatever the description says: for tests of what `ferry check`
/// forbids.
pub(crate) type Priority = (&'static str, u8);

/// Writes each of them to a file in `directory`, which is created, and gives them as the words `REGION=FILE`,
/// by which builders and launchers take them.
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
