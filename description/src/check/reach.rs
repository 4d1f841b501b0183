//! The rule about everything that the other rules do not name one by one: no client can influence another, or
//! central, but by the flows. A path is allowed only through a domain or device that `flows.toml` trusts.

use super::Rules;
use crate::description::Audit;
use crate::problem::Problem;
use crate::reach::{At, Audited, Exempt, Graph, Node, Reach, Step, Trusted, Trustee, graph};
use crate::system::System;
use std::collections::BTreeSet;

/// A path from one participant to another.
struct Path<'a> {
    from: usize,
    to: usize,
    steps: Vec<&'a Step>,
}

impl Path<'_> {
    /// The nodes on its way, with both ends.
    fn nodes(&self) -> impl DoubleEndedIterator<Item = Node> {
        std::iter::once(Node::Domain(self.from)).chain(self.steps.iter().map(|step| step.to))
    }
}

impl Rules<'_> {
    /// Follows all ways of influence, and checks that each entry `[[trusted]]` is needed. If the rules about
    /// single steps are broken already, `is_open`, paths are not reported.
    pub(super) fn reach(
        &mut self,
        clients: &[usize],
        central: usize,
        audit: Option<&Audit>,
        trusted: Vec<Trusted>,
        is_open: bool,
    ) -> Reach {
        // Central last, so that a mistake begins with the client that makes it.
        let participants: Vec<usize> = clients.iter().copied().chain([central]).collect();
        let exempt = self.exempt(clients, central, audit);
        let everything = graph(self.system, &exempt, &|_| false);
        if !is_open {
            let restricted = graph(self.system, &exempt, &|device| is_vouched(device, &trusted));
            self.paths(&restricted, &participants, central, &trusted);
            for entry in &trusted {
                let is_needed = self.is_needed(entry, &trusted, &everything, &exempt, &participants);
                if !is_needed && !self.has_power_over(central, entry) {
                    self.report(&entry.place, Problem::NeedlessTrust { name: entry.name.clone() });
                }
            }
        }
        Reach { graph: everything, trusted }
    }

    /// The regions of central and its clients, and the one channel of each client, and of the reader of the
    /// audit log, to central. What that reader learns of each client is a step of its own.
    pub(super) fn exempt(&self, clients: &[usize], central: usize, audit: Option<&Audit>) -> Exempt {
        let regions = (0..self.system.regions.len()).filter(|region| {
            self.owner(*region, clients).is_some()
                || self.system.regions[*region].name == super::CONFIG_REGION
                || audit.is_some_and(|audit| audit.region == *region)
        });
        let to_central = |domain: usize| {
            self.system.channels.iter().position(|channel| {
                let ends = [channel.ends[0].domain, channel.ends[1].domain];
                ends == [domain, central] || ends == [central, domain]
            })
        };
        let reader = audit.map(|audit| audit.reader);
        let audited = |audit: &Audit| {
            let map = self.system.domains[audit.reader].map_of(audit.region)?;
            Some(Audited { clients: clients.to_vec(), reader: audit.reader, map: map.clone() })
        };
        Exempt {
            regions: regions.collect(),
            channels: clients.iter().copied().chain(reader).filter_map(to_central).collect(),
            audit: audit.and_then(audited),
        }
    }

    /// Reports the paths between participants. A path is left out if it goes back on one that has been
    /// reported, or if each of its lines is in one.
    fn paths(&mut self, graph: &Graph, participants: &[usize], central: usize, trusted: &[Trusted]) {
        let paths = paths_between(graph, participants, &|node| is_trusted(node, trusted, self.system));
        let mut reported: BTreeSet<usize> = BTreeSet::new();
        for (position, path) in paths.iter().enumerate() {
            let places = path.steps.iter().filter_map(|step| step.place.as_ref());
            let starts: Vec<usize> = places.clone().map(|place| place.span.start).collect();
            let goes_back = paths[..position].iter().any(|other| other.nodes().rev().eq(path.nodes()));
            if goes_back || starts.iter().all(|start| reported.contains(start)) {
                continue;
            }
            reported.extend(starts);
            let is_mutual = paths.iter().any(|other| (other.from, other.to) == (path.to, path.from));
            let problem = hidden_path(path, is_mutual, central, self.system);
            if let Some(place) = places.into_iter().next() {
                self.report(place, problem);
            }
        }
    }

    /// Whether an entry is on a path between two participants.
    fn is_needed(
        &self,
        entry: &Trusted,
        trusted: &[Trusted],
        everything: &Graph,
        exempt: &Exempt,
        participants: &[usize],
    ) -> bool {
        let node = match entry.what {
            Trustee::Domain(number) => Node::Domain(number),
            Trustee::IoSpace(number) => Node::IoSpace(number),
            Trustee::Device => {
                let others = |device: &str| device != entry.name && is_vouched(device, trusted);
                let without = graph(self.system, exempt, &others);
                let with = graph(self.system, exempt, &|device| is_vouched(device, trusted));
                let closed = |node| is_trusted(node, trusted, self.system);
                let count = |graph| paths_between(graph, participants, &closed).len();
                return count(&without) > count(&with);
            }
        };
        let reaches = |from: Node, to: &dyn Fn(Node) -> bool| {
            let at = |node| if is_participant(node, participants) { At::End } else { At::Pass };
            let reached = everything.reached(from, &at);
            reached.into_iter().map(|(node, _)| node).filter(|node| to(*node)).collect::<Vec<_>>()
        };
        let sources = participants.iter().map(|number| Node::Domain(*number));
        let sources: Vec<Node> =
            sources.filter(|source| !reaches(*source, &|found| found == node).is_empty()).collect();
        let targets = reaches(node, &|found| is_participant(found, participants));
        sources.iter().any(|source| targets.iter().any(|target| source != target))
    }

    fn has_power_over(&self, central: usize, entry: &Trusted) -> bool {
        let Trustee::Domain(number) = entry.what else { return false };
        let central = &self.system.domains[central];
        let held = self.system.domains[number].holds.iter().any(|held| held.domain == central.name);
        held || central.parent.as_ref().is_some_and(|parent| parent.domain == number)
    }
}

