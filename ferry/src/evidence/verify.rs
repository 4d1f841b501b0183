//! `ferry evidence --verify`: compares a directory with its `SHA256SUMS`, and says what was changed, what is
//! missing, and what was added. `sha256sum -c` does not see what was added.
//!
//! Who can change the files can change the sums too. So this shows accidents; only a signature of
//! `SHA256SUMS` shows that nobody else wrote it.

use super::error::EvidenceError;
use super::sums::{Sums, is_file};
use crate::digest::sha256;
use crate::error::Error;
use crate::file;
use crate::output::line;
use ferry_description::{count, shown};
use std::fs;
use std::path::Path;

/// Compares, and prints each difference.
pub(super) fn verify(directory: &Path) -> Result<(), Error> {
    let sums = Sums::read(directory)?;
    let mut differences = Vec::new();
    for (name, sum) in &sums.0 {
        let path = directory.join(name);
        if path.symlink_metadata().is_err() {
            differences.push(format!("missing: {name}"));
            continue;
        }
        let is_same = is_file(&path) && {
            let contents = fs::read(&path).map_err(file::failed("read", &path))?;
            sha256(&contents) == *sum
        };
        if !is_same {
            differences.push(format!("changed: {name}"));
        }
    }
    differences.extend(sums.unknown(directory)?.iter().map(|name| format!("added: {name}")));
    for difference in &differences {
        line(format_args!("{}", shown(difference)))?;
    }
    if !differences.is_empty() {
        let (directory, files) = (directory.to_owned(), differences.len());
        return Err(EvidenceError::Differs { directory, files }.into());
    }
    line(format_args!(
        "{}: {}, each as it was written, and nothing else",
        directory.display(),
        count(sums.0.len(), "file")
    ))?;
    Ok(())
}
