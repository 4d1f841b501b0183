//! Reads protection domains with what is mapped into them, and with their children.

use super::element::{Element, Log};
use super::{extra, holdings, missing};
use crate::device::Parent;
use crate::limits::{
    DEFAULT_BUDGET_US, DEFAULT_STACK_BYTES, MAX_PERIOD_US, MAX_PRIORITY, MIN_BUDGET_US, PAGE_BYTES,
    client_and_suffix,
};
use crate::map::Map;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::system::{Domain, Extra, System};

const ATTRIBUTES: [&str; 10] =
    ["name", "priority", "budget", "period", "passive", "stack_size", "cpu", "smc", "fpu", "domain"];
const CHILD_ATTRIBUTES: [&str; 2] = ["id", "setvar_id"];
/// Attributes that only the Microkit platform can build, and the value that asks for nothing.
const EXTRA_ATTRIBUTES: [(&str, &str); 3] = [("passive", "false"), ("smc", "false"), ("domain", "")];
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
    for (attribute, without) in EXTRA_ATTRIBUTES {
        if element.attribute(attribute).is_some_and(|value| value != without) {
            system.extras.push(Extra { name: attribute.into(), place: log.place(element) });
        }
    }
    let Some(name) = element.name_of("name", log) else { return };
    if let Some(first) = system.domain(name) {
        let first = system.domains[first].place.line();
        log.report(element.value_span("name"), Problem::DuplicateName { name: name.into(), first });
        return;
    }
    let number = system.domains.len();
    let domain = attributes_of(element, name, system, log);
    system.domains.push(Domain { parent, ..domain });
    children(element, number, system, log);
}

/// Reads what the attributes of a domain say. Its children are still missing.
fn attributes_of(element: Element<'_>, name: &str, system: &System, log: &mut Log<'_>) -> Domain {
    let priority = element.number("priority", log).unwrap_or(0);
    if priority > MAX_PRIORITY {
        log.bad_value(element, "priority", "0 to 254");
    }
    let (budget_us, period_us) = budget_and_period(element, log);
    let stack_bytes = element.number("stack_size", log).unwrap_or(DEFAULT_STACK_BYTES);
    if !stack_bytes.is_multiple_of(PAGE_BYTES) || !(PAGE_BYTES..=0x100_0000).contains(&stack_bytes) {
        log.bad_value(element, "stack_size", "a multiple of 0x1000 up to 0x100_0000");
    }
    element.truth("passive", false, log);
    let calls_firmware = element.truth("smc", false, log);
    let core = core(element, log);
    Domain {
        name: name.into(),
        priority: u8::try_from(priority).unwrap_or(u8::MAX),
        budget_us,
        fpu: element.truth("fpu", true, log),
        period_us,
        stack_bytes,
        program: String::new(),
        program_place: log.place(element),
        maps: Vec::new(),
        parent: None,
        holds: Vec::new(),
        interrupts: Vec::new(),
        ports: Vec::new(),
        calls_firmware,
        core,
        schedule_domain: schedule_domain(element, system, log),
        symbols: Vec::new(),
        place: log.place(element),
    }
}

/// Reads the budget and the period in microseconds, of a protection domain or of a virtual machine.
pub(super) fn budget_and_period(element: Element<'_>, log: &mut Log<'_>) -> (u64, u64) {
    let budget_us = element.number("budget", log).unwrap_or(DEFAULT_BUDGET_US);
    let period_us = element.number("period", log).unwrap_or(budget_us);
    if budget_us > period_us {
        log.bad_value(element, "budget", "at most the period");
    } else if budget_us < MIN_BUDGET_US {
        log.bad_value(element, "budget", "at least 20, the least that the kernel can measure");
    } else if period_us > MAX_PERIOD_US {
        log.bad_value(element, "period", "at most 10_000_000_000_000, which the kernel can count");
    }
    (budget_us, period_us)
}

/// Reads the number of a processor core.
pub(super) fn core(element: Element<'_>, log: &mut Log<'_>) -> u8 {
    let core = element.number("cpu", log).unwrap_or(0);
    if core > u64::from(u8::MAX) {
        log.bad_value(element, "cpu", "0 to 255, the number of a processor core");
    }
    u8::try_from(core).unwrap_or(0)
}

