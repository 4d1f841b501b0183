//! The nodes of the graph, and the steps between them. A step has a direction: what its beginning does can be
//! noticed at its end. It has the place in `system.xml` that makes it, and words that say what it is.

use crate::device::HeldKind;
use crate::source::Place;
use crate::system::System;
use std::fmt;

/// Something that acts or carries data. The numbers are positions in the [`System`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Node {
    /// A protection domain.
    Domain(usize),
    /// The guest of a virtual machine.
    Guest(usize),
    /// A device behind the IOMMU, with an address space of its own.
    IoSpace(usize),
    /// A memory region.
    Region(usize),
    /// All memory, as a device reads it that no IOMMU confines.
    AllRead,
    /// All memory, as such a device writes it.
    AllWritten,
}

/// One way in which a node influences another.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) from: Node,
    pub(crate) to: Node,
    pub(crate) way: Way,
    /// What makes it. None if it follows from an earlier step of every path that it is on.
    pub(crate) place: Option<Place>,
}

/// What kind of influence it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// From who writes a region, to the region.
    Writes,
    /// From a region, to who reads it.
    Reads,
    /// From who reads the registers of a device, to the registers: a read can change them.
    ReadsDevice,
    Signals,
    Calls,
    /// From who answers a call, to the caller.
    Answers,
    /// From a parent, to its child.
    IsParent,
    /// From a child, to its parent.
    Faults,
    /// From a domain, to the guest that it runs.
    Runs,
    /// From a guest, to the domain that runs it.
    Exits,
    /// Between a domain and one of which it holds a capability, in this direction.
    Holds(HeldKind),
    /// From one whose capability is held, to the holder.
    IsHeld(HeldKind),
    SharesInterrupt,
    /// From a client, to who reads in the audit log, a region, what it is refused.
    IsAudited(usize),
    /// From who can use a device without an IOMMU, to all memory.
    WritesAll(String),
    /// From all memory, to who can use such a device.
    ReadsAll(String),
    /// From who can use a device, to a device behind the IOMMU that may be the same.
    Commands(String),
    /// The other direction of it.
    IsCommanded(String),
    /// Between all memory and everybody.
    IsMemory,
}

/// What a device is reached by, such as a region of registers, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// Its name in `flows.toml`.
    pub(crate) name: String,
    pub(crate) holder: Node,
    pub(crate) place: Place,
}

impl Node {
    /// What it is called.
    pub(crate) fn name(self, system: &System) -> String {
        match self {
            Self::Domain(number) => system.domains[number].name.clone(),
            Self::Guest(number) => system.machines[number].name.clone(),
            Self::IoSpace(number) => system.io_spaces[number].name.clone(),
            Self::Region(number) => system.regions[number].name.clone(),
            Self::AllRead | Self::AllWritten => "all memory".into(),
        }
    }

    /// What it is called in a sentence.
    fn words(self, system: &System) -> String {
        let name = self.name(system);
        match self {
            Self::Domain(_) | Self::Region(_) => format!("`{name}`"),
            Self::Guest(_) => format!("the guest `{name}`"),
            Self::IoSpace(_) => format!("the device `{name}`"),
            Self::AllRead | Self::AllWritten => name,
        }
    }
}

impl Way {
    /// One word for programs and drawings.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Writes => "write",
            Self::Reads => "read",
            Self::ReadsDevice => "read-device",
            Self::Signals => "signal",
            Self::Calls | Self::Answers => "call",
            Self::IsParent | Self::Faults => "parent",
            Self::Runs | Self::Exits => "guest",
            Self::Holds(_) | Self::IsHeld(_) => "capability",
            Self::SharesInterrupt => "interrupt",
            Self::IsAudited(_) => "audit",
            Self::WritesAll(_) | Self::ReadsAll(_) | Self::IsMemory => "unconfined-device",
            Self::Commands(_) | Self::IsCommanded(_) => "device",
        }
    }
}

impl Step {
    /// The device that makes this step possible, if one does.
    pub(crate) fn device(&self) -> Option<&str> {
        match &self.way {
            Way::WritesAll(name) | Way::ReadsAll(name) | Way::Commands(name) | Way::IsCommanded(name) => {
                Some(name)
            }
            _ => None,
        }
    }

    /// A sentence that says what the step is.
    pub(crate) fn words<'a>(&'a self, system: &'a System) -> impl fmt::Display + 'a {
        Words { step: self, system }
    }
}

struct Words<'a> {
    step: &'a Step,
    system: &'a System,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.step.from.words(self.system), self.step.to.words(self.system));
        match &self.step.way {
            Way::Writes => write!(formatter, "{from} writes {to}"),
            Way::Reads => write!(formatter, "{to} reads {from}"),
            Way::ReadsDevice => write!(formatter, "{from} uses the device at {to}"),
            Way::Signals => write!(formatter, "{from} signals {to}"),
            Way::Calls => write!(formatter, "{from} calls {to}"),
            Way::Answers => write!(formatter, "{from} answers calls of {to}"),
            Way::IsParent => write!(formatter, "{from} is the parent of {to}"),
            Way::Faults => write!(formatter, "{to} gets the faults of its child {from}"),
            Way::Runs => write!(formatter, "{from} runs {to}"),
            Way::Exits => write!(formatter, "{to} gets the exits of {from}"),
            Way::Holds(kind) => write!(formatter, "{from} holds {} of {to}", kind.words()),
            Way::IsHeld(kind) => write!(formatter, "{to} holds {} of {from}", kind.words()),
            Way::SharesInterrupt => write!(formatter, "{from} and {to} get the same interrupt"),
            Way::IsAudited(region) => {
                let log = Node::Region(*region).words(self.system);
                write!(formatter, "{to} reads in {log} what {from} is refused")
            }
            Way::WritesAll(device) => {
                write!(formatter, "{from} may have all memory written by the device at `{device}`")
            }
            Way::ReadsAll(device) => {
                write!(formatter, "{to} may have all memory read by the device at `{device}`")
            }
            Way::Commands(device) => write!(formatter, "{from} may command {to}, by `{device}`"),
            Way::IsCommanded(device) => write!(formatter, "{to} may command {from}, by `{device}`"),
            Way::IsMemory => write!(formatter, "{from} includes what {to} sees"),
        }
    }
}
