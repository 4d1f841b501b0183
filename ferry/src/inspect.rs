//! `ferry inspect`: reads an image back, and compares what it gives to each protection domain with what the
//! description says. `ferry image` does the same with what it has built.

use crate::arguments::InspectArguments;
use crate::classic::Classic;
use crate::error::Error;
use crate::file;
use crate::microkit::{Inspection, Microkit};
use crate::output::line;
use crate::target::{Platform, Selection};
use ferry_description::{Compared, Difference};
use std::fs;

/// Reads the image, and prints what was compared, or each difference.
pub(crate) fn inspect(arguments: &InspectArguments) -> Result<(), Error> {
    let target = arguments.system.target.target()?;
    if target.platform == Platform::Hosted {
        return Err(Error::NoInspection);
    }
    if arguments.product && target.platform != Platform::Microkit {
        return Err(Error::NoProduct);
    }
    let (_, project, prefills, description) = arguments.system.load()?;
    let (workspace, path) = (project.workspace()?, &arguments.image);
    let compared = if target.platform == Platform::Microkit {
        let mut microkit =
            Microkit::build(&workspace, target.board, target.config, Selection::System, &project)?;
        if arguments.product {
            microkit = microkit.for_products();
        }
        match microkit.inspect(path, &project.files, &description, &prefills)? {
            Inspection::Equal(compared) => compared,
            Inspection::Differs(lines) => return Err(differs(&lines)),
        }
    } else {
        let image = fs::read(path).map_err(file::failed("read", path))?;
        let classic = Classic::build(&workspace, Selection::System, &project)?;
        let (differences, compared) = classic.inspect(&description, &prefills, &image)?;
        result(&differences, compared)?
    };
    line(format_args!("{compared}"))?;
    Ok(())
}

/// What was compared, in words. An error if there is a difference.
pub(crate) fn result(differences: &[Difference], compared: Compared) -> Result<String, Error> {
    if differences.is_empty() {
        return Ok(compared.to_string());
    }
    let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
    Err(differs(&lines))
}

fn differs(lines: &[String]) -> Error {
    Error::ImageDiffers { count: lines.len(), lines: lines.join("\n  ") }
}
