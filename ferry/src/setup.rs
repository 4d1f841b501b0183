//! `ferry setup`: installs what building and booting the classic platform needs.

use crate::error::Error;
use crate::output::line;
use crate::tools;

/// Runs the command.
pub(crate) fn setup() -> Result<(), Error> {
    tools::of_classic()?;
    tools::environments()?;
    line(format_args!("everything is there to build and boot the classic platform"))?;
    Ok(())
}
