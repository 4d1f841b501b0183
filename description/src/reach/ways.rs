//! Finds every way of influence in a system description. Where Microkit's meaning leaves it open what a
//! holder can do, the worse is assumed.
//!
//! | in the description | steps |
//! | --- | --- |
//! | `<map>`, `<iomap>` | from who may write to the region, from the region to who may read |
//! | the same with `phys_addr` | both, also for a reader: a read of device registers can change them |
//! | `<channel>` | from each end that may signal to the other; both ways for calls |
//! | `[audit]` | from each client to who reads the log |
//! | child | both ways: the parent gets its faults, and stops and restarts it |
//! | `<virtual_machine>` | both ways between the guest and its domain |
//! | `<cspace>` | both ways between the holder and the domain whose capability it is |
//! | one interrupt under two vectors | both ways |
//! | `phys_addr`, `<ioport>`, `smc` | to and from all memory, unless an IOMMU confines devices |
//! | the same with `<io_address_space>` | to and from each of the devices there; for `smc` still all memory |

use super::graph::Graph;
use super::step::{Device, Node, Step, Way};
use crate::map::Map;
use crate::source::Place;
use crate::system::System;

/// The name of the firmware in `flows.toml`.
const FIRMWARE: &str = "smc";

/// Ferry's own regions and channels, which carry only what the flows allow. By their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exempt {
    pub(crate) regions: Vec<usize>,
    pub(crate) channels: Vec<usize>,
    /// What the reader of the audit log learns is no way that the flows allow.
    pub(crate) audit: Option<Audited>,
}

/// The audit log of a system.
#[derive(Clone, Debug)]
pub(crate) struct Audited {
    /// Who can have something written there.
    pub(crate) clients: Vec<usize>,
    /// Who reads it, and by which map.
    pub(crate) reader: usize,
    pub(crate) map: Map,
}

/// The graph of a system. The devices that `is_vouched` names have no power beyond their driver's.
pub(crate) fn graph(system: &System, exempt: &Exempt, is_vouched: &dyn Fn(&str) -> bool) -> Graph {
    let mut ways = Ways { system, graph: Graph::default() };
    ways.maps(exempt);
    ways.channels(exempt);
    ways.audit(exempt);
    ways.families();
    ways.capabilities();
    ways.interrupts();
    for device in devices(system).iter().filter(|device| !is_vouched(&device.name)) {
        ways.device(device);
    }
    ways.all_memory();
    ways.graph
}

/// Every device that somebody can use, once for each of its users.
pub(crate) fn devices(system: &System) -> Vec<Device> {
    let mut devices = Vec::new();
    for (node, maps) in address_spaces(system) {
        // A device does not reach other devices through its own address space.
        if matches!(node, Node::IoSpace(_)) {
            continue;
        }
        for map in maps.iter().filter(|map| system.regions[map.region].physical.is_some()) {
            let name = system.regions[map.region].name.clone();
            devices.push(Device { name, holder: node, place: map.place.clone() });
        }
    }
    for (number, domain) in system.domains.iter().enumerate() {
        let holder = Node::Domain(number);
        devices.extend(domain.ports.iter().map(|ports| {
            let name = format!("ioport {:#x}", ports.first);
            Device { name, holder, place: ports.place.clone() }
        }));
        if domain.calls_firmware {
            devices.push(Device { name: FIRMWARE.into(), holder, place: domain.place.clone() });
        }
    }
    devices
}

/// Everybody who has memory mapped, with the maps.
fn address_spaces(system: &System) -> impl Iterator<Item = (Node, &[Map])> {
    let domains = system.domains.iter().enumerate();
    let domains = domains.map(|(number, domain)| (Node::Domain(number), domain.maps.as_slice()));
    let guests = system.machines.iter().enumerate();
    let guests = guests.map(|(number, machine)| (Node::Guest(number), machine.maps.as_slice()));
    let spaces = system.io_spaces.iter().enumerate();
    let spaces = spaces.map(|(number, space)| (Node::IoSpace(number), space.maps.as_slice()));
    domains.chain(guests).chain(spaces)
}

struct Ways<'a> {
    system: &'a System,
    graph: Graph,
}

