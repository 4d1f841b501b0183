//! Reads protection domains with what is mapped into them, and with their children.

use super::element::{Element, Log};
use super::{extra, holdings};
use crate::device::Parent;
use crate::limits::{DEFAULT_BUDGET_US, DEFAULT_STACK_BYTES, MAX_PRIORITY, PAGE_BYTES};
use crate::problem::Problem;
use crate::system::{Domain, Extra, Map, System};

const ATTRIBUTES: [&str; 10] =
    ["name", "priority", "budget", "period", "passive", "stack_size", "cpu", "smc", "fpu", "domain"];
const CHILD_ATTRIBUTES: [&str; 2] = ["id", "setvar_id"];
/// Attributes that only the Microkit platform can build.
const EXTRA_ATTRIBUTES: [&str; 4] = ["passive", "cpu", "smc", "domain"];
const MAP_ATTRIBUTES: [&str; 7] =
    ["mr", "vaddr", "perms", "cached", "setvar_vaddr", "setvar_size", "setvar_prefill_size"];

pub(super) fn protection_domain(
    element: Element<'_>,
    parent: Option<Parent>,
    system: &mut System,
    log: &mut Log<'_>,
) {
    let mut attributes = ATTRIBUTES.to_vec();
    if parent.is_some() {
        attributes.extend(CHILD_ATTRIBUTES);
        extra(element, system, log);
    }
    element.check_attributes(&attributes, log);
    for attribute in EXTRA_ATTRIBUTES {
        if element.attribute(attribute).is_some() {
            system.extras.push(Extra { name: attribute.into(), place: log.place(element) });
        }
    }
    let Some(name) = element.required("name", log) else { return };
    if system.domain(name).is_some() {
        log.report(element.value_span("name"), Problem::DuplicateName { name: name.into() });
        return;
    }

    let priority = element.number("priority", log).unwrap_or(0);
    if priority > MAX_PRIORITY {
        log.bad_value(element, "priority", "0 to 254");
    }
    let budget_us = element.number("budget", log).unwrap_or(DEFAULT_BUDGET_US);
    let period_us = element.number("period", log).unwrap_or(budget_us);
    if budget_us > period_us {
        log.bad_value(element, "budget", "at most the period");
    }
    let stack_bytes = element.number("stack_size", log).unwrap_or(DEFAULT_STACK_BYTES);
    if !stack_bytes.is_multiple_of(PAGE_BYTES) || !(PAGE_BYTES..=0x100_0000).contains(&stack_bytes) {
        log.bad_value(element, "stack_size", "a multiple of 0x1000 up to 0x100_0000");
    }

    let number = system.domains.len();
    system.domains.push(Domain {
        name: name.into(),
        priority: u8::try_from(priority).unwrap_or(u8::MAX),
        budget_us,
        fpu: element.attribute("fpu") != Some("false"),
        period_us,
        stack_bytes,
        program: String::new(),
        maps: Vec::new(),
        parent,
        holds: Vec::new(),
        interrupts: Vec::new(),
        ports: Vec::new(),
        calls_firmware: element.attribute("smc") == Some("true"),
        symbols: Vec::new(),
        place: log.place(element),
    });
    children(element, number, system, log);
}

fn children(element: Element<'_>, number: usize, system: &mut System, log: &mut Log<'_>) {
    let name = system.domains[number].name.clone();
    let mut programs = 0;
    for child in element.children() {
        match child.name() {
            "program_image" => {
                child.check_attributes(&["path", "path_for_symbols"], log);
                programs += 1;
                if let Some(path) = child.required("path", log) {
                    system.domains[number].program = path.into();
                }
            }
            "map" => {
                child.check_attributes(&MAP_ATTRIBUTES, log);
                if child.attribute("setvar_prefill_size").is_some() {
                    system.extras.push(Extra { name: "setvar_prefill_size".into(), place: log.place(child) });
                }
                if let Some(map) = map(child, system, log) {
                    system.domains[number].maps.push(map);
                }
            }
            "setvar" => extra(child, system, log),
            _ => holdings::read(child, number, system, log),
        }
    }
    if programs != 1 {
        log.report(element.span(), Problem::ProgramImages { domain: name, found: programs });
    }
}

fn map(element: Element<'_>, system: &System, log: &mut Log<'_>) -> Option<Map> {
    let region = region_of(element, system, log);
    let address = element.required_number("vaddr", log);
    let permissions = element.permissions(log);
    element.truth("cached", true, log);
    Some(Map {
        region: region?,
        address: address?,
        permissions,
        setvar_address: element.attribute("setvar_vaddr").map(Into::into),
        setvar_size: element.attribute("setvar_size").map(Into::into),
        place: log.place(element),
    })
}

pub(super) fn region_of(element: Element<'_>, system: &System, log: &mut Log<'_>) -> Option<usize> {
    let name = element.required("mr", log)?;
    let region = system.region(name);
    if region.is_none() {
        log.report(element.value_span("mr"), Problem::UnknownRegion { name: name.into() });
    }
    region
}
