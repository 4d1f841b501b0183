//! `ferry self-test`: runs each scenario of the harness in a system of its own and judges it as a test case.
//!
//! One half of the judgement is made inside the system, and arrives here as lines of the console. The other
//! half is made here, from the witness's trace, the fault and the exit code. All platforms for which this
//! machine has the tools run the same scenarios. On Microkit all boards run them. A root task tests there
//! what only the kernel can answer. The scenarios that look into a `CSpace` also run on a debug kernel. Those
//! in which clients do what they should not also run on several cores; where these take turns, only a few do.

use crate::arguments::TestArguments;
use crate::board_trials::RealBoards;
use crate::boot::{self, Boot, BootError, Ending, Expectation};
use crate::built::Built;
use crate::c;
use crate::console::Printed;
use crate::cores;
use crate::demo_trials::{self, Demo};
use crate::description_files::DescriptionFiles;
use crate::error::Error;
use crate::file::{self, FileError};
use crate::lock::Lock;
use crate::makefile_trials;
use crate::microkit::{self, Microkit};
use crate::on_several_cores::{self, needs_processors};
use crate::output::line;
use crate::prefill::{Prefill, Priority};
use crate::project::Project;
use crate::runner::{self, trial};
use crate::schedule_trials;
use crate::target::{Config, Platform, Selection, Target, Wanted};
use crate::test;
use crate::workspace::Workspace;
use ferry_harness::{
    Change, Ending as ScenarioEnding, Feature, Role, SCENARIO_MAGIC, SCENARIOS, Scenario, Trace,
};
use ferry_platform::SEPARATOR;
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Time that one boot may take. It is long enough for two boots at a time on a machine with one processor.
const LIMIT: Duration = Duration::from_mins(1);
/// The same with several cores, whose clients sleep between two looks.
const SPREAD_LIMIT: Duration = Duration::from_mins(4);
/// The number of boots that run at the same time.
const PARALLEL: usize = 2;
/// The number of processors for scenarios that need several.
const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();
/// The region that tells the system which scenario to run.
const SCENARIO_REGION: &str = "scenario";

/// In scenarios with mallory, mallory has a higher priority than central. `ferry check` forbids that for
/// clients. On one processor it is the only way to let a client run in the middle of central's work.
const MALLORY: Priority = (Role::Mallory.name(), 220);

/// A test case: one boot.
struct Case {
    name: String,
    prefills: Vec<Prefill>,
    priorities: &'static [Priority],
    restarts: &'static [(&'static str, u8)],
    changes: &'static [Change],
    needs: &'static [Feature],
    in_c: &'static [(Role, &'static str)],
    expectation: Expectation,
    /// What the witness's lines on the console must show besides the expectation.
    trace: Trace,
}

/// Directories of projects whose tests run here, and their names. `makefile_trials.rs` has that of
/// `examples/microkit`, and `python/check` runs those of the other examples.
const PROJECTS: [(&str, &str); 5] = [
    ("c", "examples/c"),
    ("filters", "examples/filters"),
    ("guard", "examples/guard"),
    ("hostile_guards", "harness/guards"),
    ("restarting_target", "harness/restarting-target"),
];

/// The test cases of one platform, and what they share.
struct Suite {
    /// Beginning of the names of the cases. It is empty on classic, which runs on every machine.
    prefix: String,
    target: Target,
    built: Built,
    files: DescriptionFiles,
    /// Whether clients run on other cores than central.
    is_spread: bool,
    /// How often each scenario is booted.
    repeat: NonZeroU32,
    /// The directory for images and for contents of regions.
    directory: PathBuf,
}

/// What all tests of a run share.
struct Tests<'a> {
    arguments: &'a TestArguments,
    workspace: &'a Workspace,
    demo: &'a Demo,
}

