//! Rules about partitions: under a domain schedule, central serves the clients of one scheduling domain only
//! after that domain's time slots. A protection domain of each tells it of them, its announcer.

use super::Rules;
use crate::description::{Client, Flow, Partition};
use crate::limits::TICKER;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Place;
use crate::system::{Schedule, TimeSlot};
use std::collections::BTreeSet;

impl Rules<'_> {
    /// The partitions. `reader` reads the audit log.
    pub(super) fn partitions(
        &mut self,
        clients: &[usize],
        central: usize,
        reader: Option<usize>,
    ) -> Vec<Partition> {
        let (system, file) = (self.system, self.flows);
        let Some(first) = file.partition.first() else { return Vec::new() };
        let Some(schedule) = &system.schedule else {
            self.report(&self.flows_source.place(first.span()), Problem::PartitionWithoutSchedule);
            return Vec::new();
        };
        // The period of an announcer has to fit, and only microseconds can be compared with it.
        if let Some(slot) = schedule.cycle.iter().find(|slot| slot.duration_us.is_none()) {
            self.report(&slot.place, Problem::SlotInTicks { domain: slot.domain.clone() });
        }
        let mut partitions: Vec<Partition> = Vec::new();
        for table in &file.partition {
            let name = &table.get_ref().announcer;
            let place = self.flows_source.place(name.span());
            let name = name.get_ref();
            let Some(announcer) = system.domain(name) else {
                let meant = nearest(name, system.domains.iter().map(|domain| domain.name.as_str()));
                self.report(&place, Problem::UnknownClient { name: name.clone(), meant });
                continue;
            };
            let what = match announcer {
                _ if announcer == central => Some("central itself"),
                _ if clients.contains(&announcer) => Some("a client"),
                _ if Some(announcer) == reader => Some("the reader of the audit log"),
                _ if name == TICKER => Some("the ticker"),
                _ => None,
            };
            if let Some(what) = what {
                self.report(&place, Problem::AnnouncerParticipant { name: name.clone(), what });
                continue;
            }
            let Some(domain) = system.domains[announcer].schedule_domain.clone() else { continue };
            if partitions.iter().any(|other| other.domain == domain) {
                self.report(&place, Problem::PartitionTwice { domain });
                continue;
            }
            self.announcer(announcer, schedule, &domain);
            if let Some(channel) = self.channel_to_central(announcer, central) {
                partitions.push(Partition { domain, announcer, channel });
            }
        }
        let ticker = system.domain(TICKER);
        let announcers = partitions.iter().map(|partition| partition.announcer);
        self.apart_from_central(clients.iter().copied().chain(ticker).chain(announcers), central);
        self.all_are_announced(clients, central, &partitions);
        self.exchange_follows(schedule, central, &partitions);
        partitions
    }

    /// An announcer runs at the beginning of each time slot of its domain, whoever else is in it.
    fn announcer(&mut self, number: usize, schedule: &Schedule, domain: &str) {
        let system = self.system;
        let announcer = &system.domains[number];
        self.budget(announcer);
        let others = system.domains.iter().enumerate().filter(|(other, _)| *other != number);
        let others = others.map(|(_, other)| other);
        let others = others.filter(|other| other.schedule_domain.as_deref() == Some(domain));
        if let Some(strongest) = others.max_by_key(|other| other.priority)
            && strongest.priority >= announcer.priority
        {
            let (name, priority) = (announcer.name.clone(), announcer.priority);
            let (other, others) = (strongest.name.clone(), strongest.priority);
            self.report(&announcer.place, Problem::AnnouncerPriority { name, priority, other, others });
        }
        let period = announcer.period_us;
        if let Some(distance) = schedule.distance_us(domain).filter(|least| period > least / 2) {
            let name = announcer.name.clone();
            self.report(&announcer.place, Problem::AnnouncerPeriod { name, period, distance });
        }
    }

    /// What central does is in its own time slots, and nothing else is.
    fn apart_from_central(&mut self, domains: impl Iterator<Item = usize>, central: usize) {
        let system = self.system;
        let Some(domain) = &system.domains[central].schedule_domain else { return };
        for other in domains.map(|other| &system.domains[other]) {
            if other.schedule_domain.as_ref() == Some(domain) {
                let (name, domain) = (other.name.clone(), domain.clone());
                self.report(&other.place, Problem::InCentralsDomain { name, domain });
            }
        }
    }

    fn all_are_announced(&mut self, clients: &[usize], central: usize, partitions: &[Partition]) {
        let system = self.system;
        let centrals = system.domains[central].schedule_domain.as_ref();
        for client in clients.iter().map(|client| &system.domains[*client]) {
            let Some(domain) = &client.schedule_domain else { continue };
            let is_announced = partitions.iter().any(|partition| partition.domain == *domain);
            if !is_announced && Some(domain) != centrals {
                let (client_name, domain) = (client.name.clone(), domain.clone());
                self.report(&client.place, Problem::NoAnnouncer { client: client_name, domain });
            }
        }
    }

    /// Between the time slots of two partitions central has one. Otherwise two would be announced at once.
    fn exchange_follows(&mut self, schedule: &Schedule, central: usize, partitions: &[Partition]) {
        let Some(centrals) = &self.system.domains[central].schedule_domain else { return };
        let matters = |slot: &&TimeSlot| {
            slot.domain == *centrals || partitions.iter().any(|partition| partition.domain == slot.domain)
        };
        let slots: Vec<&TimeSlot> = schedule.cycle.iter().filter(matters).collect();
        for (slot, next) in slots.iter().zip(slots.iter().cycle().skip(1)) {
            if slot.domain != next.domain && ![&slot.domain, &next.domain].contains(&centrals) {
                let [domain, next] = [&slot.domain, &next.domain].map(Clone::clone);
                let problem = Problem::NoExchange { domain, next, central: centrals.clone() };
                self.report(&slot.place, problem);
            }
        }
    }

    /// Those that notice each other by a flow are in one partition: its guards, and its ends too, unless it
    /// is one-way. `places` are those of the flows.
    pub(super) fn flows_between_partitions(&mut self, clients: &[Client], flows: &[Flow], places: &[Place]) {
        let system = self.system;
        for (flow, place) in flows.iter().zip(places) {
            let ends = [flow.source, flow.target].into_iter().filter(|_| !flow.one_way);
            let guards = flow.stages.iter().flat_map(|stage| stage.members.iter().copied());
            let parties: BTreeSet<u16> = ends.chain(guards).collect();
            let mut parties =
                parties.into_iter().map(|client| &system.domains[clients[usize::from(client)].domain]);
            let Some(first) = parties.next() else { continue };
            if let Some(other) = parties.find(|other| other.schedule_domain != first.schedule_domain) {
                let (one, other) = (first.name.clone(), other.name.clone());
                self.report(place, Problem::FlowBetweenPartitions { one, other });
            }
        }
    }
}

