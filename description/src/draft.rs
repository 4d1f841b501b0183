//! A description that somebody is writing: it may have no flow yet. All other rules hold, so that a program
//! which changes the files can trust what it finds in them. Image builders take a
//! [`Description`](crate::Description), which a draft does not become.

use crate::check;
use crate::description::{Client, Description, Flow, Partition};
use crate::mistake::Mistakes;
use crate::problem::Problem;
use crate::source::Source;
use crate::system::System;

/// A system with its flows that breaks no rule of [`Problem`], except that there may be no flow.
#[derive(Clone, Debug)]
pub struct Draft(Description);

impl Draft {
    /// Reads and checks both files.
    pub fn check(system: &Source, flows: &Source) -> Result<Self, Mistakes> {
        check::checked(system, flows, &[], |problem| !matches!(problem, Problem::NoFlows)).map(Self)
    }

    /// The system.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.0.system
    }

    /// Number of central in [`System::domains`].
    #[must_use]
    pub fn central(&self) -> usize {
        self.0.central
    }

    /// The clients, in the order of the file.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.0.clients
    }

    /// The partitions.
    #[must_use]
    pub fn partitions(&self) -> &[Partition] {
        &self.0.partitions
    }

    /// Who may send to whom.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.0.flows
    }
}

#[cfg(test)]
mod tests {
    use super::Draft;
    use crate::{Description, Source};

    #[test]
    fn a_draft_may_have_no_flow_and_a_description_may_not() {
        let system = include_str!("../tests/fixtures/valid/system.xml");
        let (system, flows) = (Source::new("system.xml", system), Source::new("flows.toml", TICK));
        let draft = Draft::check(&system, &flows).unwrap();
        assert_eq!((draft.clients().len(), draft.flows().len()), (2, 0));
        assert!(Description::check(&system, &flows, &[]).is_err());
    }

    #[test]
    fn a_draft_breaks_no_other_rule() {
        let system = include_str!("../tests/fixtures/missing_map/system.xml");
        let (system, flows) = (Source::new("system.xml", system), Source::new("flows.toml", TICK));
        let mistakes = Draft::check(&system, &flows).unwrap_err();
        let rules: Vec<_> = mistakes.iter().map(|mistake| mistake.problem.rule()).collect();
        assert_eq!(rules, ["missing_map"]);
    }

    const TICK: &str = "[tick]\nperiod_us = 10_000\n";
}
