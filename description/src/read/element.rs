//! Reads elements and their attributes. Missing attributes, unknown attributes and unreadable values are
//! reported here, for all elements alike.

use crate::map::Permissions;
use crate::mistake::Mistake;
use crate::name::{is_name, is_path, is_symbol};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::{Place, Source};
use crate::system::{Extra, System};
use roxmltree::{Attribute, Node};
use std::ops::Range;

/// Collects the mistakes in one file.
pub(crate) struct Log<'a> {
    pub(crate) source: &'a Source,
    pub(crate) mistakes: Vec<Mistake>,
}

impl Log<'_> {
    pub(crate) fn report(&mut self, span: Range<usize>, problem: Problem) {
        self.mistakes.push(Mistake { place: self.source.place(span), problem });
    }

    pub(crate) fn place(&self, element: Element<'_>) -> Place {
        self.source.place(element.span())
    }

    pub(crate) fn bad_value(
        &mut self,
        element: Element<'_>,
        attribute: &'static str,
        expected: &'static str,
    ) {
        let value = element.attribute(attribute).unwrap_or("").into();
        self.report(element.value_span(attribute), Problem::BadValue { attribute, value, expected });
    }

    pub(crate) fn unknown_element(&mut self, element: Element<'_>, parent: &str) {
        let (name, parent) = (element.name(), parent.to_owned());
        let meant = nearest(name, elements_of(&parent).iter().copied());
        self.report(element.span(), Problem::UnknownElement { element: name.into(), parent, meant });
    }
}

/// Keeps that the file has an element which Ferry itself does not need.
pub(super) fn extra(element: Element<'_>, system: &mut System, log: &Log<'_>) {
    system.extras.push(Extra { name: element.name().into(), place: log.place(element) });
}

/// An element of the file.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a>(pub(crate) Node<'a, 'a>);

impl<'a> Element<'a> {
    pub(crate) fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    pub(crate) fn span(self) -> Range<usize> {
        self.0.range()
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Element<'a>> {
        self.0.children().filter(Node::is_element).map(Element)
    }

