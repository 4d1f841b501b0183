//! `ferry add client` and `ferry remove client`: a client in both files, and its source.

use super::arguments::{AddClientArguments, RemoveClientArguments, SchedulingArguments};
use super::error::EditError;
use super::flows::FlowsText;
use super::name;
use super::pair::{Changed, Counts, Pair, report_config};
use super::places::Places;
use super::source::{Source, source_path};
use super::system::{self, NewClient};
use super::write::Change;
use crate::error::Error;
use crate::output::line;
use crate::templates::{self, Template};
use ferry_description::{Draft, MAX_DOMAINS, System, count};
use ferry_layout::geometry::MAX_CLIENTS;

/// Priority of a client, if central's is above it.
pub(super) const PRIORITY: u8 = 100;

/// Adds a client.
pub(super) fn add(arguments: &AddClientArguments) -> Result<(), Error> {
    let AddClientArguments { name, template, lang, small_frames, .. } = arguments;
    let large_frames = !small_frames;
    let files = &arguments.files.find()?;
    let project = Pair::open(files)?;
    name::check_new(name, &project.draft)?;
    let path = source_path(&files.system, arguments.sources.as_deref(), *lang, name);
    if !arguments.no_source && path.symlink_metadata().is_ok() {
        return Err(EditError::SourceExists { path }.into());
    }
    let places = room(&project.draft)?;
    let client = NewClient {
        name,
        program: &format!("{name}.elf"),
        priority: arguments.scheduling.priority_of(&project.draft),
        fpu: !lang.is_without_fpu(),
        schedule_domain: arguments.scheduling.domain_of(&project.draft)?,
        buffers: template.buffers(),
        large_frames,
        reads: None,
    };
    let flows = project.flows.text();
    let counts = project.counts();
    let changed = Changed {
        system: system::add(project.system.text(), &project.draft, &client, places)?,
        flows: if large_frames { FlowsText::parse(flows)?.add_large_frames(name)? } else { flows.into() },
        counts: Counts { clients: counts.clients + 1, ..counts },
    };
    let text = (!arguments.no_source).then(|| templates::source(*template, *lang, name));
    let source = text.map(|text| Change { path: path.clone(), before: None, after: Some(text) });
    let config = project.write(changed, source)?;

    line(format_args!("added the client `{name}`"))?;
    line(format_args!(
        "  {}: 4 memory regions, a protection domain of priority {}, 2 maps in central, channel {} of central",
        files.system.display(),
        client.priority,
        places.channel
    ))?;
    report_config(&files.system, config)?;
    if large_frames {
        line(format_args!("  {}: [client.{name}] asks for large frames", files.flows.display()))?;
    }
    if !arguments.no_source {
        line(format_args!("  {}: its source, from the template `{}`", path.display(), template.word()))?;
    }
    let other = project.draft.clients().first().map_or("OTHER", |client| client.name.as_str());
    let [from, to] = if *template == Template::Sender { [name, other] } else { [other, name] };
    line(format_args!("next: `ferry add flow {from} {to}` says that `{from}` may send to `{to}`"))?;
    Ok(())
}

/// What is free for one more client.
pub(super) fn room(draft: &Draft) -> Result<Places, EditError> {
    let (clients, domains) = (draft.clients().len(), draft.system().domains.len());
    if clients >= MAX_CLIENTS {
        return Err(EditError::TooManyClients { found: clients });
    }
    if domains >= MAX_DOMAINS {
        return Err(EditError::TooManyDomains { found: domains });
    }
    Places::find(draft)
}

impl SchedulingArguments {
    /// The priority that is stated, or else the usual one, below central's.
    pub(super) fn priority_of(&self, draft: &Draft) -> u8 {
        let central = draft.system().domains[draft.central()].priority;
        self.priority.unwrap_or(PRIORITY.min(central.saturating_sub(1)))
    }

