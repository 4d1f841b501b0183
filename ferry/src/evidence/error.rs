//! Why there is no evidence, or why it does not say that all is well.

use ferry_description::count;
use std::path::PathBuf;

/// Why `ferry evidence` ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvidenceError {
    #[error(
        "{} is not empty and holds no evidence that `ferry evidence` wrote; name a new directory", .0.display()
    )]
    NotOurs(PathBuf),
    #[error("{} is no directory; name another one", .0.display())]
    NoDirectory(PathBuf),
    #[error(
        "{} holds `{file}`, which is not of the evidence and would be lost; move it elsewhere, or name a new \
         directory", directory.display()
    )]
    WouldBeLost { directory: PathBuf, file: String },
    #[error("{} holds no evidence: {sums} is missing; name a directory that `ferry evidence` wrote",
        directory.display())]
    NoSums { directory: PathBuf, sums: &'static str },
    #[error(
        "{}:{line}: this is no line of SHA-256 sums, which is 64 digits, two blanks, and the name of a file \
         below the directory; make the evidence again, or get it again from who made it", path.display()
    )]
    BadSums { path: PathBuf, line: usize },
    #[error(
        "{} is not as it was written, in {}; make the evidence again, or get it again from who made it",
        directory.display(), count(*files, "file")
    )]
    Differs { directory: PathBuf, files: usize },
    #[error("the evidence is in {}, and it does not say that all is well: {what}", directory.display())]
    NotWell { directory: PathBuf, what: String },
}
