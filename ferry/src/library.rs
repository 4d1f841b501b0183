//! `ferry library`: writes what a build of one's own needs to compile and link clients in C.

use crate::arguments::LibraryArguments;
use crate::c;
use crate::classic;
use crate::error::Error;
use crate::file;
use crate::hosted;
use crate::microkit::Microkit;
use crate::output::line;
use crate::programs::ProgramsError;
use crate::target::{Platform, Selection};
use crate::workspace::Workspace;
use ferry_boards::PC99;

/// Builds the library, and writes it with its headers.
pub(crate) fn library(arguments: &LibraryArguments) -> Result<(), Error> {
    let target = arguments.target.target()?;
    let workspace = Workspace::locate()?;
    let output = arguments.output.clone();
    file::check_output(&output)?;
    let build = match target.platform {
        Platform::Classic => {
            c::Build::of_package(&c::CLASSIC, &workspace, classic::C_LIBRARY, Some(&PC99), output)?
        }
        Platform::Hosted => c::Build::of_package(&c::HOSTED, &workspace, hosted::C_LIBRARY, None, output)?,
        Platform::Microkit => {
            let architecture = target.board.architecture;
            let without_fpu = architecture.target_without_fpu.filter(|_| arguments.without_fpu);
            let microkit = Microkit::find(&workspace, target.board, target.config, Selection::System)?;
            microkit.c_build(&workspace, output, without_fpu.unwrap_or(architecture.target))?
        }
    };
    for file in build.write_library().map_err(ProgramsError::from)? {
        line(format_args!("{}", file.display()))?;
    }
    Ok(())
}
