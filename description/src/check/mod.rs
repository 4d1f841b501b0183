//! Reads both files and applies the rules. This is the only way to make a [`Description`]. Each function of
//! [`Rules`] checks one subject, reports what it finds, and goes on. Its result is used only if nothing was
//! reported.

mod audit;
mod capability;
mod client;
mod contents;
mod device;
mod flow;
mod guard;
mod memory;
mod one_way;
mod partition;
mod reach;
mod restart;
mod schedule;
mod signal;
mod tick;
mod trust;

use crate::description::{Audit, Client, Description, Flow, Partition, Tick};
use crate::flows::{self, FlowsFile};
use crate::free;
use crate::limits::{CENTRAL, CONFIG_REGION, MAX_DOMAINS, MAX_SHOWN_NAME, PAGE_BYTES};
use crate::map::Permissions;
use crate::mistake::{Mistake, Mistakes};
use crate::place::config_bytes;
use crate::problem::Problem;
use crate::reach::Reach;
use crate::read;
use crate::source::{Place, Source};
use crate::system::{Domain, System};
use ferry_layout::geometry::{MAX_CLIENTS, MAX_NAME};

/// The subject of the rules, and the mistakes found so far.
struct Rules<'a> {
    system: &'a System,
    flows: &'a FlowsFile,
    flows_source: &'a Source,
    mistakes: Vec<Mistake>,
    /// The addresses that are taken in each domain, and those that remedies have proposed.
    taken: Vec<Vec<(u64, u64)>>,
    /// The same for the numbers of channels.
    numbers: Vec<Vec<u8>>,
}

impl Rules<'_> {
    fn report(&mut self, place: &Place, problem: Problem) {
        self.mistakes.push(Mistake { place: place.clone(), problem });
    }
}

impl Description {
    /// Reads and checks both files. `grown` names regions, and the bytes that each must have at least,
    /// whatever the file says: the image builder fills these with a file. The rules apply to the grown sizes.
    pub fn check(system: &Source, flows: &Source, grown: &[(&str, u64)]) -> Result<Self, Mistakes> {
        checked(system, flows, grown, |_| true)
    }
}

/// The description of both files, if nothing in it is a mistake for the caller.
pub(crate) fn checked(
    system: &Source,
    flows: &Source,
    grown: &[(&str, u64)],
    is_mistake: impl Fn(&Problem) -> bool,
) -> Result<Description, Mistakes> {
    let (system, mut mistakes) = read::read(system);
    let flow_file = flows::read(flows).map_err(|mistake| mistakes.push(*mistake));
    let (Some(mut system), Ok(flow_file)) = (system, flow_file) else { return Err(Mistakes(mistakes)) };
    // Microkit compares the files with the sizes that the description states.
    contents::check(&system, &mut mistakes);
    for region in &mut system.regions {
        let page = region.page_bytes.unwrap_or(PAGE_BYTES).max(1);
        for (_, bytes) in grown.iter().filter(|(name, _)| *name == region.name) {
            region.bytes = region.bytes.max(bytes.next_multiple_of(page));
            // What the image builder fills it with replaces the file.
            (region.prefill, region.prefill_bytes) = (None, *bytes);
        }
    }
    // After a name that cannot be resolved, the rules would report mistakes that are none.
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    apply_rules(system, &flow_file, flows, is_mistake).map_err(Mistakes)
}

fn apply_rules(
    system: System,
    flows: &FlowsFile,
    flows_source: &Source,
    is_mistake: impl Fn(&Problem) -> bool,
) -> Result<Description, Vec<Mistake>> {
    let mut rules = Rules::new(&system, flows, flows_source);
    let found = rules.all();
    let mut mistakes = rules.mistakes;
    mistakes.retain(|mistake| is_mistake(&mistake.problem));
    match found {
        Some(Found { central, config_region, clients, flows, tick, audit, partitions, restarts, reach })
            if mistakes.is_empty() =>
        {
            let flows_path = flows_source.path().to_owned();
            Ok(Description {
                system,
                central,
                config_region,
                clients,
                flows,
                tick,
                audit,
                partitions,
                restarts,
                flows_path,
                reach,
            })
        }
        _ => Err(mistakes),
    }
}

/// The parts of a [`Description`]. They become one if there is no mistake.
struct Found {
    central: usize,
    config_region: usize,
    clients: Vec<Client>,
    flows: Vec<Flow>,
    tick: Option<Tick>,
    audit: Option<Audit>,
    partitions: Vec<Partition>,
    restarts: Vec<u8>,
    reach: Reach,
}

