//! `ferry completions` and `ferry man`: what a shell and a reader of manual pages want to know, made from the
//! arguments themselves.

use crate::arguments::{Arguments, CompletionsArguments, ManArguments};
use crate::error::Error;
use crate::file;
use crate::output::{line, text};
use clap::CommandFactory;
use clap_mangen::Man;
use std::fs;
use std::path::Path;

/// Prints the completions for a shell.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<(), Error> {
    let mut printed = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "ferry", &mut printed);
    text(&String::from_utf8_lossy(&printed))?;
    Ok(())
}

/// Writes a manual page for `ferry` and for each of its commands.
pub(crate) fn man(arguments: &ManArguments) -> Result<(), Error> {
    let directory = &arguments.directory;
    fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
    let mut ferry = Arguments::command();
    ferry.build();
    pages(&ferry, directory)?;
    line(format_args!("wrote the manual pages into {}", directory.display()))?;
    Ok(())
}

fn pages(command: &clap::Command, directory: &Path) -> Result<(), Error> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
    let path = directory.join(format!("{name}.1"));
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(file::failed("write", &path))?;
    fs::write(&path, page).map_err(file::failed("write", &path))?;
    command.get_subcommands().filter(|it| it.get_name() != "help").try_for_each(|it| pages(it, directory))
}
