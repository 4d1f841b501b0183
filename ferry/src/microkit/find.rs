//! Finds the Microkit SDK: in the directory that `MICROKIT_SDK` names, else in one fixed place.

use std::path::PathBuf;

/// The version of the SDK that the platform is written for.
const VERSION: &str = "2.3.0";

/// A Microkit SDK.
#[derive(Clone, Debug)]
pub(crate) struct Sdk {
    pub(crate) directory: PathBuf,
}

/// There is no usable SDK.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SdkError {
    #[error(
        "the Microkit platform needs the Microkit SDK {VERSION}, which no package registry has. Get it from the releases of \
         seL4's Microkit (github.com/seL4/microkit), unpack it, and set MICROKIT_SDK to its directory; or unpack it as \
         ~/.local/share/microkit-sdk-{VERSION}, where it is found without. `make run` without PLATFORM needs no SDK."
    )]
    Missing,
    #[error("MICROKIT_SDK is {}, and there is no bin/microkit in it; set it to the directory of an unpacked SDK {VERSION}", .0.display())]
    Wrong(PathBuf),
    #[error(transparent)]
    Board(#[from] ferry_boards::sdk::SdkError),
}

impl Sdk {
    /// Finds the SDK.
    pub(crate) fn find() -> Result<Self, SdkError> {
        let is_sdk = |directory: &PathBuf| directory.join("bin/microkit").is_file();
        if let Some(directory) = std::env::var_os("MICROKIT_SDK").map(PathBuf::from) {
            return if is_sdk(&directory) { Ok(Self { directory }) } else { Err(SdkError::Wrong(directory)) };
        }
        let home = std::env::var_os("HOME").map(PathBuf::from);
        home.map(|home| home.join(format!(".local/share/microkit-sdk-{VERSION}")))
            .filter(is_sdk)
            .map(|directory| Self { directory })
            .ok_or(SdkError::Missing)
    }

    /// The directory of everything for a board and configuration.
    pub(crate) fn of(&self, board: &str, config: &str) -> PathBuf {
        self.directory.join("board").join(board).join(config)
    }

    /// The directory with the kernel's headers for a board and configuration.
    pub(crate) fn headers(&self, board: &str, config: &str) -> PathBuf {
        self.of(board, config).join("include")
    }

    /// The path of a program that the SDK has for a board and configuration.
    pub(crate) fn program(&self, board: &str, config: &str, name: &str) -> PathBuf {
        self.of(board, config).join("elf").join(name)
    }
}

/// Whether there is an SDK. It is an error if `MICROKIT_SDK` names a directory without one.
pub(crate) fn is_there() -> Result<bool, SdkError> {
    match Sdk::find() {
        Ok(_) => Ok(true),
        Err(SdkError::Missing) => Ok(false),
        Err(wrong) => Err(wrong),
    }
}
