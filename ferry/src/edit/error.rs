//! Why a description was not changed. Each message says what is in the way and what to do. Nothing has been
//! written then.

use super::write::WriteError;
use ferry_description::{Mistakes, ReadError};
use ferry_layout::geometry::MAX_NAME;
use std::path::PathBuf;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{path} could not be read again: {cause}; `ferry check` says more")]
    Parse { path: &'static str, cause: String },
    #[error("{}", mistakes(.0, "the description has mistakes already; mend them first"))]
    Before(Mistakes),
    #[error(
        "{}",
        mistakes(.0, "nothing was written, because the result would have mistakes, in these lines of it")
    )]
    After(Mistakes),
    #[error("the description has no central that a client could be added to; this is a defect of ferry")]
    NoAnchor,

    #[error(
        "`{name}` cannot name a client, because that also names a program and its source; write a letter (a-z, \
         A-Z), then letters, digits, `_` and `-`, at most {MAX_NAME} of them all"
    )]
    BadName { name: String },
    #[error("the name `{name}` belongs to {owner}; choose another name")]
    ReservedName { name: String, owner: &'static str },
    #[error("{place}: there is a protection domain `{name}` already; choose another name")]
    DomainExists { name: String, place: String },
    #[error(
        "{} exists already; choose another name, or add --no-source to make it the client's source as it is",
        path.display()
    )]
    SourceExists { path: PathBuf },
    #[error(
        "there are {found} clients, and central can serve no more; give some of them a central of their own in \
         another system"
    )]
    TooManyClients { found: usize },
    #[error("there are {found} protection domains, and a system can have no more; remove one first")]
    TooManyDomains { found: usize },
    #[error("central has used all 62 numbers for channels and interrupts; remove one of its channels first")]
    NoChannel,
    #[error(
        "central has no free addresses from 0x21000000 to its window at 0x1000000000; move what it maps there"
    )]
    NoAddress,

    #[error("the system has no domain schedule; add <domains> to it first, as docs/system.md shows")]
    NoSchedule,
    #[error("the system has partitions; say which one it is in: --domain NAME, of {known}")]
    WhichPartition { known: String },
    #[error(
        "the schedule has no scheduling domain `{domain}`; {}",
        meant_or(meant.as_deref(), "the scheduling domains are", known)
    )]
    UnknownPartition { domain: String, meant: Option<String>, known: String },
    #[error("the scheduling domain `{domain}` is a partition already; leave it out")]
    PartitionExists { domain: String },
    #[error(
        "there is no partition `{domain}`; {}",
        meant_or(meant.as_deref(), "the partitions are", if known.is_empty() { "none" } else { known })
    )]
    NoPartition { domain: String, meant: Option<String>, known: String },
    #[error(
        "a protection domain of `{domain}` has priority 254, and the announcer of a partition needs a higher one; \
         give it a lower one"
    )]
    NoPriority { domain: String },

    #[error("there is no client `{name}`; {}", or_known(meant.as_deref(), known))]
    UnknownClient { name: String, meant: Option<String>, known: String },
    #[error("`{name}` is a protection domain, but no client; name one that sends or receives")]
    NotAClient { name: String },
    #[error("`central` carries every flow and is the end of none; name the two clients")]
    FlowOfCentral,
    #[error("`{name}` reaches its own memory without central; name two different clients")]
    FlowToSelf { name: String },
    #[error(
        "there is a flow from `{from}` to `{to}` already; change it in {}, or remove it first",
        path.display()
    )]
    FlowExists { from: String, to: String, path: PathBuf },
    #[error(
        "there is no flow from `{from}` to `{to}`; {}",
        if *is_reverse { "did you mean the flow back?" } else { "`ferry check` lists the flows" }
    )]
    NoSuchFlow { from: String, to: String, is_reverse: bool },
    #[error(
        "`{name}` takes part in {flows}; remove {} first, or add --with-flows",
        if *is_one { "it" } else { "them" }
    )]
    HasFlows { name: String, flows: String, is_one: bool },
    #[error("`{name}` is a guard of the flow from {flow}; `ferry remove guard {name}` removes it there too")]
    IsGuard { name: String, flow: String },
    #[error(
        "`{name}` guards no flow; `ferry remove client {name}` removes it, and `ferry check` lists the flows"
    )]
    NotAGuard { name: String },
    #[error("the flow from `{from}` to `{to}` is named twice; leave one --flow out")]
    SameFlow { from: String, to: String },
    #[error(
        "`{name}` is one of several guards of a stage, {{ quorum = …, of = […] }}; change that stage in {} first",
        path.display()
    )]
    InQuorum { name: String, path: PathBuf },
    #[error("{place}: `{name}` contains other protection domains or a virtual machine; move them out first")]
    HasChildren { name: String, place: String },
    #[error("{place}: `{name}` has a channel to `{other}`; remove it first, in {other}'s program too")]
    OtherChannel { name: String, other: String, place: String },
    #[error(
        "`{table}` is written in a form that ferry cannot change; write it as {form}, as docs/flows.md does"
    )]
    OtherForm { table: &'static str, form: &'static str },
}

fn mistakes(mistakes: &Mistakes, what: &str) -> String {
    format!("{what}:\n{mistakes}")
}

fn or_known(meant: Option<&str>, known: &str) -> String {
    if meant.is_none() && known.is_empty() {
        return "there are no clients yet: `ferry add client NAME`".into();
    }
    meant_or(meant, "the clients are", known)
}

fn meant_or(meant: Option<&str>, what: &str, known: &str) -> String {
    meant.map_or_else(|| format!("{what}: {known}"), |meant| format!("did you mean `{meant}`?"))
}

impl From<roxmltree::Error> for EditError {
    fn from(cause: roxmltree::Error) -> Self {
        Self::Parse { path: "system.xml", cause: cause.to_string() }
    }
}

impl From<toml_edit::TomlError> for EditError {
    fn from(cause: toml_edit::TomlError) -> Self {
        Self::Parse { path: "flows.toml", cause: cause.message().to_owned() }
    }
}