impl Ways<'_> {
    fn add(&mut self, from: Node, to: Node, way: Way, place: &Place) {
        self.graph.add(Step { from, to, way, place: Some(place.clone()) });
    }

    fn maps(&mut self, exempt: &Exempt) {
        let system = self.system;
        for (node, maps) in address_spaces(system) {
            for map in maps.iter().filter(|map| !exempt.regions.contains(&map.region)) {
                let region = Node::Region(map.region);
                let is_device = system.regions[map.region].physical.is_some();
                let permissions = map.permissions;
                if permissions.write {
                    self.add(node, region, Way::Writes, &map.place);
                } else if is_device {
                    self.add(node, region, Way::ReadsDevice, &map.place);
                }
                if permissions.read || permissions.execute || is_device {
                    self.add(region, node, Way::Reads, &map.place);
                }
            }
        }
    }

    fn channels(&mut self, exempt: &Exempt) {
        let channels = self.system.channels.iter().enumerate();
        for (_, channel) in channels.filter(|(number, _)| !exempt.channels.contains(number)) {
            let [a, b] = &channel.ends;
            for (end, other) in [(a, b), (b, a)] {
                let (from, to) = (Node::Domain(end.domain), Node::Domain(other.domain));
                if end.notify {
                    self.add(from, to, Way::Signals, &end.place);
                }
                if end.protected {
                    self.add(from, to, Way::Calls, &end.place);
                    self.add(to, from, Way::Answers, &end.place);
                }
            }
        }
    }

    /// What central refuses a client, the reader of the audit log learns.
    fn audit(&mut self, exempt: &Exempt) {
        let Some(Audited { clients, reader, map }) = &exempt.audit else { return };
        for client in clients {
            let way = Way::IsAudited(map.region);
            self.add(Node::Domain(*client), Node::Domain(*reader), way, &map.place);
        }
    }

    /// Parents and children, domains and guests.
    fn families(&mut self) {
        for (number, domain) in self.system.domains.iter().enumerate() {
            if let Some(parent) = &domain.parent {
                let (parent, child) = (Node::Domain(parent.domain), Node::Domain(number));
                self.add(parent, child, Way::IsParent, &domain.place);
                self.add(child, parent, Way::Faults, &domain.place);
            }
        }
        for (number, machine) in self.system.machines.iter().enumerate() {
            let (domain, guest) = (Node::Domain(machine.domain), Node::Guest(number));
            self.add(domain, guest, Way::Runs, &machine.place);
            self.add(guest, domain, Way::Exits, &machine.place);
        }
    }

    fn capabilities(&mut self) {
        let system = self.system;
        for (number, domain) in system.domains.iter().enumerate() {
            for held in &domain.holds {
                let other = system.domain(&held.domain).filter(|other| *other != number);
                if let Some(other) = other {
                    let (holder, other) = (Node::Domain(number), Node::Domain(other));
                    self.add(holder, other, Way::Holds(held.kind), &held.place);
                    self.add(other, holder, Way::IsHeld(held.kind), &held.place);
                }
            }
        }
    }

    fn interrupts(&mut self) {
        let domains = self.system.domains.iter().enumerate();
        let all = domains.flat_map(|(number, domain)| domain.interrupts.iter().map(move |one| (number, one)));
        let all: Vec<_> = all.collect();
        for (number, interrupt) in &all {
            for (other, shared) in all.iter().filter(|(other, _)| other != number) {
                if interrupt.line.is_shared_with(shared.line) {
                    let (from, to) = (Node::Domain(*number), Node::Domain(*other));
                    self.add(from, to, Way::SharesInterrupt, &interrupt.place);
                }
            }
        }
    }

    /// What a device can do beside what its driver can. Where the kernel has an IOMMU, no device reaches more
    /// than the address space that it is given; but nothing says which registers are those of which device.
    fn device(&mut self, device: &Device) {
        let Device { name, holder, place } = device;
        if self.system.io_spaces.is_empty() || name == FIRMWARE {
            self.add(*holder, Node::AllWritten, Way::WritesAll(name.clone()), place);
            self.add(Node::AllRead, *holder, Way::ReadsAll(name.clone()), place);
            return;
        }
        for space in (0..self.system.io_spaces.len()).map(Node::IoSpace) {
            self.add(*holder, space, Way::Commands(name.clone()), place);
            self.add(space, *holder, Way::IsCommanded(name.clone()), place);
        }
    }

    /// Everybody's memory is part of all memory. Guests are reached through the domains that run them.
    fn all_memory(&mut self) {
        for domain in (0..self.system.domains.len()).map(Node::Domain) {
            for (from, to) in [(domain, Node::AllRead), (Node::AllWritten, domain)] {
                self.graph.add(Step { from, to, way: Way::IsMemory, place: None });
            }
        }
    }
}
