//! Rules about interrupts, I/O ports, slots of capabilities, and what is mapped into virtual machines and
//! devices. Ferry needs none of these; the rules are those of Microkit's tool, so that it is not the first to
//! say what is wrong.

use super::Rules;
use crate::device::{Interrupt, Line};
use crate::limits::{IO_SPACE_BYTES, LARGE_PAGE_BYTES, PAGE_BYTES};
use crate::map::Map;
use crate::problem::Problem;
use crate::source::Place;

/// End of the addresses of a guest on the boards with the largest address space.
const GUEST_END: u64 = 1 << 47;

impl Rules<'_> {
    /// Checks all of them.
    pub(super) fn devices(&mut self) {
        self.interrupts();
        self.ports();
        self.slots();
        self.mixed_processors();
        let system = self.system;
        for machine in &system.machines {
            self.address_space(&machine.name, &machine.maps, GUEST_END);
        }
        for space in &system.io_spaces {
            for map in &space.maps {
                let region = &system.regions[map.region];
                if region.page_bytes == Some(LARGE_PAGE_BYTES) {
                    self.report(&map.place, Problem::LargeIoMap { region: region.name.clone() });
                }
            }
            self.address_space(&space.name, &space.maps, IO_SPACE_BYTES);
        }
    }

    /// No interrupt goes to two domains, no pin has two vectors, and no domain has one number for two things.
    fn interrupts(&mut self) {
        let system = self.system;
        let mut seen: Vec<(&Interrupt, &str)> = Vec::new();
        for (number, domain) in system.domains.iter().enumerate() {
            let ends = system.channels.iter().flat_map(|channel| &channel.ends);
            let mut ids: Vec<u8> = ends.filter(|end| end.domain == number).map(|end| end.id).collect();
            for interrupt in &domain.interrupts {
                let number = interrupt.line.number();
                if let Some((_, first)) = seen.iter().find(|(other, _)| other.line.number() == number) {
                    let (first, second) = ((*first).to_owned(), domain.name.clone());
                    self.report(&interrupt.place, Problem::SharedInterrupt { number, first, second });
                }
                self.pin(interrupt, &seen);
                if ids.contains(&interrupt.id) {
                    let (domain, id) = (domain.name.clone(), interrupt.id);
                    self.report(&interrupt.place, Problem::InterruptNumber { domain, id });
                }
                ids.push(interrupt.id);
                seen.push((interrupt, &domain.name));
            }
        }
    }

    /// The kernel gives a pin the vector that it is asked for last. The other would never be raised.
    fn pin(&mut self, interrupt: &Interrupt, seen: &[(&Interrupt, &str)]) {
        let Line::Pin { ioapic, pin, vector } = interrupt.line else { return };
        let is_same =
            |other: &Interrupt| interrupt.line.is_shared_with(other.line) && other.line.number() != vector;
        if let Some((first, _)) = seen.iter().find(|(other, _)| is_same(other)) {
            let first = first.place.line();
            self.report(&interrupt.place, Problem::SharedPin { ioapic, pin, first });
        }
    }

    fn ports(&mut self) {
        let system = self.system;
        let all = system.domains.iter().flat_map(|domain| {
            let name = domain.name.as_str();
            domain.ports.iter().map(move |ports| (name, ports))
        });
        let all: Vec<_> = all.collect();
        for (position, (domain, ports)) in all.iter().enumerate() {
            for (other, before) in &all[..position] {
                if domain == other && ports.id == before.id {
                    let (domain, id) = ((*domain).to_owned(), ports.id);
                    self.report(&ports.place, Problem::PortNumber { domain, id });
                }
                // The reader refuses ports whose end would wrap around.
                let (end, end_before) = (ports.first + ports.count, before.first + before.count);
                if ports.first < end_before && before.first < end {
                    let problem = Problem::OverlappingPorts {
                        one: (*other).to_owned(),
                        first: before.first,
                        other: (*domain).to_owned(),
                        second: ports.first,
                    };
                    self.report(&ports.place, problem);
                }
            }
        }
    }

    fn slots(&mut self) {
        let system = self.system;
        for domain in &system.domains {
            for (position, held) in domain.holds.iter().enumerate() {
                if domain.holds[..position].iter().any(|other| other.slot == held.slot) {
                    let (domain, slot) = (domain.name.clone(), held.slot);
                    self.report(&held.place, Problem::RepeatedSlot { domain, slot });
                }
            }
        }
    }

    /// No board has the interrupts of two kinds of processor. The description does not say which board it is
    /// for, so only a contradiction is a mistake here.
    fn mixed_processors(&mut self) {
        let system = self.system;
        let interrupts = || system.domains.iter().flat_map(|domain| &domain.interrupts);
        let is_number = |interrupt: &&Interrupt| matches!(interrupt.line, Line::Number(_));
        let numbered =
            interrupts().find(is_number).map(|interrupt| ("an interrupt with irq", &interrupt.place));
        let firmware = system.domains.iter().find(|domain| domain.calls_firmware);
        let firmware = firmware.map(|domain| ("smc", &domain.place));
        let pin = interrupts().find(|interrupt| !is_number(interrupt));
        let pin = pin.map(|interrupt| ("an interrupt with pin or pcidev", &interrupt.place));
        let ports = system.domains.iter().find_map(|domain| domain.ports.first());
        let ports = ports.map(|ports| ("ioport", &ports.place));
        let space = system.io_spaces.first().map(|space| ("io_address_space", &space.place));
        let (arm, x86): (Option<(&str, &Place)>, _) = (numbered.or(firmware), pin.or(ports).or(space));
        if let (Some((one, _)), Some((other, place))) = (arm, x86) {
            self.report(place, Problem::MixedProcessors { one, other });
        }
    }

    /// Checks the maps of one guest or device: aligned, apart from each other, and below `end`.
    fn address_space(&mut self, holder: &str, maps: &[Map], end: u64) {
        let system = self.system;
        for (position, map) in maps.iter().enumerate() {
            let region = &system.regions[map.region];
            let page = region.page_bytes.unwrap_or(PAGE_BYTES);
            if !map.address.is_multiple_of(page) {
                let (region, address) = (region.name.clone(), map.address);
                self.report(&map.place, Problem::MisalignedMap { region, address, page });
            }
            let last = map.address.checked_add(region.bytes);
            if last.is_none_or(|last| last > end) {
                let (holder, region, address) = (holder.to_owned(), region.name.clone(), map.address);
                self.report(&map.place, Problem::MapOutOfReach { holder, region, address, end });
            }
            for other in &maps[..position] {
                let other_region = &system.regions[other.region];
                let other_end = other.address.saturating_add(other_region.bytes);
                if map.address < other_end && other.address < last.unwrap_or(u64::MAX) {
                    let problem = Problem::OverlappingMaps {
                        domain: holder.to_owned(),
                        first: other_region.name.clone(),
                        second: region.name.clone(),
                    };
                    self.report(&map.place, problem);
                }
            }
        }
    }
}
