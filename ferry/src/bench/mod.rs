//! `ferry bench`: counts the instructions that a message costs on seL4, in total and by who executes them.
//!
//! In a project, the cases are those of the project's flows: their policies and longest messages. Elsewhere
//! they are those that docs/performance.md publishes.
//!
//! Cases that differ only in the size of messages and of batches are measured in one boot of one system
//! (`system`). As many boots as there are processors run at a time: the emulator counts instructions, so the
//! results depend neither on the machine at hand nor on what else it does. With clients in C (`bench/c`) the
//! smallest messages are measured again, so that the two kinds of clients stand beside each other.
//!
//! Each case is measured twice, by two independent methods:
//!
//! * The producer reads the virtual clock before and after each round of batches. A loop of known length
//!   tells how many ticks an instruction takes. The shortest round counts.
//! * One more round is traced from outside, instruction by instruction (`watch`, `trace`). The address of an
//!   instruction tells whether it belongs to central, a client or the kernel. Calls of the runtime's
//!   functions tell signals, maps and unmaps.
//!
//! Both must agree, or the measurement fails. The reported numbers are those of the trace, without
//! interrupts. In the configuration `benchmark` the kernel's share includes the instructions that track
//! utilisation.

pub(crate) mod error;
mod gdb;
mod in_c;
mod more_clients;
mod programs;
mod report;
mod system;
mod trace;
mod watch;

use crate::arguments::BenchArguments;
use crate::boot::{self, Boot, Ending, Expectation};
use crate::built::Built;
use crate::description_files::DescriptionFiles;
use crate::error::Error;
use crate::file;
use crate::lock::Lock;
use crate::microkit;
use crate::output::line;
use crate::progress::Step;
use crate::project::Project;
use crate::target::{Platform, Selection, Target, Wanted};
use crate::templates::Language;
use crate::workspace::Workspace;
use error::BenchError;
use ferry_description::Flow;
use ferry_rows::carrier::Carrier;
use ferry_rows::case::{Busy, Case, Frames, PAYLOADS, Policy, Way};
use ferry_rows::order::{self, Course};
use programs::{Owner, Programs};
use report::Clock;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use system::Setting;
use trace::Trace;
use watch::Watch;

/// The region that tells the measured protection domains what to do.
const REGION: &str = "bench";
/// Time that one boot may take.
const LIMIT: Duration = Duration::from_mins(5);
/// The most messages and the most bytes of a round. A ring has as many slots as a full round has messages. So
/// every full round goes once round each ring, and has the same extra work where the ring begins again.
const MESSAGES: u32 = 128;
const BYTES: u32 = 2 << 20;
/// Sizes of batches for the flows of a project.
const ALONE: u32 = 1;
const BATCH: u32 = 32;
/// Messages that are sent before the measurement. After these, every buffer of both sides has been used once.
const WARM_UP: u32 = 256;
/// The number of rounds that are timed.
const ROUNDS: u32 = 4;

