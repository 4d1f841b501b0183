//! `ferry test`: boots the project's system once for each test of its `test.toml`, on every platform for
//! which this machine has the tools.

mod error;

use crate::arguments::ProjectTestArguments;
use crate::audit;
use crate::boot::{self, Ending, Expectation};
use crate::built::Built;
use crate::error::Error;
use crate::file;
use crate::lock::Lock;
use crate::microkit;
use crate::output::line;
use crate::prefill;
use crate::project::Project;
use crate::runner::{self, trial};
use crate::target::{Config, Platform, Selection, Target, Wanted};
use crate::workspace::Workspace;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use std::{fs, io};

pub(crate) use error::TestError;

/// The file with the tests, beside the system description.
pub(crate) const FILE: &str = "test.toml";
/// How many boots run at the same time.
const PARALLEL: usize = 2;

/// The tests of a project.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tests {
    test: Vec<Test>,
}

/// One test: a boot, and what it must show.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    /// Beginnings of lines that the console must show, in any order. The machine is stopped after the last
    /// one. Without any, the system must end by itself, with code 0.
    #[serde(default)]
    expect: Vec<String>,
    /// Seconds after which the machine is stopped, which is a failure.
    #[serde(default = "default_limit")]
    limit_s: u64,
    /// Regions, and the files that fill them.
    #[serde(default)]
    prefill: BTreeMap<String, PathBuf>,
    /// Whether the console has the records of an audit log, which must be what central wrote, without a gap.
    #[serde(default)]
    audit: bool,
    /// The platforms on which the test runs. By default all.
    platforms: Option<Vec<Platform>>,
}

const fn default_limit() -> u64 {
    60
}

/// Runs the tests.
pub(crate) fn test(arguments: &ProjectTestArguments) -> Result<(), Error> {
    let project = Arc::new(arguments.project.project()?);
    let path = project.directory.join(FILE);
    let tests = read(&path)?;
    let workspace = project.workspace()?;
    let mut runner = runner::arguments("ferry test", &arguments.runner)?;
    runner.test_threads = runner.test_threads.or(Some(PARALLEL));
    let has_sdk = arguments.platform == Some(Platform::Microkit) || microkit::sdk_is_there()?;
    let mut trials = Vec::new();
    let wanted = Wanted::new(arguments.platform, None, None)?;
    let config = Config::debug_for(&project.files.load(&[])?);
    for target in Target::all(config).filter(|target| wanted.includes(target)) {
        if target.platform == Platform::Microkit && !has_sdk {
            continue;
        }
        let prefix = format!("{}::", target.name());
        let is_run = named(&tests, target, &prefix).any(|(name, _)| runner::selects(&runner, &name));
        if is_run && !runner.list {
            trials.extend(trials_for(&project, &tests, target, Selection::System, &workspace, &prefix)?);
        } else {
            // None of them runs, so nothing is built for them.
            let unbuilt = |name| trial(name, || Err("its platform was not built".into()));
            trials.extend(named(&tests, target, &prefix).map(|(name, _)| unbuilt(name)));
        }
    }
    let conclusion = runner::run(&runner, trials)?;
    if !has_sdk && arguments.platform.is_none() {
        line(format_args!("Microkit was not tested: no Microkit SDK was found; set MICROKIT_SDK"))?;
    }
    if conclusion.has_failed() { Err(Error::Failed) } else { Ok(()) }
}

/// The tests of a project that lies in the checkout, for one target. `prefix` begins their names.
pub(crate) fn trials(
    project: Project,
    target: Target,
    selection: Selection,
    workspace: &Workspace,
    prefix: &str,
) -> Result<Vec<Trial>, Error> {
    let tests = read(&project.directory.join(FILE))?;
    trials_for(&Arc::new(project), &tests, target, selection, workspace, prefix)
}

fn trials_for(
    project: &Arc<Project>,
    tests: &[Test],
    target: Target,
    selection: Selection,
    workspace: &Workspace,
    prefix: &str,
) -> Result<Vec<Trial>, Error> {
    let built = Arc::new(Built::build(target, selection, workspace, project)?);
    Ok(plays(project, tests, target, &built, prefix).map(|(name, play)| trial(name, play)).collect())
}

/// The tests for one target, each with its name.
fn named<'a>(
    tests: &'a [Test],
    target: Target,
    prefix: &'a str,
) -> impl Iterator<Item = (String, &'a Test)> + use<'a> {
    let tests = tests.iter().filter(move |test| test.runs_on(target.platform));
    tests.map(move |test| (format!("{prefix}{}", test.name), test))
}

/// The tests for one target: the name of each, and what runs it.
fn plays<'a>(
    project: &'a Arc<Project>,
    tests: &'a [Test],
    target: Target,
    built: &'a Arc<Built>,
    prefix: &'a str,
) -> impl Iterator<Item = (String, impl FnOnce() -> Result<(), Failed> + Send + use<>)> + use<'a> {
    named(tests, target, prefix).map(move |(name, test)| {
        let (project, built, test) = (Arc::clone(project), Arc::clone(built), test.clone());
        let directory = project.own_products().join("test").join(target.name()).join(&test.name);
        (name, move || test.play(&project, &built, target, &directory))
    })
}

