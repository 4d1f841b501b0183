//! Rules about power over another domain: its capabilities, and being its parent. Whoever has it can read and
//! change what the other reads. So no client has it over central or another client, and nobody has it over
//! central who is not trusted.

use super::Rules;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::reach::{Trusted, Trustee};

impl Rules<'_> {
    /// Checks who holds capabilities of central and of clients, and who is their parent.
    pub(super) fn capabilities(&mut self, clients: &[usize], central: usize, trusted: &[Trusted]) {
        let system = self.system;
        let takes_part = |domain: usize| domain == central || clients.contains(&domain);
        let is_trusted =
            |domain: usize| trusted.iter().any(|trusted| trusted.what == Trustee::Domain(domain));
        let is_wrong = |holder: usize, held: usize| {
            holder != held && takes_part(held) && takes_part(holder)
                || held == central && !takes_part(holder) && !is_trusted(holder)
        };
        for (holder, domain) in system.domains.iter().enumerate() {
            for held in &domain.holds {
                let Some(other) = system.domain(&held.domain) else {
                    let meant = nearest(&held.domain, system.domains.iter().map(|one| one.name.as_str()));
                    self.report(&held.place, Problem::UnknownDomain { name: held.domain.clone(), meant });
                    continue;
                };
                if is_wrong(holder, other) {
                    let (holder, held_name) = (domain.name.clone(), held.domain.clone());
                    self.report(&held.place, Problem::HeldCapability { holder, held: held_name });
                }
            }
            if let Some(parent) = &domain.parent
                && is_wrong(parent.domain, holder)
            {
                let (parent, child) = (system.domains[parent.domain].name.clone(), domain.name.clone());
                self.report(&domain.place, Problem::ParentOfAnother { parent, child });
            }
        }
    }
}
