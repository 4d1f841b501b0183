//! Why an audit log is not accepted.

use ferry_description::count;
use std::path::PathBuf;

/// Why a log is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    #[error("{}: {cause}", file.display())]
    NotKept { file: PathBuf, cause: ferry_audit::NotKept },
    #[error("{}: there is no record in it", file.display())]
    NoRecord { file: PathBuf },
    #[error("{}: this log is not what central wrote, or not all of it: {}", file.display(), count(*findings, "finding"))]
    Broken { file: PathBuf, findings: usize },
    #[error(
        "the audit log on the console is not what central wrote, or not all of it: {finding}, and {more} more"
    )]
    Test { finding: String, more: usize },
}
