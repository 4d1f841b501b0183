//! The isolation report: who can read and write what, every flow, every other way in which one protection
//! domain can influence another, and who is trusted with one. A reviewer signs it. So it leaves nothing out,
//! and is made from the checked description and nothing else. The text of `ferry check`, its JSON and the
//! drawing of `ferry graph` are made from it.
//!
//! `docs/check.schema.json` describes the JSON. A test compares it with these types.

mod make;
mod text;

use crate::description::Description;
use crate::hint::Hint;
use crate::map::Permissions;
use crate::mistake::{Mistake, Mistakes};
use serde::Serialize;

/// The version of the JSON. It changes when a program that reads it has to change.
pub const REPORT_VERSION: u32 = 1;

/// What a check has come to, for programs: either mistakes, or a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The version of this format.
    pub version: u32,
    /// The mistakes, in the order of the rules. None if there is a report.
    pub mistakes: Vec<MistakeRow>,
    /// The isolation report. Null if there are mistakes.
    pub report: Option<Report>,
    /// What is right and could cost less, in the order of the flows.
    pub hints: Vec<HintRow>,
}

/// A mistake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MistakeRow {
    /// The name of the broken rule.
    pub rule: &'static str,
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// A hint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HintRow {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What could be better.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Verdict {
    /// The verdict about a description without a mistake.
    #[must_use]
    pub fn right(description: &Description) -> Self {
        let row = |hint: Hint| HintRow {
            file: hint.place.source().path().display().to_string(),
            line: hint.place.line(),
            what: hint.what,
            remedy: hint.remedy,
        };
        Self {
            version: REPORT_VERSION,
            mistakes: Vec::new(),
            report: Some(description.report()),
            hints: description.hints().into_iter().map(row).collect(),
        }
    }

    /// The verdict about a description with mistakes.
    #[must_use]
    pub fn wrong(mistakes: &Mistakes) -> Self {
        let row = |mistake: &Mistake| MistakeRow {
            rule: mistake.problem.rule(),
            file: mistake.place.source().path().display().to_string(),
            line: mistake.place.line(),
            what: mistake.problem.to_string(),
            remedy: mistake.problem.remedy(),
        };
        Self {
            version: REPORT_VERSION,
            mistakes: mistakes.iter().map(row).collect(),
            report: None,
            hints: Vec::new(),
        }
    }
}

/// The report. `Display` prints it for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// The system description, as it was named. Lines are lines of this file, unless it says otherwise.
    pub system: String,
    /// The flows, as they were named.
    pub flows_file: String,
    /// The protection domains, in the order of the file, children after their parents.
    pub domains: Vec<DomainRow>,
    /// The guests of virtual machines.
    pub guests: Vec<GuestRow>,
    /// The devices behind an IOMMU.
    pub devices: Vec<DeviceRow>,
    /// The memory regions.
    pub regions: Vec<RegionRow>,
    /// One row for each mapping of a region, and one for each buffer that central maps per transfer.
    pub access: Vec<Access>,
    /// The flows.
    pub flows: Vec<FlowRow>,
    /// The audit log. Null if there is none.
    pub audit: Option<AuditRow>,
    /// The partitions. None if central serves everybody whenever it runs.
    pub partitions: Vec<PartitionRow>,
    /// Every way of influence beside Ferry's own. What a device reaches that no IOMMU confines is `memory`,
    /// which is the memory of everybody.
    pub influences: Vec<Influence>,
    /// Who is trusted, and with what. No path between two clients, or between a client and central, leads
    /// past these and the flows.
    pub trusted: Vec<TrustedRow>,
}

/// A protection domain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DomainRow {
    /// Its name.
    pub name: String,
    /// What it is for Ferry.
    pub role: Role,
    /// File name of its program, as the system description states it.
    pub program: String,
    /// Scheduling priority, 0 to 254.
    pub priority: u8,
    /// The name of its parent, which handles its faults.
    pub parent: Option<String>,
    /// The line of its element.
    pub line: usize,
}

/// What a domain is for Ferry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Role {
    /// Transfers the messages.
    Central,
    /// Sends or receives.
    Client,
    /// Inspects messages of others.
    Guard,
    /// Wakes central.
    Ticker,
    /// Reads the audit log.
    Auditor,
    /// Tells central of the time slots of a partition.
    Announcer,
    /// Nothing.
    Other,
}

/// The guest of a virtual machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GuestRow {
    /// Its name.
    pub name: String,
    /// The domain that runs it.
    pub domain: String,
    /// The line of its element.
    pub line: usize,
}

/// A device behind an IOMMU.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeviceRow {
    /// The name of its address space.
    pub name: String,
    /// The line of its element.
    pub line: usize,
}

