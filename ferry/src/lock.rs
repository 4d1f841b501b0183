//! A directory that only one command uses at a time. Another one that needs it waits, as Cargo does.

use crate::file::{self, FileError};
use crate::output::note;
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// The right to use a directory. It ends when this is dropped, or with the process.
#[must_use]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Takes the directory, and creates it if need be. Waits while another process has it.
    pub(crate) fn take(directory: &Path) -> Result<Self, FileError> {
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
        let path = directory.join(".lock");
        let lock = File::create(&path).map_err(file::failed("create", &path))?;
        match lock.try_lock() {
            Ok(()) => return Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => return Err(file::failed("lock", &path)(cause)),
        }
        note(format_args!("ferry: waiting for another command that uses {}", directory.display()));
        lock.lock().map_err(file::failed("lock", &path))?;
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
        let (sender, taken) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| sender.send(Lock::take(&path)).unwrap());
            assert!(taken.recv_timeout(Duration::from_millis(200)).is_err(), "it is in use");
            drop(first);
            assert!(taken.recv_timeout(Duration::from_secs(10)).unwrap().is_ok());
        });
    }
}
