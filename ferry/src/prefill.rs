//! What regions are filled with before a system starts.

use crate::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// A region's name and its contents from the first byte on.
pub(crate) type Prefill = (String, Vec<u8>);

/// Writes each of them to a file in `directory`, which is created, and gives them as the words `REGION=FILE`, by which
/// builders and launchers take them.
pub(crate) fn write(prefills: &[Prefill], directory: &Path) -> Result<Vec<OsString>, Error> {
    fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    prefills
        .iter()
        .map(|(region, contents)| {
            let path = directory.join(region).with_extension("prefill");
            fs::write(&path, contents).map_err(Error::file("write", &path))?;
            let mut word = OsString::from(format!("{region}="));
            word.push(&path);
            Ok(word)
        })
        .collect()
}
