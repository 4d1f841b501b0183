//! Rules about the flows of `flows.toml`: each flow connects two different clients, and no flow is listed
//! twice.

use super::Rules;
use crate::description::{Client, Flow};
use crate::flows::{Class, DEFAULT_MAX_MESSAGE, Size};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Place;
use toml::Spanned;

impl Rules<'_> {
    /// The flows, with their clients as numbers.
    pub(super) fn flows(&mut self, clients: &[Client]) -> Vec<Flow> {
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
            if let Some(longest) = &flow.max_message {
                let [source, target] = [source, target].map(|client| &clients[usize::from(client)]);
                self.longest_message(longest, source, target);
            }
            places.push(place);
            flows.push(Flow {
                source,
                target,
                urgent: flow.class == Class::Urgent,
                mapping: flow.mapping.into(),
                max_message: flow.max_message.as_ref().map_or(DEFAULT_MAX_MESSAGE, |size| size.get_ref().0),
            });
        }
        flows
    }

    /// The longest message that `flows.toml` states must fit into both buffers.
    fn longest_message(&mut self, longest: &Spanned<Size>, source: &Client, target: &Client) {
        let buffers = [source.transmit, target.receive].into_iter();
        let smallest = buffers.min_by_key(|buffer| buffer.bytes);
        let found = longest.get_ref().0;
        if let Some(buffer) = smallest.filter(|buffer| buffer.bytes < u64::from(found)) {
            let region = self.system.regions[buffer.region].name.clone();
            let problem = Problem::LongMessage { region, found, bytes: buffer.bytes };
            self.report(&self.flows_source.place(longest.span()), problem);
        }
    }

    fn number_of(&mut self, name: &Spanned<String>, clients: &[Client]) -> Option<u16> {
        let number = (0..).zip(clients).find(|(_, client)| client.name == *name.get_ref());
        if number.is_none() {
            let place = self.flows_source.place(name.span());
            let name = name.get_ref().clone();
            let exists = self.system.domain(&name).is_some();
            let problem = if exists {
                Problem::NotAClient { name }
            } else {
                let meant = nearest(&name, clients.iter().map(|client| client.name.as_str()));
                Problem::UnknownClient { name, meant }
            };
            self.report(&place, problem);
        }
        number.map(|(number, _)| number)
    }
}
