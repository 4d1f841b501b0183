//! Reads `system.xml` into a [`System`]. It accepts what Microkit 2.3's tool accepts and keeps the place of
//! everything. It goes on after a mistake, so that one run reports all of them.
//!
//! Elements are read in two passes, because a protection domain may name a region, and a channel may name a
//! domain, that come later in the file.

mod cspace;
mod domain;
mod element;
mod holdings;
mod interrupt;
mod machine;

use crate::limits::{LARGE_PAGE_BYTES, MAX_CHANNEL, PAGE_BYTES};
use crate::mistake::Mistake;
use crate::problem::Problem;
use crate::source::Source;
use crate::system::{Channel, End, Extra, Region, System};
use element::{Element, Log};

/// Reads the system, and returns all mistakes. There is no system if the file is not XML.
pub(crate) fn read(source: &Source) -> (Option<System>, Vec<Mistake>) {
    let mut log = Log { source, mistakes: Vec::new() };
    let document = match roxmltree::Document::parse(source.text()) {
        Ok(document) => document,
        Err(error) => {
            let start = offset(source.text(), error.pos());
            log.report(start..start, Problem::NotXml { error: error.to_string() });
            return (None, log.mistakes);
        }
    };
    let root = Element(document.root_element());
    if root.name() != "system" {
        log.report(
            root.span(),
            Problem::UnknownElement { element: root.name().into(), parent: "the file".into() },
        );
        return (None, log.mistakes);
    }
    root.check_attributes(&[], &mut log);

    let place = source.place(root.span());
    let mut system = System {
        domains: Vec::new(),
        regions: Vec::new(),
        channels: Vec::new(),
        machines: Vec::new(),
        io_spaces: Vec::new(),
        extras: Vec::new(),
        place,
    };
    for element in root.children() {
        if element.name() == "memory_region" {
            region(element, &mut system, &mut log);
        }
    }
    for element in root.children() {
        match element.name() {
            "memory_region" | "channel" => {}
            "protection_domain" => domain::protection_domain(element, None, &mut system, &mut log),
            "virtual_machine" => log.report(element.span(), Problem::MachineWithoutDomain),
            "io_address_space" => {
                extra(element, &mut system, &log);
                let space = machine::io_address_space(element, &system, &mut log);
                system.io_spaces.extend(space);
            }
            "domains" => extra(element, &mut system, &log),
            _ => log.unknown_element(element, "system"),
        }
    }
    for element in root.children() {
        if element.name() == "channel" {
            channel(element, &mut system, &mut log);
        }
    }
    (Some(system), log.mistakes)
}

fn region(element: Element<'_>, system: &mut System, log: &mut Log<'_>) {
    const ATTRIBUTES: [&str; 6] =
        ["name", "size", "page_size", "phys_addr", "prefill_path", "prefill_bootinfo"];
    element.check_attributes(&ATTRIBUTES, log);
    let name = element.required("name", log);
    let bytes = element.required_number("size", log);
    let page_bytes = element.number("page_size", log);
    if let Some(page) = page_bytes
        && !matches!(page, PAGE_BYTES | LARGE_PAGE_BYTES)
    {
        log.bad_value(element, "page_size", "0x1000 or 0x200_000");
    }
    if let Some(bytes) = bytes
        && (bytes == 0 || !bytes.is_multiple_of(page_bytes.unwrap_or(PAGE_BYTES).max(1)))
    {
        log.bad_value(element, "size", "a multiple of the page size, and not 0");
    }
    let physical = element.number("phys_addr", log);
    for attribute in ["phys_addr", "prefill_bootinfo"] {
        if element.attribute(attribute).is_some() {
            system.extras.push(Extra { name: attribute.into(), place: log.place(element) });
        }
    }
    let Some(name) = name else { return };
    if system.region(name).is_some() {
        log.report(element.value_span("name"), Problem::DuplicateName { name: name.into() });
        return;
    }
    system.regions.push(Region {
        name: name.into(),
        // The unreadable size has been reported. The region still exists for elements that name it.
        bytes: bytes.unwrap_or(PAGE_BYTES),
        page_bytes,
        physical,
        prefill: element.attribute("prefill_path").map(Into::into),
        place: log.place(element),
    });
}

fn channel(element: Element<'_>, system: &mut System, log: &mut Log<'_>) {
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
        Ok(ends) => system.channels.push(Channel { ends, place: log.place(element) }),
        // The missing end has been reported.
        Err(_) if unusable => {}
        Err(ends) => log.report(element.span(), Problem::ChannelEnds { found: ends.len() }),
    }
}

fn end(element: Element<'_>, system: &System, log: &mut Log<'_>) -> Option<End> {
    element.check_attributes(&["pd", "id", "pp", "notify", "setvar_id"], log);
    let name = element.required("pd", log);
    let id = element.required_number("id", log);
    let notify = element.truth("notify", true, log);
    let protected = element.truth("pp", false, log);
    let domain = system.domain(name?);
    if domain.is_none() {
        log.report(element.value_span("pd"), Problem::UnknownDomain { name: name?.into() });
    }
    let id = u8::try_from(id?).ok().filter(|id| *id <= MAX_CHANNEL);
    if id.is_none() {
        log.bad_value(element, "id", "0 to 61");
    }
    let setvar_id = element.attribute("setvar_id").map(Into::into);
    Some(End { domain: domain?, id: id?, notify, protected, setvar_id, place: log.place(element) })
}

fn extra(element: Element<'_>, system: &mut System, log: &Log<'_>) {
    system.extras.push(Extra { name: element.name().into(), place: log.place(element) });
}

/// Converts a position of the XML parser to a byte offset in the text.
fn offset(text: &str, position: roxmltree::TextPos) -> usize {
    let line =
        text.split_inclusive('\n').take(position.row.saturating_sub(1) as usize).map(str::len).sum::<usize>();
    let rest = text.get(line..).unwrap_or("");
    let column = rest.char_indices().nth(position.col.saturating_sub(1) as usize);
    line + column.map_or(rest.len(), |(at, _)| at)
}
