//! The files of the evidence, and how they become a directory: all of them at once, or not at all.

use super::error::EvidenceError;
use super::sums::{SUMS, Sums};
use crate::error::Error;
use crate::file::{self, FileError};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The files that all evidence has. A directory without them holds something else.
pub(super) const INDEX: &str = "index.md";
pub(super) const VERSIONS: &str = "versions.json";
/// The isolation report: for people, for programs, and as a drawing.
pub(super) const REPORT_TEXT: &str = "report.txt";
pub(super) const REPORT: &str = "report.json";
pub(super) const GRAPH: &str = "graph.svg";

/// The files, by their names from the directory on.
#[derive(Default)]
pub(super) struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Adds a file.
    pub(super) fn add(&mut self, name: impl Into<String>, contents: impl Into<Vec<u8>>) {
        self.files.insert(name.into(), contents.into());
    }

    /// Adds a file in JSON.
    pub(super) fn add_json(&mut self, name: &str, contents: &impl Serialize) -> Result<(), Error> {
        self.add(name, serde_json::to_string_pretty(contents)? + "\n");
        Ok(())
    }

    /// The names of the files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Writes the files and their sums, and gives how many there are. They are written beside the directory
    /// and take its place in one step, so a reader sees all of the earlier evidence or all of this.
    pub(super) fn publish(&self, place: &Place) -> Result<usize, Error> {
        // Somebody can have put files there in the meantime.
        let place = Place::of(&place.directory)?;
        let directory = place.directory.as_path();
        let parent = directory.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(file::failed("create", parent))?;
        let beside = tempfile::Builder::new().prefix(".ferry-evidence-").tempdir_in(parent);
        let beside = beside.map_err(file::failed("create", parent))?;
        let new = beside.path().join("new");
        for (name, contents) in &self.files {
            file::write(&new.join(name), contents)?;
        }
        let sums = Sums::of(self.files.iter().map(|(name, contents)| (name.as_str(), contents.as_slice())));
        file::write(&new.join(SUMS), sums.text())?;
        replace(directory, &new, &beside.path().join("old"))?;
        Ok(self.files.len() + 1)
    }
}

/// Puts the directory `new` in the place of another one, which may exist. It can end at `old`.
fn replace(directory: &Path, new: &Path, old: &Path) -> Result<(), FileError> {
    let is_full = fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    if is_full {
        match rustix::fs::renameat_with(CWD, new, CWD, directory, RenameFlags::EXCHANGE) {
            // Not every file system can exchange two directories.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::rename(directory, old).map_err(file::failed("replace", directory))?;
            }
            exchanged => {
                return exchanged.map_err(|cause| file::failed("replace", directory)(cause.into()));
            }
        }
    }
    fs::rename(new, directory).map_err(file::failed("create", directory))
}

/// A directory that evidence may be written to: it does not exist, it is empty, or it holds nothing but
/// earlier evidence.
pub(super) struct Place {
    /// Its path is absolute.
    pub(super) directory: PathBuf,
}

impl Place {
    /// Looks at a directory. Nothing is lost in one that this accepts: files that are no evidence are found.
    pub(super) fn of(directory: &Path) -> Result<Self, Error> {
        let there = resolved(directory).map_err(file::failed("use", directory))?;
        if !there.exists() {
            return Ok(Self { directory: there });
        }
        if !there.is_dir() {
            return Err(EvidenceError::NoDirectory(directory.to_owned()).into());
        }
        if fs::read_dir(&there).map_err(file::failed("read", directory))?.next().is_none() {
            return Ok(Self { directory: there });
        }
        let sums = match Sums::read(&there) {
            Ok(sums) if [INDEX, VERSIONS].iter().all(|name| sums.0.contains_key(*name)) => sums,
            Err(Error::File(error)) => return Err(error.into()),
            _ => return Err(EvidenceError::NotOurs(directory.to_owned()).into()),
        };
        if let Some(file) = sums.unknown(&there)?.into_iter().next() {
            return Err(EvidenceError::WouldBeLost { directory: directory.to_owned(), file }.into());
        }
        Ok(Self { directory: there })
    }
}

/// The path without links and without steps back, as far as it exists. Of a link, this is what it leads to.
fn resolved(directory: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(directory)?;
    let found = absolute.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    Ok(match found {
        Some((above, there)) => match absolute.strip_prefix(above) {
            Ok(rest) if !rest.as_os_str().is_empty() => there.join(rest),
            _ => there,
        },
        None => absolute,
    })
}

#[cfg(test)]
mod tests {
    use super::resolved;
    use std::fs;

    #[test]
    fn a_directory_has_one_path_whether_it_exists_or_not() {
        let made = tempfile::tempdir().unwrap();
        let here = made.path().canonicalize().unwrap();
        fs::create_dir(here.join("project")).unwrap();
        std::os::unix::fs::symlink(here.join("project"), here.join("link")).unwrap();
        for path in ["project/../new", "link/../new", "new"] {
            assert_eq!(resolved(&here.join(path)).unwrap(), here.join("new"), "{path}");
        }
        assert_eq!(resolved(&here.join("link/a/b")).unwrap(), here.join("project/a/b"));
        assert_eq!(resolved(&here.join("link")).unwrap(), here.join("project"));
    }
}
