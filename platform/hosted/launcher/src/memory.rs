//! Regions as memory files.
//!
//! Their size is sealed, so that nobody can take away pages that another process has mapped; that would kill
//! the other process. A region that nobody may write is sealed against writing altogether. Each process gets
//! the memory as an open file of its own, with a position and a mode that nobody else has. A process that may
//! only read gets the file opened read-only, and such a mapping cannot be made writable afterwards.

use crate::error::LaunchError;
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// Bytes of the longest name that Linux takes for a memory file.
const LONGEST_NAME: usize = 249;

/// The memory of one region.
pub(crate) struct Memory(File);

impl Memory {
    /// Memory of `bytes` bytes that begins with `contents` and is zero after that. `constant` says that
    /// nobody may write it.
    pub(crate) fn new(name: &str, bytes: u64, contents: &[u8], constant: bool) -> Result<Self, LaunchError> {
        // The name is only for people who look into /proc. Linux refuses long ones.
        let name = &name[..name.floor_char_boundary(LONGEST_NAME)];
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file =
            rustix::fs::memfd_create(name, flags).map_err(LaunchError::linux("create a memory file"))?;
        let file = File::from(file);
        file.set_len(bytes).map_err(LaunchError::linux("size a memory file"))?;
        file.write_all_at(contents, 0).map_err(LaunchError::linux("fill a memory file"))?;
        let mut seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        seals.set(SealFlags::WRITE, constant);
        rustix::fs::fcntl_add_seals(&file, seals).map_err(LaunchError::linux("seal a memory file"))?;
        Ok(Self(file))
    }

    /// Another open file for it, for reading only or for reading and writing.
    pub(crate) fn open(&self, writable: bool) -> Result<OwnedFd, LaunchError> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        let access = if writable { OFlags::RDWR } else { OFlags::RDONLY };
        rustix::fs::open(path, access | OFlags::CLOEXEC, Mode::empty())
            .map_err(LaunchError::linux("open a memory file again"))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_NAME, Memory};
    use rustix::fs::{SealFlags, fcntl_add_seals, ftruncate};
    use rustix::io::{Errno, pwrite};

    #[test]
    fn nobody_changes_the_size_of_a_region_or_writes_a_constant_one() {
        for constant in [false, true] {
            let file = Memory::new("region", 0x2000, b"contents", constant).unwrap().open(true).unwrap();
            assert_eq!(ftruncate(&file, 0x1000), Err(Errno::PERM), "it cannot be made smaller");
            assert_eq!(ftruncate(&file, 0x3000), Err(Errno::PERM), "or larger");
            assert_eq!(fcntl_add_seals(&file, SealFlags::WRITE), Err(Errno::PERM), "its seals stay");
            assert_eq!(pwrite(&file, b"x", 0).is_ok(), !constant);
        }
    }

    #[test]
    fn a_region_may_have_a_long_name() {
        for bytes in [LONGEST_NAME, LONGEST_NAME + 1, 4096] {
            Memory::new(&"n".repeat(bytes), 0x1000, &[], false).unwrap();
        }
    }
}
