//! `ferry check`: applies the rules, and shows who can read and write what.

use crate::description_files::DescriptionFiles;
use crate::error::Error;

/// Checks both files and prints the table of access.
pub(crate) fn check(files: &DescriptionFiles) -> Result<(), Error> {
    let description = files.load(&[])?;
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
