//! Writes several files, all or none. Each is written to a temporary file beside it first, with a copy of
//! what it replaces. Then each takes its place by renaming. If one of these steps fails, those before it are
//! undone.
//!
//! Not guaranteed: that a machine which loses power between two renames has all or none. Each file by itself
//! is old or new then, and `ferry check` says what does not fit.

use crate::file::{self, FileError};
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// A file that is to be changed, made or removed.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// What is in it now. None if it does not exist.
    pub(super) before: Option<String>,
    /// What shall be in it. None if it shall not exist.
    pub(super) after: Option<String>,
}

/// Why files were not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("{0}; nothing was changed")]
    Undone(FileError),
    #[error("{failed}; {undo}: put back by hand what it held before")]
    Halfway { failed: FileError, undo: FileError },
}

/// A change that only has to be renamed into its place.
struct Prepared {
    path: PathBuf,
    new: Option<NamedTempFile>,
    old: Option<NamedTempFile>,
}

/// Makes all changes or none. Directories that are missing are made.
pub(super) fn write(changes: Vec<Change>) -> Result<(), WriteError> {
    let changes = changes.into_iter().filter(|change| change.before != change.after);
    let mut made = Directories::default();
    let prepared: Result<Vec<Prepared>, FileError> =
        changes.map(|change| prepare(change, &mut made)).collect();
    let prepared = prepared.map_err(WriteError::Undone)?;
    let mut done: Vec<(PathBuf, Option<NamedTempFile>)> = Vec::new();
    for Prepared { path, new, old } in prepared {
        if let Err(cause) = put(new, &path, old.is_some()) {
            let failed = file::failed("write", &path)(cause);
            return Err(undo(done, failed));
        }
        done.push((path, old));
    }
    made.keep();
    Ok(())
}

fn prepare(change: Change, made: &mut Directories) -> Result<Prepared, FileError> {
    // A symbolic link stays one: its target is changed.
    let path = fs::canonicalize(&change.path).unwrap_or(change.path);
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => &path,
    };
    made.make(directory)?;
    let permissions = fs::metadata(&path).ok().map(|metadata| metadata.permissions());
    let temporary = |text: Option<String>| {
        let text = text.map(|text| beside(directory, &text, permissions.as_ref()));
        text.transpose().map_err(file::failed("write a file beside", &path))
    };
    let (new, old) = (temporary(change.after)?, temporary(change.before)?);
    Ok(Prepared { path, new, old })
}

/// A temporary file in a directory.
fn beside(directory: &Path, text: &str, permissions: Option<&Permissions>) -> io::Result<NamedTempFile> {
    // Of these permissions the system takes away what new files do not get.
    let mut builder = Builder::new();
    let mut file =
        builder.prefix(".ferry-").permissions(Permissions::from_mode(0o666)).tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions.clone())?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

fn put(new: Option<NamedTempFile>, path: &Path, exists: bool) -> io::Result<()> {
    match new {
        Some(new) if exists => new.persist(path).map(drop).map_err(|error| error.error),
        Some(new) => new.persist_noclobber(path).map(drop).map_err(|error| error.error),
        None => fs::remove_file(path),
    }
}

/// Puts back what was there before, the last change first.
fn undo(done: Vec<(PathBuf, Option<NamedTempFile>)>, failed: FileError) -> WriteError {
    for (path, old) in done.into_iter().rev() {
        let undone = match old {
            Some(old) => old.persist(&path).map(drop).map_err(|error| error.error),
            None => fs::remove_file(&path),
        };
        if let Err(cause) = undone {
            return WriteError::Halfway { failed, undo: file::failed("put back", &path)(cause) };
        }
    }
    WriteError::Undone(failed)
}

/// Directories that were made. They are removed again unless they are kept.
#[derive(Default)]
struct Directories(Vec<PathBuf>);

impl Directories {
    fn make(&mut self, directory: &Path) -> Result<(), FileError> {
        let missing: Vec<&Path> = directory.ancestors().take_while(|above| !above.exists()).collect();
        for directory in missing.into_iter().rev().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir(directory).map_err(file::failed("create", directory))?;
            self.0.push(directory.to_owned());
        }
        Ok(())
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Directories {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            // If somebody has put something into it meanwhile, it stays.
            let _ = fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, write};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn change(path: &Path, before: Option<&str>, after: Option<&str>) -> Change {
        Change { path: path.to_owned(), before: before.map(Into::into), after: after.map(Into::into) }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_changed_made_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "new/c"].map(|name| directory.path().join(name));
        fs::write(&a, "1").unwrap();
        fs::set_permissions(&a, fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(&b, "2").unwrap();
        let changes =
            vec![change(&a, Some("1"), Some("3")), change(&b, Some("2"), None), change(&c, None, Some("4"))];
        write(changes).unwrap();
        assert_eq!(fs::read_to_string(&a).unwrap(), "3");
        assert_eq!(fs::metadata(&a).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_to_string(&c).unwrap(), "4");
        assert_eq!(names(directory.path()), ["a", "new"]);
    }

    #[test]
    fn if_one_cannot_be_written_those_before_are_put_back() {
        let directory = tempfile::tempdir().unwrap();
        let [a, b, c, d] = ["a", "b", "new/c", "d"].map(|name| directory.path().join(name));
        fs::write(&a, "1").unwrap();
        fs::write(&b, "2").unwrap();
        // Somebody has made a file of this name meanwhile.
        fs::write(&d, "5").unwrap();
        let changes = vec![
            change(&a, Some("1"), Some("3")),
            change(&b, Some("2"), None),
            change(&c, None, Some("4")),
            change(&d, None, Some("6")),
        ];
        let error = write(changes).unwrap_err().to_string();
        assert!(error.starts_with("could not write ") && error.ends_with("; nothing was changed"), "{error}");
        assert_eq!(names(directory.path()), ["a", "b", "d"]);
        let contents = [&a, &b, &d].map(|path| fs::read_to_string(path).unwrap());
        assert_eq!(contents, ["1", "2", "5"]);
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        fs::write(&file, "1").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(vec![change(&link, Some("1"), Some("2"))]).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "2");
    }
}
