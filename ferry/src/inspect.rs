//! `ferry inspect`: reads an image back, and compares what it gives to each protection domain with what the
//! description says. `ferry image` does the same with what it has built.

use crate::arguments::InspectArguments;
use crate::classic::Classic;
use crate::error::Error;
use crate::file;
use crate::output::line;
use crate::prefill;
use crate::target::{Platform, Selection};
use crate::workspace::Workspace;
use ferry_description::{Compared, Difference, count};
use std::fs;

/// Reads the image, and prints what was compared, or each difference.
pub(crate) fn inspect(arguments: &InspectArguments) -> Result<(), Error> {
    let target = arguments.target;
    if target.platform != Platform::Classic {
        return Err(Error::NoInspection);
    }
    let path = &arguments.image;
    let image = fs::read(path).map_err(file::failed("read", path))?;
    let prefills = prefill::read(&arguments.prefill)?;
    let description = arguments.description.load_for(target.rules(), &prefill::sizes(&prefills))?;
    let classic = Classic::build(&Workspace::locate()?, Selection::System)?;
    let (differences, compared) = classic.inspect(&description, &prefills, &image)?;
    line(format_args!("{}", result(&differences, compared)?))?;
    Ok(())
}

/// What was compared, in words. An error if there is a difference.
pub(crate) fn result(differences: &[Difference], compared: Compared) -> Result<String, Error> {
    if !differences.is_empty() {
        let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
        return Err(Error::ImageDiffers { count: lines.len(), lines: lines.join("\n  ") });
    }
    Ok(format!(
        "the image is what the description says: {}, {} mapped, {} of frames, {} to signal or to call",
        count(compared.domains, "protection domain"),
        count(compared.pages, "page"),
        capabilities(compared.frames),
        capabilities(compared.signals),
    ))
}

fn capabilities(number: usize) -> String {
    if number == 1 { "1 capability".into() } else { format!("{number} capabilities") }
}
