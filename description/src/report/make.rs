//! Makes the report from a checked description.

use super::{
    Access, AuditRow, DeviceRow, DomainRow, FlowRow, GuestRow, Influence, PartitionRow, Party, PartyKind,
    PathRow, RegionRow, Report, Role, StageRow, TrustedKind, TrustedRow, When,
};
use crate::description::{Client, Description, Flow, Partition, Stage};
use crate::limits::{CENTRAL, CONFIG_REGION};
use crate::map::{Map, Permissions};
use crate::reach::{At, Node, Step, Trusted, Trustee};
use ferry_layout::config::Mapping;

impl Description {
    /// The isolation report.
    #[must_use]
    pub fn report(&self) -> Report {
        let system = &self.system;
        let guests = system.machines.iter().map(|machine| GuestRow {
            name: machine.name.clone(),
            domain: system.domains[machine.domain].name.clone(),
            line: machine.place.line(),
        });
        let devices = system.io_spaces.iter();
        let devices = devices.map(|space| DeviceRow { name: space.name.clone(), line: space.place.line() });
        Report {
            system: system.place.source().path().display().to_string(),
            flows_file: self.flows_path.display().to_string(),
            domains: self.domain_rows(),
            guests: guests.collect(),
            devices: devices.collect(),
            regions: self.region_rows(),
            access: (0..system.regions.len()).flat_map(|region| self.access(region)).collect(),
            flows: self.flows.iter().map(|flow| self.flow_row(flow)).collect(),
            audit: self.audit.map(|audit| AuditRow {
                region: system.regions[audit.region].name.clone(),
                reader: system.domains[audit.reader].name.clone(),
            }),
            partitions: self.partitions.iter().map(|partition| self.partition_row(partition)).collect(),
            influences: self.reach.graph.steps().iter().filter_map(|step| self.influence(step)).collect(),
            trusted: self.reach.trusted.iter().map(|trusted| self.trusted_row(trusted)).collect(),
        }
    }

    fn domain_rows(&self) -> Vec<DomainRow> {
        let domains = self.system.domains.iter().enumerate();
        let row = |(number, domain): (usize, &crate::system::Domain)| {
            let role = if number == self.central {
                Role::Central
            } else if let Some(client) = self.clients.iter().find(|client| client.domain == number) {
                if client.is_guard { Role::Guard } else { Role::Client }
            } else if self.tick.as_ref().is_some_and(|tick| tick.domain == number) {
                Role::Ticker
            } else if self.audit.is_some_and(|audit| audit.reader == number) {
                Role::Auditor
            } else if self.partitions.iter().any(|partition| partition.announcer == number) {
                Role::Announcer
            } else {
                Role::Other
            };
            let parent = domain.parent.as_ref();
            DomainRow {
                name: domain.name.clone(),
                role,
                program: domain.program.clone(),
                priority: domain.priority,
                parent: parent.map(|parent| self.system.domains[parent.domain].name.clone()),
                line: domain.place.line(),
            }
        };
        domains.map(row).collect()
    }

    fn region_rows(&self) -> Vec<RegionRow> {
        let owner = |number: usize| {
            let owned = |client: &&Client| {
                [client.out_region, client.in_region, client.transmit.region, client.receive.region]
                    .contains(&number)
            };
            let client = self.clients.iter().find(owned).map(|client| client.name.clone());
            let is_config = self.system.regions[number].name == CONFIG_REGION;
            let is_audit = self.audit.is_some_and(|audit| audit.region == number);
            client.or_else(|| (is_config || is_audit).then(|| CENTRAL.to_owned()))
        };
        let regions = self.system.regions.iter().enumerate();
        let row = |(number, region): (usize, &crate::system::Region)| RegionRow {
            name: region.name.clone(),
            bytes: region.bytes,
            physical: region.physical,
            owner: owner(number),
            line: region.place.line(),
        };
        regions.map(row).collect()
    }

    /// Everybody who can reach a region.
    fn access(&self, number: usize) -> Vec<Access> {
        let system = &self.system;
        let region = &system.regions[number].name;
        let domains = system.domains.iter().map(|domain| (PartyKind::Domain, &domain.name, &domain.maps));
        let guests = system.machines.iter().map(|guest| (PartyKind::Guest, &guest.name, &guest.maps));
        let devices = system.io_spaces.iter().map(|space| (PartyKind::Device, &space.name, &space.maps));
        let mut rows = Vec::new();
        for (kind, name, maps) in domains.chain(guests).chain(devices) {
            let row = |map: &Map| Access {
                region: region.clone(),
                holder: Party { kind, name: name.clone() },
                permissions: map.permissions,
                when: When::Always,
                line: Some(map.place.line()),
            };
            rows.extend(maps.iter().filter(|map| map.region == number).map(row));
        }
        let transmits = self.clients.iter().any(|client| client.transmit.region == number);
        let receives = self.clients.iter().any(|client| client.receive.region == number);
        let inspects = self.clients.iter().any(|client| client.is_guard && client.receive.region == number);
        let by_capability = [(transmits || inspects, Permissions::READ), (receives, Permissions::READ_WRITE)];
        for (held, permissions) in by_capability {
            if held {
                let holder = Party { kind: PartyKind::Domain, name: CENTRAL.into() };
                let (region, when) = (region.clone(), When::PerTransfer);
                rows.push(Access { region, holder, permissions, when, line: None });
            }
        }
        rows
    }