/// Measures all cases that `arguments` select, prints the rows, and stores them if asked to.
pub(crate) fn bench(arguments: &BenchArguments) -> Result<(), Error> {
    let project = arguments.files.project()?;
    let workspace = match &project {
        Some(project) => project.workspace()?,
        None => Workspace::locate()?,
    };
    let of_project = project.as_ref().map(cases_of).transpose()?;
    let targets = targets(arguments)?;
    let wanted = |case: &Case| {
        (arguments.payload.is_empty() || arguments.payload.contains(&case.payload))
            && (arguments.batch.is_empty() || arguments.batch.contains(&case.batch))
            && (arguments.clients.is_empty() || arguments.clients.contains(&case.clients))
            && arguments.policy.is_none_or(|policy| Policy::from(policy) == case.policy)
            && arguments.frames.is_none_or(|frames| Frames::from(frames) == case.frames)
            && arguments.way.is_none_or(|way| Way::from(way) == case.way)
    };
    let languages = match arguments.lang {
        Some(language) => vec![language],
        None if of_project.is_none() => vec![Language::Rust, Language::C],
        None => vec![Language::Rust],
    };
    let _lock = Lock::take(&workspace.products().join("bench"))?;
    let (mut boots, mut all) = (Vec::new(), Vec::new());
    for target in targets {
        let cases = of_project.clone().unwrap_or_else(|| published(&target));
        all.extend(&cases);
        let cases: Vec<Case> = cases.into_iter().filter(wanted).collect();
        if cases.is_empty() {
            continue;
        }
        let bench = Arc::new(Bench::build(target, &workspace)?);
        for language in &languages {
            let cases = of_language(*language, arguments.lang.is_some(), &cases);
            boots.extend(Measurement::all(&bench, *language, &cases));
        }
    }
    if boots.is_empty() {
        return Err(BenchError::no_case(&all).into());
    }
    let carriers = measure(&boots, arguments.profile.as_deref())?;
    if let Some(path) = &arguments.rows {
        let text = serde_json::to_vec_pretty(&carriers).map_err(std::io::Error::from);
        let text = text.map_err(file::failed("write", path))?;
        file::write(path, text)?;
        line(format_args!("stored: {}", path.display()))?;
    }
    Ok(())
}

/// The cases that docs/performance.md publishes for a target.
fn published(target: &Target) -> Vec<Case> {
    let mut cases = Case::pairs();
    // Cases in which all clients are busy are left out. Central has a higher priority than all clients and
    // there is one processor, so each client would be served as if it were alone.
    cases.extend(Case::scaling().into_iter().filter(|case| case.busy == Busy::One && case.clients > 2));
    if target.platform == Platform::Microkit {
        cases.extend(Case::in_large_frames());
        cases.extend(Case::other_ways());
    }
    cases
}

/// The cases in which clients are in this language. Unless the caller has asked for the language, those in C
/// are the ones that stand beside clients in Rust.
fn of_language(language: Language, is_asked_for: bool, cases: &[Case]) -> Vec<Case> {
    let is_in_c = |case: &Case| in_c::is_possible(case) && (is_asked_for || in_c::is_compared(*case));
    cases.iter().copied().filter(|case| language == Language::Rust || is_in_c(case)).collect()
}

/// What a message of each flow of a project costs: the longest one, and one of 64 bytes, alone and in a
/// batch.
fn cases_of(project: &Project) -> Result<Vec<Case>, Error> {
    let [shortest, .., longest] = PAYLOADS;
    let description = project.files.load(&[])?;
    let mut cases = Vec::new();
    for flow in &description.flows {
        let way = way_of(flow);
        let ends = [flow.source, flow.target].map(|client| &description.clients[usize::from(client)]);
        let is_large = ends.iter().all(|client| client.transmit.frame_bits > 12);
        // Only plain flows are measured with frames of either size, and with frames that are not kept.
        let frames = if is_large && way.is_plain() { Frames::Large } else { Frames::Small };
        let policy = if way.is_plain() { Policy::of(flow.mapping) } else { Policy::Keep };
        let longest = if way.is_plain() { longest } else { ferry_rows::case::SIFTED[1] };
        for payload in [shortest, longest].map(|payload| payload.min(flow.max_message)) {
            cases.extend([ALONE, BATCH].map(|batch| Case {
                frames,
                way,
                ..Case::pair(payload, batch, policy)
            }));
        }
    }
    cases.sort_unstable_by_key(|case| {
        (case.way as u8, case.policy == Policy::Keep, case.frames as u8, case.payload, case.batch)
    });
    cases.dedup();
    Ok(cases)
}

/// The measured way that is nearest to what a flow demands.
fn way_of(flow: &Flow) -> Way {
    match &flow.stages[..] {
        [] if flow.one_way => Way::OneWay,
        [] => Way::Plain,
        [stage] if stage.members.len() > 1 => Way::Quorum,
        [_] => Way::OneGuard,
        _ => Way::TwoGuards,
    }
}

