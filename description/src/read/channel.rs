//! Reads channels and their ends.

use super::element::{Element, Log};
use super::missing;
use crate::limits::MAX_CHANNEL;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::system::{Channel, End, Extra, System};

pub(super) fn channel(element: Element<'_>, system: &mut System, log: &mut Log<'_>) {
    element.check_attributes(&[], log);
    let mut ends = Vec::new();
    let mut unusable = false;
    for child in element.children() {
        if child.name() != "end" {
            log.unknown_element(child, "channel");
            continue;
        }
        match end(child, system, log) {
            Some(end) => ends.push(end),
            None => unusable = true,
        }
    }
    match <[End; 2]>::try_from(ends) {
        Ok(ends) => {
            if ends.iter().all(|end| end.protected) {
                log.report(element.span(), Problem::CallsBothWays);
            }
            system.channels.push(Channel { ends, place: log.place(element) });
        }
        // The missing end has been reported.
        Err(_) if unusable => {}
        Err(ends) => log.report(element.span(), Problem::ChannelEnds { found: ends.len() }),
    }
}

fn end(element: Element<'_>, system: &mut System, log: &mut Log<'_>) -> Option<End> {
    element.check_attributes(&["pd", "id", "pp", "notify", "setvar_id"], log);
    element.symbols(&["setvar_id"], log);
    let name = element.required("pd", log);
    let id = id(element, log);
    let notify = element.truth("notify", true, log);
    let protected = element.truth("pp", false, log);
    // The other platforms have no calls. There, both ends of every channel can signal.
    for (attribute, is_extra) in [("pp", protected), ("notify", !notify)] {
        if is_extra {
            system.extras.push(Extra { name: attribute.into(), place: log.place(element) });
        }
    }
    let domain = system.domain(name?);
    if domain.is_none() {
        let name = name?;
        let meant = nearest(name, system.domains.iter().map(|domain| domain.name.as_str()));
        log.report(element.value_span("pd"), Problem::UnknownDomain { name: name.into(), meant });
    }
    let setvar_id = element.attribute("setvar_id").map(Into::into);
    Some(End { domain: domain?, id: id?, notify, protected, setvar_id, place: log.place(element) })
}

/// Reads the number of an end.
fn id(element: Element<'_>, log: &mut Log<'_>) -> Option<u8> {
    element.required_or("id", || missing::number(element), log)?;
    let id = element.decimal("id", log)?;
    let id = u8::try_from(id).ok().filter(|id| *id <= MAX_CHANNEL);
    if id.is_none() {
        log.bad_value(element, "id", "0 to 61");
    }
    id
}
