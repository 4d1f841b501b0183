//! The trial of a project that Ferry does not build: `examples/microkit` has a Makefile as the examples of
//! the Microkit SDK have. It compiles and links the programs, and calls `ferry` for the library and the
//! image, as a user's would. The image is then booted.

use crate::boot::{self, Ending, Expectation};
use crate::error::Error;
use crate::file;
use crate::microkit::{Microkit, Sdk};
use crate::runner::trial;
use crate::target::{Selection, Target};
use crate::workspace::Workspace;
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Time that the boot may take.
const LIMIT: Duration = Duration::from_mins(1);
/// What the console must show.
const LINES: [&str; 3] = [
    "logger | reading 0: 21 degrees",
    "logger | reading 4: 20 degrees",
    "sensor | all readings have arrived",
];

/// The trial for a board of Microkit. `directory` is for what is built.
pub(crate) fn of_microkit(
    target: Target,
    prefix: &str,
    directory: &Path,
    workspace: &Workspace,
) -> Result<Trial, Error> {
    let microkit = Microkit::find(workspace, target.board, target.config, Selection::System)?;
    let (build, example) = (directory.join("makefile"), workspace.root.join("examples/microkit"));
    Ok(trial(format!("{prefix}a_makefile_of_ones_own_makes_an_image_that_boots"), move || {
        // Nothing of an earlier run can pass for what this one has made.
        let _ = fs::remove_dir_all(&build);
        make(&example, &build, target)?;
        let expectation = Expectation {
            lines: LINES.map(ToOwned::to_owned).to_vec(),
            fault: None,
            ending: Ending::AfterLines,
            limit: LIMIT,
        };
        boot::boot(microkit.emulator(&build, 0, 1)?, &expectation, &mut |_| true)?;
        fs::remove_dir_all(&build).map_err(file::failed("remove", &build))?;
        Ok(())
    }))
}

/// Runs the Makefile. What it prints is shown only if it fails.
fn make(example: &Path, build: &Path, target: Target) -> Result<(), Failed> {
    let variable = |name: &str, value: PathBuf| format!("{name}={}", value.display());
    let mut command = Command::new("make");
    command.arg("-C").arg(example).arg(variable("BUILD_DIR", std::path::absolute(build)?));
    command.arg(variable("MICROKIT_SDK", Sdk::find()?.directory));
    command.arg(variable("FERRY", std::env::current_exe()?));
    command.arg(format!("MICROKIT_BOARD={}", target.board.name));
    command.arg(format!("MICROKIT_CONFIG={}", target.config.name()));
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("make failed:\n{}", String::from_utf8_lossy(&said)).into())
}
