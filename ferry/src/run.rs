//! `ferry run`: builds a system, runs it, and shows its console.

use crate::arguments::{RunArguments, SystemArguments};
use crate::boot::{self, BootError, Ending, Expectation, Failure};
use crate::built::Built;
use crate::error::Error;
use crate::file;
use crate::live::Live;
use crate::output::{OutputError, line, note};
use crate::prefill::{self, Prefill};
use crate::project::Project;
use crate::symbols::Symbols;
use crate::target::{Selection, Target};
use crate::workspace::Workspace;
use ferry_description::Description;
use ferry_description::shown;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;
use tempfile::TempDir;

/// The kernel's last line before the system starts, if it prints at all.
const KERNEL_IS_DONE: &str = "Booting all finished";
/// The exit code if a system did not end in time, as of the command `timeout`.
const NOT_IN_TIME: u8 = 124;

impl SystemArguments {
    /// The target, the project, what fills its regions, and its checked description.
    pub(crate) fn load(&self) -> Result<(Target, Project, Vec<Prefill>, Description), Error> {
        let target = self.target.target()?;
        let prefills = prefill::read(&self.prefill, target.platform)?;
        let project = self.project.project()?;
        let description = project.files.load_for(target.rules(), &prefill::sizes(&prefills))?;
        let missing = |(region, _): &&Prefill| description.system.region(region).is_none();
        if let Some((region, _)) = prefills.iter().find(missing) {
            return Err(Error::NoSuchRegion { region: region.clone() });
        }
        Ok((target, project, prefills, description))
    }
}

/// Runs the system. The exit code is the system's, or 0 if all expected lines were seen.
pub(crate) fn run(arguments: &RunArguments) -> Result<ExitCode, Error> {
    let (target, project, prefills, description) = arguments.system.load()?;
    let workspace = Workspace::of(&project)?;
    let built = Built::build(target, Selection::System, &workspace, &project)?;
    let directory = directory(&project)?;
    let emulator = built.emulator(&project.files, &description, &prefills, &[], directory.path())?;
    let expectation = Expectation {
        lines: arguments.expect.clone(),
        fault: None,
        ending: if arguments.expect.is_empty() { Ending::Any } else { Ending::AfterLines },
        limit: arguments.limit.map_or(Duration::MAX, Duration::from_secs),
    };
    let symbols = Symbols::new(&built, &description);
    let mut unwritten: Option<OutputError> = None;
    let mut live = Live::begin(built.what_runs(), &description);
    let mut show = |text: &str| {
        // If nobody can read the lines any more, nothing has to run.
        if unwritten.is_none() {
            unwritten = live.show(text, || line(format_args!("{}", shown(text)))).err();
        }
        unwritten.is_none()
    };
    // What the kernel says before it starts the system is shown only if it does not start it.
    let mut kernel = built.kernel_talks().then(Vec::new);
    let boot = boot::boot(emulator, &expectation, &mut |text| {
        if let Some(lines) = &mut kernel {
            lines.push(text.to_owned());
            if text.starts_with(KERNEL_IS_DONE) {
                kernel = None;
            }
            return true;
        }
        show(text) && symbols.place(text).is_none_or(|place| show(&place))
    });
    for text in kernel.unwrap_or_default() {
        show(&text);
    }
    drop(live);
    if let Some(error) = unwritten {
        return Err(error.into());
    }
    match boot {
        Ok(boot) => Ok(ExitCode::from(boot.code.unwrap_or(0))),
        Err(BootError { failure: failure @ Failure::Timeout(_), .. }) => {
            note(format_args!("ferry: {failure}; raise --limit"));
            Ok(ExitCode::from(NOT_IN_TIME))
        }
        // The console has been shown.
        Err(BootError { failure, .. }) => {
            note(format_args!("ferry: {failure}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A directory for one run, so that several runs at a time do not mix their files.
fn directory(project: &Project) -> Result<TempDir, Error> {
    let products = project.products();
    fs::create_dir_all(&products).map_err(file::failed("create", &products))?;
    let made = tempfile::Builder::new().prefix("run-").tempdir_in(&products);
    Ok(made.map_err(file::failed("create", &products))?)
}
