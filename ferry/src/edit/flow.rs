//! `ferry add flow` and `ferry remove flow`: one `[[flow]]` of `flows.toml`.

use super::arguments::{AddFlowArguments, Bytes, RemoveFlowArguments};
use super::error::EditError;
use super::flows::{FlowsText, NewFlow};
use super::name;
use super::pair::{Changed, Counts, Pair, report_config};
use crate::error::Error;
use crate::output::line;
use clap::ValueEnum;
use ferry_description::CENTRAL;
use toml_edit::Value;

/// Adds a flow.
pub(super) fn add(arguments: &AddFlowArguments) -> Result<(), Error> {
    let AddFlowArguments { from, to, .. } = arguments;
    let files = &arguments.files.find()?;
    let project = Pair::open(files)?;
    check_ends(&project, from, to)?;
    if project.pairs().any(|pair| pair == (from, to)) {
        let (from, to, path) = (from.clone(), to.clone(), files.flows.clone());
        return Err(EditError::FlowExists { from, to, path }.into());
    }
    let keys = [
        ("class", arguments.class.as_ref().map(word)),
        ("mapping", arguments.mapping.as_ref().map(word)),
        ("max_message", arguments.max_message.as_ref().map(Bytes::value)),
        ("audit", arguments.audit.as_ref().map(word)),
        ("one_way", arguments.one_way.then(|| true.into())),
        ("return_path", arguments.return_path.as_ref().map(Value::from)),
    ];
    let keys = keys.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let counts = project.counts();
    let changed = Changed {
        system: project.system.text().to_owned(),
        flows: FlowsText::parse(project.flows.text())?.add_flow(&NewFlow { from, to, keys })?,
        counts: Counts { flows: counts.flows + 1, ..counts },
    };
    let config = project.write(changed, [])?;
    line(format_args!("added the flow from `{from}` to `{to}`"))?;
    line(format_args!("  {}: a [[flow]], after the last one", files.flows.display()))?;
    report_config(&files.system, config)?;
    line(format_args!("next: `ferry check` shows what it lets through"))?;
    Ok(())
}

/// Removes a flow.
pub(super) fn remove(arguments: &RemoveFlowArguments) -> Result<(), Error> {
    let RemoveFlowArguments { from, to, files } = arguments;
    let files = &files.find()?;
    let project = Pair::open(files)?;
    check_is_there(&project, from, to)?;
    let text = FlowsText::parse(project.flows.text())?;
    let counts = project.counts();
    let changed = Changed {
        system: project.system.text().to_owned(),
        flows: text.remove_flows(|source, target| source == from && target == to)?,
        counts: Counts { flows: counts.flows - 1, ..counts },
    };
    let config = project.write(changed, [])?;
    line(format_args!("removed the flow from `{from}` to `{to}`"))?;
    line(format_args!("  {}: its [[flow]]", files.flows.display()))?;
    report_config(&files.system, config)?;
    if counts.flows == 1 {
        line(format_args!("next: `ferry add flow FROM TO`; a system without a flow cannot be built"))?;
    }
    Ok(())
}

/// Refuses ends without a flow between them.
pub(super) fn check_is_there(project: &Pair, from: &str, to: &str) -> Result<(), EditError> {
    check_ends(project, from, to)?;
    if project.pairs().any(|pair| pair == (from, to)) {
        return Ok(());
    }
    let is_reverse = project.pairs().any(|pair| pair == (to, from));
    Err(EditError::NoSuchFlow { from: from.into(), to: to.into(), is_reverse })
}

/// Refuses ends that are not two different clients.
fn check_ends(project: &Pair, from: &str, to: &str) -> Result<(), EditError> {
    for end in [from, to] {
        if end == CENTRAL {
            return Err(EditError::FlowOfCentral);
        }
        name::client(end, &project.draft)?;
    }
    if from == to {
        return Err(EditError::FlowToSelf { name: from.into() });
    }
    Ok(())
}

/// The word of `flows.toml`, which is that of the command line.
fn word(word: &impl ValueEnum) -> Value {
    word.to_possible_value().map_or_else(String::new, |word| word.get_name().to_owned()).into()
}
