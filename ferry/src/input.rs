//! The file that `ferry run` sends: read from disk, or generated. The demo finds it in the region `input`,
//! after a header of two words of 64 bits: the magic number and the length in bytes.

use crate::file::{self, FileError};
use crate::workspace::Workspace;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The region that holds the file.
pub(crate) const REGION: &str = "input";
/// First word of the region.
const MAGIC: [u8; 8] = *b"FERRYIN1";
/// Size of the generated file in bytes. It fills every ring several times, and it is not a multiple of a
/// page.
const GENERATED_BYTES: usize = (1 << 20) + 4097;
/// Size of the largest file in MiB. On the classic platform each page of the file takes two slots of the
/// initialiser's CNode, which has 2^17.
const LARGEST_MIB: u64 = 224;

/// A file to send.
pub(crate) struct Input {
    /// The name to show for it.
    pub(crate) name: String,
    bytes: Vec<u8>,
}

/// Why a file cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("INPUT {}: there is no such file; name one that exists", .0.display())]
    Missing(PathBuf),
    #[error("INPUT {} is a directory; name a file", .0.display())]
    Directory(PathBuf),
    #[error("INPUT {}: {cause}; check its permissions", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("INPUT {} has {bytes} bytes; the classic platform takes at most {LARGEST_MIB} MiB", path.display())]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error(transparent)]
    Generate(#[from] FileError),
}

impl Input {
    /// Reads the file at `path`. Without a path it generates a file in the build directory, which is always
    /// the same.
    pub(crate) fn read(path: Option<&Path>, workspace: &Workspace) -> Result<Self, InputError> {
        let generated = workspace.products().join("generated-input");
        let path = match path {
            Some(path) => path,
            None => generate(&generated)?,
        };
        let unreadable = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => InputError::Missing(path.to_owned()),
            io::ErrorKind::IsADirectory => InputError::Directory(path.to_owned()),
            _ => InputError::Unreadable { path: path.to_owned(), cause },
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(InputError::Directory(path.to_owned()));
        }
        if metadata.len() > LARGEST_MIB << 20 {
            return Err(InputError::TooLarge { path: path.to_owned(), bytes: metadata.len() });
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        Ok(Self { name: path.display().to_string(), bytes })
    }

    /// Length of the file in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The contents of the region.
    pub(crate) fn region(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &self.length().to_le_bytes(), &self.bytes].concat()
    }

    /// The SHA-256 of the file, as 64 hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Writes the generated file, unless it exists.
fn generate(path: &Path) -> Result<&Path, FileError> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == GENERATED_BYTES as u64) {
        return Ok(path);
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
    }
    // A linear congruential generator makes the bytes. So pages differ, and a misplaced page changes the
    // hash.
    let bytes = std::iter::successors(Some(1_u64), |state| {
        Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    });
    let bytes: Vec<u8> =
        bytes.flat_map(|state| (state >> 32).to_le_bytes()[..4].to_vec()).take(GENERATED_BYTES).collect();
    fs::write(path, bytes).map_err(file::failed("write", path))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(directory: &Path) -> Workspace {
        Workspace { root: directory.to_owned(), target: directory.to_owned() }
    }

    #[test]
    fn the_region_has_a_header_and_the_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("input");
        fs::write(&path, b"abc").unwrap();
        let input = Input::read(Some(&path), &workspace(directory.path())).unwrap();
        assert_eq!(input.region(), b"FERRYIN1\x03\0\0\0\0\0\0\0abc");
        assert_eq!(input.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn an_empty_file_is_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("empty");
        fs::write(&path, b"").unwrap();
        let input = Input::read(Some(&path), &workspace(directory.path())).unwrap();
        assert_eq!((input.length(), input.region().len()), (0, 16));
    }

    #[test]
    fn what_cannot_be_sent_is_reported() {
        let directory = tempfile::tempdir().unwrap();
        let workspace = workspace(directory.path());
        let missing = Input::read(Some(&directory.path().join("nothing")), &workspace);
        assert!(matches!(missing, Err(InputError::Missing(_))));
        let directory = Input::read(Some(directory.path()), &workspace);
        assert!(matches!(directory, Err(InputError::Directory(_))));
    }

    #[test]
    fn the_generated_file_is_always_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let first = Input::read(None, &workspace(directory.path())).unwrap();
        let again = Input::read(None, &workspace(directory.path())).unwrap();
        assert_eq!(first.sha256(), again.sha256());
        assert!(first.length() >= 1 << 20 && !first.length().is_multiple_of(4096));
    }
}