    fn flow_row(&self, flow: &Flow) -> FlowRow {
        let name = |number: u16| {
            self.clients.get(usize::from(number)).map_or_else(String::new, |client| client.name.clone())
        };
        FlowRow {
            from: name(flow.source),
            to: name(flow.target),
            class: if flow.urgent { "urgent" } else { "normal" },
            mapping: match flow.mapping {
                Mapping::Each => "each",
                Mapping::Keep => "keep",
            },
            max_message: flow.max_message,
            guards: flow.stages.iter().map(|stage| self.stage_row(stage)).collect(),
            verdict_within: (!flow.stages.is_empty()).then_some(flow.verdict_within),
            one_way: flow.one_way,
            return_path: flow.return_path.clone(),
            audit: self.audit.map(|_| if flow.audits_all { "all" } else { "refusals" }),
        }
    }

    fn partition_row(&self, partition: &Partition) -> PartitionRow {
        let domains = &self.system.domains;
        let is_in_it =
            |client: &&Client| domains[client.domain].schedule_domain.as_ref() == Some(&partition.domain);
        PartitionRow {
            domain: partition.domain.clone(),
            announcer: domains[partition.announcer].name.clone(),
            clients: self.clients.iter().filter(is_in_it).map(|client| client.name.clone()).collect(),
        }
    }

    fn stage_row(&self, stage: &Stage) -> StageRow {
        let members = stage.members.iter().filter_map(|guard| self.clients.get(usize::from(*guard)));
        StageRow { quorum: stage.quorum, of: members.map(|guard| guard.name.clone()).collect() }
    }

    fn party(&self, node: Node) -> Party {
        let kind = match node {
            Node::Domain(_) => PartyKind::Domain,
            Node::Guest(_) => PartyKind::Guest,
            Node::IoSpace(_) => PartyKind::Device,
            Node::Region(_) => PartyKind::Region,
            Node::AllRead | Node::AllWritten => PartyKind::Memory,
        };
        Party { kind, name: node.name(&self.system) }
    }

    /// A step with its line. None for a step that no line makes.
    fn influence(&self, step: &Step) -> Option<Influence> {
        Some(Influence {
            from: self.party(step.from),
            to: self.party(step.to),
            way: step.way.word(),
            what: step.words(&self.system).to_string(),
            line: step.place.as_ref()?.line(),
        })
    }

    fn trusted_row(&self, trusted: &Trusted) -> TrustedRow {
        let (kind, node) = match trusted.what {
            Trustee::Domain(number) => (TrustedKind::Domain, Some(Node::Domain(number))),
            Trustee::IoSpace(number) => (TrustedKind::ConfinedDevice, Some(Node::IoSpace(number))),
            Trustee::Device => (TrustedKind::Device, None),
        };
        let steps = self.reach.graph.steps().iter();
        let of_device = steps.filter(|step| node.is_none() && step.device() == Some(&trusted.name));
        TrustedRow {
            name: trusted.name.clone(),
            kind,
            reason: trusted.reason.clone(),
            line: trusted.place.line(),
            from: node.map(|node| self.paths_to(node)).unwrap_or_default(),
            to: node.map(|node| self.paths_from(node)).unwrap_or_default(),
            used_by: of_device.filter_map(|step| self.influence(step)).collect(),
        }
    }

    /// Paths from central and each client to a node.
    fn paths_to(&self, node: Node) -> Vec<PathRow> {
        let path = |from: usize| {
            let reached = self.reach.graph.reached(Node::Domain(from), &|at| self.end_at_participant(at));
            let found = reached.into_iter().find(|(found, _)| *found == node);
            found.map(|(_, steps)| self.path_row(from, &steps))
        };
        self.participants().filter_map(path).collect()
    }

    /// Paths from a node to central and each client.
    fn paths_from(&self, node: Node) -> Vec<PathRow> {
        let reached = self.reach.graph.reached(node, &|at| self.end_at_participant(at));
        let path = |(found, steps): (Node, Vec<&Step>)| {
            let to = self.participants().find(|number| found == Node::Domain(*number))?;
            Some(self.path_row(to, &steps))
        };
        reached.into_iter().filter_map(path).collect()
    }

    fn path_row(&self, domain: usize, steps: &[&Step]) -> PathRow {
        let steps = steps.iter().filter_map(|step| self.influence(step)).collect();
        PathRow { domain: self.system.domains[domain].name.clone(), steps }
    }

    fn participants(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.central).chain(self.clients.iter().map(|client| client.domain))
    }

    fn end_at_participant(&self, node: Node) -> At {
        let ends = self.participants().any(|number| node == Node::Domain(number));
        if ends { At::End } else { At::Pass }
    }
}
