//! Reads protection domains with what is mapped into them, and with their children.

use super::element::{Element, Log, extra};
use super::region::region_of;
use super::scheduling::{budget_and_period, core};
use super::{holdings, missing};
use crate::device::Parent;
use crate::limits::{DEFAULT_STACK_BYTES, MAX_PRIORITY, PAGE_BYTES};
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
