//! `ferry add partition` and `ferry remove partition`: the announcer of a scheduling domain in `system.xml`,
//! its channel to central, and its `[[partition]]` in `flows.toml`.
//!
//! Each scheduling domain with clients is a partition, or none is. So one command takes several of them.

use super::arguments::PartitionArguments;
use super::client::check_alone;
use super::error::EditError;
use super::flows::FlowsText;
use super::name;
use super::pair::{Changed, Pair};
use super::places::Places;
use super::system::{self, NewAnnouncer};
use crate::error::Error;
use crate::output::line;
use ferry_description::{MAX_DOMAINS, nearest};

/// The name of an announcer, after the scheduling domain.
pub(super) const SUFFIX: &str = "-begins";
/// Its priority, if nobody in its scheduling domain has a higher one.
pub(super) const PRIORITY: u8 = 230;
/// The highest priority of a protection domain.
const HIGHEST: u8 = 254;
/// Microseconds in each period for the announcer itself.
pub(super) const BUDGET_US: u64 = 100;

/// Adds partitions.
pub(super) fn add(arguments: &PartitionArguments) -> Result<(), Error> {
    let files = &arguments.files.find()?;
    let project = Pair::open(files)?;
    let channels = Places::channels(&project.draft, arguments.domains.len())?;
    let mut announcers: Vec<NewAnnouncer> = Vec::new();
    for (domain, channel) in arguments.domains.iter().zip(channels) {
        let announcer = announcer(domain, channel, &project)?;
        if announcers.iter().any(|other| other.domain == announcer.domain) {
            return Err(EditError::PartitionExists { domain: domain.clone() }.into());
        }
        announcers.push(announcer);
    }
    let found = project.draft.system().domains.len();
    if found + announcers.len() > MAX_DOMAINS {
        return Err(EditError::TooManyDomains { found }.into());
    }
    let (mut system, mut flows) = (project.system.text().to_owned(), project.flows.text().to_owned());
    for announcer in &announcers {
        system = system::add_announcer(&system, announcer)?;
        flows = FlowsText::parse(&flows)?.add_partition(&announcer.name)?;
    }
    project.write(Changed { system, flows, counts: project.counts() }, [])?;

    for NewAnnouncer { name, domain, priority, period_us, channel, .. } in &announcers {
        line(format_args!("added the partition `{domain}`"))?;
        line(format_args!(
            "  {}: its announcer `{name}` of priority {priority}, every {period_us} us, channel {channel} of central",
            files.system.display(),
        ))?;
    }
    line(format_args!("  {}: a [[partition]] for each", files.flows.display()))?;
    line(format_args!("next: `ferry check` shows who is in which partition"))?;
    Ok(())
}

/// The announcer of a scheduling domain.
fn announcer<'a>(domain: &'a str, channel: u8, project: &Pair) -> Result<NewAnnouncer<'a>, EditError> {
    let system = project.draft.system();
    let schedule = system.schedule.as_ref().ok_or(EditError::NoSchedule)?;
    if !schedule.domains.iter().any(|known| known == domain) {
        let known = || schedule.domains.iter().map(String::as_str);
        let meant = nearest(domain, known());
        let known: Vec<String> = known().map(|name| format!("`{name}`")).collect();
        return Err(EditError::UnknownPartition { domain: domain.into(), meant, known: known.join(", ") });
    }
    if project.draft.partitions().iter().any(|partition| partition.domain == domain) {
        return Err(EditError::PartitionExists { domain: domain.into() });
    }
    let name = format!("{domain}{SUFFIX}");
    name::check_new(&name, &project.draft)?;
    let members = system.domains.iter().filter(|other| other.schedule_domain.as_deref() == Some(domain));
    let strongest = members.map(|other| other.priority).max().unwrap_or(0);
    if strongest >= HIGHEST {
        return Err(EditError::NoPriority { domain: domain.into() });
    }
    // Half the time between two of its time slots is the longest that the rules allow.
    let period_us = schedule.distance_us(domain).map_or(BUDGET_US, |distance| distance / 2).max(2);
    let budget_us = BUDGET_US.min(period_us / 2);
    Ok(NewAnnouncer { name, domain, priority: PRIORITY.max(strongest + 1), period_us, budget_us, channel })
}

/// Removes partitions.
pub(super) fn remove(arguments: &PartitionArguments) -> Result<(), Error> {
    let files = &arguments.files.find()?;
    let project = Pair::open(files)?;
    let partitions = project.draft.partitions();
    let (mut system, mut flows) = (project.system.text().to_owned(), project.flows.text().to_owned());
    let mut removed = Vec::new();
    for domain in &arguments.domains {
        let Some(partition) = partitions.iter().find(|partition| partition.domain == *domain) else {
            let known = || partitions.iter().map(|partition| partition.domain.as_str());
            let meant = nearest(domain, known());
            let known: Vec<String> = known().map(|name| format!("`{name}`")).collect();
            return Err(
                EditError::NoPartition { domain: domain.into(), meant, known: known.join(", ") }.into()
            );
        };
        check_alone(partition.announcer, &project.draft)?;
        let name = &project.draft.system().domains[partition.announcer].name;
        system = system::remove(&system, name)?;
        flows = FlowsText::parse(&flows)?.remove_partition(name)?;
        removed.push((domain, name));
    }
    project.write(Changed { system, flows, counts: project.counts() }, [])?;
    for (domain, announcer) in removed {
        line(format_args!("removed the partition `{domain}`"))?;
        line(format_args!("  {}: `{announcer}` and its channel", files.system.display()))?;
        line(format_args!("  {}: its [[partition]]", files.flows.display()))?;
    }
    Ok(())
}
