//! `ferry test`: boots each scenario of the harness in a system of its own and judges it as a test case.
//!
//! Half of the judgement falls inside the kernel and arrives as lines of the console; the other half falls here: the
//! witness's trace, the fault, the exit code. [`trials`] turns the harness's table into trials; a trial is a name, a
//! prefilled image and an expectation, so another table is another function like it.

use crate::arguments::{DescriptionFiles, Platform, TestArguments};
use crate::boot::{self, Boot, BootError, Ending, Expectation};
use crate::check;
use crate::classic::{self, Classic, Prefill};
use crate::error::Error;
use crate::workspace::Workspace;
use ferry_description::Description;
use ferry_harness::{Ending as ScenarioEnding, Role, SCENARIO_MAGIC, SCENARIOS, Scenario, Trace};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

/// Time that one boot may take. Two run at a time, so a machine with one processor still has room.
const LIMIT: Duration = Duration::from_mins(1);
/// Boots at a time.
const PARALLEL: usize = 2;
/// The region that says which scenario to play.
const SCENARIO_REGION: &str = "scenario";

/// One boot that is a test case.
struct Case {
    name: String,
    prefills: Vec<Prefill>,
    expectation: Expectation,
    /// What the console must show beyond the expectation.
    trace: Trace,
}

/// What all cases share.
struct Bench {
    classic: Classic,
    description: Description,
    workspace: Workspace,
}

/// Runs the tests.
pub(crate) fn test(arguments: &TestArguments) -> Result<(), Error> {
    let workspace = Workspace::locate()?;
    let files = DescriptionFiles {
        system: workspace.root.join("harness/system.xml"),
        flows: workspace.root.join("harness/flows.toml"),
    };
    let mut runner = libtest_mimic::Arguments::from_iter(
        std::iter::once("ferry test").chain(arguments.runner.iter().map(String::as_str)),
    );
    runner.test_threads = runner.test_threads.or(Some(PARALLEL));
    let description = check::load(&files, &[])?;
    let classic = match arguments.platform {
        Platform::Classic => Classic::build(&workspace)?,
    };
    let bench = Arc::new(Bench { classic, description, workspace });
    let conclusion = libtest_mimic::run(&runner, trials(&bench));
    if runner.list {
        return Ok(());
    }
    println!("{} passed, {} failed", conclusion.num_passed, conclusion.num_failed);
    if conclusion.has_failed() { Err(Error::Failed) } else { Ok(()) }
}

/// The harness's scenarios as trials.
fn trials(bench: &Arc<Bench>) -> Vec<Trial> {
    let cases = (0..).zip(SCENARIOS).map(|(number, scenario)| case(number, scenario));
    cases
        .map(|case| {
            let bench = Arc::clone(bench);
            Trial::test(case.name.clone(), move || bench.play(&case))
        })
        .collect()
}

fn case(number: u32, scenario: &Scenario) -> Case {
    let passes = Role::ALL.into_iter().filter(|role| scenario.must_pass(*role));
    let ending = match scenario.ending {
        ScenarioEnding::Umpire | ScenarioEnding::By(_) => Ending::Exit(0),
        ScenarioEnding::ByFault => Ending::AfterFault,
    };
    let contents = [SCENARIO_MAGIC.to_le_bytes(), number.to_le_bytes()].concat();
    Case {
        name: scenario.name.to_owned(),
        prefills: vec![(SCENARIO_REGION.to_owned(), contents)],
        expectation: Expectation {
            lines: passes.map(|role| format!("harness: pass {}", role.name())).collect(),
            fault: scenario.fault.map(|fault| (fault.domain.to_owned(), fault.kind.to_owned())),
            ending,
            limit: LIMIT,
        },
        trace: scenario.trace,
    }
}

impl Bench {
    fn play(&self, case: &Case) -> Result<(), Failed> {
        let path = self.workspace.products().join("test").join(&case.name).with_extension("elf");
        let image = self.classic.write_image(&self.description, &case.prefills, &path)?;
        let boot = boot::boot(classic::machine(&image, 0), &case.expectation, &mut |_| {})?;
        // A failed scenario's image stays, for a debugger.
        let _ = fs::remove_file(&path);
        Ok(judge_trace(case.trace, boot)?)
    }
}

/// Compares the witness's lines with what the scenario wants.
fn judge_trace(trace: Trace, boot: Boot) -> Result<(), BootError> {
    let seen: Vec<&str> = boot.console.iter().filter_map(|line| line.strip_prefix("witness: ")).collect();
    let failure = match trace {
        Trace::Contains(wanted) => {
            let mut rest = seen.iter();
            wanted.iter().find(|wanted| !rest.any(|line| line == *wanted)).map(|missing| {
                boot::Failure::Missing(format!(
                    "witness: {missing}` in its place of the trace, `{}",
                    wanted.join("` `")
                ))
            })
        }
        Trace::Begins(wanted) if !seen.starts_with(wanted) => Some(boot::Failure::Missing(format!(
            "witness: {}` as the whole beginning of the trace",
            wanted.join("` `")
        ))),
        Trace::Without(unwanted) => {
            let found = seen.iter().find(|line| unwanted.iter().any(|unwanted| line.starts_with(unwanted)));
            found.map(|line| boot::Failure::Trouble(format!("witness: {line}")))
        }
        Trace::Begins(_) => None,
    };
    match failure {
        Some(failure) => Err(BootError { failure, console: boot.console }),
        None => Ok(()),
    }
}
