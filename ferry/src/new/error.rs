//! Why there is no new project.

use std::path::PathBuf;

/// How the names of Ferry's own packages begin.
pub(super) const FERRYS: &str = "ferry-";

/// Why there is no new project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    #[error("{} exists and is not an empty directory; name another one", .0.display())]
    Exists(PathBuf),
    #[error(
        "`{0}` is no name for a package: it must begin with a letter and consist of letters, digits, `-` and `_`; \
         name another directory"
    )]
    Name(String),
    #[error(
        "names that begin with `{FERRYS}` belong to the packages of Ferry, and Cargo takes no two alike; name another directory"
    )]
    Ferrys,
    #[error("a project in C has no Cargo package that could name a git repository; leave out --git")]
    NoPackage,
    #[error("`{0}` is no address of a git repository: it contains a quotation mark or a line end")]
    Address(String),
}