fn is_participant(node: Node, participants: &[usize]) -> bool {
    matches!(node, Node::Domain(number) if participants.contains(&number))
}

pub(super) fn is_vouched(device: &str, trusted: &[Trusted]) -> bool {
    trusted.iter().any(|entry| entry.what == Trustee::Device && entry.name == device)
}

/// Whether nothing passes this node, because it is trusted. A guest is trusted with the domain that runs it.
fn is_trusted(node: Node, trusted: &[Trusted], system: &System) -> bool {
    let what = match node {
        Node::Domain(number) => Trustee::Domain(number),
        Node::Guest(number) => Trustee::Domain(system.machines[number].domain),
        Node::IoSpace(number) => Trustee::IoSpace(number),
        Node::Region(_) | Node::AllRead | Node::AllWritten => return false,
    };
    trusted.iter().any(|entry| entry.what == what)
}

/// For each two participants the shortest path from one to the other that passes no third.
fn paths_between<'a>(
    graph: &'a Graph,
    participants: &[usize],
    is_closed: &dyn Fn(Node) -> bool,
) -> Vec<Path<'a>> {
    let at = |node| {
        if is_participant(node, participants) {
            At::End
        } else if is_closed(node) {
            At::Closed
        } else {
            At::Pass
        }
    };
    let mut paths = Vec::new();
    for from in participants {
        for (node, steps) in graph.reached(Node::Domain(*from), &at) {
            if let Node::Domain(to) = node
                && participants.contains(&to)
                && to != *from
            {
                paths.push(Path { from: *from, to, steps });
            }
        }
    }
    paths
}

fn hidden_path(path: &Path<'_>, is_mutual: bool, central: usize, system: &System) -> Problem {
    let name = |number: usize| system.domains[number].name.as_str();
    let (from, to) = (name(path.from), name(path.to));
    let who = if is_mutual {
        format!("`{from}` and `{to}` can influence each other")
    } else {
        format!("`{from}` can influence `{to}`")
    };
    let nodes = path.steps.iter().map(|step| step.from).skip(1);
    let between: Vec<usize> =
        nodes.filter_map(|node| if let Node::Domain(number) = node { Some(number) } else { None }).collect();
    let through: Vec<String> = between.iter().map(|number| format!("`{}`", name(*number))).collect();
    let through =
        if through.is_empty() { String::new() } else { format!(", through {}", through.join(" and ")) };
    let steps: Vec<String> = path
        .steps
        .iter()
        .filter_map(|step| {
            let line = step.place.as_ref()?.line();
            Some(format!("{} (line {line})", step.words(system)))
        })
        .collect();
    let device = path.steps.iter().find_map(|step| step.device());
    let remedy = match (between.first(), device) {
        (_, Some(device)) => format!(
            "remove it, or vouch in flows.toml that this device reaches no memory but its driver's: \
             [[trusted]] device = \"{device}\" with a reason"
        ),
        (Some(domain), None) => format!(
            "remove one of these, or vouch for it in flows.toml: [[trusted]] domain = \"{}\" with a reason",
            name(*domain)
        ),
        (None, None) if path.from == central || path.to == central => "remove one of these".into(),
        (None, None) => {
            format!("remove one of these, and list a flow from `{from}` to `{to}` if data is to go there")
        }
    };
    let what = format!("{who} outside all flows{through}: {}", steps.join(", "));
    Problem::HiddenPath { what, remedy }
}
