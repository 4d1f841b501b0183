//! Rules about guards: a guard looks at messages, says whether they pass, and can do nothing else. So it has
//! no flow of its own, and shares memory, channels and devices with nobody but central.

use super::Rules;
use crate::description::{Client, Flow};
use crate::problem::Problem;
use ferry_layout::geometry::{MAX_GUARDS, MAX_INSPECTED, MAX_STAGES};
use std::collections::BTreeSet;

impl Rules<'_> {
    /// Whether `flows.toml` names this protection domain as a guard.
    pub(super) fn is_guard(&self, name: &str) -> bool {
        self.flows.flow.iter().any(|flow| flow.get_ref().guards().any(|guard| guard == name))
    }

    /// Checks the guards of all flows, and what each guard can reach.
    pub(super) fn guards(&mut self, clients: &[Client], flows: &[Flow], central: usize, has_tick: bool) {
        let file = self.flows;
        for table in &file.flow {
            let flow = table.get_ref();
            for name in [&flow.from, &flow.to] {
                if self.is_guard(name.get_ref()) {
                    let place = self.flows_source.place(name.span());
                    self.report(&place, Problem::GuardInFlow { name: name.get_ref().clone() });
                }
            }
            let Some(guards) = &flow.guards else {
                if let Some(ticks) = &flow.verdict_within {
                    self.report(&self.flows_source.place(ticks.span()), Problem::VerdictWithoutGuards);
                }
                continue;
            };
            let place = self.flows_source.place(guards.span());
            if guards.get_ref().is_empty() {
                self.report(&place, Problem::NoGuards);
            }
            if !has_tick {
                self.report(&place, Problem::GuardsWithoutTick);
            }
            let mut seen = BTreeSet::new();
            for stage in guards.get_ref() {
                let place = self.flows_source.place(stage.span());
                let stage = stage.get_ref();
                let members = stage.members.len();
                if members == 0 || stage.quorum as usize > members {
                    self.report(&place, Problem::Quorum { quorum: stage.quorum, members });
                }
                for name in stage.members.iter().filter(|name| !seen.insert(name.as_str())) {
                    self.report(&place, Problem::GuardTwice { name: name.clone() });
                }
            }
            if seen.len() > MAX_GUARDS {
                self.report(&place, Problem::TooManyGuards { found: seen.len() });
            }
            if let Some(longest) = &flow.max_message
                && longest.get_ref().0 > MAX_INSPECTED
            {
                let found = longest.get_ref().0;
                self.report(&self.flows_source.place(longest.span()), Problem::LongInspection { found });
            }
        }
        let stages: usize = flows.iter().map(|flow| flow.stages.len()).sum();
        if stages > MAX_STAGES {
            let end = self.flows_source.text().len();
            self.report(&self.flows_source.place(end..end), Problem::TooManyStages { found: stages });
        }
        for (number, guard) in (0..).zip(clients).filter(|(_, client)| client.is_guard) {
            self.guard_is_alone(guard, central);
            self.guard_has_room(number, guard, flows);
        }
    }

    /// Number of flows that this client guards, by `flows.toml`.
    pub(super) fn flows_guarded_by(&self, name: &str) -> usize {
        self.flows.flow.iter().filter(|flow| flow.get_ref().guards().any(|guard| guard == name)).count()
    }

    /// Checks that a guard has room for a message of each of its flows. If it had not, a message of one flow
    /// that waits for its target would stop another flow.
    fn guard_has_room(&mut self, number: u16, guard: &Client, flows: &[Flow]) {
        let guarded =
            flows.iter().filter(|flow| flow.stages.iter().any(|stage| stage.members.contains(&number)));
        let longest = guarded.clone().map(|flow| u64::from(flow.max_message)).max().unwrap_or(1).max(1);
        let (flows, room) = (guarded.count(), guard.receive.bytes / longest);
        // A message that has no room at all is longer than the region, which is a mistake of its own.
        if room != 0 && room < flows as u64 {
            let region = &self.system.regions[guard.receive.region];
            let problem = Problem::GuardTooSmall {
                guard: guard.name.clone(),
                region: region.name.clone(),
                room,
                flows,
                bytes: longest * flows as u64,
            };
            self.report(&region.place, problem);
        }
    }

    /// Checks that a guard reaches nobody but central.
    fn guard_is_alone(&mut self, guard: &Client, central: usize) {
        let system = self.system;
        let domain = &system.domains[guard.domain];
        let mut others: Vec<(String, &crate::source::Place)> = Vec::new();
        let own = [guard.out_region, guard.in_region, guard.transmit.region, guard.receive.region];
        for map in domain.maps.iter().filter(|map| !own.contains(&map.region)) {
            let region = &system.regions[map.region];
            let holders =
                system.domains.iter().enumerate().filter(|(_, other)| other.map_of(map.region).is_some());
            let is_shared = holders.filter(|(number, _)| *number != guard.domain).count() != 0;
            if is_shared || region.physical.is_some() {
                others.push((format!("the region `{}`", region.name), &map.place));
            }
        }
        for channel in &system.channels {
            let ends = &channel.ends;
            let is_own = ends.iter().any(|end| end.domain == guard.domain);
            let other = ends.iter().find(|end| end.domain != guard.domain && end.domain != central);
            if let Some(other) = other.filter(|_| is_own) {
                let name = &system.domains[other.domain].name;
                others.push((format!("the channel to `{name}`"), &channel.place));
            }
        }
        if let Some(interrupt) = domain.interrupts.first() {
            others.push(("an interrupt".into(), &interrupt.place));
        }
        if let Some(parent) = &domain.parent {
            let name = &system.domains[parent.domain].name;
            others.push((format!("its parent `{name}`"), &domain.place));
        }
        for (what, place) in others {
            self.report(place, Problem::GuardConnected { guard: guard.name.clone(), what });
        }
    }
}
