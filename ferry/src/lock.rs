//! A directory that only one command uses at a time. Another one that needs it waits, as Cargo does. The lock
//! is a file beside the directory, so who has it may remove the directory.

use crate::file::{self, FileError};
use crate::output::note;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The right to use a directory. It ends when this is dropped, or with the process.
#[must_use]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Takes the directory, and creates it if need be. Waits while somebody else has it.
    pub(crate) fn take(directory: &Path) -> Result<Self, FileError> {
        let mut name = directory.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let above = directory.parent().unwrap_or(directory);
        fs::create_dir_all(above).map_err(file::failed("create", above))?;
        let lock = File::create(&path).map_err(file::failed("create", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                note(format_args!("ferry: waiting for another command that uses {}", directory.display()));
                lock.lock().map_err(file::failed("lock", &path))?;
            }
            Err(TryLockError::Error(cause)) => return Err(file::failed("lock", &path)(cause)),
        }
        // Whoever had it before may have removed it.
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
        Ok(Self(lock))
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_directory_has_one_user_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test");
        let first = Lock::take(&path).unwrap();
        std::fs::remove_dir(&path).unwrap();
        let (sender, taken) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| sender.send(Lock::take(&path)).unwrap());
            assert!(taken.recv_timeout(Duration::from_millis(200)).is_err(), "it is in use");
            drop(first);
            assert!(taken.recv_timeout(Duration::from_secs(10)).unwrap().is_ok());
            assert!(path.is_dir(), "the first user has removed it");
        });
    }
}
