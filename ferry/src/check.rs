//! `ferry check`: applies the rules, and shows who can read and write what, and where the system can be
//! built.

use crate::arguments::CheckArguments;
use crate::error::Error;
use crate::output::line;
use crate::target::{Config, Platform, Target};
use ferry_description::{Description, Mistakes, count};

/// Checks both files and prints the table of access.
pub(crate) fn check(arguments: &CheckArguments) -> Result<(), Error> {
    let files = &arguments.description;
    let description = files.load(&[])?;
    let is_asked = arguments.platform.is_some() || arguments.board.is_some();
    let targets: Vec<Target> =
        Target::all(Config::Debug).filter(|target| is_wanted(target, arguments)).collect();
    if is_asked {
        for target in &targets {
            description.check_for(target.rules())?;
        }
    }
    line(format_args!("{}", description.access()))?;
    for target in &targets {
        buildable(&description, target)?;
    }
    line(format_args!(
        "\n{} and {} have no mistake: {}, {}",
        files.system.display(),
        files.flows.display(),
        count(description.clients.len(), "client"),
        count(description.flows.len(), "flow"),
    ))?;
    Ok(())
}

fn is_wanted(target: &Target, arguments: &CheckArguments) -> bool {
    let is_microkit = target.platform == Platform::Microkit;
    arguments.platform.is_none_or(|platform| platform == target.platform)
        && arguments.board.is_none_or(|board| is_microkit && target.board == board)
}

/// Says whether the system can be built for a target, and what is first in the way.
fn buildable(description: &Description, target: &Target) -> Result<(), Error> {
    let first = |mistakes: Mistakes| mistakes.iter().next().map(ToString::to_string).unwrap_or_default();
    let name = target.rules().name;
    match description.check_for(target.rules()).map_err(first) {
        Ok(()) => line(format_args!("can be built for {name}"))?,
        Err(first) => line(format_args!("cannot be built for {name}: {first}"))?,
    }
    Ok(())
}