/// What became of a test.
pub(crate) struct Outcome {
    /// Its name, with the target.
    pub(crate) name: String,
    /// Why it failed. `None` if it passed.
    pub(crate) failure: Option<String>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Runs the tests of a project on a platform that is built, prints what becomes of each, and gives that in
/// the order of their names. `None` if the project has no tests.
pub(crate) fn outcomes(
    command: &str,
    project: &Arc<Project>,
    target: Target,
    built: &Arc<Built>,
) -> Result<Option<Vec<Outcome>>, Error> {
    let path = project.directory.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let tests = read(&path)?;
    let mut runner = runner::arguments(command, &[])?;
    runner.test_threads = Some(PARALLEL);
    let prefix = format!("{}::", target.name());
    let (sender, outcomes) = mpsc::channel();
    let mut left = BTreeSet::new();
    let trials = plays(project, &tests, target, built, &prefix).map(|(name, play)| {
        let sender = sender.clone();
        left.insert(name.clone());
        trial(name.clone(), move || {
            let begin = Instant::now();
            let result = play();
            let failure = result.as_ref().err().map(|failed| failed.message().unwrap_or("failed").to_owned());
            // Nobody waits for it any more if the command has ended.
            let _ = sender.send(Outcome { name, failure, took: begin.elapsed() });
            result
        })
    });
    let trials: Vec<Trial> = trials.collect();
    if !trials.is_empty() {
        // The outcomes say more than the conclusion.
        let _ = runner::run(&runner, trials)?;
    }
    let mut outcomes: Vec<Outcome> = outcomes.try_iter().collect();
    left.retain(|name| outcomes.iter().all(|outcome| outcome.name != *name));
    let unknown = |name| Outcome { name, failure: Some("it never ended".into()), took: Duration::ZERO };
    outcomes.extend(left.into_iter().map(unknown));
    outcomes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(outcomes))
}

/// Reads the tests.
fn read(path: &Path) -> Result<Vec<Test>, Error> {
    let text = fs::read_to_string(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => Error::Test(TestError::Missing(path.to_owned())),
        _ => Error::File(file::failed("read", path)(cause)),
    })?;
    let tests: Tests = toml::from_str(&text)
        .map_err(|cause| TestError::Syntax { path: path.to_owned(), cause: Box::new(cause) })?;
    for (number, test) in tests.test.iter().enumerate() {
        if tests.test[..number].iter().any(|other| other.name == test.name) {
            return Err(TestError::Twice { path: path.to_owned(), name: test.name.clone() }.into());
        }
    }
    Ok(tests.test)
}

impl Test {
    fn runs_on(&self, platform: Platform) -> bool {
        self.platforms.as_ref().is_none_or(|platforms| platforms.contains(&platform))
    }

    fn play(&self, project: &Project, built: &Built, target: Target, directory: &Path) -> Result<(), Failed> {
        let files: Vec<(String, PathBuf)> = self
            .prefill
            .iter()
            .map(|(region, path)| (region.clone(), project.directory.join(path)))
            .collect();
        // Others may run the same test at the same time, but not with the same files.
        let _lock = Lock::take(directory)?;
        let prefills = prefill::read(&files, target.platform).map_err(|cause| TestError::Prefill {
            path: project.directory.join(FILE),
            test: self.name.clone(),
            cause,
        })?;
        let description = project.files.load_for(&target.rules(), &prefill::sizes(&prefills))?;
        let emulator = built.emulator(&project.files, &description, &prefills, &[], directory, 1)?;
        let expectation = Expectation {
            lines: self.expect.clone(),
            fault: None,
            ending: if self.expect.is_empty() { Ending::Exit(0) } else { Ending::AfterLines },
            limit: Duration::from_secs(self.limit_s),
        };
        let boot = boot::boot(emulator, &expectation, &mut |_| true)?;
        if self.audit {
            audit::check_console(&boot.console)?;
        }
        // Reached only if the test passed. The files of one that failed stay, for a debugger.
        fs::remove_dir_all(directory).map_err(file::failed("remove", directory))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{FILE, read};
    use std::fs;

    #[test]
    fn a_mistake_in_the_list_of_tests_has_its_line_and_a_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        fs::write(&path, "[[test]]\nname = \"a\"\nexpct = []\n").unwrap();
        let Err(error) = read(&path) else { panic!("it is accepted") };
        let error = error.to_string();
        assert!(error.starts_with(&format!("{}: TOML parse error at line 3", path.display())), "{error}");
        assert!(error.ends_with("\ndocs/projects.md lists every key and its values"), "{error}");
    }
}
