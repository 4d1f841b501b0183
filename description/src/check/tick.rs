//! Rules about time: central has a higher priority than its clients, and the ticker has the highest.

use super::Rules;
use crate::description::Tick;
use crate::limits::TICKER;
use crate::problem::Problem;
use crate::system::Domain;

impl Rules<'_> {
    /// Checks the priorities and the ticker. Returns the tick if there is one.
    pub(super) fn tick(&mut self, clients: &[usize], central: usize) -> Option<Tick> {
        let system = self.system;
        let ticker = system.domain(TICKER);
        let central_priority = system.domains[central].priority;
        for client in clients.iter().map(|client| &system.domains[*client]) {
            if client.priority >= central_priority {
                let (client_name, priority) = (client.name.clone(), client.priority);
                let problem =
                    Problem::CentralPriority { client: client_name, priority, central: central_priority };
                self.report(&client.place, problem);
            }
        }
        let file = self.flows.tick.as_ref();
        let (ticker, tick) = match (ticker, file) {
            (None, None) => return None,
            (None, Some(tick)) => {
                self.report(&self.flows_source.place(tick.span()), Problem::TickWithoutTicker);
                return None;
            }
            (Some(ticker), None) => {
                self.report(&system.domains[ticker].place, Problem::TickerWithoutTick);
                return None;
            }
            (Some(ticker), Some(tick)) => (ticker, tick),
        };
        let domain = &system.domains[ticker];
        // Central runs whenever there is work. If it ran above the ticker, busy clients could delay the tick.
        let others = [central].into_iter().chain(clients.iter().copied());
        let strongest = others.map(|other| &system.domains[other]).max_by_key(|other| other.priority);
        if let Some(strongest) = strongest
            && strongest.priority >= domain.priority
        {
            let (other, priority) = (strongest.name.clone(), strongest.priority);
            self.report(&domain.place, Problem::TickerPriority { other, priority, ticker: domain.priority });
        }
        self.budget(domain);
        let period = &tick.get_ref().period_us;
        let period_us = period.get_ref().0;
        let place = self.flows_source.place(period.span());
        if u64::from(period_us) != domain.period_us {
            let problem = Problem::TickPeriod { tick: period_us, ticker: domain.period_us };
            self.report(&place, problem);
        }
        let channel = self.channel_to_central(ticker, central)?;
        Some(Tick { domain: ticker, channel, period_us, place })
    }

    /// Who runs by time gets its budget at the beginning of each period, and has used it up before the end.
    pub(super) fn budget(&mut self, domain: &Domain) {
        if domain.budget_us >= domain.period_us {
            let (name, budget, period) = (domain.name.clone(), domain.budget_us, domain.period_us);
            self.report(&domain.place, Problem::TickerBudget { name, budget, period });
        }
    }
}
