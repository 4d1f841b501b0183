//! `ferry bench`: counts the instructions that a message costs on seL4, in total and by who executes them.
//!
//! In a project, the cases are those of the project's flows: their policies and longest messages. Elsewhere
//! they are those that docs/performance.md publishes.
//!
//! The command boots the system of `bench/system.xml` (producer, central, consumer) once for each policy,
//! distance of buffers and number of clients. With clients in C (`bench/c`) it measures the smallest
//! messages again, so that the two kinds of clients stand beside each other. The emulator counts
//! instructions, so the results do not depend on the machine at hand. Each case is measured twice, by two
//! independent methods:
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
mod trace;
mod watch;

use crate::arguments::BenchArguments;
use crate::boot::{self, Boot, Ending, Expectation};
use crate::built::Built;
use crate::description_files::{DescriptionError, DescriptionFiles};
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
use ferry_description::Source;
use ferry_rows::carrier::Carrier;
use ferry_rows::case::{Busy, Case, PAYLOADS, Policy};
use ferry_rows::order::{self, Course};
use programs::{Owner, Programs};
use report::Clock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use trace::Trace;
use watch::Watch;

/// The region that tells the measured protection domains what to do.
const REGION: &str = "bench";
/// The measured system.
const SYSTEM: &str = "bench/system.xml";
/// Time that one boot may take.
const LIMIT: Duration = Duration::from_mins(3);
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
        Some(project) => Workspace::of(project)?,
        None => Workspace::locate()?,
    };
    let wanted = |case: &Case| {
        (arguments.payload.is_empty() || arguments.payload.contains(&case.payload))
            && (arguments.batch.is_empty() || arguments.batch.contains(&case.batch))
            && (arguments.clients.is_empty() || arguments.clients.contains(&case.clients))
            && arguments.policy.is_none_or(|policy| Policy::from(policy) == case.policy)
    };
    // Cases in which all clients are busy are left out. Central has a higher priority than all clients and
    // there is one processor, so each client would be served as if it were alone.
    let more_clients = Case::scaling().into_iter().filter(|case| case.busy == Busy::One && case.clients > 2);
    let published = Case::pairs().into_iter().chain(more_clients);
    let is_published = project.is_none();
    let all = project.map_or_else(|| Ok(published.collect()), |project| cases_of(&project))?;
    let cases: Vec<Case> = all.iter().copied().filter(wanted).collect();
    if cases.is_empty() {
        return Err(BenchError::no_case(&all).into());
    }
    let _lock = Lock::take(&workspace.products().join("bench"))?;
    let languages = match arguments.lang {
        Some(language) => vec![language],
        None if is_published => vec![Language::Rust, Language::C],
        None => vec![Language::Rust],
    };
    let of_language = |language| -> Vec<Case> {
        let by_default = |case: &&Case| arguments.lang.is_some() || in_c::is_compared(**case);
        match language {
            Language::Rust => cases.clone(),
            Language::C => cases.iter().filter(by_default).copied().filter(in_c::is_possible).collect(),
        }
    };
    let mut carriers: Vec<Carrier> = Vec::new();
    for target in targets(arguments)? {
        for language in &languages {
            let cases = of_language(*language);
            if !cases.is_empty() {
                carriers.push(Bench::build(target, *language, &workspace)?.carrier(&cases, arguments)?);
            }
        }
    }
    if let Some(path) = &arguments.rows {
        let text = serde_json::to_vec_pretty(&carriers).map_err(std::io::Error::from);
        let text = text.map_err(file::failed("write", path))?;
        file::write(path, text)?;
        line(format_args!("stored: {}", path.display()))?;
    }
    Ok(())
}

