//! Applies the rules. Each function here looks at one subject, reports what it finds into [`Rules`] and goes on;
//! what it returns is only used when nothing was reported.

mod client;
mod flow;
mod memory;
mod restart;
mod signal;
mod tick;

use crate::client::Description;
use crate::flows::FlowsFile;
use crate::limits::{CENTRAL, CONFIG_REGION};
use crate::place::config_bytes;
use crate::problem::Problem;
use crate::source::{Place, Source};
use crate::system::{Permissions, System};
use crate::{Mistake, PAGE_BYTES};
use ferry_layout::geometry::{MAX_CLIENTS, MAX_NAME};

/// What the rules look at, and what they found.
pub(crate) struct Rules<'a> {
    system: &'a System,
    flows: &'a FlowsFile,
    flows_source: &'a Source,
    mistakes: Vec<Mistake>,
}

impl Rules<'_> {
    fn report(&mut self, place: &Place, problem: Problem) {
        self.mistakes.push(Mistake { place: place.clone(), problem });
    }
}

pub(crate) fn check(
    system: System,
    flows: &FlowsFile,
    flows_source: &Source,
) -> Result<Description, Vec<Mistake>> {
    let mut rules = Rules { system: &system, flows, flows_source, mistakes: Vec::new() };
    let found = rules.all();
    let mistakes = rules.mistakes;
    match found {
        Some(Found { central, config_region, clients, flows, tick, restarts }) if mistakes.is_empty() => {
            Ok(Description { system, central, config_region, clients, flows, tick, restarts })
        }
        _ => Err(mistakes),
    }
}

/// What becomes a [`Description`] if there is no mistake.
struct Found {
    central: usize,
    config_region: usize,
    clients: Vec<crate::Client>,
    flows: Vec<crate::Flow>,
    tick: Option<crate::Tick>,
    restarts: Vec<u8>,
}

impl Rules<'_> {
    fn all(&mut self) -> Option<Found> {
        let Some(central) = self.system.domain(CENTRAL) else {
            self.report(&self.system.place, Problem::NoCentral);
            return None;
        };
        let domains = self.client_domains(central);
        self.names(&domains);
        let clients: Option<Vec<_>> = domains.iter().map(|domain| self.client(*domain, central)).collect();
        let config_region = self.config(central);
        self.maps();
        self.isolation(&domains, central);
        self.channels(&domains, central);
        let tick = self.tick(&domains, central);
        let restarts = self.restarts(central);
        let clients = clients?;
        let flows = self.flows(&clients);
        let config_region = config_region?;
        self.config_size(config_region, clients.len(), flows.len());
        Some(Found { central, config_region, clients, flows, tick, restarts })
    }

    /// Number and length of names.
    fn names(&mut self, domains: &[usize]) {
        if let Some(first_too_many) = domains.get(MAX_CLIENTS) {
            let place = &self.system.domains[*first_too_many].place;
            self.report(place, Problem::TooManyClients { found: domains.len() });
        }
        for domain in domains {
            let domain = &self.system.domains[*domain];
            if domain.name.len() > MAX_NAME || domain.name.is_empty() {
                self.report(&domain.place, Problem::NameTooLong { name: domain.name.clone() });
            }
        }
    }

    /// Central's configuration: the region, central's mapping, its symbols.
    fn config(&mut self, central: usize) -> Option<usize> {
        let region = self.region_of(central, CONFIG_REGION, PAGE_BYTES)?;
        let map = self.map_of(central, region, &[Permissions::READ], "r")?;
        self.symbols(central, map, CONFIG_REGION);
        Some(region)
    }

    fn config_size(&mut self, region: usize, clients: usize, flows: usize) {
        let region = &self.system.regions[region];
        let needed = config_bytes(clients, flows) as u64;
        if region.bytes < needed {
            self.report(&region.place, Problem::ConfigTooSmall { found: region.bytes, needed });
        }
    }
}
