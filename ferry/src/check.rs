//! `ferry check`: the rules, and who can read and write what.

use crate::arguments::DescriptionFiles;
use crate::error::Error;
use ferry_description::{Description, Source};

/// Reads and checks a description in which `grown` regions have at least so many bytes.
pub(crate) fn load(files: &DescriptionFiles, grown: &[(&str, u64)]) -> Result<Description, Error> {
    let (system, flows) = (Source::read(&files.system)?, Source::read(&files.flows)?);
    Ok(Description::check(&system, &flows, grown)?)
}

/// Checks and prints the table.
pub(crate) fn check(files: &DescriptionFiles) -> Result<(), Error> {
    let description = load(files, &[])?;
    print!("{}", description.access());
    println!(
        "\n{} and {} have no mistake: {} clients, {} flows",
        files.system.display(),
        files.flows.display(),
        description.clients.len(),
        description.flows.len()
    );
    Ok(())
}
