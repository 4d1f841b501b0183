//! The errors that stop the program before every mutation is tried.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Each error prints one line that says what, where, and what to do.
#[derive(Debug)]
pub(crate) enum Error {
    /// The package does not lie in `layout/mutations` of a workspace.
    NoWorkspace,
    /// This file could not be read, written or run.
    File(PathBuf, io::Error),
    /// The workspace's manifest is not TOML.
    Manifest(PathBuf, toml::de::Error),
    /// The text that a mutation replaces occurs `found` times in the file instead of once.
    Stale { file: &'static str, change: &'static str, found: usize },
    /// A synchronising ordering that no mutation covers.
    Uncovered { file: String, line: usize, text: String },
    /// The copy does not compile, or its tests did not run. Holds the output of cargo.
    Broken(String),
    /// The tests fail without any mutation.
    FailsUnchanged,
}

impl Error {
    /// For `map_err` on operations on `path`.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File(path.to_owned(), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkspace => write!(f, "run it inside the workspace: cargo run -p ferry-mutations"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Manifest(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Stale { file, change, found } => write!(
                f,
                "layout/src/{file}: the text of \"{change}\" occurs {found} times; bring mutations.rs up to date"
            ),
            Self::Uncovered { file, line, text } => write!(
                f,
                "layout/src/{file}:{line}: no mutation covers \"{text}\"; add one to mutations.rs, or use Relaxed"
            ),
            Self::Broken(output) => write!(f, "the copy was not tested:\n{output}"),
            Self::FailsUnchanged => {
                write!(
                    f,
                    "the loom tests fail without any mutation; run \
                     RUSTFLAGS=\"--cfg loom\" cargo test -p ferry-layout --release --test loom first"
                )
            }
        }
    }
}