impl Tests<'_> {
    /// The trials for one target.
    fn of(&self, target: Target) -> Result<Vec<Trial>, Error> {
        let Self { arguments, workspace, demo } = *self;
        let without_express = arguments.without_express;
        let selection = if without_express { Selection::TestsWithoutExpress } else { Selection::Tests };
        let suite = Suite::build(target, selection, arguments.repeat, workspace)?;
        let mut trials = suite.trials(|scenario| suite.plays(scenario));
        if arguments.config.is_some() {
            trials.push(suite.file_crosses(target, workspace, demo)?);
            return Ok(trials);
        }
        if !without_express {
            trials.extend(demo_trials::of(target, &suite.prefix, &suite.directory, workspace, demo)?);
            trials.extend(projects(target, &suite.prefix, workspace)?);
        }
        if !without_express && target.platform == Platform::Microkit {
            trials.push(makefile_trials::of_microkit(target, &suite.prefix, &suite.directory, workspace)?);
            trials.extend(schedule_trials::of_microkit(target, &suite.prefix, &suite.directory, workspace)?);
        }
        if target.platform == Platform::Hosted
            && std::thread::available_parallelism().is_ok_and(|here| here >= TWO)
        {
            let two = Target { processors: Some(TWO), ..target };
            let parallel = Suite::build(two, selection, arguments.repeat, workspace)?;
            trials.extend(parallel.trials(needs_processors));
        }
        if target.platform == Platform::Microkit {
            // A debug kernel tells what each slot holds, so scenarios that need capabilities see more there.
            let debug = Target { config: Config::Debug, ..target };
            let talking = Suite::build(debug, selection, arguments.repeat, workspace)?;
            trials.extend(talking.trials(|scenario| scenario.needs.contains(&Feature::Capabilities)));
            let several = on_several_cores::of(target);
            let spread = Suite::build(several, selection, arguments.repeat, workspace)?;
            let in_turns = on_several_cores::in_turns(several);
            trials.extend(spread.trials(|scenario| on_several_cores::is_played(scenario, in_turns)));
            if !without_express {
                trials.push(spread.file_crosses(several, workspace, demo)?);
            }
        }
        Ok(trials)
    }
}

/// The tests of these projects, for one target.
fn projects(target: Target, prefix: &str, workspace: &Workspace) -> Result<Vec<Trial>, Error> {
    let mut trials = Vec::new();
    for (name, directory) in PROJECTS {
        let directory = workspace.root.join(directory);
        let project = Project::of(DescriptionFiles::of_directory(&directory))?;
        let selection = demo_trials::selection(target.platform);
        let prefix = format!("{prefix}{name}::");
        trials.extend(test::trials(project, target, selection, workspace, &prefix)?);
    }
    Ok(trials)
}

