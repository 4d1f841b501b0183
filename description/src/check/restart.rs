//! How often each protection domain is started again. Every named domain must exist. Central is started again
//! even if the file does not name it.

use super::Rules;
use crate::nearest::nearest;
use crate::problem::Problem;

/// How often central is started again unless `flows.toml` says otherwise. Central loses no message by a
/// restart, and all clients depend on it. The number is limited, because no restart mends a fault that comes
/// again and again.
const CENTRAL_RESTARTS: u8 = 3;

impl Rules<'_> {
    /// The number of restarts of each domain.
    pub(super) fn restarts(&mut self, central: usize) -> Vec<u8> {
        let mut restarts = vec![0; self.system.domains.len()];
        restarts[central] = CENTRAL_RESTARTS;
        for (name, number) in &self.flows.restarts {
            if let Some(domain) = self.system.domain(name.get_ref()) {
                restarts[domain] = u8::try_from(number.0).unwrap_or(u8::MAX);
            } else {
                let unknown = name.get_ref();
                let meant = nearest(unknown, self.system.domains.iter().map(|domain| domain.name.as_str()));
                let problem = Problem::UnknownClient { name: unknown.clone(), meant };
                self.report(&self.flows_source.place(name.span()), problem);
            }
        }
        restarts
    }
}
