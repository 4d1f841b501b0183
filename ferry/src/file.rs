//! An I/O error, together with the path that it is about.

use std::io;
use std::path::{Path, PathBuf};

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
