//! `ferry add guard` and `ferry remove guard`: a client in `system.xml` that has no flow of its own, its name
//! in the flows that it guards, and its source.

use super::arguments::{AddGuardArguments, RemoveGuardArguments};
use super::client;
use super::error::EditError;
use super::flow;
use super::flows::FlowsText;
use super::manifest;
use super::name;
use super::pair::{Changed, Counts, Pair, report_config};
use super::source::{Source, source_path};
use super::system::{self, NewClient};
use super::write::Change;
use crate::error::Error;
use crate::output::line;
use crate::templates::{self, Language};
use ferry_description::count;

/// Bytes of the guard's region `_tx`, which it does not use.
const UNUSED_BYTES: u64 = 0x1000;

/// Bytes of its region `_rx`, at least.
const RECEIVE_BYTES: u64 = 0x4_0000;

/// The longest message that a guard can inspect.
const MOST_BYTES: u32 = 64 << 10;

/// Adds a guard.
pub(super) fn add(arguments: &AddGuardArguments) -> Result<(), Error> {
    let AddGuardArguments { name, guarded: flows, lang, .. } = arguments;
    let files = &arguments.files.find()?;
    let project = Pair::open(files)?;
    name::check_new(name, &project.draft)?;
    let path = source_path(&files.system, arguments.sources.as_deref(), *lang, name);
    if !arguments.no_source && path.symlink_metadata().is_ok() {
        return Err(EditError::SourceExists { path }.into());
    }
    for (number, ends) in flows.iter().enumerate() {
        flow::check_is_there(&project, &ends.from, &ends.to)?;
        if flows[..number].contains(ends) {
            let (from, to) = (ends.from.clone(), ends.to.clone());
            return Err(EditError::SameFlow { from, to }.into());
        }
    }
    let places = client::room(&project.draft)?;
    let guard = NewClient {
        name,
        program: &format!("{name}.elf"),
        priority: arguments.scheduling.priority_of(&project.draft),
        fpu: !lang.is_without_fpu(),
        schedule_domain: arguments.scheduling.domain_of(&project.draft)?,
        // Room for the longest message of each flow.
        buffers: [UNUSED_BYTES, RECEIVE_BYTES.max(flows.len() as u64 * u64::from(MOST_BYTES))],
        large_frames: true,
        reads: None,
    };
    let is_meant = |from: &str, to: &str| flows.iter().any(|ends| ends.from == from && ends.to == to);
    let counts = project.counts();
    let flows_text = FlowsText::parse(project.flows.text())?.add_guard(name, is_meant)?;
    let changed = Changed {
        system: system::add(project.system.text(), &project.draft, &guard, places)?,
        flows: FlowsText::parse(&flows_text)?.add_large_frames(name)?,
        counts: Counts { clients: counts.clients + 1, stages: counts.stages + flows.len(), ..counts },
    };
    let text = (!arguments.no_source).then(|| templates::guard(*lang, name));
    let source = text.map(|text| Change { path: path.clone(), before: None, after: Some(text) });
    let manifest = manifest::beside(&files.system);
    let dependency = if source.is_some() && *lang == Language::Rust {
        manifest::with_guard(&manifest)?
    } else {
        manifest::Dependency::Known
    };
    let shorter = shortened(&project, &is_meant);
    let config = project.write(changed, source.into_iter().chain(dependency.change()))?;

    line(format_args!("added the guard `{name}`"))?;
    line(format_args!(
        "  {}: 4 memory regions, a protection domain of priority {}, 2 maps in central, channel {} of central",
        files.system.display(),
        guard.priority,
        places.channel
    ))?;
    report_config(&files.system, config)?;
    line(format_args!(
        "  {}: the last stage of {}: {}",
        files.flows.display(),
        count(flows.len(), "flow"),
        list(flows.iter().map(|ends| format!("`{}` to `{}`", ends.from, ends.to)))
    ))?;
    line(format_args!("  {}: [client.{name}] asks for large frames", files.flows.display()))?;
    if let Some(flows) = shorter {
        line(format_args!(
            "  messages of at most 64 KiB now, because no max_message says otherwise: {flows}"
        ))?;
    }
    if !arguments.no_source {
        line(format_args!("  {}: its source, which passes printable ASCII", path.display()))?;
    }
    if dependency.change().is_some() {
        line(format_args!("  {}: the dependency ferry-guard", manifest.display()))?;
    }
    match dependency {
        manifest::Dependency::Unknown => line(format_args!(
            "next: add the dependency ferry-guard to {}, beside ferry-client, and write the filter",
            manifest.display()
        ))?,
        _ if arguments.no_source => line(format_args!("next: `ferry check` shows who has to pass what"))?,
        _ => line(format_args!("next: write the filter; its first lines say how it is tested"))?,
    }
    Ok(())
}

/// Those of the flows whose messages could be longer so far than a guard can inspect.
fn shortened(project: &Pair, is_meant: &impl Fn(&str, &str) -> bool) -> Option<String> {
    let flows = project.pairs().zip(project.draft.flows());
    let shorter = flows.filter(|((from, to), flow)| is_meant(from, to) && flow.max_message > MOST_BYTES);
    let shorter: Vec<String> = shorter.map(|((from, to), _)| format!("`{from}` to `{to}`")).collect();
    (!shorter.is_empty()).then(|| shorter.join(", "))
}

/// Removes a guard.
pub(super) fn remove(arguments: &RemoveGuardArguments) -> Result<(), Error> {
    let RemoveGuardArguments { name, sources, .. } = arguments;
    let files = &arguments.files.find()?;
    let project = Pair::open(files)?;
    let number = name::client(name, &project.draft)?;
    let flows: Vec<String> = project.guarded_by(name).collect();
    if flows.is_empty() {
        return Err(EditError::NotAGuard { name: name.clone() }.into());
    }
    client::check_alone(project.draft.clients()[number].domain, &project.draft)?;
    let removed = FlowsText::parse(project.flows.text())?.remove_guard(name)?;
    let Some((text, stages)) = removed else {
        return Err(EditError::InQuorum { name: name.clone(), path: files.flows.clone() }.into());
    };
    let counts = project.counts();
    let changed = Changed {
        system: system::remove(project.system.text(), name)?,
        flows: FlowsText::parse(&text)?.remove_client(name)?,
        counts: Counts { clients: counts.clients - 1, stages: counts.stages - stages, ..counts },
    };
    let source = Source::find(&files.system, sources.as_deref(), name);
    let config = project.write(changed, source.removal.clone())?;

    line(format_args!("removed the guard `{name}`"))?;
    line(format_args!(
        "  {}: 4 memory regions, its protection domain, 2 maps in central, its channel",
        files.system.display()
    ))?;
    report_config(&files.system, config)?;
    line(format_args!(
        "  {}: its stage of {}: {}",
        files.flows.display(),
        count(flows.len(), "flow"),
        list(flows.into_iter())
    ))?;
    source.report()
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
