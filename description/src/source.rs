//! The text of a file and places in it. A [`Place`] keeps its file alive, so a mistake can be shown long
//! after the description that it is about was dropped.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of the description: its text and the name to show for it.
#[derive(Clone, Debug)]
pub struct Source(Arc<Contents>);

#[derive(Debug)]
struct Contents {
    path: PathBuf,
    text: String,
    /// Where files that the text names are looked for, in this order.
    directories: Vec<PathBuf>,
}

impl Source {
    /// Makes a source from text in memory. `path` is only shown.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self(Arc::new(Contents { path: path.into(), text: text.into(), directories: Vec::new() }))
    }

    /// The same source. Files that it names are looked for in these directories.
    #[must_use]
    pub fn with_directories(&self, directories: Vec<PathBuf>) -> Self {
        let Contents { path, text, .. } = self.0.as_ref();
        Self(Arc::new(Contents { path: path.clone(), text: text.clone(), directories }))
    }

    /// Reads the file at `path`. Files that it names are looked for in its own directory first, then in the
    /// current one, as Microkit's tool does.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = std::fs::read(path).map_err(|cause| ReadError::File { path: path.to_owned(), cause })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
            let last = before.rsplit('\n').next().unwrap_or_default();
            ReadError::NotUtf8 {
                path: path.to_owned(),
                line: before.split('\n').count(),
                column: last.chars().count() + 1,
                byte: error.as_bytes().get(valid).copied().unwrap_or_default(),
            }
        })?;
        let own = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self::new(path, text).with_directories(vec![own, PathBuf::new()]))
    }

    /// Where files that the text names are looked for, in this order.
    #[must_use]
    pub fn directories(&self) -> &[PathBuf] {
        &self.0.directories
    }

    /// The file that the text calls `name`: the first that exists.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        // Only the kind of the file is looked at. A device would never end.
        self.0.directories.iter().map(|directory| directory.join(name)).find(|path| path.is_file())
    }

    /// The file's name, as the caller gave it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// A place in this file.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Place {
        Place { source: self.clone(), span }
    }
}

/// A file of the description could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened.
    #[error("{}: {cause}; name another file with --system or --flows", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is no text.
    #[error(
        "{}:{line}:{column}: the byte {byte:#04x} is not UTF-8; save the file in UTF-8, or remove the byte",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line of the first byte that is wrong, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
        /// The byte.
        byte: u8,
    },
}

/// A range of bytes in a file of the description.
#[derive(Clone)]
pub struct Place {
    pub(crate) source: Source,
    pub(crate) span: Range<usize>,
}

impl Place {
    /// The line on which it begins, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        let before = self.source.text().get(..self.span.start).unwrap_or(self.source.text());
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    /// The file that it is in.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.source.path().display(), self.line())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
