//! What the command line prints. Results go to standard output; if that cannot be written, the command fails.
//! Progress and errors go to standard error; if that cannot be written, nobody is there to be told. Neither
//! can make a command panic, so nothing else in this package prints.
//!
//! Colour and moving lines are for terminals. They are left out if `NO_COLOR` is set, or if `TERM` is `dumb`.

use anstream::{AutoStream, ColorChoice};
use std::fmt::Arguments;
use std::io::{self, IsTerminal, Write};

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write to standard output: {0}; make room there, or send the output elsewhere")]
pub(crate) struct OutputError(pub(crate) io::Error);

impl OutputError {
    /// Whether the reader has gone away, as `head` does when it has seen enough. This is nothing to report.
    pub(crate) fn is_of_reader(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Prints a line of results.
pub(crate) fn line(text: Arguments<'_>) -> Result<(), OutputError> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}").and_then(|()| output.flush()).map_err(OutputError)
}

/// Prints a text that ends with a line end.
pub(crate) fn text(text: &str) -> Result<(), OutputError> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(OutputError)
}

/// Prints what the reader of arguments answers instead of a command, and ends the program: help and the
/// version are results, wrong arguments are an error.
pub(crate) fn answer<T>(answer: &clap::Error) -> Result<T, OutputError> {
    let printed = answer.print().and_then(|()| io::stdout().flush());
    if !answer.use_stderr() {
        printed.map_err(OutputError)?;
    }
    std::process::exit(answer.exit_code())
}

/// Prints a line of progress or of an error.
pub(crate) fn note(text: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether errors are shown in colour.
pub(crate) fn has_colour() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Whether a line on standard error can be written again and again, as a spinner does.
pub(crate) fn can_move() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}
