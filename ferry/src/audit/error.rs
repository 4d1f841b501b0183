//! Why an audit log is not accepted.

use ferry_description::count;
use std::fmt;
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
        "the audit log on the console is not what central wrote, or not all of it: {finding}{}", More(*.more)
    )]
    Console { finding: String, more: usize },
}

/// How many findings there are beside the one that is printed.
struct More(usize);

impl fmt::Display for More {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(formatter, ", and {} more", self.0) }
    }
}
