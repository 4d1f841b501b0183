//! The text of a file and places in it. A [`Place`] keeps its file alive, so a mistake can be shown long
//! after the description that it is about was dropped.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of the description: its text and the name to show for it.
#[derive(Clone, Debug)]
pub struct Source(Arc<Text>);

#[derive(Debug)]
struct Text {
    path: PathBuf,
    text: String,
}

impl Source {
    /// Makes a source from text in memory. `path` is only shown.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self(Arc::new(Text { path: path.into(), text: text.into() }))
    }

    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::new(path, text)),
            Err(cause) => Err(ReadError { path: path.to_owned(), cause }),
        }
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
#[error("{}: {cause}; name another file with --system or --flows", path.display())]
pub struct ReadError {
    path: PathBuf,
    #[source]
    cause: io::Error,
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
