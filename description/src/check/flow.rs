//! Rules about the flows of `flows.toml`: each flow connects two different clients, and no flow is listed
//! twice. `guard.rs` has those about guards, and `one_way.rs` those about one-way flows.

use super::Rules;
use crate::description::{Buffer, Client, Flow, Stage};
use crate::flows::{Class, DEFAULT_MAX_MESSAGE, DEFAULT_VERDICT_WITHIN, FlowTable, Size};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Place;
use ferry_layout::geometry::{MAX_INSPECTED, MAX_ONE_WAY};
use toml::Spanned;

impl Rules<'_> {
    /// The flows, with their clients as numbers, and where each is in the file.
    pub(super) fn flows(&mut self, clients: &[Client]) -> (Vec<Flow>, Vec<Place>) {
        let file = self.flows;
        for client in file.client.keys() {
            self.number_of(client, clients);
        }
        if file.flow.is_empty() {
            // A file that ends without a flow is wrong at its end.
            let end = self.flows_source.text().len();
            self.report(&self.flows_source.place(end..end), Problem::NoFlows);
        }
        let mut flows: Vec<Flow> = Vec::new();
        let mut places: Vec<Place> = Vec::new();
        for table in &file.flow {
            let flow = table.get_ref();
            let (source, target) = (self.number_of(&flow.from, clients), self.number_of(&flow.to, clients));
            let (Some(source), Some(target)) = (source, target) else { continue };
            let place = self.flows_source.place(table.span());
            if source == target {
                self.report(&place, Problem::FlowToSelf { name: flow.from.get_ref().clone() });
            }
            let same = flows.iter().position(|other| (other.source, other.target) == (source, target));
            if let Some(first) = same.map(|same| places[same].line()) {
                let (from, to) = (flow.from.get_ref().clone(), flow.to.get_ref().clone());
                self.report(&place, Problem::DuplicateFlow { from, to, first });
            }
            let stages = self.stages(flow, clients);
            let guards = stages.iter().flat_map(|stage| &stage.members);
            let receivers = [&target].into_iter().chain(guards);
            let receivers = receivers.map(|client| clients[usize::from(*client)].receive);
            let transmit = clients[usize::from(source)].transmit;
            let buffers: Vec<Buffer> = [transmit].into_iter().chain(receivers).collect();
            if let Some(longest) = &flow.max_message {
                self.longest_message(longest, &buffers);
            }
            let one_way = flow.one_way.as_ref().is_some_and(|one_way| *one_way.get_ref());
            let default = if stages.is_empty() {
                if one_way { MAX_ONE_WAY } else { DEFAULT_MAX_MESSAGE }
            } else {
                self.longest_inspected(&buffers, &stages, clients)
            };
            let verdict_within = flow.verdict_within.as_ref().map(|ticks| ticks.get_ref().0);
            places.push(place.clone());
            flows.push(Flow {
                source,
                target,
                urgent: flow.class == Class::Urgent,
                mapping: flow.mapping.into(),
                max_message: flow.max_message.as_ref().map_or(default, |size| size.get_ref().0),
                verdict_within: if stages.is_empty() {
                    0
                } else {
                    verdict_within.unwrap_or(DEFAULT_VERDICT_WITHIN)
                },
                stages,
                one_way,
                return_path: flow.return_path.as_ref().map(|reason| reason.get_ref().clone()),
                audits_all: self.audits_all(flow),
                place,
            });
        }
        (flows, places)
    }

    /// The longest message of a flow with guards whose description names none: what each of its buffers can
    /// hold, where a guard has an equal part for each flow that it guards. A guard makes its buffers as long
    /// as this.
    fn longest_inspected(&self, buffers: &[Buffer], stages: &[Stage], clients: &[Client]) -> u32 {
        let guards = stages.iter().flat_map(|stage| &stage.members);
        let parts = guards.map(|guard| {
            let guard = &clients[usize::from(*guard)];
            // In whole cache lines, which is where buffers should begin.
            guard.receive.bytes / self.flows_guarded_by(&guard.name).max(1) as u64 / 64 * 64
        });
        let smallest = buffers.iter().map(|buffer| buffer.bytes).chain(parts).min().unwrap_or(0);
        u32::try_from(smallest).unwrap_or(u32::MAX).clamp(1, MAX_INSPECTED)
    }

    /// The stages of guards of a flow, with their clients as numbers. A name that is none of a client is a
    /// mistake.
    fn stages(&mut self, flow: &FlowTable, clients: &[Client]) -> Vec<Stage> {
        let mut stages = Vec::new();
        for stage in flow.stages() {
            let place = self.flows_source.place(stage.span());
            let stage = stage.get_ref();
            let members = stage.members.iter().filter_map(|name| self.number_at(name, &place, clients));
            stages.push(Stage { members: members.collect(), quorum: stage.quorum });
        }
        stages
    }

    /// The longest message that `flows.toml` states must fit into every buffer that it passes through.
    fn longest_message(&mut self, longest: &Spanned<Size>, buffers: &[Buffer]) {
        let smallest = buffers.iter().min_by_key(|buffer| buffer.bytes);
        let found = longest.get_ref().0;
        if let Some(buffer) = smallest.filter(|buffer| buffer.bytes < u64::from(found)) {
            let region = self.system.regions[buffer.region].name.clone();
            let problem = Problem::LongMessage { region, found, bytes: buffer.bytes };
            self.report(&self.flows_source.place(longest.span()), problem);
        }
    }

    fn number_of(&mut self, name: &Spanned<String>, clients: &[Client]) -> Option<u16> {
        self.number_at(name.get_ref(), &self.flows_source.place(name.span()), clients)
    }

    /// The number of the client that is named at `place`.
    fn number_at(&mut self, name: &str, place: &Place, clients: &[Client]) -> Option<u16> {
        let number = (0..).zip(clients).find(|(_, client)| client.name == name);
        if number.is_none() {
            let name = name.to_owned();
            let exists = self.system.domain(&name).is_some();
            let problem = if exists {
                Problem::NotAClient { name }
            } else {
                let meant = nearest(&name, clients.iter().map(|client| client.name.as_str()));
                Problem::UnknownClient { name, meant }
            };
            self.report(place, problem);
        }
        number.map(|(number, _)| number)
    }
}