impl Schedule {
    /// The shortest time from the beginning of one time slot of a scheduling domain to the beginning of its
    /// next, in microseconds. Slots that follow each other directly are one. `None` if there is none, or if
    /// some are measured in ticks.
    #[must_use]
    pub fn distance_us(&self, domain: &str) -> Option<u64> {
        shortest_distance(&self.cycle, domain)
    }
}

fn shortest_distance(cycle: &[TimeSlot], domain: &str) -> Option<u64> {
    let (mut now, mut beginnings) = (0_u64, Vec::new());
    for (slot, before) in cycle.iter().zip(cycle.iter().cycle().skip(cycle.len().saturating_sub(1))) {
        if slot.domain == domain && (before.domain != domain || cycle.len() == 1) {
            beginnings.push(now);
        }
        now = now.checked_add(slot.duration_us?)?;
    }
    let first = beginnings.first()?.checked_add(now)?;
    let ends = beginnings.iter().skip(1).copied().chain([first]);
    beginnings.iter().zip(ends).map(|(begin, end)| end - begin).min()
}

#[cfg(test)]
mod tests {
    use super::shortest_distance;
    use crate::source::Source;
    use crate::system::TimeSlot;

    fn distance(slots: &[(&str, Option<u64>)]) -> Option<u64> {
        let source = Source::new("system.xml", String::new());
        let slot = |(domain, duration_us): &(&str, _)| TimeSlot {
            domain: (*domain).to_owned(),
            duration_us: *duration_us,
            place: source.place(0..0),
        };
        shortest_distance(&slots.iter().map(slot).collect::<Vec<_>>(), "low")
    }

    #[test]
    fn the_distance_is_from_beginning_to_beginning() {
        let (low, other) = (("low", Some(100)), ("other", Some(1000)));
        assert_eq!(distance(&[low, other]), Some(1100));
        assert_eq!(distance(&[low, other, low, low, other]), Some(1100));
        assert_eq!(distance(&[low, low, other, other, low, other]), Some(1100));
        assert_eq!(distance(&[other, other]), None);
        assert_eq!(distance(&[low, ("other", None)]), None);
    }
}
