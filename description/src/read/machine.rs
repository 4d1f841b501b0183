//! Reads virtual machines, and the address spaces that devices have behind an IOMMU. Regions are mapped into
//! both, as into protection domains.

use super::element::{Element, Log};
use super::interrupt::{channel_number, pci_device};
use super::region::region_of;
use super::scheduling::{budget_and_period, core};
use crate::device::{IoSpace, VirtualMachine};
use crate::limits::{MAX_CHANNEL, MAX_IO_DOMAIN, MAX_PRIORITY};
use crate::map::{Map, Permissions};
use crate::problem::Problem;
use crate::system::System;

/// Reads the virtual machine of a domain.
pub(super) fn virtual_machine(
    element: Element<'_>,
    domain: usize,
    others: &[u8],
    system: &System,
    log: &mut Log<'_>,
) -> Option<VirtualMachine> {
    element.check_attributes(&["name", "budget", "period", "priority"], log);
    let name = element.name_of("name", log);
    budget_and_period(element, log);
    // Microkit cuts a larger number to eight bits without a word.
    if element.number("priority", log).is_some_and(|priority| priority > MAX_PRIORITY) {
        log.bad_value(element, "priority", "0 to 254");
    }
    let (mut processors, mut cores, mut maps, mut found) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for child in element.children() {
        match child.name() {
            "vcpu" => {
                found += 1;
                let used = [others, &processors].concat();
                processors.extend(processor(child, &used, log));
                cores.push(core(child, log));
            }
            "map" => {
                child.check_attributes(&["mr", "vaddr", "perms", "cached"], log);
                maps.extend(map(child, "vaddr", child.permissions(log), system, log));
            }
            _ => log.unknown_element(child, "virtual_machine"),
        }
    }
    let name = name?;
    if found == 0 {
        log.report(element.span(), Problem::MachineWithoutProcessor { machine: name.into() });
    }
    if let Some(other) = system.machines.iter().find(|machine| machine.name == name) {
        let first = other.place.line();
        log.report(element.value_span("name"), Problem::DuplicateName { name: name.into(), first });
    }
    Some(VirtualMachine { name: name.into(), domain, processors, cores, maps, place: log.place(element) })
}

fn processor(element: Element<'_>, others: &[u8], log: &mut Log<'_>) -> Option<u8> {
    element.check_attributes(&["id", "setvar_id", "cpu"], log);
    // Microkit takes only decimal numbers here.
    let id = channel_number(element, log)?;
    unused(id, element, others, log);
    Some(id)
}

/// Reads the address space of a device.
pub(super) fn io_address_space(element: Element<'_>, system: &System, log: &mut Log<'_>) -> Option<IoSpace> {
    element.check_attributes(&["name", "peripheral_id", "domain_id"], log);
    let name = element.name_of("name", log);
    let domain_id = element.required_number("domain_id", log);
    if domain_id.is_some_and(|number| !(1..=MAX_IO_DOMAIN).contains(&number)) {
        log.bad_value(element, "domain_id", "1 to 65535; the kernel has 16 bits for it, and no space 0");
    }
    let device =
        element.required("peripheral_id", log).and_then(|_| pci_device(element, "peripheral_id", log));
    let mut maps = Vec::new();
    for child in element.children() {
        if child.name() == "iomap" {
            child.check_attributes(&["mr", "iovaddr", "perms"], log);
            maps.extend(map(child, "iovaddr", io_permissions(child, log), system, log));
        } else {
            log.unknown_element(child, "io_address_space");
        }
    }
    let (name, domain_id, device) = (name?, domain_id?, device?);
    for other in &system.io_spaces {
        for (attribute, is_same) in [
            ("name", other.name == name),
            ("domain_id", other.domain_id == domain_id),
            ("peripheral_id", other.device == device),
        ] {
            if is_same {
                log.bad_value(element, attribute, "one that no other io_address_space has");
            }
        }
    }
    Some(IoSpace { name: name.into(), domain_id, device, maps, place: log.place(element) })
}

/// Reads the permissions of a device. Unlike a processor it can have memory that it only writes.
fn io_permissions(element: Element<'_>, log: &mut Log<'_>) -> Permissions {
    let Some(text) = element.attribute("perms") else { return Permissions::READ_WRITE };
    let [read, write] = ['r', 'w'].map(|letter| text.contains(letter));
    if text.is_empty() || text.chars().any(|letter| !"rw".contains(letter)) {
        log.bad_value(element, "perms", "r, w or rw");
    }
    Permissions { read, write, execute: false }
}

fn map(
    element: Element<'_>,
    address: &'static str,
    permissions: Permissions,
    system: &System,
    log: &mut Log<'_>,
) -> Option<Map> {
    let region = region_of(element, "mr", system, log);
    let address = element.required_number(address, log);
    let (setvar_address, setvar_size, setvar_prefill_size) = (None, None, None);
    let place = log.place(element);
    let cached = element.attribute("cached") != Some("false");
    Some(Map {
        region: region?,
        address: address?,
        permissions,
        cached,
        setvar_address,
        setvar_size,
        setvar_prefill_size,
        place,
    })
}

/// Reads the number of a child. It must differ from all of these.
pub(super) fn number(element: Element<'_>, others: &[u8], log: &mut Log<'_>) -> Option<u8> {
    let id = element.required_number("id", log)?;
    let id = u8::try_from(id).ok().filter(|id| *id <= MAX_CHANNEL);
    if id.is_none() {
        log.bad_value(element, "id", "0 to 61");
    }
    unused(id?, element, others, log);
    id
}

fn unused(id: u8, element: Element<'_>, others: &[u8], log: &mut Log<'_>) {
    if others.contains(&id) {
        log.bad_value(element, "id", "a number that no other child or vcpu of the domain has");
    }
}