/// Runs the tests.
pub(crate) fn self_test(arguments: &TestArguments) -> Result<(), Error> {
    let workspace = Workspace::locate()?;
    let demo = Demo::read(&workspace)?;
    let mut runner = runner::arguments("ferry self-test", &arguments.runner)?;
    runner.test_threads = runner.test_threads.or(Some(PARALLEL));
    let wanted = Wanted::new(arguments.platform, arguments.board, arguments.config)?;
    let _lock = Lock::take(&workspace.products().join("test"))?;
    let with_microkit = wanted.platform() == Some(Platform::Microkit) || microkit::sdk_is_there()?;
    // Release kernels, as they are shipped. So nothing that is tested depends on the checks of a debug
    // kernel.
    let config = arguments.config.unwrap_or(Config::Release);
    let mut trials = Vec::new();
    let tests = Tests { arguments, workspace: &workspace, demo: &demo };
    let is_tested =
        |target: &Target| wanted.includes(target) && (target.platform != Platform::Microkit || with_microkit);
    let targets: Vec<Target> = Target::all(config).filter(is_tested).collect();
    for target in &targets {
        trials.extend(tests.of(*target)?);
    }
    let real_boards = match arguments.board {
        Some(board) if board.emulator.is_none() => Some(RealBoards::only(board)),
        None if with_microkit
            && wanted.includes_some_of(Platform::Microkit)
            && arguments.config.is_none() =>
        {
            Some(RealBoards::find()?)
        }
        _ => None,
    };
    if let Some(boards) = &real_boards {
        trials.extend(boards.trials(config, &workspace, &demo)?);
    }
    if with_microkit && wanted.includes_some_of(Platform::Microkit) {
        let workspace = workspace.clone();
        trials.push(trial("microkit::the_image_builders_own_tests", move || {
            Ok(Microkit::builder_tests(&workspace)?)
        }));
    }
    let conclusion = runner::run(&runner, trials)?;
    if runner.list {
        return Ok(());
    }
    if !with_microkit && wanted.platform().is_none() {
        line(format_args!(
            "******** MICROKIT WAS NOT TESTED: no Microkit SDK was found; set MICROKIT_SDK ********"
        ))?;
    }
    if let Some(boards) = real_boards {
        boards.say_what_is_missing()?;
    }
    if conclusion.num_ignored > 0 {
        line(format_args!(
            "{} scenarios did not run: on hosted those that need capabilities, which only seL4 has, or real-time priorities, \
             which Linux does not allow every user (`ulimit -r`); with several cores those that need an order of \
             priorities, which only one core has; on Microkit those that need a clock, which programs can read on \
             x86-64 with one core",
            conclusion.num_ignored
        ))?;
    }
    if arguments.config.is_none() && runner.filter.is_none() {
        on_several_cores::say_who_took_turns(&targets)?;
    }
    line(format_args!("{} passed, {} failed", conclusion.num_passed, conclusion.num_failed))?;
    if conclusion.has_failed() { Err(Error::Failed) } else { Ok(()) }
}

fn case(number: u32, scenario: &Scenario) -> Case {
    let passes = Role::ALL.into_iter().filter(|role| scenario.must_pass(*role));
    let passes = passes.map(|role| format!("{}{SEPARATOR}harness: pass", role.name()));
    let ending = match scenario.ending {
        ScenarioEnding::Umpire | ScenarioEnding::By(_) => Ending::Exit(0),
        ScenarioEnding::WithCode(_, code) => Ending::Exit(code),
        ScenarioEnding::ByFault => Ending::AfterFault,
    };
    let contents = [SCENARIO_MAGIC.to_le_bytes(), number.to_le_bytes()].concat();
    Case {
        name: scenario.name.to_owned(),
        prefills: vec![(SCENARIO_REGION.to_owned(), contents)],
        priorities: if scenario.mallory.is_some() { &[MALLORY] } else { &[] },
        restarts: scenario.restarts,
        changes: scenario.flows,
        needs: scenario.needs,
        in_c: scenario.in_c,
        expectation: Expectation {
            lines: passes.chain(scenario.console.iter().map(|line| (*line).to_owned())).collect(),
            fault: scenario
                .fault
                .map(|fault| (fault.domain.to_owned(), fault.kind.to_owned(), scenario.faults)),
            ending,
            limit: LIMIT,
        },
        trace: scenario.trace,
    }
}

impl Suite {
    fn build(
        target: Target,
        selection: Selection,
        repeat: NonZeroU32,
        workspace: &Workspace,
    ) -> Result<Arc<Self>, Error> {
        let files = DescriptionFiles::of_directory(&workspace.root.join("harness"));
        let name = target.name();
        let (name, prefix) = match (target.platform, target.config) {
            (Platform::Classic, _) => (name.to_owned(), String::new()),
            (Platform::Hosted, _) | (_, Config::Release) => (name.to_owned(), format!("{name}::")),
            (_, Config::Debug) => (format!("{name}-debug"), format!("{name}::debug_kernel::")),
            (_, config) => (format!("{name}-{}", config.name()), format!("{name}::{}::", config.name())),
        };
        let is_spread = target.has_several_cores();
        let directory = workspace.products().join("test").join(name);
        // By default one processor, because the traces of scenarios are those of one processor.
        let processors = target.processors.unwrap_or(NonZeroUsize::MIN);
        let target = Target { processors: Some(processors), ..target };
        let project = Project::of_tests(files.clone(), directory.join("programs"))?;
        let built = Built::build(target, selection, workspace, &project)?;
        Ok(Arc::new(Self { prefix, target, built, files, is_spread, repeat, directory }))
    }

