//! Reads `system.xml` into a [`System`]. It accepts what Microkit 2.3's tool accepts and keeps the place of
//! everything. It goes on after a mistake, so that one run reports all of them.
//!
//! Regions are read first and channels last, because a protection domain may name a region, and a channel may
//! name a domain, that come later in the file. A domain schedule applies only to the protection domains after
//! it, as for Microkit.

mod channel;
mod cspace;
mod domain;
mod element;
mod holdings;
mod interrupt;
mod machine;
mod missing;
mod region;
mod schedule;
mod scheduling;

use crate::limits::MAX_DEPTH;
use crate::mistake::Mistake;
use crate::problem::Problem;
use crate::source::Source;
use crate::system::System;
use element::{Element, Log, extra};
use roxmltree::{Document, Error, NodeType};

/// Reads the system, and returns all mistakes. There is no system if the file is not XML.
pub(crate) fn read(source: &Source) -> (Option<System>, Vec<Mistake>) {
    let mut log = Log { source, mistakes: Vec::new() };
    let document = match Document::parse(source.text()) {
        Ok(document) => document,
        Err(error) => {
            not_xml(&error, &mut log);
            return (None, log.mistakes);
        }
    };
    let root = Element(document.root_element());
    if root.name() != "system" {
        log.unknown_element(root, "the file");
        return (None, log.mistakes);
    }
    if let Some(deep) = too_deep(&document) {
        log.report(deep.span(), Problem::TooDeep { element: deep.name().into() });
        return (None, log.mistakes);
    }
    // Microkit reads no attribute of <system>, so people may use some that are for other tools.
    stray_text(root, &mut log);
    let system = system(root, &mut log);
    (Some(system), log.mistakes)
}

fn system(root: Element<'_>, log: &mut Log<'_>) -> System {
    let mut system = System {
        domains: Vec::new(),
        regions: Vec::new(),
        channels: Vec::new(),
        machines: Vec::new(),
        io_spaces: Vec::new(),
        extras: Vec::new(),
        unplaced: Vec::new(),
        schedule: None,
        place: log.place(root),
    };
    for element in root.children().filter(|element| element.name() == "memory_region") {
        region::region(element, &mut system, log);
    }
    for element in root.children() {
        match element.name() {
            "memory_region" | "channel" => {}
            "protection_domain" => domain::protection_domain(element, None, &mut system, log),
            "virtual_machine" => log.report(element.span(), Problem::MachineWithoutDomain),
            "io_address_space" => {
                extra(element, &mut system, log);
                let space = machine::io_address_space(element, &system, log);
                system.io_spaces.extend(space);
            }
            "domains" => schedule::domains(element, &mut system, log),
            _ => log.unknown_element(element, "system"),
        }
    }
    for element in root.children().filter(|element| element.name() == "channel") {
        channel::channel(element, &mut system, log);
    }
    system
}

/// Reports why a file is not XML, or not the part of XML that Microkit reads.
fn not_xml(error: &Error, log: &mut Log<'_>) {
    let text = log.source.text();
    if let Error::DtdDetected = error {
        let start = text.find("<!DOCTYPE").unwrap_or(0);
        log.report(start..start + "<!DOCTYPE".len(), Problem::DocumentType);
        return;
    }
    let start = offset(text, error.pos());
    log.report(start..start, Problem::NotXml { error: error.to_string() });
}

/// The first element that is nested so deep that reading it could exhaust the stack.
fn too_deep<'a>(document: &'a Document<'a>) -> Option<Element<'a>> {
    let mut waiting = vec![(Element(document.root_element()), 1)];
    while let Some((element, depth)) = waiting.pop() {
        if depth > MAX_DEPTH {
            return Some(element);
        }
        waiting.extend(element.children().map(|child| (child, depth + 1)));
    }
    None
}

/// Reports text between the elements of the system, where Microkit allows none.
fn stray_text(root: Element<'_>, log: &mut Log<'_>) {
    for node in root.0.children().filter(|node| node.node_type() == NodeType::Text) {
        let text = node.text().unwrap_or_default();
        let word = text.trim();
        if !word.is_empty() {
            let start = node.range().start + (text.len() - text.trim_start().len());
            log.report(start..start + word.len(), Problem::StrayText);
        }
    }
}

/// Converts a position of the XML parser to a byte offset in the text.
fn offset(text: &str, position: roxmltree::TextPos) -> usize {
    let line =
        text.split_inclusive('\n').take(position.row.saturating_sub(1) as usize).map(str::len).sum::<usize>();
    let rest = text.get(line..).unwrap_or("");
    let column = rest.char_indices().nth(position.col.saturating_sub(1) as usize);
    line + column.map_or(rest.len(), |(at, _)| at)
}