    /// The scheduling domain that is stated, or else central's.
    pub(super) fn domain_of<'a>(&'a self, draft: &'a Draft) -> Result<Option<&'a str>, EditError> {
        let partitions = draft.partitions();
        match self.domain.as_deref() {
            None if !partitions.is_empty() => {
                let known: Vec<&str> = partitions.iter().map(|partition| partition.domain.as_str()).collect();
                Err(EditError::WhichPartition { known: known.join(", ") })
            }
            None => Ok(draft.system().domains[draft.central()].schedule_domain.as_deref()),
            Some(_) if draft.system().schedule.is_none() => Err(EditError::NoSchedule),
            stated => Ok(stated),
        }
    }
}

/// Removes a client.
pub(super) fn remove(arguments: &RemoveClientArguments) -> Result<(), Error> {
    let RemoveClientArguments { name, .. } = arguments;
    let files = &arguments.files.find()?;
    let project = Pair::open(files)?;
    let number = name::client(name, &project.draft)?;
    let domain = project.draft.clients()[number].domain;
    if let Some(flow) = project.guarded_by(name).next() {
        return Err(EditError::IsGuard { name: name.clone(), flow }.into());
    }
    check_alone(domain, &project.draft)?;
    let is_of_client = |&(from, to): &(&str, &str)| from == name || to == name;
    let flows: Vec<String> =
        project.pairs().filter(is_of_client).map(|(from, to)| format!("`{from}` to `{to}`")).collect();
    if !flows.is_empty() && !arguments.with_flows {
        let (of_flows, is_one) = (count(flows.len(), "flow"), flows.len() == 1);
        let flows = format!("{of_flows}: {}", flows.join(", "));
        return Err(EditError::HasFlows { name: name.clone(), flows, is_one }.into());
    }
    let counts = project.counts();
    // The stages of the flows that go leave a little room.
    let counts = Counts { clients: counts.clients - 1, flows: counts.flows - flows.len(), ..counts };
    let changed = Changed {
        system: system::remove(project.system.text(), name)?,
        flows: FlowsText::parse(project.flows.text())?.remove_client(name)?,
        counts,
    };
    let source = Source::find(&files.system, arguments.sources.as_deref(), name);
    let flows_change = changed.flows != project.flows.text();
    let config = project.write(changed, source.removal.clone())?;

    line(format_args!("removed the client `{name}`"))?;
    line(format_args!(
        "  {}: 4 memory regions, its protection domain, 2 maps in central, its channel",
        files.system.display()
    ))?;
    report_config(&files.system, config)?;
    if flows_change {
        let with =
            if flows.is_empty() { String::new() } else { format!(", with {}", count(flows.len(), "flow")) };
        line(format_args!("  {}: all that it says of it{with}", files.flows.display()))?;
    }
    source.report()?;
    if counts.flows == 0 {
        line(format_args!("next: `ferry add flow FROM TO`; a system without a flow cannot be built"))?;
    }
    Ok(())
}

/// Refuses a client that others depend on in ways that `ferry add` does not make.
pub(super) fn check_alone(domain: usize, draft: &Draft) -> Result<(), EditError> {
    let System { domains, machines, channels, .. } = draft.system();
    let name = domains[domain].name.clone();
    let is_child = |child: &&ferry_description::Domain| {
        child.parent.as_ref().is_some_and(|parent| parent.domain == domain)
    };
    let children = domains.iter().filter(is_child).map(|child| &child.place);
    let guests = machines.iter().filter(|machine| machine.domain == domain).map(|machine| &machine.place);
    if let Some(place) = children.chain(guests).next() {
        return Err(EditError::HasChildren { name, place: place.to_string() });
    }
    for channel in channels {
        let [a, b] = [&channel.ends[0], &channel.ends[1]].map(|end| end.domain);
        let other = if a == domain { b } else { a };
        if (a == domain || b == domain) && other != draft.central() {
            let (other, place) = (domains[other].name.clone(), channel.place.to_string());
            return Err(EditError::OtherChannel { name, other, place });
        }
    }
    Ok(())
}
