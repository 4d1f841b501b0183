//! Runs test cases and prints what became of them. `ferry test` and `ferry self-test` call this.
//!
//! The library that runs them panics if it cannot write. So it writes into a pipe that is always read, and
//! what comes out goes to standard output, or to the file that `--logfile` names. After a write has failed,
//! no case begins any more, and the error is the result.

use crate::file::{self, FileError};
use crate::output::{self, OutputError};
use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use libtest_mimic::{Arguments, ColorSetting, Conclusion, Failed, Trial};
use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Whether the output cannot be written any more, so that no further case should run. It is one for the whole
/// process, as the output is.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Why the cases have not run, or nobody learned what became of them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunnerError {
    #[error("no test has a name that contains `{filter}`; `--list` shows all names")]
    NoCase { filter: String },
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Reads the arguments of the runner. Wrong ones end the command, and so does `--help`.
pub(crate) fn arguments(command: &str, given: &[String]) -> Result<Arguments, OutputError> {
    let all = std::iter::once(command).chain(given.iter().map(String::as_str));
    Arguments::try_parse_from(all).or_else(|answer| output::answer(&answer))
}

/// A case. It does not begin if the output is lost.
pub(crate) fn trial(
    name: impl Into<String>,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::test(name, || {
        if IS_LOST.load(Ordering::Relaxed) { Err("the output cannot be written".into()) } else { run() }
    })
}

/// Whether the arguments select the case of this name.
pub(crate) fn selects(arguments: &Arguments, name: &str) -> bool {
    let is_meant = |filter: &String| is_meant(arguments, filter, name);
    arguments.filter.as_ref().is_none_or(is_meant) && !arguments.skip.iter().any(is_meant)
}

fn is_meant(arguments: &Arguments, filter: &str, name: &str) -> bool {
    if arguments.exact { name == filter } else { name.contains(filter) }
}

/// Runs the cases, or lists them. A filter that selects none is an error: it would seem that all is well.
pub(crate) fn run(arguments: &Arguments, cases: Vec<Trial>) -> Result<Conclusion, RunnerError> {
    if let Some(filter) = &arguments.filter
        && !cases.iter().any(|case| is_meant(arguments, filter, case.name()))
    {
        return Err(RunnerError::NoCase { filter: filter.clone() });
    }
    let (reader, writer) = io::pipe().map_err(OutputError)?;
    let mut arguments = arguments.clone();
    // The library opens the pipe once more, by its name.
    let pipe = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let file = arguments.logfile.replace(pipe);
    if file.is_none() && AutoStream::choice(&io::stdout()) != ColorChoice::Never {
        // It would see that a pipe is no terminal.
        arguments.color.get_or_insert(ColorSetting::Always);
    }
    let copied = |to: &mut (dyn Write + Send), failed: &dyn Fn(io::Error) -> RunnerError| {
        thread::scope(|scope| {
            let copy = scope.spawn(|| copy(reader, to));
            let conclusion = libtest_mimic::run(&arguments, cases);
            // Else the pipe would never end.
            drop(writer);
            copy.join().expect("copying does not panic").map_err(failed)?;
            Ok(conclusion)
        })
    };
    match file.as_deref().map(Path::new) {
        None => copied(&mut io::stdout(), &|cause| OutputError(cause).into()),
        Some(path) => {
            let mut log = File::create(path).map_err(file::failed("create", path))?;
            copied(&mut log, &|cause| file::failed("write", path)(cause).into())
        }
    }
}

/// Copies all that comes out of the pipe. After an error it only reads on, so that the writer never waits.
fn copy(mut reader: PipeReader, to: &mut dyn Write) -> io::Result<()> {
    let mut result = Ok(());
    let mut piece = [0; 4096];
    loop {
        let bytes = reader.read(&mut piece)?;
        if bytes == 0 {
            return result;
        }
        if result.is_ok() {
            result = to.write_all(&piece[..bytes]).and_then(|()| to.flush());
            IS_LOST.store(result.is_err(), Ordering::Relaxed);
        }
    }
}
