//! Reads what a protection domain has beside its program and its maps: children, a virtual machine,
//! capabilities of others, interrupts and I/O ports. Some platforms cannot build these, so all of them are in
//! [`System::extras`] as well.
//!
//! Circle: `domain.rs`, because a child is a protection domain, with all that one can have.

use super::element::{Element, Log, extra};
use super::{cspace, domain, interrupt, machine};
use crate::device::Parent;
use crate::problem::Problem;
use crate::system::{Extra, System};

/// Reads one element of the domain with this number.
pub(super) fn read(element: Element<'_>, number: usize, system: &mut System, log: &mut Log<'_>) {
    match element.name() {
        "protection_domain" => child(element, number, system, log),
        "virtual_machine" => {
            extra(element, system, log);
            only_once(element, log);
            let others = used_numbers(number, system);
            if let Some(machine) = machine::virtual_machine(element, number, &others, system, log) {
                system.machines.push(machine);
            }
        }
        "cspace" => {
            extra(element, system, log);
            only_once(element, log);
            system.domains[number].holds.extend(cspace::cspace(element, log));
        }
        "irq" => {
            // Each kind of processor has interrupts of its own.
            let kinds = ["irq", "pin", "pcidev"];
            let kind = kinds.into_iter().find(|kind| element.attribute(kind).is_some()).unwrap_or("irq");
            system.extras.push(Extra { name: kind.into(), place: log.place(element) });
            symbols(element, &["setvar_id"], number, system, log);
            system.domains[number].interrupts.extend(interrupt::interrupt(element, log));
        }
        "ioport" => {
            extra(element, system, log);
            symbols(element, &["setvar_id", "setvar_addr"], number, system, log);
            system.domains[number].ports.extend(interrupt::ports(element, log));
        }
        _ => log.unknown_element(element, "protection_domain"),
    }
}

fn child(element: Element<'_>, parent: usize, system: &mut System, log: &mut Log<'_>) {
    symbols(element, &["setvar_id"], parent, system, log);
    let others = used_numbers(parent, system);
    let id = machine::number(element, &others, log);
    // After a mistake the number does not matter, but everything inside the child does.
    let parent = Parent { domain: parent, id: id.unwrap_or(0) };
    domain::protection_domain(element, Some(parent), system, log);
}

/// The numbers of the children of a domain, and of the virtual processors that it runs.
fn used_numbers(domain: usize, system: &System) -> Vec<u8> {
    let parents = system.domains.iter().filter_map(|child| child.parent.as_ref());
    let children = parents.filter(|parent| parent.domain == domain).map(|parent| parent.id);
    let machines = system.machines.iter().filter(|machine| machine.domain == domain);
    children.chain(machines.flat_map(|machine| machine.processors.iter().copied())).collect()
}

/// Reports an element that its domain has already had.
fn only_once(element: Element<'_>, log: &mut Log<'_>) {
    let mut before = element.0.prev_siblings().skip(1);
    if before.any(|node| node.is_element() && node.tag_name().name() == element.name()) {
        log.report(element.span(), Problem::RepeatedElement { element: element.name().into() });
    }
}

/// Keeps the symbols that the element sets in the domain.
fn symbols(element: Element<'_>, attributes: &[&str], number: usize, system: &mut System, log: &mut Log<'_>) {
    let symbols = element.symbols(attributes, log);
    system.domains[number].symbols.extend(symbols);
}
