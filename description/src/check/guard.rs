//! Rules about guards: a guard looks at messages, says whether they pass, and can do nothing else. So it has
//! no flow of its own and no device, shares memory and channels with nobody but central, and neither has
//! power over others nor others over it.

use super::Rules;
use crate::description::{Client, Flow};
use crate::problem::Problem;
use crate::source::Place;
use crate::system::{Domain, System};
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
                // A quorum is at least 1, so a stage without members is one of these.
                if stage.quorum as usize > members {
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

    /// Checks that a guard reaches nobody but central and no device, and that nobody but central reaches it.
    fn guard_is_alone(&mut self, guard: &Client, central: usize) {
        let system = self.system;
        let found = shared_memory(system, guard)
            .chain(channels(system, guard.domain, central))
            .chain(devices(system, guard.domain))
            .chain(power(system, guard.domain));
        for (what, place) in found {
            self.report(place, Problem::GuardConnected { guard: guard.name.clone(), what });
        }
    }
}

/// What a guard has and must not have, and what gives it.
type Excess<'a> = (String, &'a Place);

/// The regions beside a guard's own four that others reach too, domains, guests or devices, and all those
/// that may have the registers of a device.
fn shared_memory<'a>(system: &'a System, guard: &Client) -> impl Iterator<Item = Excess<'a>> {
    let own = [guard.out_region, guard.in_region, guard.transmit.region, guard.receive.region];
    let number = guard.domain;
    let others = system.domains.iter().enumerate().filter(move |(other, _)| *other != number);
    let others = others.flat_map(|(_, other)| &other.maps);
    let guests = system.machines.iter().flat_map(|guest| &guest.maps);
    let devices = system.io_spaces.iter().flat_map(|device| &device.maps);
    let shared: BTreeSet<usize> = others.chain(guests).chain(devices).map(|map| map.region).collect();
    system.domains[number].maps.iter().filter_map(move |map| {
        let region = &system.regions[map.region];
        let is_shared = shared.contains(&map.region) && !own.contains(&map.region);
        (is_shared || region.physical.is_some())
            .then(|| (format!("the region `{}`", region.name), &map.place))
    })
}

/// The channels of a guard to others than central.
fn channels(system: &System, guard: usize, central: usize) -> impl Iterator<Item = Excess<'_>> {
    system.channels.iter().filter_map(move |channel| {
        let is_own = channel.ends.iter().any(|end| end.domain == guard);
        let other = channel.ends.iter().find(|end| end.domain != guard && end.domain != central);
        let name = &system.domains[other.filter(|_| is_own)?.domain].name;
        Some((format!("the channel to `{name}`"), &channel.place))
    })
}

/// What makes a guard a driver, beside regions of registers. Device and firmware can reach all memory.
fn devices(system: &System, guard: usize) -> impl Iterator<Item = Excess<'_>> {
    let domain = &system.domains[guard];
    let interrupts = domain.interrupts.iter().map(|interrupt| ("an interrupt".to_owned(), &interrupt.place));
    let ports = domain.ports.iter().map(|ports| (format!("`ioport {:#x}`", ports.first), &ports.place));
    let firmware = ("the right to call the firmware".to_owned(), &domain.place);
    let firmware = domain.calls_firmware.then_some(firmware);
    interrupts.chain(ports).chain(firmware)
}

/// The power of a guard over others, and of others over it: who can stop another or change its registers can
/// also say what it says.
fn power(system: &System, guard: usize) -> impl Iterator<Item = Excess<'_>> {
    let domain = &system.domains[guard];
    let parent = domain.parent.iter().map(|parent| {
        let name = &system.domains[parent.domain].name;
        (format!("the parent `{name}`"), &domain.place)
    });
    let is_child = move |other: &&Domain| other.parent.as_ref().is_some_and(|parent| parent.domain == guard);
    let children = system.domains.iter().filter(is_child);
    let children = children.map(|child| (format!("the child `{}`", child.name), &child.place));
    let guests = system.machines.iter().filter(move |machine| machine.domain == guard);
    let guests = guests.map(|guest| (format!("the virtual machine `{}`", guest.name), &guest.place));
    let held = domain.holds.iter().map(|held| {
        let (of, whose) = (held.kind.words(), &held.domain);
        (format!("a capability of {of} of `{whose}`"), &held.place)
    });
    let others = system.domains.iter().enumerate().filter(move |(other, _)| *other != guard);
    let holders = others.flat_map(move |(_, other)| {
        let of_guard = other.holds.iter().filter(|held| held.domain == domain.name);
        of_guard.map(|held| {
            let of = held.kind.words();
            (format!("`{}` as a holder of a capability of {of}", other.name), &held.place)
        })
    });
    parent.chain(children).chain(guests).chain(held).chain(holders)
}
