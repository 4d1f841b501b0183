//! Rules about one-way flows: nothing about the receiver comes back to the sender. So nothing else may come
//! back either, unless `flows.toml` says why that is right.
//!
//! Every other flow tells both its ends of each other, and its guards too. Whatever goes past the flows
//! counts as well, also through a domain that is trusted.

use super::Rules;
use crate::description::{Audit, Client, Flow};
use crate::flows::RecordsWord;
use crate::problem::Problem;
use crate::reach::{At, Exempt, Graph, Node, Trusted, graph};
use crate::source::Place;
use ferry_layout::geometry::MAX_ONE_WAY;
use std::collections::{BTreeSet, VecDeque};

/// What one client can notice of another: their positions among the clients, and words for how.
struct Influence {
    from: u16,
    to: u16,
    how: String,
}

impl Rules<'_> {
    /// Checks the one-way flows. `flows` are all flows, in the order of the file.
    pub(super) fn one_way(
        &mut self,
        clients: &[Client],
        flows: &[Flow],
        central: usize,
        trusted: &[Trusted],
        has_tick: bool,
        audit: Option<&Audit>,
    ) {
        let file = self.flows;
        // Place, source, target, and whether something leads back by the file: with a reason, or without one.
        let mut one_way: Vec<(Place, u16, u16, Option<bool>)> = Vec::new();
        for table in &file.flow {
            let flow = table.get_ref();
            let reason = flow.return_path.as_ref();
            let place = match &flow.one_way {
                Some(is_one_way) if *is_one_way.get_ref() => self.flows_source.place(is_one_way.span()),
                _ => {
                    if let Some(reason) = reason {
                        let place = self.flows_source.place(reason.span());
                        self.report(
                            &place,
                            Problem::NeedlessReturnPath { what: "this flow is not one-way".into() },
                        );
                    }
                    continue;
                }
            };
            if !has_tick {
                self.report(&place, Problem::OneWayWithoutTick);
            }
            if let Some(longest) = &flow.max_message
                && longest.get_ref().0 > MAX_ONE_WAY
            {
                let found = longest.get_ref().0;
                self.report(&self.flows_source.place(longest.span()), Problem::LongOneWay { found });
            }
            if let Some(audit) = &flow.audit
                && *audit.get_ref() == RecordsWord::All
            {
                self.report(&self.flows_source.place(audit.span()), Problem::OneWayAudited);
            }
            let number = |name: &str| (0..).zip(clients).find(|(_, client)| client.name == name);
            let ends = (number(flow.from.get_ref()), number(flow.to.get_ref()));
            if let (Some((source, _)), Some((target, _))) = ends
                && source != target
            {
                let place = reason.map_or(place, |reason| self.flows_source.place(reason.span()));
                let acknowledged = reason.map(|reason| !reason.get_ref().trim().is_empty());
                one_way.push((place, source, target, acknowledged));
            }
        }
        if one_way.is_empty() {
            return;
        }
        let influences = self.influences(clients, flows, central, trusted, audit);
        for (place, source, target, acknowledged) in one_way {
            let name = |client: u16| clients[usize::from(client)].name.clone();
            match (way(&influences, target, source), acknowledged) {
                (Some(steps), None | Some(false)) => {
                    let (from, to, path) = (name(source), name(target), steps.join(", "));
                    self.report(&place, Problem::ReturnPath { from, to, path });
                }
                (None, Some(_)) => {
                    let what = format!("nothing leads from `{}` to `{}`", name(target), name(source));
                    self.report(&place, Problem::NeedlessReturnPath { what });
                }
                _ => {}
            }
        }
    }

    /// Everything that one client can notice of another.
    fn influences(
        &self,
        clients: &[Client],
        flows: &[Flow],
        central: usize,
        trusted: &[Trusted],
        audit: Option<&Audit>,
    ) -> Vec<Influence> {
        let name = |client: u16| &clients[usize::from(client)].name;
        let mut influences = Vec::new();
        for flow in flows {
            let guards: BTreeSet<u16> =
                flow.stages.iter().flat_map(|stage| &stage.members).copied().collect();
            let parties: Vec<u16> = [flow.source, flow.target].into_iter().chain(guards).collect();
            let words = format!("the flow from `{}` to `{}`", name(flow.source), name(flow.target));
            for from in parties.iter().copied() {
                for to in parties.iter().copied().filter(|to| *to != from) {
                    // Nothing goes to the sender of a one-way flow, and nothing comes from its receiver.
                    if flow.one_way && (to == flow.source || from == flow.target) {
                        continue;
                    }
                    let how = format!("`{}` influences `{}` by {words}", name(from), name(to));
                    influences.push(Influence { from, to, how });
                }
            }
        }
        let domains: Vec<usize> = clients.iter().map(|client| client.domain).collect();
        let exempt: Exempt = self.exempt(&domains, central, audit);
        let graph = graph(self.system, &exempt, &|device| super::reach::is_vouched(device, trusted));
        for (from, client) in (0..).zip(clients) {
            influences.extend(self.past_the_flows(&graph, client, from, clients, central));
        }
        influences
    }

    /// What other clients can notice of one client past all flows.
    fn past_the_flows(
        &self,
        graph: &Graph,
        client: &Client,
        from: u16,
        clients: &[Client],
        central: usize,
    ) -> Vec<Influence> {
        let number_of = |node| {
            let Node::Domain(domain) = node else { return None };
            (0..).zip(clients).find(|(_, other)| other.domain == domain).map(|(number, _)| number)
        };
        let at = |node| match node {
            Node::Domain(number) if number == central => At::Closed,
            _ if number_of(node).is_some() => At::End,
            _ => At::Pass,
        };
        let reached = graph.reached(Node::Domain(client.domain), &at);
        let reached = reached.into_iter().filter_map(|(node, steps)| Some((number_of(node)?, steps)));
        let influence = |(to, steps): (u16, Vec<&crate::reach::Step>)| {
            let steps: Vec<String> = steps.iter().map(|step| step.words(self.system).to_string()).collect();
            Influence { from, to, how: steps.join(", ") }
        };
        reached.filter(|(to, _)| *to != from).map(influence).collect()
    }
}

/// The shortest way from one client to another, in words. `None` if there is none.
fn way(influences: &[Influence], from: u16, to: u16) -> Option<Vec<&str>> {
    let (mut seen, mut waiting) = (BTreeSet::from([from]), VecDeque::from([(from, Vec::new())]));
    while let Some((at, steps)) = waiting.pop_front() {
        if at == to {
            return Some(steps);
        }
        for influence in influences.iter().filter(|influence| influence.from == at) {
            if seen.insert(influence.to) {
                let steps = steps.iter().copied().chain([influence.how.as_str()]).collect();
                waiting.push_back((influence.to, steps));
            }
        }
    }
    None
}