impl<'a> Rules<'a> {
    fn new(system: &'a System, flows: &'a FlowsFile, flows_source: &'a Source) -> Self {
        let taken = |domain: &Domain| {
            let ranges = domain
                .maps
                .iter()
                .map(|map| (map.address, map.address.saturating_add(system.regions[map.region].bytes)));
            ranges.collect()
        };
        let ends = system.channels.iter().flat_map(|channel| &channel.ends);
        let numbers = |domain: usize| {
            let ends = ends.clone().filter(|end| end.domain == domain).map(|end| end.id);
            ends.chain(system.domains[domain].interrupts.iter().map(|interrupt| interrupt.id)).collect()
        };
        Self {
            system,
            flows,
            flows_source,
            mistakes: Vec::new(),
            taken: system.domains.iter().map(taken).collect(),
            numbers: (0..system.domains.len()).map(numbers).collect(),
        }
    }

    /// A free number for a channel of `domain`. Nobody gets it again.
    fn free_number(&mut self, domain: usize) -> Option<u8> {
        let numbers = &mut self.numbers[domain];
        let number = free::number(numbers)?;
        numbers.push(number);
        Some(number)
    }

    fn all(&mut self) -> Option<Found> {
        self.reserved_names();
        let Some(central) = self.system.domain(CENTRAL) else {
            self.report(&self.system.place, Problem::NoCentral);
            return None;
        };
        let domains = self.client_domains(central);
        self.names(&domains);
        let clients: Option<Vec<_>> = domains.iter().map(|domain| self.client(*domain, central)).collect();
        let config_region = self.config(central);
        let before = self.mistakes.len();
        self.devices();
        self.maps();
        let audit = self.audit(&domains, central);
        self.isolation(&domains, central);
        self.orphans(&domains);
        self.schedule(&domains, central);
        let partitions = self.partitions(&domains, central, audit.as_ref().map(|audit| audit.reader));
        self.channels(&domains, central);
        let trusted = self.trusted(&domains, central);
        self.capabilities(&domains, central, &trusted);
        // What goes past the flows in one step has a rule of its own, and would be found again.
        let is_open = self.mistakes.len() > before;
        let reach = self.reach(&domains, central, audit.as_ref(), trusted, is_open);
        let tick = self.tick(&domains, central);
        self.audit_ticks(audit.as_ref(), tick.is_some());
        let restarts = self.restarts(central);
        let clients = clients?;
        let (flows, places) = self.flows(&clients);
        if !self.flows.partition.is_empty() {
            self.flows_between_partitions(&clients, &flows, &places);
        }
        self.guards(&clients, &flows, central, tick.is_some());
        self.one_way(&clients, &flows, central, &reach.trusted, tick.is_some(), audit.as_ref());
        let config_region = config_region?;
        let stages = flows.iter().map(|flow| flow.stages.len()).sum();
        self.config_size(config_region, clients.len(), flows.len(), stages);
        Some(Found { central, config_region, clients, flows, tick, audit, partitions, restarts, reach })
    }

    /// Names that others have, and the number of domains.
    fn reserved_names(&mut self) {
        let system = self.system;
        let domains = system.domains.iter().map(|domain| (&domain.name, &domain.place));
        for (name, place) in domains {
            let owner = match name.as_str() {
                "monitor" => "Microkit's monitor",
                "ferry_supervisor" => "Ferry's supervisor",
                _ => continue,
            };
            self.report(place, Problem::ReservedName { name: name.clone(), owner });
        }
        for region in system.regions.iter().filter(|region| region.name == "ferry_uart") {
            let name = region.name.clone();
            self.report(&region.place, Problem::ReservedName { name, owner: "Ferry's supervisor" });
        }
        if let Some(first_too_many) = system.domains.get(MAX_DOMAINS) {
            self.report(&first_too_many.place, Problem::TooManyDomains { found: system.domains.len() });
        }
    }

    /// Checks the number of clients, the length of their names, and that of all other names that are shown.
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
        let system = self.system;
        let others = system.domains.iter().enumerate().filter(|(number, _)| !domains.contains(number));
        let others = others.map(|(_, domain)| (&domain.name, &domain.place));
        let machines = system.machines.iter().map(|machine| (&machine.name, &machine.place));
        for (name, place) in others.chain(machines).filter(|(name, _)| name.len() > MAX_SHOWN_NAME) {
            self.report(place, Problem::CutName { name: name.clone() });
        }
    }

    /// Checks central's configuration: the region, central's mapping of it, and its symbols.
    fn config(&mut self, central: usize) -> Option<usize> {
        let region = self.region_of(central, CONFIG_REGION, PAGE_BYTES)?;
        let map = self.map_of(central, region, &[Permissions::READ], "r")?;
        self.symbols(central, map, CONFIG_REGION);
        Some(region)
    }

    fn config_size(&mut self, region: usize, clients: usize, flows: usize, stages: usize) {
        let region = &self.system.regions[region];
        let needed = config_bytes(clients, flows, stages) as u64;
        if region.bytes < needed {
            self.report(&region.place, Problem::ConfigTooSmall { found: region.bytes, needed });
        }
    }
}
