//! Reads `<domains>`: the scheduling domains of the kernel, and the schedule by which they take turns.

use super::element::{Element, Log, extra, parse_number};
use crate::limits::{SCHEDULE_DOMAINS, SCHEDULE_ENTRIES};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::system::{Schedule, System, TimeSlot};

/// Longest turn: the kernel counts it in 56 bits, at any speed of its clock.
const LONGEST_US: u64 = 10_000_000_000_000;
const LONGEST_TICKS: u64 = (1 << 56) - 1;

pub(super) fn domains(element: Element<'_>, system: &mut System, log: &mut Log<'_>) {
    extra(element, system, log);
    element.check_attributes(&[], log);
    if let Some(first) = &system.schedule {
        log.report(element.span(), Problem::SchedulesTwice { first: first.place.line() });
        return;
    }
    if let Some(domain) = system.domains.iter().find(|domain| domain.schedule_domain.is_none()) {
        log.report(element.span(), Problem::LateSchedule { domain: domain.name.clone() });
    }
    let mut names: Vec<String> = Vec::new();
    let mut numbers: Vec<u64> = Vec::new();
    let mut schedules = Vec::new();
    for child in element.children() {
        match child.name() {
            "domain" => domain(child, &mut names, &mut numbers, log),
            "domain_schedule" => schedules.push(child),
            _ => log.unknown_element(child, "domains"),
        }
    }
    if names.len() as u64 > SCHEDULE_DOMAINS {
        log.report(element.span(), Problem::TooManyScheduleDomains { found: names.len() });
    }
    let [schedule] = schedules.as_slice() else {
        log.report(element.span(), Problem::NoSchedule { found: schedules.len() });
        return;
    };
    let Entries { count, scheduled, cycle } = entries(*schedule, &names, log);
    // Without scheduling domains, Microkit behaves as if there were no schedule.
    if !names.is_empty() {
        let place = log.place(element);
        system.schedule = Some(Schedule { domains: names, entries: count, scheduled, cycle, place });
    }
}

fn domain(element: Element<'_>, names: &mut Vec<String>, numbers: &mut Vec<u64>, log: &mut Log<'_>) {
    element.check_attributes(&["name", "id"], log);
    if let Some(number) = element.number("id", log) {
        if number >= SCHEDULE_DOMAINS {
            log.bad_value(element, "id", "0 to 15");
        } else if numbers.contains(&number) {
            log.bad_value(element, "id", "a number that no other <domain> has");
        }
        numbers.push(number);
    }
    let Some(name) = element.name_of("name", log) else { return };
    if names.iter().any(|known| known == name) {
        log.bad_value(element, "name", "a name that no other <domain> has");
    }
    names.push(name.into());
}

/// What a schedule consists of.
struct Entries {
    count: usize,
    scheduled: Vec<String>,
    cycle: Vec<TimeSlot>,
}

/// Reads the schedule.
fn entries(element: Element<'_>, names: &[String], log: &mut Log<'_>) -> Entries {
    element.check_attributes(&["index_shift", "start_index"], log);
    let mut entries: Vec<Option<TimeSlot>> = Vec::new();
    for child in element.children() {
        match child.name() {
            "schedule_entry" => entries.push(Some(entry(child, names, log))),
            "schedule_end_marker" => {
                child.check_attributes(&[], log);
                entries.push(None);
            }
            _ => log.unknown_element(child, "domain_schedule"),
        }
    }
    if entries.len() >= SCHEDULE_ENTRIES {
        log.report(element.span(), Problem::LongSchedule { found: entries.len() });
    }
    let start = element.number("start_index", log).unwrap_or(0);
    let first = usize::try_from(start).ok().and_then(|start| entries.get(start));
    if !matches!(first, Some(Some(_))) {
        if element.attribute("start_index").is_some() {
            log.bad_value(element, "start_index", "the number of a <schedule_entry>, counted from 0");
        } else {
            log.report(element.span(), Problem::EmptySchedule);
        }
    }
    if let Some(shift) = element.number("index_shift", log)
        && shift.saturating_add(entries.len() as u64) >= SCHEDULE_ENTRIES as u64
    {
        log.bad_value(element, "index_shift", "a number below 100 less the number of entries");
    }
    // From the first entry on, up to the next end marker.
    let cycle = entries.iter().skip(usize::try_from(start).unwrap_or(usize::MAX)).map_while(Clone::clone);
    Entries {
        count: entries.len(),
        cycle: cycle.collect(),
        scheduled: entries.into_iter().flatten().map(|entry| entry.domain).collect(),
    }
}

/// Reads an entry.
fn entry(element: Element<'_>, names: &[String], log: &mut Log<'_>) -> TimeSlot {
    element.check_attributes(&["domain", "duration"], log);
    let name = element.required("domain", log);
    if let Some(name) = name
        && names.iter().all(|known| known != name)
    {
        let meant = nearest(name, names.iter().map(String::as_str));
        log.report(element.value_span("domain"), Problem::UnknownScheduleDomain { name: name.into(), meant });
    }
    let duration = element.required("duration", log);
    if duration.is_some_and(|duration| !is_duration(duration)) {
        log.bad_value(
            element,
            "duration",
            "a number and `us` or `ticks`, such as \"1000 us\", not 0 and below 10^13",
        );
    }
    let microseconds = duration.and_then(|duration| duration.strip_suffix(" us"));
    TimeSlot {
        domain: name.unwrap_or_default().into(),
        duration_us: microseconds.and_then(parse_number),
        place: log.place(element),
    }
}

fn is_duration(text: &str) -> bool {
    let Some((number, unit)) = text.split_once(' ') else { return false };
    let longest = match unit {
        "us" => LONGEST_US,
        "ticks" => LONGEST_TICKS,
        _ => return false,
    };
    parse_number(number).is_some_and(|number| (1..=longest).contains(&number))
}
