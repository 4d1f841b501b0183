//! Files that commands read and write, and I/O errors together with the paths that they are about.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A file or directory that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} {}: {cause}", path.display())]
pub(crate) struct FileError {
    action: &'static str,
    path: PathBuf,
    cause: io::Error,
}

/// Makes an error for `map_err`. `action` is what could not be done to the file at `path`, as in "could not
/// write …".
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |cause| FileError { action, path, cause }
}

/// Writes a file, and creates its directory if that does not exist.
pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), FileError> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed("create", directory))?;
    }
    fs::write(path, contents).map_err(failed("write", path))
}

/// Refuses a directory into which nothing can be written, before a build for it begins. Makes nothing.
pub(crate) fn check_output(directory: &Path) -> Result<(), FileError> {
    let is_there = |path: &&Path| !path.as_os_str().is_empty() && path.symlink_metadata().is_ok();
    let nearest = directory.ancestors().find(is_there).unwrap_or(Path::new("."));
    tempfile::tempfile_in(nearest).map(drop).map_err(failed("write into", directory))
}

/// The argument `NAME=FILE`, as image builders and the launcher take it. The path need not be UTF-8.
pub(crate) fn argument(name: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(format!("{name}="));
    argument.push(path);
    argument
}
