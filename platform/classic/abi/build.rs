//! Generates the numbers of the kernel's interface from the kernel's own source, see `ferry_classic_kernel`.

use ferry_classic_kernel::{Constants, Error, Source};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Error> {
    // This script is the only input besides the build dependency, which Cargo watches itself.
    println!("cargo::rerun-if-changed=build.rs");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR for build scripts"));
    let constants = Constants::read(&Source::locate(&workspace)?, &out_dir.join("constants"))?;
    let path = out_dir.join("numbers.rs");
    std::fs::write(&path, constants.to_rust()).map_err(|cause| Error::File { action: "write", path, cause })
}