/// What a message of each flow of a project costs: the longest one, and one of 64 bytes, alone and in a
/// batch.
fn cases_of(project: &Project) -> Result<Vec<Case>, Error> {
    let [shortest, .., longest] = PAYLOADS;
    let mut cases = Vec::new();
    for flow in project.files.load(&[])?.flows {
        let policy = Policy::of(flow.mapping);
        for payload in [shortest, longest].map(|payload| payload.min(flow.max_message)) {
            cases.extend([ALONE, BATCH].map(|batch| Case::pair(payload, batch, policy)));
        }
    }
    cases.sort_unstable_by_key(|case| (case.policy == Policy::Keep, case.payload, case.batch));
    cases.dedup();
    Ok(cases)
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

/// A platform on which the cases are run.
struct Bench {
    /// The name of the carrier.
    name: String,
    /// The directory for its files.
    directory: PathBuf,
    language: Language,
    target: Target,
    built: Built,
    programs: Arc<Programs>,
    workspace: Workspace,
}

impl Bench {
    fn build(target: Target, language: Language, workspace: &Workspace) -> Result<Self, Error> {
        let files = DescriptionFiles {
            system: workspace.root.join(SYSTEM),
            flows: workspace.root.join("bench/flows-keep.toml"),
        };
        let products = workspace.products().join("bench").join(target.name());
        let project = Project::of_tests(files.clone(), products.clone())?;
        let built = Built::build(target, Selection::Tests, workspace, &project)?;
        let (name, directory) = match language {
            Language::Rust => (target.name().to_owned(), products),
            Language::C => (in_c::carrier_of(target.name()), products.join("in-c")),
        };
        let workspace = workspace.clone();
        let programs = Arc::default();
        let mut bench = Self { name, directory, language, target, built, programs, workspace };
        let system = bench.system(2, &files.flows)?;
        let description = DescriptionFiles { system, ..files }.load(&[])?;
        let mut programs = Programs::default();
        for (owner, program) in
            [(Owner::Central, "central"), (Owner::Producer, "producer"), (Owner::Consumer, "consumer")]
        {
            // Each protection domain of this system has the name of its program in Rust.
            let domain = description.system.domain(program).ok_or(BenchError::NoDomain(program))?;
            let file = bench.built.program(&description.system.domains[domain])?;
            programs.add(owner, &file).map_err(|error| BenchError::Program(program, error))?;
        }
        bench.programs = Arc::new(programs);
        Ok(bench)
    }

    fn carrier(&self, cases: &[Case], arguments: &BenchArguments) -> Result<Carrier, Error> {
        let mut carrier = Carrier { name: self.name.clone(), rows: Vec::new() };
        line(format_args!("{}", report::Heading(&self.name)))?;
        for policy in Policy::ALL {
            let mut rest: Vec<Case> = cases.iter().copied().filter(|case| case.policy == policy).collect();
            while let Some(first) = rest.first().copied() {
                // The domains split their buffers once, so all cases of one boot have the same distance
                // between buffers.
                let alike = |case: &Case| (case.stride(), case.clients) == (first.stride(), first.clients);
                let (now, later): (Vec<Case>, _) = rest.into_iter().partition(alike);
                rest = later;
                for (case, clock, trace) in self.measure(&now)? {
                    let row = report::row(&self.name, case, &clock, &trace, &self.programs)?;
                    line(format_args!("{}", report::Shown(&row, &clock)))?;
                    if let Some(directory) = &arguments.profile {
                        report::profile(directory, &self.name, case, &trace, &self.programs)?;
                    }
                    carrier.rows.push(row);
                }
            }
        }
        Ok(carrier)
    }

    /// The path of a description with this many clients, for these flows.
    fn system(&self, clients: u16, flows: &Path) -> Result<PathBuf, Error> {
        let pair = self.workspace.root.join(SYSTEM);
        let read = |path| Source::read(path).map_err(DescriptionError::from);
        let text = match self.language {
            Language::Rust if clients == 2 => return Ok(pair),
            Language::Rust => more_clients::describe(&read(&pair)?, &read(flows)?, clients)?,
            Language::C => in_c::describe(read(&pair)?.text(), self.target),
        };
        let path = self.directory.join(format!("system-{clients}.xml"));
        file::write(&path, text)?;
        Ok(path)
    }

    /// Runs one boot, for cases with the same policy, stride and number of clients.
    fn measure(&self, cases: &[Case]) -> Result<Vec<(Case, Clock, Trace)>, Error> {
        let courses: Vec<Course> = cases.iter().map(|case| course(*case)).collect();
        let Some(Case { policy, clients, .. }) = cases.first().copied() else { return Ok(Vec::new()) };
        let flows = self.workspace.root.join(format!("bench/flows-{policy}.toml"));
        let files = DescriptionFiles { system: self.system(clients, &flows)?, flows };
        let contents = order::encode(&courses);
        let description = files.load(&[])?;
        let prefills = [(REGION.to_owned(), contents)];
        let mut emulator = self.built.emulator(&files, &description, &prefills, &[], &self.directory)?;
        let watch = Watch::new().map_err(BenchError::Watch)?;
        if let Some(counting) = self.target.emulated_board().and_then(|board| board.emulator) {
            emulator.command.args(counting.counting());
        }
        watch.prepare(&mut emulator.command);
        let expectation =
            Expectation { lines: Vec::new(), fault: None, ending: Ending::Exit(0), limit: LIMIT };
        let _step = Step::begin(format!("measuring {} cases on {}, policy {policy}", cases.len(), self.name));
        let (boot, traces) = std::thread::scope(|scope| {
            let follow = scope.spawn(|| watch.follow(cases.len(), &self.programs));
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
        Ok(cases
            .iter()
            .copied()
            .zip(clocks)
            .zip(traces)
            .map(|((case, clock), trace)| (case, clock, trace))
            .collect())
    }
}

/// How a case is run. A round is long enough for the clock and short enough to be traced.
fn course(case: Case) -> Course {
    let batches = (MESSAGES.min(BYTES / case.payload) / case.batch).max(1);
    Course { case, batches, unmeasured: WARM_UP.div_ceil(batches * case.batch), rounds: ROUNDS }
}
