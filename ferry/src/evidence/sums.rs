//! `SHA256SUMS`: the sums of all files of the evidence, as `sha256sum` writes and checks them, and the files
//! that are in a directory.

use super::error::EvidenceError;
use crate::digest::sha256;
use crate::error::Error;
use crate::file;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// The file with the sums.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Sums by the names of files, from the directory on.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Sums(pub(super) BTreeMap<String, String>);

impl Sums {
    /// The sums of these files.
    pub(super) fn of<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        Self(files.map(|(name, contents)| (name.to_owned(), sha256(contents))).collect())
    }

    /// The text of the file.
    pub(super) fn text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (name, sum)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{sum}  {name}");
            text
        })
    }

    /// Reads the sums of a directory.
    pub(super) fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(SUMS);
        let missing = || EvidenceError::NoSums { directory: directory.to_owned(), sums: SUMS };
        if !is_file(&path) {
            return Err(missing().into());
        }
        let bytes = fs::read(&path).map_err(file::failed("read", &path))?;
        let parsed = Self::parse(&String::from_utf8_lossy(&bytes));
        Ok(parsed.map_err(|line| EvidenceError::BadSums { path, line })?)
    }

    /// Reads the text of the file. The error is the number of the line that is none.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut sums = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let (sum, name) = line.split_once("  ").ok_or(number)?;
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_sum = sum.len() == 64 && sum.bytes().all(is_digit);
            // Nothing outside of the directory is looked at, whoever wrote the sums.
            let is_inside = |part| matches!(part, Component::Normal(_));
            if !is_sum || name.is_empty() || !Path::new(name).components().all(is_inside) {
                return Err(number);
            }
            if sums.insert(name.to_owned(), sum.to_owned()).is_some() {
                return Err(number);
            }
        }
        Ok(Self(sums))
    }

    /// What is in the directory and has no sum.
    pub(super) fn unknown(&self, directory: &Path) -> Result<Vec<String>, Error> {
        let mut found = found(directory)?;
        found.retain(|name| name != SUMS && !self.0.contains_key(name));
        Ok(found.into_iter().collect())
    }
}

/// Whether this is a file. A link is none: it could lead out of the directory.
pub(super) fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}

/// All that is below a directory: files, links, and directories without either.
fn found(directory: &Path) -> Result<BTreeSet<String>, Error> {
    fn walk(here: &Path, name: &str, found: &mut BTreeSet<String>) -> Result<(), (PathBuf, io::Error)> {
        let failed = |cause| (here.to_owned(), cause);
        let mut is_empty = true;
        for entry in fs::read_dir(here).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            is_empty = false;
            let name = format!("{name}{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(failed)?.is_dir() {
                walk(&entry.path(), &format!("{name}/"), found)?;
            } else {
                found.insert(name);
            }
        }
        if is_empty && !name.is_empty() {
            found.insert(name.to_owned());
        }
        Ok(())
    }
    let mut found = BTreeSet::new();
    walk(directory, "", &mut found).map_err(|(path, cause)| file::failed("read", &path)(cause))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Sums;

    #[test]
    fn what_is_written_is_read() {
        let sums = Sums::of([("a", &b"one"[..]), ("b/c d", b"two")].into_iter());
        assert_eq!(Sums::parse(&sums.text()), Ok(sums));
    }

    #[test]
    fn what_is_no_sum_is_refused_with_its_line() {
        let sum = "0".repeat(64);
        assert!(Sums::parse(&format!("{sum}  a\n{sum}  b/c\n")).is_ok());
        for line in [
            format!("{sum} a"),
            format!("{}  a", &sum[1..]),
            format!("{}G  a", &sum[1..]),
            format!("{sum}  "),
            format!("{sum}  ../a"),
            format!("{sum}  /etc/passwd"),
            format!("{sum}  b/../../a"),
            format!("{sum}  first"),
            String::new(),
        ] {
            assert_eq!(Sums::parse(&format!("{sum}  first\n{line}\n")), Err(2), "{line}");
        }
    }
}
