//! The copy of the tree in which faults are planted. It is kept from run to run, so that only what differs is
//! compiled again.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ferry_faults::{FileError, at};

use crate::Error;

/// The copy, below Cargo's own directory.
pub(crate) struct Tree {
    pub(crate) path: PathBuf,
    /// Where Cargo builds the copy.
    pub(crate) build: PathBuf,
}

impl Tree {
    /// Brings the copy up to date with the tree at `root`: all files that Git tracks or would track.
    pub(crate) fn copy(root: &Path) -> Result<Self, Error> {
        let place = root.join("target/faults");
        let tree = Self { path: place.join("tree"), build: place.join("build") };
        let mut git = Command::new("git");
        git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = git.output().map_err(at(Path::new("git")))?;
        if !output.status.success() {
            return Err(Error::NoTree);
        }
        let names = String::from_utf8(output.stdout).map_err(|_| Error::NoTree)?;
        let names = names.split('\0').filter(|name| !name.is_empty());
        let names: HashSet<&str> = names.filter(|name| root.join(name).symlink_metadata().is_ok()).collect();
        for name in &names {
            tree.restore(root, name)?;
        }
        tree.remove_others(&tree.path, &names)?;
        Ok(tree)
    }

    /// Makes a file of the copy equal to that of the tree at `root`. A file that is equal already is left
    /// alone.
    pub(crate) fn restore(&self, root: &Path, name: &str) -> Result<(), FileError> {
        let (from, to) = (root.join(name), self.path.join(name));
        if let Some(directory) = to.parent() {
            fs::create_dir_all(directory).map_err(at(directory))?;
        }
        if let Ok(target) = fs::read_link(&from) {
            if fs::read_link(&to).is_ok_and(|there| there == target) {
                return Ok(());
            }
            let _ = fs::remove_file(&to);
            return std::os::unix::fs::symlink(target, &to).map_err(at(&to));
        }
        let contents = fs::read(&from).map_err(at(&from))?;
        if fs::read(&to).is_ok_and(|there| there == contents) {
            return Ok(());
        }
        // This copies the permissions too: some files are programs.
        fs::copy(&from, &to).map(drop).map_err(at(&to))?;
        // A copy has the time of its original. With that time Cargo would take what it has compiled, which
        // has the fault in it, to be up to date.
        let now = fs::File::options().append(true).open(&to).map_err(at(&to))?;
        now.set_modified(std::time::SystemTime::now()).map_err(at(&to))
    }

    /// Writes a file of the copy.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), FileError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(at(&path))
    }

    /// Removes files of the copy that are no longer in the tree.
    fn remove_others(&self, directory: &Path, names: &HashSet<&str>) -> Result<(), FileError> {
        for entry in fs::read_dir(directory).map_err(at(directory))? {
            let path = entry.map_err(at(directory))?.path();
            let name = path.strip_prefix(&self.path).unwrap_or(&path);
            // These directories hold what the commands in the copy have made.
            if ["target", "build"].iter().any(|made| name == Path::new(made)) {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                self.remove_others(&path, names)?;
            } else if !name.to_str().is_some_and(|name| names.contains(name)) {
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        Ok(())
    }
}
