//! `ferry add` and `ferry remove`: change `system.xml` and `flows.toml` of a project, and nothing in them but
//! what the command names. Comments, order and white space stay what they are. What was added and is removed
//! leaves both files as they were, byte for byte.
//!
//! What holds always: the result is checked in memory before anything is written. Then all files are written
//! or none. `system.rs` and `flows.rs` change the text of one file each; the benchmark makes its systems with
//! many clients by the same code.

pub(crate) mod arguments;
mod client;
mod edits;
mod error;
mod flow;
mod flows;
mod guard;
mod manifest;
mod markup;
mod name;
mod notation;
mod pair;
mod partition;
mod places;
#[cfg(test)]
mod python;
mod source;
mod system;
mod write;

use crate::error::Error;
use arguments::{AddArguments, AddCommand, RemoveArguments, RemoveCommand};

pub(crate) use error::EditError;
pub(crate) use pair::{Counts, config_size};
pub(crate) use places::Places;
pub(crate) use system::{NewClient, Reads, add as add_to_system, resize_config};

/// Adds what the arguments name.
pub(crate) fn add(arguments: &AddArguments) -> Result<(), Error> {
    match &arguments.command {
        AddCommand::Client(arguments) => client::add(arguments),
        AddCommand::Flow(arguments) => flow::add(arguments),
        AddCommand::Guard(arguments) => guard::add(arguments),
        AddCommand::Partition(arguments) => partition::add(arguments),
    }
}

/// Removes what the arguments name.
pub(crate) fn remove(arguments: &RemoveArguments) -> Result<(), Error> {
    match &arguments.command {
        RemoveCommand::Client(arguments) => client::remove(arguments),
        RemoveCommand::Flow(arguments) => flow::remove(arguments),
        RemoveCommand::Guard(arguments) => guard::remove(arguments),
        RemoveCommand::Partition(arguments) => partition::remove(arguments),
    }
}
