//! `ferry run`: builds a system, runs it, and shows its console.

use crate::arguments::{RunArguments, SystemArguments};
use crate::audit;
use crate::boot::{self, BootError, Ending, Expectation, Failure};
use crate::built::Built;
use crate::console::{Line, Printed};
use crate::error::Error;
use crate::file::{self, FileError};
use crate::live::Live;
use crate::lock::Lock;
use crate::output::{OutputError, line, note};
use crate::prefill::{self, Prefill};
use crate::project::Project;
use crate::symbols::Symbols;
use crate::target::{Selection, Target};
use ferry_description::Description;
use ferry_description::shown;
use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tempfile::TempDir;

/// The exit code if a system did not end in time, as of the command `timeout`.
const NOT_IN_TIME: u8 = 124;

impl SystemArguments {
    /// The target, the project, what fills its regions, and its checked description.
    pub(crate) fn load(&self) -> Result<(Target, Project, Vec<Prefill>, Description), Error> {
        let target = self.target.target()?;
        let prefills = prefill::read(&self.prefill, target.platform)?;
        let project = self.project.project()?;
        let description = project.files.load_for(&target.rules(), &prefill::sizes(&prefills))?;
        let missing = |(region, _): &&Prefill| description.system.region(region).is_none();
        if let Some((region, _)) = prefills.iter().find(missing) {
            return Err(Error::NoSuchRegion { region: region.clone() });
        }
        Ok((target, project, prefills, description))
    }
}

/// Runs the system. The exit code is the system's, or 0 if all expected lines were seen. It is a failure if
/// the console has records of an audit log that are not what central wrote.
pub(crate) fn run(arguments: &RunArguments) -> Result<ExitCode, Error> {
    let (target, project, prefills, description) = arguments.system.load()?;
    let workspace = project.workspace()?;
    let built = Built::build(target, Selection::System, &workspace, &project)?;
    let directory = Place::new(&project.products())?;
    let emulator = built.emulator(&project.files, &description, &prefills, &[], directory.path(), 1)?;
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
    // What firmware and kernel say before they start the system is shown only if they do not start it.
    let mut booting = built.last_boot_line().map(|last| (last, Vec::new()));
    let boot = boot::boot(emulator, &expectation, &mut |text| {
        if let Some((last, lines)) = &mut booting {
            // Firmware of another version can end with another line.
            if !is_of_system(text) {
                lines.push(text.to_owned());
                if text.starts_with(*last) {
                    booting = None;
                }
                return true;
            }
            booting = None;
        }
        show(text) && symbols.places(text).iter().all(|place| show(place))
    });
    for text in booting.map(|(_, lines)| lines).unwrap_or_default() {
        show(&text);
    }
    drop(live);
    if let Some(error) = unwritten {
        return Err(error.into());
    }
    let (console, code) = match boot {
        Ok(boot) => (boot.console, ExitCode::from(boot.code.unwrap_or(0))),
        Err(BootError { failure: failure @ Failure::Timeout(_), console }) => {
            note(format_args!("ferry: {failure}; raise --limit"));
            (console, ExitCode::from(NOT_IN_TIME))
        }
        // The console has been shown.
        Err(BootError { failure, console }) => {
            note(format_args!("ferry: {failure}"));
            (console, ExitCode::FAILURE)
        }
    };
    if description.audit.is_some() {
        line(format_args!("{}", audit::of_run(&console)?))?;
    }
    Ok(code)
}

/// Whether a protection domain has printed the line, or the platform about one.
fn is_of_system(text: &str) -> bool {
    Printed::of(text).domain.is_some() || Line::of(text) != Line::Other
}

/// A directory for one run, so that several runs at a time do not mix their files.
struct Place {
    directory: TempDir,
    /// Is locked as long as the run lasts, whatever ends it.
    #[expect(dead_code, reason = "the open file is the lock")]
    used: File,
}

impl Place {
    /// Makes one below `products`, and removes those of runs that were interrupted and could not do so.
    fn new(products: &Path) -> Result<Self, FileError> {
        let all = products.join("run");
        let _lock = Lock::take(&all)?;
        for entry in fs::read_dir(&all).map_err(file::failed("read", &all))?.filter_map(Result::ok) {
            let path = entry.path();
            if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                fs::remove_dir_all(&path).map_err(file::failed("remove", &path))?;
            }
        }
        let directory = tempfile::tempdir_in(&all).map_err(file::failed("create", &all))?;
        let used = File::open(directory.path()).map_err(file::failed("open", directory.path()))?;
        used.lock().map_err(file::failed("lock", directory.path()))?;
        Ok(Self { directory, used })
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_run_removes_what_interrupted_ones_have_left_and_nothing_of_others() {
        let products = tempfile::tempdir().unwrap();
        let running = Place::new(products.path()).unwrap();
        // As Ctrl-C does: the file is closed, and nothing else happens.
        let left = {
            let interrupted = Place::new(products.path()).unwrap();
            std::fs::write(interrupted.path().join("image"), "").unwrap();
            interrupted.directory.keep()
        };
        let next = Place::new(products.path()).unwrap();
        assert!(running.path().is_dir() && next.path().is_dir() && !left.exists(), "{left:?}");
    }
}
