//! The two files of a project as a command finds them and leaves them. The commands of `ferry add` and
//! `ferry remove` open a [`Pair`], make the new texts, and give them back to be written.
//!
//! What holds always: both files are without a mistake before and after. All files are written, or none.

use super::error::EditError;
use super::system::resize_config;
use super::write::{self, Change};
use crate::description_files::DescriptionFiles;
use crate::error::Error;
use crate::output::line;
use ferry_description::{CONFIG_REGION, Draft, PAGE_BYTES, Source, config_bytes};
use std::path::Path;

/// The two files of a project, without a mistake.
pub(super) struct Pair {
    pub(super) system: Source,
    pub(super) flows: Source,
    pub(super) draft: Draft,
}

/// What shall be in the two files.
pub(super) struct Changed {
    pub(super) system: String,
    pub(super) flows: String,
    pub(super) counts: Counts,
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
    pub(super) fn open(files: &DescriptionFiles) -> Result<Self, EditError> {
        let (system, flows) = (Source::read(&files.system)?, Source::read(&files.flows)?);
        let draft = Draft::check(&system, &flows).map_err(EditError::Before)?;
        Ok(Self { system, flows, draft })
    }

    pub(super) fn counts(&self) -> Counts {
        Counts::of(&self.draft)
    }

    /// The flows, as the names of their ends.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let name = |client: u16| self.draft.clients()[usize::from(client)].name.as_str();
        self.draft.flows().iter().map(move |flow| (name(flow.source), name(flow.target)))
    }

    /// The flows that a guard guards, each as the names of its ends.
    pub(super) fn guarded_by(&self, guard: &str) -> impl Iterator<Item = String> {
        let is_guard = move |member: &u16| self.draft.clients()[usize::from(*member)].name == guard;
        let flows = self.pairs().zip(self.draft.flows());
        let flows =
            flows.filter(move |(_, flow)| flow.stages.iter().any(|stage| stage.members.iter().any(is_guard)));
        flows.map(|((from, to), _)| format!("`{from}` to `{to}`"))
    }

    /// Writes both files and the others, unless the result has a mistake. Returns the new size in bytes of
    /// central's configuration, if it has changed.
    pub(super) fn write(
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

/// Says that central's configuration region has another size.
pub(super) fn report_config(system: &Path, bytes: Option<u64>) -> Result<(), Error> {
    if let Some(bytes) = bytes {
        line(format_args!("  {}: `{CONFIG_REGION}` has {bytes:#x} bytes now", system.display()))?;
    }
    Ok(())
}
