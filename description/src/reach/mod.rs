//! Who can influence whom, by the whole system description and not only by Ferry's part of it. A graph has a
//! node for everything that acts or carries data, and a step for each way in which one node influences the
//! next. What one client can reach is then a matter of following the steps.
//!
//! Ferry's own ways are left out: the four regions of each client, and its channel to central. They carry
//! only what the flows allow, which is central's work. Whatever else connects two clients goes past them.

mod graph;
mod step;
mod ways;

pub(crate) use graph::{At, Graph};
pub(crate) use step::{Node, Step};
pub(crate) use ways::{Audited, Exempt, devices, graph};

use crate::source::Place;

/// What the rules have found: the graph with everything that is in it, and who is trusted.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) graph: Graph,
    pub(crate) trusted: Vec<Trusted>,
}

/// An entry `[[trusted]]`, with its name resolved.
#[derive(Clone, Debug)]
pub(crate) struct Trusted {
    pub(crate) name: String,
    pub(crate) what: Trustee,
    pub(crate) reason: String,
    pub(crate) place: Place,
}

/// What an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trustee {
    /// A protection domain, by its number: it carries nothing from one client to another.
    Domain(usize),
    /// A device behind the IOMMU, by its number: it carries nothing either.
    IoSpace(usize),
    /// Another device, by the name of the entry: it reaches no memory that its driver does not.
    Device,
}
