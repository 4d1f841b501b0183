//! Gives a domain another priority than the description, for tests. `ferry check` and Microkit have checked
//! the description before.

use std::str::FromStr;

use ferry_description::Description;
use microkit_tool::sdf::SystemDescription;

use crate::error::Error;

/// `DOMAIN=PRIORITY`
#[derive(Clone, Debug)]
pub(crate) struct Priority {
    domain: String,
    priority: u8,
}

impl FromStr for Priority {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = text.split_once('=').and_then(|(domain, priority)| {
            Some(Self { domain: domain.into(), priority: priority.parse().ok()? })
        });
        parsed.ok_or_else(|| Error::NotAPriority(text.into()))
    }
}

impl Priority {
    /// Gives the domain its priority, in what is built and in what it is compared with.
    pub(crate) fn apply(
        &self,
        system: &mut SystemDescription,
        description: &mut Description,
    ) -> Result<(), Error> {
        for domain in description.system.domains.iter_mut().filter(|domain| domain.name == self.domain) {
            domain.priority = self.priority;
        }
        let domain = system.protection_domains.iter_mut().find(|domain| domain.name == self.domain);
        domain.ok_or_else(|| Error::NoDomain(self.domain.clone()))?.sched_params.priority = self.priority;
        Ok(())
    }
}
