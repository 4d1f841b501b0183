//! Rules about channels: every client has one to central and none to another client, and there are no
//! protected procedure calls to or from central.

use super::Rules;
use crate::limits::CENTRAL;
use crate::problem::Problem;
use crate::system::End;

/// The symbol that gets the number of the channel to central.
const SYMBOL: &str = "ferry_central";

impl Rules<'_> {
    /// Checks the channel between `domain` and central. Returns its number in central.
    pub(super) fn channel_to_central(&mut self, domain: usize, central: usize) -> Option<u8> {
        let system = self.system;
        let name = &system.domains[domain].name;
        let Some((own, its)) = system.channel(domain, central) else {
            self.report(&system.domains[domain].place, Problem::MissingChannel { domain: name.clone() });
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
        let mut numbers: Vec<(usize, u8)> = Vec::new();
        for channel in &system.channels {
            let [a, b] = &channel.ends;
            for (end, other) in [(a, b), (b, a)] {
                let number = (end.domain, end.id);
                if numbers.contains(&number) {
                    self.report(&end.place, Problem::DuplicateChannel { domain: name(end), id: end.id });
                }
                numbers.push(number);
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
            if clients.contains(&a.domain) && clients.contains(&b.domain) {
                let problem = Problem::ConnectedClients { first: name(a), second: name(b) };
                self.report(&channel.place, problem);
            }
        }
    }
}
