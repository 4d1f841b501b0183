//! The arguments of the command line.

use crate::audit::AuditArguments;
use crate::board::BoardParser;
use crate::edit::arguments::{AddArguments, RemoveArguments};
use crate::project::{FilesArguments, ProjectArguments};
use crate::target::{Config, Platform, TargetArguments};
use crate::templates::Language;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ferry_boards::Board;
use ferry_rows::case::{Frames, Policy, Way};
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Mediated transfer between isolated seL4 protection domains.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a client, a guard, a flow or partitions to a system: to its description, and for a program its
    /// source.
    Add(AddArguments),
    /// Verify an audit log, or print its records in words.
    Audit(AuditArguments),
    /// Count what a message costs on seL4, in instructions.
    Bench(BenchArguments),
    /// Check a system description and its flows, and show who can read and write what.
    Check(CheckArguments),
    /// Print the completions of `ferry` for a shell.
    Completions(CompletionsArguments),
    /// Write down for an evaluator what a project is, what it was built to, and what its tests showed.
    Evidence(EvidenceArguments),
    /// Draw who can influence whom: protection domains, memory, flows, and what goes past the flows.
    Graph(GraphArguments),
    /// Build a bootable image.
    Image(ImageArguments),
    /// Read an image back, and compare it with the description that it is said to be built from.
    Inspect(InspectArguments),
    /// Run Clippy on the programs for boards, on the demo and the examples, and on Microkit's image builder
    /// if there is an SDK.
    Lint,
    /// Write the manual pages.
    Man(ManArguments),
    /// Write the library and the headers for clients in C that another build compiles.
    Library(LibraryArguments),
    /// Make a new project, which builds, boots and has a test.
    New(NewArguments),
    /// Remove a client, a guard, a flow or partitions from a system.
    Remove(RemoveArguments),
    /// Run the system in QEMU or as Linux processes, and show its console. The exit code is the system's, but
    /// 1 if its audit log is broken.
    Run(RunArguments),
    /// Run Ferry's own scenarios, each in a system of its own.
    SelfTest(TestArguments),
    /// Install the tools that are missing, or print the command that installs them.
    Setup,
    /// Run the tests of the project that test.toml lists.
    Test(ProjectTestArguments),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Check it for this platform too. By default, say on which platforms it can be built.
    #[arg(long, value_enum)]
    pub(crate) platform: Option<Platform>,
    /// Check it for this board of Microkit too. By default, say on which boards it can be built.
    #[arg(long, value_parser = BoardParser)]
    pub(crate) board: Option<&'static Board>,
    /// Check it for this configuration of Microkit's kernels. By default, for those with several cores if the
    /// description names another core than 0, else for those with one.
    #[arg(long, value_enum)]
    pub(crate) config: Option<Config>,
    /// For people, or for programs: docs/check.schema.json describes the JSON.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,
}

/// How the report is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct EvidenceArguments {
    /// The directory for the evidence. It must not exist, be empty, or hold earlier evidence, which is then
    /// replaced as a whole.
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) system: SystemArguments,
    /// The image is one for use, as of `ferry image --product`. The tests run in images that print.
    #[arg(long)]
    pub(crate) product: bool,
    /// Write nothing, but compare the directory with its SHA256SUMS: say what was changed, what is missing,
    /// and what was added.
    #[arg(long, conflicts_with_all = WRITING)]
    pub(crate) verify: bool,
}

/// The options of `ferry evidence` that say what is written.
const WRITING: [&str; 9] =
    ["system", "flows", "programs", "platform", "board", "config", "processors", "prefill", "product"];