/// Reads the attribute `domain`, which every domain has if there is a schedule, and none if there is not.
fn schedule_domain(element: Element<'_>, system: &System, log: &mut Log<'_>) -> Option<String> {
    let name = element.attribute("domain");
    match (&system.schedule, name) {
        (None, None) => None,
        (None, Some(name)) => {
            let name = name.to_owned();
            log.report(element.value_span("domain"), Problem::DomainWithoutSchedule { name });
            None
        }
        (Some(_), None) => {
            let name = element.attribute("name").unwrap_or_default().to_owned();
            log.report(element.span(), Problem::NoScheduleDomain { name });
            None
        }
        (Some(schedule), Some(name)) => {
            if !schedule.domains.iter().any(|known| known == name) {
                let meant = nearest(name, schedule.domains.iter().map(String::as_str));
                let problem = Problem::UnknownScheduleDomain { name: name.into(), meant };
                log.report(element.value_span("domain"), problem);
            }
            Some(name.into())
        }
    }
}

fn children(element: Element<'_>, number: usize, system: &mut System, log: &mut Log<'_>) {
    let name = system.domains[number].name.clone();
    let mut programs = 0;
    for child in element.children() {
        match child.name() {
            "program_image" => {
                child.check_attributes(&["path", "path_for_symbols"], log);
                programs += 1;
                child.required("path", log);
                child.path("path_for_symbols", log);
                if let Some(path) = child.path("path", log) {
                    system.domains[number].program = path.into();
                    system.domains[number].program_place = log.source.place(child.value_span("path"));
                }
            }
            "map" => {
                child.check_attributes(&MAP_ATTRIBUTES, log);
                let symbols = ["setvar_vaddr", "setvar_size", "setvar_prefill_size"];
                system.domains[number].symbols.extend(child.symbols(&symbols, log));
                if let Some(map) = map(child, system, log) {
                    prefill_size(child, &map, system, log);
                    system.domains[number].maps.push(map);
                }
            }
            "setvar" => setvar(child, number, system, log),
            _ => holdings::read(child, number, system, log),
        }
    }
    if programs != 1 {
        log.report(element.span(), Problem::ProgramImages { domain: name, found: programs });
    }
}

/// Reads `<setvar>`: a symbol that gets the physical address of a region.
fn setvar(element: Element<'_>, number: usize, system: &mut System, log: &mut Log<'_>) {
    extra(element, system, log);
    element.check_attributes(&["symbol", "region_paddr"], log);
    element.required("symbol", log);
    system.domains[number].symbols.extend(element.symbols(&["symbol"], log));
    let Some(region) = region_of(element, "region_paddr", system, log) else { return };
    if system.regions[region].physical.is_none() {
        system.unplaced.push((region, log.place(element)));
    }
}

/// `setvar_prefill_size` wants a region that a file fills.
fn prefill_size(element: Element<'_>, map: &Map, system: &System, log: &mut Log<'_>) {
    if element.attribute("setvar_prefill_size").is_none() {
        return;
    }
    let region = &system.regions[map.region];
    if region.prefill.is_none() {
        let region = region.name.clone();
        log.report(element.value_span("setvar_prefill_size"), Problem::PrefillSize { region });
    }
}

fn map(element: Element<'_>, system: &System, log: &mut Log<'_>) -> Option<Map> {
    let region = region_of(element, "mr", system, log);
    element.required_or("vaddr", || missing::address(element, system), log);
    let address = element.number("vaddr", log);
    let permissions = element.permissions(log);
    let cached = element.truth("cached", true, log);
    Some(Map {
        region: region?,
        address: address?,
        permissions,
        cached,
        setvar_address: element.attribute("setvar_vaddr").map(Into::into),
        setvar_size: element.attribute("setvar_size").map(Into::into),
        setvar_prefill_size: element.attribute("setvar_prefill_size").map(Into::into),
        place: log.place(element),
    })
}

pub(super) fn region_of(
    element: Element<'_>,
    attribute: &'static str,
    system: &System,
    log: &mut Log<'_>,
) -> Option<usize> {
    let name = element.required(attribute, log)?;
    let region = system.region(name);
    if region.is_none() {
        let regions = system.regions.iter().map(|region| region.name.as_str());
        let meant = nearest(name, regions.filter(|other| !is_of_same_client(name, other)));
        log.report(element.value_span(attribute), Problem::UnknownRegion { name: name.into(), meant });
    }
    region
}

/// Whether both are names of regions of one client, as `bob_tx` and `bob_rx` are. Nobody takes the one for
/// the other.
fn is_of_same_client(name: &str, other: &str) -> bool {
    let clients = client_and_suffix(name).zip(client_and_suffix(other));
    clients.is_some_and(|((of_one, _), (of_other, _))| of_one == of_other)
}
