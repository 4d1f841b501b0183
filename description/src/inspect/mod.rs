//! Compares an image with the description that it was built from. A reader of each platform's images lists
//! what the image gives to each protection domain ([`Found`]): pages, capabilities of frames, signals, the
//! program. [`Description::differences`] holds that against the description. It shares no code with what the
//! image builders make of a description, so a defect of one of them is found as well as an image that
//! somebody has changed.
//!
//! [`Description::differences`]: crate::Description::differences

mod compare;
mod difference;

pub use difference::Difference;

use crate::map::Permissions;
use crate::words::count;
use std::fmt;

/// What an image contains.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Found {
    /// The protection domains.
    pub domains: Vec<FoundDomain>,
    /// The frames that are filled with something, and with what.
    pub fills: Vec<(Frame, Vec<u8>)>,
}

/// What an image gives to one protection domain.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FoundDomain {
    /// Its name.
    pub name: String,
    /// Its scheduling priority.
    pub priority: u8,
    /// Every page that is mapped from the start, except those of its program and its stack.
    pub pages: Vec<FoundPage>,
    /// Every capability of a frame in its `CSpace`.
    pub frames: Vec<FoundFrame>,
    /// Every capability to signal another domain, or to call it.
    pub signals: Vec<FoundSignal>,
    /// Its program, with the symbols that the description sets.
    pub program: Vec<FoundSegment>,
    /// Capabilities that no description explains, in words.
    pub others: Vec<String>,
}

/// A frame of physical memory. Two are the same memory if, and only if, they have the same number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Frame {
    /// The number by which the image knows it.
    pub number: u64,
    /// Binary logarithm of its size in bytes.
    pub bits: u8,
}

/// A page that is mapped from the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FoundPage {
    /// Its address.
    pub address: u64,
    /// What is mapped there.
    pub frame: Frame,
    /// What the domain may do with it.
    pub permissions: Permissions,
}

/// A capability of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FoundFrame {
    /// Its capability pointer.
    pub capability: u64,
    /// The frame.
    pub frame: Frame,
    /// The rights of the capability.
    pub permissions: Permissions,
}

/// A capability to signal, or to call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FoundSignal {
    /// Number of the channel in the domain that has the capability.
    pub id: u8,
    /// The domain that is signalled.
    pub target: String,
    /// Number of the channel there.
    pub target_id: u8,
    /// Whether it is for calls.
    pub is_call: bool,
}

/// A segment of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundSegment {
    /// Its address.
    pub address: u64,
    /// Its size in memory. What is behind the contents is zero.
    pub bytes: u64,
    /// What the domain may do with it.
    pub permissions: Permissions,
    /// Its contents at the start.
    pub contents: Vec<u8>,
}

/// How much has been compared.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Compared {
    /// Protection domains.
    pub domains: usize,
    /// Pages that are mapped from the start.
    pub pages: usize,
    /// Capabilities of frames.
    pub frames: usize,
    /// Capabilities to signal or to call.
    pub signals: usize,
}

impl fmt::Display for Compared {
    /// Says that there is no difference.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the image is what the description says: {}, {} mapped, {} of frames, {} to signal or to call",
            count(self.domains, "protection domain"),
            count(self.pages, "page"),
            capabilities(self.frames),
            capabilities(self.signals),
        )
    }
}

fn capabilities(number: usize) -> String {
    if number == 1 { "1 capability".into() } else { format!("{number} capabilities") }
}
