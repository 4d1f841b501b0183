//! Why a project's tests cannot run.

use crate::prefill::PrefillError;
use std::path::PathBuf;

/// Why tests cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    #[error("{}: there is no such file; it lists the tests of a project, see docs/projects.md", .0.display())]
    Missing(PathBuf),
    #[error("{}: {}\ndocs/projects.md lists every key and its values", path.display(), cause.to_string().trim_end())]
    Syntax { path: PathBuf, cause: Box<toml::de::Error> },
    #[error("{}: two tests have the name `{name}`; give one of them another name", path.display())]
    Twice { path: PathBuf, name: String },
    #[error("{}, test `{test}`: {cause}", path.display())]
    Prefill { path: PathBuf, test: String, cause: PrefillError },
}