    /// The trial that sends a file through the demo.
    fn file_crosses(&self, target: Target, workspace: &Workspace, demo: &Demo) -> Result<Trial, Error> {
        demo_trials::file_crosses(target, &self.prefix, &self.directory, workspace, demo)
    }

    /// Whether all scenarios together include this one: not if it needs more than one processor, where there
    /// is one.
    fn plays(&self, scenario: &Scenario) -> bool {
        self.is_spread || !needs_processors(scenario)
    }

    /// The trials of the scenarios that `wanted` selects.
    fn trials(self: &Arc<Self>, wanted: impl Fn(&Scenario) -> bool) -> Vec<Trial> {
        let scenarios = (0..).zip(SCENARIOS).filter(|(_, scenario)| wanted(scenario));
        let cases = scenarios.map(|(number, scenario)| case(number, scenario));
        cases
            .map(|case| {
                let suite = Arc::clone(self);
                let possible = case.needs.iter().all(|feature| suite.built.offers(*feature));
                trial(format!("{}{}", suite.prefix, case.name), move || suite.play_each(&case))
                    .with_ignored_flag(!possible)
            })
            .collect()
    }

    /// Boots a scenario as often as the caller wants.
    fn play_each(&self, case: &Case) -> Result<(), Failed> {
        for boot in 1..=self.repeat.get() {
            self.play(case, boot).map_err(|failed| match (self.repeat.get(), failed.message()) {
                (1, _) | (_, None) => failed,
                (all, Some(message)) => format!("boot {boot} of {all}: {message}").into(),
            })?;
        }
        Ok(())
    }

    fn play(&self, case: &Case, boot: u32) -> Result<(), Failed> {
        let directory = self.directory.join(&case.name);
        let files = self.files(case, &directory)?;
        let description = files.load(&[])?;
        let mut emulator =
            self.built.emulator(&files, &description, &case.prefills, case.priorities, &directory, boot)?;
        let machine = self.target.emulated_board().and_then(|board| board.emulator);
        if let Some(machine) = machine.filter(|_| case.needs.contains(&Feature::Clock)) {
            emulator.command.args(machine.counting());
        }
        let _share = cores::Share::take(cores::of_tests(self.target, cores::ONE_OTHER));
        let limit = if self.is_spread { SPREAD_LIMIT } else { LIMIT };
        let expectation = Expectation { limit, ..case.expectation.clone() };
        let boot = boot::boot(emulator, &expectation, &mut |_| true)?;
        judge_trace(case.trace, boot)?;
        // Reached only if the scenario passed. The files of a failed scenario stay, for a debugger.
        let _ = fs::remove_dir_all(&directory);
        Ok(())
    }

    /// The system description of a scenario.
    fn system(&self, case: &Case, directory: &Path) -> Result<PathBuf, FileError> {
        let original = &self.files.system;
        if case.in_c.is_empty() {
            return Ok(original.clone());
        }
        let text = fs::read_to_string(original).map_err(file::failed("read", original))?;
        let with_c =
            |text: String, (role, program): &(Role, &str)| play_in_c(&text, *role, program, self.target);
        let path = directory.join("system.xml");
        file::write(&path, case.in_c.iter().fold(text, with_c))?;
        Ok(path)
    }

