//! `ferry check`: applies the rules, and prints the isolation report, for people or for programs.

use crate::arguments::{CheckArguments, Format};
use crate::description_files::DescriptionError;
use crate::error::Error;
use ferry_description::Verdict;

/// Checks both files and prints the report. As JSON, mistakes are part of what is printed.
pub(crate) fn check(arguments: &CheckArguments) -> Result<(), Error> {
    let files = &arguments.description;
    let checked = files.load(&[]);
    if arguments.format == Format::Json {
        match &checked {
            Ok(description) => print_json(&Verdict::right(description.report()))?,
            Err(DescriptionError::Mistakes(mistakes)) => print_json(&Verdict::wrong(mistakes))?,
            Err(DescriptionError::Read(_)) => {}
        }
        checked?;
        return Ok(());
    }
    let description = checked?;
    print!("{}", description.report());
    println!(
        "\n{} and {} have no mistake: {} clients, {} flows",
        files.system.display(),
        files.flows.display(),
        description.clients.len(),
        description.flows.len()
    );
    Ok(())
}

fn print_json(verdict: &Verdict) -> Result<(), Error> {
    println!("{}", serde_json::to_string_pretty(verdict)?);
    Ok(())
}