    pub(crate) fn attribute(self, name: &str) -> Option<&'a str> {
        self.attribute_node(name).map(|attribute| attribute.value())
    }

    /// The attribute of this name. One with a prefix is another: Microkit would not read it, and the two may
    /// stand side by side.
    fn attribute_node(self, name: &str) -> Option<Attribute<'a, 'a>> {
        self.0.attributes().find(|attribute| attribute.namespace().is_none() && attribute.name() == name)
    }

    /// Where the value of an attribute is. Without the attribute, where the element is.
    pub(crate) fn value_span(self, name: &str) -> Range<usize> {
        self.attribute_node(name).map_or(self.span(), |attribute| attribute.range_value())
    }

    pub(crate) fn check_attributes(self, known: &[&str], log: &mut Log<'_>) {
        for attribute in self.0.attributes() {
            if attribute.namespace().is_some() || !known.contains(&attribute.name()) {
                let written = log.source.text().get(attribute.range_qname()).unwrap_or(attribute.name());
                let problem = Problem::UnknownAttribute {
                    attribute: written.into(),
                    element: self.name().into(),
                    meant: nearest(attribute.name(), known.iter().copied()),
                    known: known.join(", "),
                };
                log.report(attribute.range(), problem);
            }
        }
    }

    pub(crate) fn required(self, name: &'static str, log: &mut Log<'_>) -> Option<&'a str> {
        self.required_or(name, || None, log)
    }

    /// The same. If the attribute is missing, the remedy proposes what `free` gives.
    pub(crate) fn required_or(
        self,
        name: &'static str,
        free: impl FnOnce() -> Option<String>,
        log: &mut Log<'_>,
    ) -> Option<&'a str> {
        let value = self.attribute(name);
        if value.is_none() {
            let problem =
                Problem::MissingAttribute { attribute: name, element: self.name().into(), free: free() };
            log.report(self.span(), problem);
        }
        value
    }

    /// The required attribute `attribute`, which is a name.
    pub(crate) fn name_of(self, attribute: &'static str, log: &mut Log<'_>) -> Option<&'a str> {
        let name = self.required(attribute, log)?;
        if !is_name(name) {
            log.report(self.value_span(attribute), Problem::BadName { attribute, name: name.into() });
        }
        Some(name)
    }

    /// The attribute `attribute`, which is the path of a file.
    pub(crate) fn path(self, attribute: &'static str, log: &mut Log<'_>) -> Option<&'a str> {
        let path = self.attribute(attribute)?;
        if !is_path(path) {
            log.report(self.value_span(attribute), Problem::BadPath { attribute, path: path.into() });
        }
        Some(path)
    }

    /// The symbols that these attributes name.
    pub(crate) fn symbols(self, attributes: &[&str], log: &mut Log<'_>) -> Vec<(String, Place)> {
        let mut symbols = Vec::new();
        for attribute in attributes.iter().filter_map(|name| self.attribute_node(name)) {
            let symbol = attribute.value();
            if !is_symbol(symbol) {
                log.report(attribute.range_value(), Problem::BadSymbol { symbol: symbol.into() });
            }
            symbols.push((symbol.into(), log.place(self)));
        }
        symbols
    }

    /// Reads a number as Microkit does: decimal or `0x…`, with underscores anywhere.
    pub(crate) fn number(self, name: &'static str, log: &mut Log<'_>) -> Option<u64> {
        let value = parse_number(self.attribute(name)?);
        if value.is_none() {
            log.bad_value(self, name, "a number, decimal or 0x…");
        }
        value
    }

    pub(crate) fn required_number(self, name: &'static str, log: &mut Log<'_>) -> Option<u64> {
        self.required(name, log)?;
        self.number(name, log)
    }

    /// Reads a number as Microkit reads those of channels: decimal alone, without underscores.
    pub(crate) fn decimal(self, name: &'static str, log: &mut Log<'_>) -> Option<u64> {
        let value = self.attribute(name)?.parse();
        if value.is_err() {
            log.bad_value(self, name, "a decimal number");
        }
        value.ok()
    }

    pub(crate) fn truth(self, name: &'static str, default: bool, log: &mut Log<'_>) -> bool {
        match self.attribute(name) {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(_) => {
                log.bad_value(self, name, "true or false");
                default
            }
        }
    }

    /// Reads the attribute `perms`. Without it the permissions are `rw`, as for Microkit.
    pub(crate) fn permissions(self, log: &mut Log<'_>) -> Permissions {
        let Some(text) = self.attribute("perms") else { return Permissions::READ_WRITE };
        let [read, write, execute] = ['r', 'w', 'x'].map(|letter| text.contains(letter));
        // No page can be written and not read. Nobody can use a map with no permission, but Microkit has it.
        if text.chars().any(|letter| !"rwx".contains(letter)) || (write && !read && !execute) {
            log.bad_value(self, "perms", "a combination of r, w and x, and not w alone");
        }
        Permissions { read, write, execute }
    }
}

/// Reads a number as Microkit does: decimal or `0x…`, with underscores anywhere.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|letter| *letter != '_').collect();
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// The elements that an element may contain.
fn elements_of(parent: &str) -> &'static [&'static str] {
    match parent {
        "system" => &["protection_domain", "memory_region", "channel", "domains", "io_address_space"],
        "protection_domain" => &[
            "program_image",
            "map",
            "irq",
            "ioport",
            "setvar",
            "cspace",
            "virtual_machine",
            "protection_domain",
        ],
        "channel" => &["end"],
        "virtual_machine" => &["vcpu", "map"],
        "io_address_space" => &["iomap"],
        "cspace" => &["cap_tcb", "cap_sc", "cap_vspace"],
        "domains" => &["domain", "domain_schedule"],
        "domain_schedule" => &["schedule_entry", "schedule_end_marker"],
        _ => &["system"],
    }
}
