//! Rules about channels: every client has one to central and none to another client, and there are no
//! protected procedure calls to or from central.

use super::Rules;
use crate::limits::CENTRAL;
use crate::problem::Problem;
use crate::source::Place;
use crate::system::End;

/// The symbol that gets the number of the channel to central.
const SYMBOL: &str = "ferry_central";

impl Rules<'_> {
    /// Checks the channel between `domain` and central. Returns its number in central.
    pub(super) fn channel_to_central(&mut self, domain: usize, central: usize) -> Option<u8> {
        let system = self.system;
        let name = &system.domains[domain].name;
        let Some((own, its)) = system.channel(domain, central) else {
            let ids = [central, domain].map(|end| self.free_number(end).unwrap_or(0));
            let problem = Problem::MissingChannel { domain: name.clone(), ids };
            self.report(&system.domains[domain].place, problem);
            return None;
        };
        if own.setvar_id.as_deref() != Some(SYMBOL) {
            let (domain, symbol) = (name.clone(), SYMBOL.to_owned());
            self.report(&own.place, Problem::MissingSetvar { domain, attribute: "setvar_id", symbol });
        }
        if !own.notify {
            let (domain, other) = (name.clone(), CENTRAL.to_owned());
            self.report(&own.place, Problem::SilentChannel { domain, other });
        }
        Some(its.id)
    }

    /// Checks all channels of the system.
    pub(super) fn channels(&mut self, clients: &[usize], central: usize) {
        let system = self.system;
        let name = |end: &End| system.domains[end.domain].name.clone();
        let mut numbers: Vec<(usize, u8, &Place)> = Vec::new();
        for channel in &system.channels {
            let [a, b] = &channel.ends;
            for (end, other) in [(a, b), (b, a)] {
                let same = numbers.iter().find(|(domain, id, _)| (*domain, *id) == (end.domain, end.id));
                if let Some((_, _, first)) = same {
                    let (first, free) = (first.line(), self.free_number(end.domain));
                    let problem = Problem::DuplicateChannel { domain: name(end), id: end.id, first, free };
                    self.report(&end.place, problem);
                }
                numbers.push((end.domain, end.id, &end.place));
                self.call(end, other);
                // A protected procedure call carries data past all flows, and central would have to answer
                // it.
                let between = [end.domain, other.domain];
                if end.protected && between.contains(&central) {
                    let problem = Problem::ProtectedCall { domain: name(end), other: name(other) };
                    self.report(&end.place, problem);
                }
                if end.domain == central && clients.contains(&other.domain) && !end.notify {
                    let problem = Problem::SilentChannel { domain: name(end), other: name(other) };
                    self.report(&end.place, problem);
                }
            }
            // A channel with oneself carries nothing to anybody.
            let is_own = a.domain == b.domain;
            if !is_own && clients.contains(&a.domain) && clients.contains(&b.domain) {
                let problem = Problem::ConnectedClients { first: name(a), second: name(b) };
                self.report(&channel.place, problem);
            }
        }
    }

    /// Who answers protected calls has a higher priority than its callers.
    fn call(&mut self, caller: &End, callee: &End) {
        let [from, to] = [caller, callee].map(|end| &self.system.domains[end.domain]);
        if caller.protected && from.priority >= to.priority {
            let problem = Problem::CallPriority {
                caller: from.name.clone(),
                priority: from.priority,
                callee: to.name.clone(),
                other: to.priority,
            };
            self.report(&caller.place, problem);
        }
    }
}