    /// The description of a scenario: the flows in `directory`, with the restarts and changes that the
    /// scenario wants, and the system, with the programs in C that play roles of it.
    fn files(&self, case: &Case, directory: &Path) -> Result<DescriptionFiles, Failed> {
        let flows = fs::read_to_string(&self.files.flows).map_err(file::failed("read", &self.files.flows))?;
        let mut flows: toml::Table = flows.parse().expect("harness/flows.toml is TOML");
        let restarts = case.restarts.iter().map(|(domain, number)| ((*domain).to_owned(), (*number).into()));
        flows.insert("restarts".to_owned(), toml::Value::Table(restarts.collect()));
        for change in case.changes {
            make(*change, &mut flows);
        }
        let path = directory.join("flows.toml");
        file::write(&path, flows.to_string())?;
        let files = DescriptionFiles { system: self.system(case, directory)?, flows: path };
        if self.is_spread { Ok(cores::spread(&files, cores::ONE_OTHER, directory)?) } else { Ok(files) }
    }
}

/// Gives a role's program another name in the text of the system. A program in C does not look up what it
/// plays.
fn play_in_c(system: &str, role: Role, program: &str, target: Target) -> String {
    let begin = format!("<protection_domain name=\"{}\"", role.name());
    let (before, rest) = system.split_once(&begin).expect("harness/system.xml has this role");
    let (domain, after) = rest.split_once("</protection_domain>").expect("the element of the role ends");
    let domain = c::with_registers(&domain.replace("actor.elf", &format!("{program}.elf")), target);
    let domain: String = domain.split_inclusive('\n').filter(|line| !line.contains("\"scenario\"")).collect();
    format!("{before}{begin}{domain}</protection_domain>{after}")
}

/// Applies a change to the flows of the test system. The client and the flow that it changes must exist.
fn make(change: Change, flows: &mut toml::Table) {
    match change {
        Change::Share { of, bytes, messages } => {
            let shares = toml::Table::from_iter([
                ("bytes_per_round".to_owned(), i64::from(bytes).into()),
                ("messages_per_round".to_owned(), i64::from(messages).into()),
            ]);
            let clients = flows["client"].as_table_mut().expect("a table for each client");
            clients.insert(of.name().to_owned(), toml::Value::Table(shares));
        }
        Change::Urgent { from, to } => {
            flow_of(from, to, flows).insert("class".to_owned(), "urgent".into());
        }
        Change::OneWay { from, to } => {
            let flow = flow_of(from, to, flows);
            flow.insert("one_way".to_owned(), true.into());
            flow.insert("return_path".to_owned(), "the roles keep in step by their other flows".into());
        }
    }
}

/// The table of a flow of the test system.
fn flow_of(from: Role, to: Role, flows: &mut toml::Table) -> &mut toml::Table {
    let all = flows["flow"].as_array_mut().expect("a list of flows").iter_mut();
    let mut all = all.filter_map(toml::Value::as_table_mut);
    let is_meant = |flow: &&mut toml::Table| {
        (flow["from"].as_str(), flow["to"].as_str()) == (Some(from.name()), Some(to.name()))
    };
    all.find(is_meant).expect("harness/flows.toml has this flow")
}

/// Compares the witness's lines with the trace that the scenario wants.
fn judge_trace(trace: Trace, boot: Boot) -> Result<(), BootError> {
    let texts = boot.console.iter().map(|line| Printed::of(line).text);
    let seen: Vec<&str> = texts.filter_map(|text| text.strip_prefix("witness: ")).collect();
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
        Trace::Run(wanted) if !seen.windows(wanted.len()).any(|lines| lines == wanted) => {
            Some(boot::Failure::Missing(format!("witness: {}` in one run", wanted.join("` `"))))
        }
        Trace::Begins(wanted) if !seen.starts_with(wanted) => Some(boot::Failure::Missing(format!(
            "witness: {}` as the whole beginning of the trace",
            wanted.join("` `")
        ))),
        Trace::Without(unwanted) => {
            let found = seen.iter().find(|line| unwanted.iter().any(|unwanted| line.starts_with(unwanted)));
            found.map(|line| boot::Failure::Trouble(format!("witness: {line}")))
        }
        Trace::Run(_) | Trace::Begins(_) => None,
    };
    match failure {
        Some(failure) => Err(BootError { failure, console: boot.console }),
        None => Ok(()),
    }
}