/// A memory region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegionRow {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its physical address, if the description states one. The region may be the registers of a device.
    pub physical: Option<u64>,
    /// The client, or central, whose region it is by Ferry's names.
    pub owner: Option<String>,
    /// The line of its element.
    pub line: usize,
}

/// One holder's access to one region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Access {
    /// Name of the region.
    pub region: String,
    /// Who can reach it.
    pub holder: Party,
    /// What the holder may do with it: letters of `rwx`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub permissions: Permissions,
    /// When the holder can reach it.
    pub when: When,
    /// The line of the mapping. None for what central maps per transfer.
    pub line: Option<usize>,
}

/// When memory is reachable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum When {
    /// Mapped from the start.
    Always,
    /// Held as frame capabilities, and mapped for the length of a transfer.
    PerTransfer,
}

/// Something that acts or carries data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Party {
    /// What it is.
    pub kind: PartyKind,
    /// Its name among those of its kind.
    pub name: String,
}

/// What a [`Party`] is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum PartyKind {
    /// A protection domain.
    Domain,
    /// The guest of a virtual machine.
    Guest,
    /// A device behind an IOMMU.
    Device,
    /// A memory region.
    Region,
    /// The memory of everybody, as a device reaches it that no IOMMU confines.
    Memory,
}

/// A flow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlowRow {
    /// The client that sends.
    pub from: String,
    /// The client that receives.
    pub to: String,
    /// `urgent` or `normal`.
    pub class: &'static str,
    /// `each`: unmapped after each transfer. `keep`: kept mapped while busy.
    pub mapping: &'static str,
    /// Longest message in bytes.
    pub max_message: u32,
    /// The stages of guards that each message passes through, in order.
    pub guards: Vec<StageRow>,
    /// Ticks in which the guards of a stage have to answer. Null without guards.
    pub verdict_within: Option<u32>,
    /// Whether the sender learns nothing of the receiver and the guards.
    pub one_way: bool,
    /// Why it is right that something leads back from the receiver of a one-way flow. Null if nothing does.
    pub return_path: Option<String>,
    /// `refusals`: the audit log gets what is refused or judged. `all`: every delivered message too. Null
    /// without an audit log.
    pub audit: Option<&'static str>,
}

/// The audit log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditRow {
    /// Its region, which central writes.
    pub region: String,
    /// Who reads it. It learns what is refused and judged of all flows.
    pub reader: String,
}

/// A partition: central serves the clients of one scheduling domain only after its time slots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PartitionRow {
    /// The scheduling domain.
    pub domain: String,
    /// The protection domain that tells central of its time slots.
    pub announcer: String,
    /// Its clients and guards.
    pub clients: Vec<String>,
}

/// A stage of guards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StageRow {
    /// How many have to pass a message.
    pub quorum: u32,
    /// The guards.
    pub of: Vec<String>,
}

/// One way in which one party influences another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Influence {
    /// Who does something.
    pub from: Party,
    /// Who can notice it.
    pub to: Party,
    /// The kind of influence.
    pub way: &'static str,
    /// A sentence that says what it is.
    pub what: String,
    /// The line that makes it.
    pub line: usize,
}

/// An entry `[[trusted]]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrustedRow {
    /// Its name in the entry.
    pub name: String,
    /// What is trusted.
    pub kind: TrustedKind,
    /// Why, in the words of the entry.
    pub reason: String,
    /// The line of the entry, in the file of the flows.
    pub line: usize,
    /// The clients, or central, that can influence it, each with the steps.
    pub from: Vec<PathRow>,
    /// The clients, or central, that it can influence, each with the steps.
    pub to: Vec<PathRow>,
    /// For a device that no IOMMU confines, who can use it.
    pub used_by: Vec<Influence>,
}

/// What is trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum TrustedKind {
    /// A domain, not to carry anything from one client to another.
    Domain,
    /// A device behind an IOMMU, not to carry anything either.
    ConfinedDevice,
    /// Another device, to reach no memory but its driver's.
    Device,
}

/// A path between a client, or central, and something trusted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PathRow {
    /// The client, or central.
    pub domain: String,
    /// The steps, in the direction of the influence.
    pub steps: Vec<Influence>,
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn the_schema_in_the_documents_is_that_of_the_report() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/check.schema.json");
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Verdict)).unwrap() + "\n";
        if std::env::var_os("FERRY_WRITE_SCHEMA").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        let is_same = std::fs::read_to_string(path).unwrap() == schema;
        assert!(is_same, "write docs/check.schema.json again with FERRY_WRITE_SCHEMA=1");
    }
}
