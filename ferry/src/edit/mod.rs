//! `ferry add` and `ferry remove`: change `system.xml` and `flows.toml` of a project, and nothing in them but
//! what the command names. Comments, order and white space stay what they are. What was added and is removed
//! leaves both files as they were, byte for byte.
//!
//! What holds always: the result is checked in memory before anything is written. Then all files are written
//! or none. `system.rs` and `flows.rs` change the text of one file each; the benchmark makes its systems with
//! many clients by the same code.

pub(crate) mod arguments;
mod client;
mod edits;
mod error;
mod flow;
mod flows;
mod guard;
mod manifest;
mod markup;
mod name;
mod notation;
mod partition;
mod places;
#[cfg(test)]
mod python;
mod system;
mod write;

use crate::description_files::DescriptionFiles;
use crate::error::Error;
use arguments::{AddArguments, AddCommand, RemoveArguments, RemoveCommand};
use ferry_description::{CONFIG_REGION, Draft, PAGE_BYTES, Source, config_bytes};
use write::Change;

pub(crate) use error::EditError;
pub(crate) use places::Places;
pub(crate) use system::{NewClient, Reads, add as add_to_system, resize_config};

/// Adds what the arguments name.
pub(crate) fn add(arguments: &AddArguments) -> Result<(), Error> {
    match &arguments.command {
        AddCommand::Client(arguments) => client::add(arguments),
        AddCommand::Flow(arguments) => flow::add(arguments),
        AddCommand::Guard(arguments) => guard::add(arguments),
        AddCommand::Partition(arguments) => partition::add(arguments),
    }
}

/// Removes what the arguments name.
pub(crate) fn remove(arguments: &RemoveArguments) -> Result<(), Error> {
    match &arguments.command {
        RemoveCommand::Client(arguments) => client::remove(arguments),
        RemoveCommand::Flow(arguments) => flow::remove(arguments),
        RemoveCommand::Guard(arguments) => guard::remove(arguments),
        RemoveCommand::Partition(arguments) => partition::remove(arguments),
    }
}

/// The two files of a project, without a mistake.
struct Pair {
    system: Source,
    flows: Source,
    draft: Draft,
}

/// What shall be in the two files.
struct Changed {
    system: String,
    flows: String,
    counts: Counts,
}

/// How many records central's configuration has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    pub(crate) clients: usize,
    pub(crate) flows: usize,
    /// Stages of guards, of all flows together.
    pub(crate) stages: usize,
}

impl Counts {
    pub(crate) fn of(draft: &Draft) -> Self {
        let stages = draft.flows().iter().map(|flow| flow.stages.len()).sum();
        Self { clients: draft.clients().len(), flows: draft.flows().len(), stages }
    }

    fn bytes(self) -> u64 {
        config_bytes(self.clients, self.flows, self.stages) as u64
    }
}

impl Pair {
    fn open(files: &DescriptionFiles) -> Result<Self, EditError> {
        let (system, flows) = (Source::read(&files.system)?, Source::read(&files.flows)?);
        let draft = Draft::check(&system, &flows).map_err(EditError::Before)?;
        Ok(Self { system, flows, draft })
    }

    fn counts(&self) -> Counts {
        Counts::of(&self.draft)
    }

    /// The flows, as the names of their ends.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let name = |client: u16| self.draft.clients()[usize::from(client)].name.as_str();
        self.draft.flows().iter().map(move |flow| (name(flow.source), name(flow.target)))
    }

    /// Writes both files and the others, unless the result has a mistake. Returns the new size in bytes of
    /// central's configuration, if it has changed.
    fn write(
        &self,
        changed: Changed,
        others: impl IntoIterator<Item = Change>,
    ) -> Result<Option<u64>, EditError> {
        let Changed { mut system, flows, counts } = changed;
        let bytes = config_size(&self.draft, counts);
        if let Some(bytes) = bytes {
            system = resize_config(&system, bytes)?;
        }
        let new = |old: &Source, text: &str| {
            Source::new(old.path(), text).with_directories(old.directories().to_vec())
        };
        Draft::check(&new(&self.system, &system), &new(&self.flows, &flows)).map_err(EditError::After)?;
        let change = |old: &Source, text: String| Change {
            path: old.path().to_owned(),
            before: Some(old.text().to_owned()),
            after: Some(text),
        };
        let files = [change(&self.flows, flows), change(&self.system, system)];
        write::write(others.into_iter().chain(files).collect())?;
        Ok(bytes)
    }
}

/// The size in bytes that central's configuration region gets for this many records. None if it keeps its
/// own: it has room, and was larger than it had to be before.
pub(crate) fn config_size(draft: &Draft, counts: Counts) -> Option<u64> {
    let system = draft.system();
    let region = &system.regions[system.region(CONFIG_REGION)?];
    let page = region.page_bytes.unwrap_or(PAGE_BYTES);
    let least = |counts: Counts| counts.bytes().next_multiple_of(page);
    let needed = least(counts);
    let was_least = region.bytes == least(Counts::of(draft));
    (needed > region.bytes || was_least && needed < region.bytes).then_some(needed)
}
