//! Rules about the flows of `flows.toml`: each flow connects two different clients, and no flow is listed
//! twice.

use super::Rules;
use crate::description::{Client, Flow};
use crate::flows::Class;
use crate::problem::Problem;
use toml::Spanned;

impl Rules<'_> {
    /// The flows, with their clients as numbers.
    pub(super) fn flows(&mut self, clients: &[Client]) -> Vec<Flow> {
        let file = self.flows;
        for client in file.client.keys() {
            self.number_of(client, clients);
        }
        let mut flows: Vec<Flow> = Vec::new();
        for table in &file.flow {
            let flow = table.get_ref();
            let (source, target) = (self.number_of(&flow.from, clients), self.number_of(&flow.to, clients));
            let (Some(source), Some(target)) = (source, target) else { continue };
            let place = self.flows_source.place(table.span());
            if source == target {
                self.report(&place, Problem::FlowToSelf { name: flow.from.get_ref().clone() });
            }
            if flows.iter().any(|other| (other.source, other.target) == (source, target)) {
                let (from, to) = (flow.from.get_ref().clone(), flow.to.get_ref().clone());
                self.report(&place, Problem::DuplicateFlow { from, to });
            }
            flows.push(Flow {
                source,
                target,
                urgent: flow.class == Class::Urgent,
                mapping: flow.mapping.into(),
                max_message: flow.max_message.0,
            });
        }
        flows
    }

    fn number_of(&mut self, name: &Spanned<String>, clients: &[Client]) -> Option<u16> {
        let number = (0..).zip(clients).find(|(_, client)| client.name == *name.get_ref());
        if number.is_none() {
            let place = self.flows_source.place(name.span());
            let name = name.get_ref().clone();
            let exists = self.system.domain(&name).is_some();
            let problem = if exists { Problem::NotAClient { name } } else { Problem::UnknownClient { name } };
            self.report(&place, problem);
        }
        number.map(|(number, _)| number)
    }
}
