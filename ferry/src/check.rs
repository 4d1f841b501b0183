//! `ferry check`: applies the rules, and prints the isolation report, for people or for programs, and where
//! the system can be built.

use crate::arguments::{CheckArguments, Format};
use crate::description_files::DescriptionError;
use crate::error::Error;
use crate::known::Known;
use crate::output::line;
use crate::project::Project;
use crate::target::{Config, Target, Wanted};
use ferry_description::{Description, Mistakes, Verdict, count};

/// Checks both files and prints the report. As JSON, mistakes are part of what is printed.
pub(crate) fn check(arguments: &CheckArguments) -> Result<(), Error> {
    let wanted = Wanted::new(arguments.platform, arguments.board, arguments.config)?;
    let project = arguments.project.project()?;
    let files = &project.files;
    let known = Known::of(&project);
    let checked = checked(arguments, wanted, &project, known.as_ref());
    if arguments.format == Format::Json {
        let verdict = match &checked {
            Ok(description) => Some(Verdict::right(description)),
            Err(DescriptionError::Mistakes(mistakes)) => Some(Verdict::wrong(mistakes)),
            Err(DescriptionError::Read(_)) => None,
        };
        if let Some(verdict) = verdict {
            line(format_args!("{}", serde_json::to_string_pretty(&verdict)?))?;
        }
        checked?;
        return Ok(());
    }
    let description = checked?;
    line(format_args!("{}", description.report()))?;
    let mut places = 0;
    for target in &targets(arguments, wanted, &description) {
        places += usize::from(buildable(&description, known.as_ref(), target)?);
    }
    if places == 0 {
        line(format_args!(
            "so it cannot be built anywhere yet, which is a mistake only for a --platform or --board"
        ))?;
    }
    for (number, hint) in description.hints().iter().enumerate() {
        line(format_args!("{}hint: {hint}", if number == 0 { "\n" } else { "" }))?;
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

/// The description, if it has no mistake, and none for the targets that the caller asks about.
fn checked(
    arguments: &CheckArguments,
    wanted: Wanted,
    project: &Project,
    known: Option<&Known<'_>>,
) -> Result<Description, DescriptionError> {
    let description = project.files.load(&[])?;
    if arguments.platform.is_some() || arguments.board.is_some() || arguments.config.is_some() {
        for target in targets(arguments, wanted, &description) {
            check_for(&description, known, &target)?;
        }
    }
    Ok(description)
}

/// Refuses what a target cannot do, and programs that it does not have.
fn check_for(description: &Description, known: Option<&Known<'_>>, target: &Target) -> Result<(), Mistakes> {
    description.check_for(&target.rules())?;
    known.map_or(Ok(()), |known| known.check(*target, description))
}

/// The targets that the caller asks about.
fn targets(arguments: &CheckArguments, wanted: Wanted, description: &Description) -> Vec<Target> {
    Target::all_with(arguments.config.unwrap_or(Config::debug_for(description)), arguments.board)
        .filter(|target| wanted.includes(target))
        .collect()
}

/// Says whether the system can be built for a target, and what is first in the way. Returns whether it can.
fn buildable(description: &Description, known: Option<&Known<'_>>, target: &Target) -> Result<bool, Error> {
    let first = |mistakes: Mistakes| mistakes.iter().next().map(ToString::to_string).unwrap_or_default();
    let name = target.rules().name;
    let checked = check_for(description, known, target).map_err(first);
    match &checked {
        Ok(()) if target.has_several_cores() => {
            line(format_args!("can be built for {name}, with several cores"))?;
        }
        Ok(()) => line(format_args!("can be built for {name}"))?,
        Err(first) => line(format_args!("cannot be built for {name}: {first}"))?,
    }
    Ok(checked.is_ok())
}
