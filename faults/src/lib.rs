//! What both programs of this package read: files, and tables in TOML.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is not the table that it should be.
    #[error("{}: {error}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The place in it, and what is wrong there.
        error: toml::de::Error,
    },
}

/// Turns an I/O error of an operation on `path` into an error with that path, for `map_err`.
pub fn at(path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    move |error| FileError::File { path: path.to_owned(), error }
}

/// Reads the table of a file.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn table<T: DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    let text = fs::read_to_string(path).map_err(at(path))?;
    toml::from_str(&text).map_err(|error| FileError::Table { path: path.to_owned(), error })
}