/// The platforms and boards to measure on: those that the caller names, else all for which this machine has
/// the tools.
fn targets(arguments: &BenchArguments) -> Result<Vec<Target>, Error> {
    if arguments.platform == Some(Platform::Hosted) {
        return Err(BenchError::Hosted.into());
    }
    if arguments.config.has_several_cores() {
        return Err(BenchError::SeveralCores.into());
    }
    let wanted = Wanted::new(arguments.platform, arguments.board, None)?;
    let is_wanted = |target: &Target| target.platform != Platform::Hosted && wanted.includes(target);
    let mut targets: Vec<Target> =
        Target::all_with(arguments.config, arguments.board).filter(is_wanted).collect();
    if wanted.platform().is_none() && !microkit::sdk_is_there()? {
        line(format_args!("MICROKIT WAS NOT MEASURED: no Microkit SDK was found; set MICROKIT_SDK"))?;
        targets.retain(|target| target.platform != Platform::Microkit);
    }
    Ok(targets)
}

/// A platform on which cases are run, with its programs.
struct Bench {
    target: Target,
    built: Built,
    /// The directory for its files.
    directory: PathBuf,
    workspace: Workspace,
}

/// One boot: the cases that it measures, of one setting.
struct Measurement {
    bench: Arc<Bench>,
    language: Language,
    /// The name of the carrier.
    name: String,
    /// The directory for the files of this boot.
    directory: PathBuf,
    setting: Setting,
    cases: Vec<Case>,
}

/// What was measured in one boot.
struct Measured {
    results: Vec<(Case, Clock, Trace)>,
    programs: Arc<Programs>,
}

impl Bench {
    fn build(target: Target, workspace: &Workspace) -> Result<Self, Error> {
        let directory = workspace.products().join("bench").join(target.name());
        // Any of the systems serves: all have their programs in C in the same place, and the other programs
        // are Ferry's own.
        let bench = workspace.root.join("bench");
        let files =
            DescriptionFiles { system: bench.join(system::PAIR), flows: bench.join("flows-keep.toml") };
        let project = Project::of_tests(files, directory.clone())?;
        let built = Built::build(target, Selection::Tests, workspace, &project)?;
        Ok(Self { target, built, directory, workspace: workspace.clone() })
    }
}

impl Measurement {
    /// The boots that measure these cases, in the order of the cases.
    fn all(bench: &Arc<Bench>, language: Language, cases: &[Case]) -> Vec<Self> {
        let target = bench.target.name();
        let name = match language {
            Language::Rust => target.to_owned(),
            Language::C => in_c::carrier_of(target),
        };
        let (mut boots, mut rest) = (Vec::new(), cases.to_vec());
        while let Some(setting) = rest.first().map(Setting::of) {
            let (cases, later) = rest.into_iter().partition(|case| Setting::of(case) == setting);
            rest = later;
            let directory = bench.directory.join(language.directory()).join(boots.len().to_string());
            let bench = Arc::clone(bench);
            boots.push(Self { bench, language, name: name.clone(), directory, setting, cases });
        }
        boots
    }

    /// How long the boot takes, beside others: most of it is tracing, and large messages are the longest.
    fn weight(&self) -> u32 {
        self.cases.iter().map(|case| case.payload).sum()
    }