#[derive(Clone, Debug, Args)]
pub(crate) struct GraphArguments {
    #[command(flatten)]
    pub(crate) files: FilesArguments,
    /// The language of the drawing.
    #[arg(long, value_enum, default_value = "svg")]
    pub(crate) format: Drawing,
    /// The file for the drawing. By default it is printed.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The language of a drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Drawing {
    /// For a browser or a document.
    Svg,
    /// For Graphviz.
    Dot,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ImageArguments {
    #[command(flatten)]
    pub(crate) system: SystemArguments,
    /// Build the image for use, on Microkit: its supervisor reports faults and restarts, but it prints
    /// nothing for protection domains and lets none of them end the machine.
    #[arg(long)]
    pub(crate) product: bool,
    /// Directory for the image. It is created if it does not exist.
    #[arg(short, long, value_name = "DIRECTORY")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ManArguments {
    /// The directory for the pages: ferry.1, and one for each command. It is created if it does not exist.
    pub(crate) directory: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct LibraryArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// For protection domains with fpu="false": on AArch64, make a library without floating-point registers.
    #[arg(long)]
    pub(crate) without_fpu: bool,
    /// The directory for `libferry.a`, `ferry.h` and what else belongs to them.
    #[arg(long, value_name = "DIRECTORY", default_value = "ferry")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct NewArguments {
    /// The directory of the project. It must not exist, or be empty. Its name is the project's.
    pub(crate) directory: PathBuf,
    /// Take Ferry's crates from this git repository. By default from the sources of this program.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) git: Option<String>,
    /// What its clients are written in. A project in C has no Cargo package.
    #[arg(long, value_enum, default_value = "rust")]
    pub(crate) lang: Language,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct InspectArguments {
    /// The image: of the classic platform, the file system.elf; of Microkit, the file image.
    pub(crate) image: PathBuf,
    #[command(flatten)]
    pub(crate) system: SystemArguments,
    /// The image was built with --product.
    #[arg(long)]
    pub(crate) product: bool,
}

/// What a system is built from, and for what.
#[derive(Clone, Debug, Args)]
pub(crate) struct SystemArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Fill a region with the contents of a file. The region grows if the file is larger. May be repeated.
    #[arg(long, value_name = "REGION=FILE", value_parser = prefill)]
    pub(crate) prefill: Vec<(String, PathBuf)>,
}

fn prefill(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((region, file)) if !region.is_empty() && !file.is_empty() => Ok((region.into(), file.into())),
        _ => Err("write REGION=FILE, as in input=photo.jpg".into()),
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) system: SystemArguments,
    /// Stop the machine once the console has shown a line that begins like this. May be repeated: the order
    /// does not matter. A fault or an error that is not expected is a failure then, and so is an end of the
    /// system before that, unless it has shown all lines and ends with code 0.
    #[arg(long, value_name = "LINE")]
    pub(crate) expect: Vec<String>,
    /// Seconds after which the machine is stopped. By default it runs until the system ends it.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) limit: Option<u64>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ProjectTestArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Only this platform. By default all platforms for which this machine has the tools.
    #[arg(long, value_enum)]
    pub(crate) platform: Option<Platform>,
    /// Arguments for the test runner: a filter, --exact, --skip, --list, --test-threads.
    #[arg(last = true, value_name = "FILTER")]
    pub(crate) runner: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TestArguments {
    /// Only this platform. By default all platforms for which this machine has the tools.
    #[arg(long, value_enum)]
    pub(crate) platform: Option<Platform>,
    /// Only this board of Microkit. By default all boards.
    #[arg(long, value_parser = BoardParser)]
    pub(crate) board: Option<&'static Board>,
    /// Only this configuration of Microkit's kernels, and all scenarios in it. By default all scenarios in
    /// release, and of the others those that show something else there.
    #[arg(long, value_enum)]
    pub(crate) config: Option<Config>,
    /// Boot each scenario so many times; the first failure ends its test.
    #[arg(long, value_name = "TIMES", default_value = "1")]
    pub(crate) repeat: NonZeroU32,
    /// Test a central that is built without its express lane.
    #[arg(long)]
    pub(crate) without_express: bool,
    /// Arguments for the test runner: a filter, --exact, --skip, --list, --test-threads.
    #[arg(last = true, value_name = "FILTER")]
    pub(crate) runner: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(flatten)]
    pub(crate) files: FilesArguments,
    /// Only this platform. By default all platforms for which this machine has the tools.
    #[arg(long, value_enum)]
    pub(crate) platform: Option<Platform>,
    /// Only this board of Microkit. By default all boards.
    #[arg(long, value_parser = BoardParser)]
    pub(crate) board: Option<&'static Board>,
    /// The kernel's configuration on Microkit. The published figures to compare with were measured with
    /// `benchmark`.
    #[arg(long, value_enum, default_value = "benchmark")]
    pub(crate) config: Config,
    /// Only this mapping policy. By default both.
    #[arg(long, value_enum)]
    pub(crate) policy: Option<MappingPolicy>,
    /// Only buffers in frames of this size. By default both.
    #[arg(long, value_enum)]
    pub(crate) frames: Option<FrameSize>,
    /// Only flows that demand this of their messages. By default all.
    #[arg(long, value_enum)]
    pub(crate) way: Option<FlowWay>,
    /// Only clients in this language. By default those in Rust and, for the smallest messages, those in C
    /// beside them; in a project, those in Rust.
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Language>,
    /// Only messages of this many bytes. May be repeated.
    #[arg(long, value_name = "BYTES")]
    pub(crate) payload: Vec<u32>,
    /// Only batches of this many messages. May be repeated.
    #[arg(long, value_name = "MESSAGES")]
    pub(crate) batch: Vec<u32>,
    /// Only systems with this many clients, of which two exchange messages. May be repeated.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) clients: Vec<u16>,
    /// Store the rows as JSON, for `ferry-bench table --rows`.
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: Option<PathBuf>,
    /// For each case, store how often each function and each instruction was executed.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) profile: Option<PathBuf>,
}

/// How long frames stay mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum MappingPolicy {
    /// Mapped for one transfer.
    Each,
    /// Mapped as long as there is traffic.
    Keep,
}

impl From<MappingPolicy> for Policy {
    fn from(policy: MappingPolicy) -> Self {
        match policy {
            MappingPolicy::Each => Self::Each,
            MappingPolicy::Keep => Self::Keep,
        }
    }
}

/// The size of the frames that buffers consist of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FrameSize {
    /// 4 KiB.
    Small,
    /// 2 MiB.
    Large,
}

impl From<FrameSize> for Frames {
    fn from(size: FrameSize) -> Self {
        match size {
            FrameSize::Small => Self::Small,
            FrameSize::Large => Self::Large,
        }
    }
}

/// What a flow demands of its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FlowWay {
    /// Nothing.
    Plain,
    /// A guard passes each of them.
    OneGuard,
    /// Two guards pass each of them, one after the other.
    TwoGuards,
    /// Two of three guards pass each of them.
    Quorum,
    /// Nothing about the receiver comes back.
    OneWay,
}

impl From<FlowWay> for Way {
    fn from(way: FlowWay) -> Self {
        match way {
            FlowWay::Plain => Self::Plain,
            FlowWay::OneGuard => Self::OneGuard,
            FlowWay::TwoGuards => Self::TwoGuards,
            FlowWay::Quorum => Self::Quorum,
            FlowWay::OneWay => Self::OneWay,
        }
    }
}
