//! The name of a board on the command line: one that the table has, or one of the Microkit SDK.

use crate::microkit::{Sdk, SdkError};
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use ferry_boards::{Board, MICROKIT, sdk};
use std::ffi::OsStr;

/// Finds a board by its name.
#[derive(Clone, Copy)]
pub(crate) struct BoardParser;

impl TypedValueParser for BoardParser {
    type Value = &'static Board;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        let name = value.to_string_lossy();
        find(&name).map_err(|why| {
            let mut error = Error::raw(ErrorKind::ValueValidation, format!("{why}\n")).with_cmd(command);
            if let Some(argument) = argument {
                error.insert(ContextKind::InvalidArg, ContextValue::String(argument.to_string()));
            }
            error
        })
    }

    /// Those of the table, for completions. An SDK can have more.
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(MICROKIT.iter().map(|board| PossibleValue::new(board.name).help(board.summary))))
    }
}

/// Why there is no such board.
#[derive(Debug, thiserror::Error)]
enum NoBoard {
    #[error("there is no board `{name}` without a Microkit SDK; known without: {known}\n{cause}",
        known = MICROKIT.each_ref().map(|board| board.name).join(", "))]
    WithoutSdk { name: String, cause: SdkError },
    #[error(transparent)]
    Sdk(#[from] sdk::SdkError),
}

fn find(name: &str) -> Result<&'static Board, NoBoard> {
    if let Some(board) = Board::of_microkit(name) {
        return Ok(board);
    }
    let found = Sdk::find().map_err(|cause| NoBoard::WithoutSdk { name: name.to_owned(), cause })?;
    Ok(sdk::board(&found.directory, name)?)
}
