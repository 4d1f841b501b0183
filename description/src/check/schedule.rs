//! Rules about the domain schedule: everybody who takes part in an exchange runs at some time.

use super::Rules;
use crate::limits::TICKER;
use crate::problem::Problem;

impl Rules<'_> {
    /// Checks that central, the ticker and all clients are in scheduling domains that have a turn.
    pub(super) fn schedule(&mut self, clients: &[usize], central: usize) {
        let system = self.system;
        let Some(schedule) = &system.schedule else { return };
        let participants = clients.iter().copied().chain([central]).chain(system.domain(TICKER));
        for domain in participants.map(|number| &system.domains[number]) {
            let Some(name) = &domain.schedule_domain else { continue };
            if !schedule.scheduled.contains(name) {
                let problem = Problem::Unscheduled { name: domain.name.clone(), domain: name.clone() };
                self.report(&domain.place, problem);
            }
        }
    }
}
