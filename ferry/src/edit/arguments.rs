//! The arguments of `ferry add` and `ferry remove`.

use crate::project::FilesArguments;
use crate::templates::{Language, Template};
use clap::{Args, Subcommand, ValueEnum};
use ferry_description::parse_bytes;
use std::path::PathBuf;
use std::str::FromStr;
use toml_edit::Value;

#[derive(Clone, Debug, Args)]
pub(crate) struct AddArguments {
    #[command(subcommand)]
    pub(super) command: AddCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum AddCommand {
    /// Add a client: four memory regions, a protection domain and a channel in system.xml, and its source.
    Client(AddClientArguments),
    /// Add a flow to flows.toml: who may send to whom.
    Flow(AddFlowArguments),
    /// Add a guard to flows: as a client, its name in flows.toml, and the source of a filter.
    Guard(AddGuardArguments),
    /// Add partitions: central serves the clients of one scheduling domain only after its time slots.
    Partition(PartitionArguments),
}

#[derive(Clone, Debug, Args)]
pub(super) struct AddClientArguments {
    /// The name of the client, of its program and of its source: a letter, then letters, digits, `_`, `-`; at
    /// most 48 bytes.
    pub(super) name: String,
    /// What its source does.
    #[arg(long, value_enum, default_value = "receiver")]
    pub(super) template: Template,
    /// What its source is written in.
    #[arg(long, value_enum, default_value = "rust")]
    pub(super) lang: Language,
    #[command(flatten)]
    pub(super) scheduling: SchedulingArguments,
    /// Make `_tx` and `_rx` of pages of 4 KiB: 256 KiB for the one that its source uses, 4 KiB for the other.
    /// Otherwise each is one page of 2 MiB, which central maps once for a batch of messages.
    #[arg(long)]
    pub(super) small_frames: bool,
    /// The directory of its source, seen from that of the system description. By default src/bin, or c.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) sources: Option<PathBuf>,
    /// Write no source, because the program NAME.elf comes from elsewhere.
    #[arg(long)]
    pub(super) no_source: bool,
    #[command(flatten)]
    pub(super) files: FilesArguments,
}

/// How a new client is scheduled.
#[derive(Clone, Debug, Args)]
pub(super) struct SchedulingArguments {
    /// Its scheduling priority, 0 to 254, below that of central. By default 100, or one below central's.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=254))]
    pub(super) priority: Option<u8>,
    /// Its scheduling domain, in a system with a domain schedule. By default that of central. A system with
    /// partitions has no default.
    #[arg(long, value_name = "DOMAIN")]
    pub(super) domain: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct AddFlowArguments {
    /// The client that sends.
    pub(super) from: String,
    /// The client that receives.
    pub(super) to: String,
    /// The class of its messages. By default normal.
    #[arg(long, value_enum)]
    pub(super) class: Option<Class>,
    /// How long frames stay mapped. By default each.
    #[arg(long, value_enum)]
    pub(super) mapping: Option<Mapping>,
    /// The longest message: bytes, or with a unit, as in "64 KiB" or "1 MiB". By default 16 MiB, or 64 KiB if
    /// the flow is one-way.
    #[arg(long, value_name = "BYTES")]
    pub(super) max_message: Option<Bytes>,
    /// What the audit log gets of it, in a system with one. Without it: as `flows.toml` says for all flows.
    #[arg(long, value_enum)]
    pub(super) audit: Option<Records>,
    /// Nothing about the receiver comes back to the sender: what the receiver has no buffer for is dropped.
    #[arg(long)]
    pub(super) one_way: bool,
    /// Why it is right that the receiver can influence the sender in another way all the same.
    #[arg(long, value_name = "REASON", requires = "one_way")]
    pub(super) return_path: Option<String>,
    #[command(flatten)]
    pub(super) files: FilesArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct AddGuardArguments {
    /// The name of the guard, of its program and of its source: a letter, then letters, digits, `_`, `-`; at
    /// most 48 bytes.
    pub(super) name: String,
    /// A flow whose messages it has to pass, as in sensor:console. The guard becomes the last stage of it.
    /// May be repeated.
    #[arg(long = "flow", value_name = "FROM:TO", required = true)]
    pub(super) guarded: Vec<Ends>,
    /// What its source is written in.
    #[arg(long, value_enum, default_value = "rust")]
    pub(super) lang: Language,
    #[command(flatten)]
    pub(super) scheduling: SchedulingArguments,
    /// The directory of its source, seen from that of the system description. By default src/bin, or c.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) sources: Option<PathBuf>,
    /// Write no source, because the program NAME.elf comes from elsewhere.
    #[arg(long)]
    pub(super) no_source: bool,
    #[command(flatten)]
    pub(super) files: FilesArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct PartitionArguments {
    /// The scheduling domains. Each one with clients is a partition, or none is, so name all of them at once.
    #[arg(required = true, value_name = "DOMAIN")]
    pub(super) domains: Vec<String>,
    #[command(flatten)]
    pub(super) files: FilesArguments,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RemoveArguments {
    #[command(subcommand)]
    pub(super) command: RemoveCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum RemoveCommand {
    /// Remove a client. Its source is removed too if nobody has changed it since `ferry add` wrote it.
    Client(RemoveClientArguments),
    /// Remove a flow from flows.toml.
    Flow(RemoveFlowArguments),
    /// Remove a guard, from its flows too. Its source is removed too if nobody has changed it.
    Guard(RemoveGuardArguments),
    /// Remove partitions, with their announcers.
    Partition(PartitionArguments),
}

#[derive(Clone, Debug, Args)]
pub(super) struct RemoveClientArguments {
    /// The name of the client.
    pub(super) name: String,
    /// Remove its flows too, in both directions.
    #[arg(long)]
    pub(super) with_flows: bool,
    /// The directory of its source, seen from that of the system description. By default src/bin, or c.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) sources: Option<PathBuf>,
    #[command(flatten)]
    pub(super) files: FilesArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RemoveFlowArguments {
    /// The client that sends.
    pub(super) from: String,
    /// The client that receives.
    pub(super) to: String,
    #[command(flatten)]
    pub(super) files: FilesArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RemoveGuardArguments {
    /// The name of the guard.
    pub(super) name: String,
    /// The directory of its source, seen from that of the system description. By default src/bin, or c.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) sources: Option<PathBuf>,
    #[command(flatten)]
    pub(super) files: FilesArguments,
}

/// The two ends of a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ends {
    pub(super) from: String,
    pub(super) to: String,
}

impl FromStr for Ends {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((from, to)) if !from.is_empty() && !to.is_empty() => {
                Ok(Self { from: from.to_owned(), to: to.to_owned() })
            }
            _ => Err("write the two clients of a flow with a colon between them, as in sensor:console"),
        }
    }
}

/// The class of a flow's messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Class {
    /// No message is served before others.
    Normal,
    /// Messages may use the urgent class, which central serves first.
    Urgent,
}

/// How long the frames of a flow stay mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Mapping {
    /// They are unmapped before the sender sees Done.
    Each,
    /// They stay mapped while there is work, which is faster and isolates less.
    Keep,
}

/// What the audit log gets of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Records {
    /// What is refused or judged.
    Refusals,
    /// Every message that is delivered, too, without its bytes.
    All,
}

/// A number of bytes as `flows.toml` has it: a whole number, or one with a unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bytes {
    number: u32,
    /// As it was written, if it has a unit.
    with_unit: Option<String>,
}

impl FromStr for Bytes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = parse_bytes(text)
            .ok_or("write 1 byte to 4 GiB - 1, as a number or like \"64 KiB\" or \"16 MiB\"")?;
        let with_unit = text.contains(|letter: char| letter.is_ascii_alphabetic()).then(|| text.to_owned());
        Ok(Self { number, with_unit })
    }
}

impl Bytes {
    /// What is written into the file.
    pub(super) fn value(&self) -> Value {
        self.with_unit.clone().map_or_else(|| i64::from(self.number).into(), Into::into)
    }
}
