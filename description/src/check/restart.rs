//! How often protection domains are started again: those that exist, and central even if nothing is said.

use super::Rules;
use crate::problem::Problem;

/// Central's restarts unless `flows.toml` says otherwise: it loses nothing by one, and everybody depends on
/// it. A number, because a fault that comes again and again is a defect that no restart mends.
const CENTRAL_RESTARTS: u8 = 3;

impl Rules<'_> {
    /// The number of restarts of each domain.
    pub(super) fn restarts(&mut self, central: usize) -> Vec<u8> {
        let mut restarts = vec![0; self.system.domains.len()];
        restarts[central] = CENTRAL_RESTARTS;
        for (name, number) in &self.flows.restarts {
            if let Some(domain) = self.system.domain(name.get_ref()) {
                restarts[domain] = *number;
            } else {
                let problem = Problem::UnknownClient { name: name.get_ref().clone() };
                self.report(&self.flows_source.place(name.span()), problem);
            }
        }
        restarts
    }
}