    fn run(&self) -> Result<Measured, Error> {
        let Self { bench, language, directory, .. } = self;
        let files = self.setting.files(bench.target, *language, &bench.workspace.root, directory)?;
        let description = files.load(&[])?;
        let mut programs = Programs::default();
        for domain in &description.system.domains {
            let failed = |error| BenchError::Program(domain.name.clone(), error);
            programs.add(Owner::of_domain(&domain.name), &bench.built.program(domain)?).map_err(failed)?;
        }
        let programs = Arc::new(programs);
        let courses: Vec<Course> = self.cases.iter().map(|case| course(*case)).collect();
        let prefills = [(REGION.to_owned(), order::encode(&courses))];
        let mut emulator = bench.built.emulator(&files, &description, &prefills, &[], directory, 1)?;
        let watch = Watch::new().map_err(BenchError::Watch)?;
        if let Some(counting) = bench.target.emulated_board().and_then(|board| board.emulator) {
            emulator.command.args(counting.counting());
        }
        watch.prepare(&mut emulator.command);
        let expectation =
            Expectation { lines: Vec::new(), fault: None, ending: Ending::Exit(0), limit: LIMIT };
        let (boot, traces) = thread::scope(|scope| {
            let follow = scope.spawn(|| watch.follow(courses.len(), &programs));
            let boot = boot::boot(emulator, &expectation, &mut |_| true);
            (boot, follow.join())
        });
        // If the boot failed, its error tells more than the error of the watch.
        let boot: Boot = boot?;
        let traces = match traces {
            Ok(traces) => traces.map_err(BenchError::Watch)?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let clocks = report::clocks(&boot.console, &courses);
        let results = self.cases.iter().copied().zip(clocks).zip(traces);
        let results = results.map(|((case, clock), trace)| (case, clock, trace)).collect();
        Ok(Measured { results, programs })
    }
}

/// Runs all boots, as many at a time as there are processors, and those first that take longest. Prints the
/// rows in the order of the boots.
fn measure(boots: &[Measurement], profile: Option<&Path>) -> Result<Vec<Carrier>, Error> {
    let step = Step::begin(format!("measuring on seL4, in {} boots", boots.len()));
    let mut order: Vec<usize> = (0..boots.len()).collect();
    order.sort_by_key(|boot| std::cmp::Reverse(boots[*boot].weight()));
    let (next, processors) =
        (AtomicUsize::new(0), thread::available_parallelism().map_or(1, NonZeroUsize::get));
    let (sender, measured) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..processors.min(boots.len()) {
            let (sender, next, order) = (sender.clone(), &next, &order);
            scope.spawn(move || {
                while let Some(boot) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // When the results are no longer wanted, no further boot is begun.
                    if sender.send((*boot, boots[*boot].run())).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut carriers: Vec<Carrier> = Vec::new();
        let mut waiting: BTreeMap<usize, Measured> = BTreeMap::new();
        let mut printed = 0;
        for (boot, result) in measured {
            waiting.insert(boot, result?);
            step.say(format!("measuring on seL4, in {} boots: {printed} done", boots.len()));
            while let Some(measured) = waiting.remove(&printed) {
                step.beside(|| print(&boots[printed], &measured, profile, &mut carriers))?;
                printed += 1;
            }
        }
        Ok(carriers)
    })
}

/// Prints what was measured in one boot, and adds it to its carrier.
fn print(
    boot: &Measurement,
    measured: &Measured,
    profile: Option<&Path>,
    carriers: &mut Vec<Carrier>,
) -> Result<(), Error> {
    if carriers.last().is_none_or(|carrier| carrier.name != boot.name) {
        line(format_args!("{}", report::Heading(&boot.name)))?;
        carriers.push(Carrier { name: boot.name.clone(), rows: Vec::new() });
    }
    for (case, clock, trace) in &measured.results {
        let row = report::row(&boot.name, *case, clock, trace, &measured.programs)?;
        line(format_args!("{}", report::Shown(&row, clock)))?;
        if let Some(directory) = profile {
            report::profile(directory, &boot.name, *case, trace, &measured.programs)?;
        }
        if let Some(carrier) = carriers.last_mut() {
            carrier.rows.push(row);
        }
    }
    Ok(())
}

/// How a case is run. A round is long enough for the clock and short enough to be traced.
fn course(case: Case) -> Course {
    let batches = (MESSAGES.min(BYTES / case.payload) / case.batch).max(1);
    Course { case, batches, unmeasured: WARM_UP.div_ceil(batches * case.batch), rounds: ROUNDS }
}
