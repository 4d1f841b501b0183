//! Reads elements and their attributes. Missing attributes, unknown attributes and unreadable values are
//! reported here, for all elements alike.

use crate::mistake::Mistake;
use crate::problem::Problem;
use crate::source::{Place, Source};
use crate::system::Permissions;
use roxmltree::Node;
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
        let problem = Problem::UnknownElement { element: element.name().into(), parent: parent.into() };
        self.report(element.span(), problem);
    }
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
        self.0.attribute(name)
    }

    /// Where the value of an attribute is. Without the attribute, where the element is.
    pub(crate) fn value_span(self, name: &str) -> Range<usize> {
        self.0.attribute_node(name).map_or(self.span(), |attribute| attribute.range_value())
    }

    pub(crate) fn check_attributes(self, known: &[&str], log: &mut Log<'_>) {
        for attribute in self.0.attributes() {
            if !known.contains(&attribute.name()) {
                let problem = Problem::UnknownAttribute {
                    attribute: attribute.name().into(),
                    element: self.name().into(),
                    known: known.join(", "),
                };
                log.report(attribute.range(), problem);
            }
        }
    }

    pub(crate) fn required(self, name: &'static str, log: &mut Log<'_>) -> Option<&'a str> {
        let value = self.attribute(name);
        if value.is_none() {
            let element = self.name().into();
            log.report(self.span(), Problem::MissingAttribute { attribute: name, element });
        }
        value
    }

    pub(crate) fn required_number(self, name: &'static str, log: &mut Log<'_>) -> Option<u64> {
        self.required(name, log)?;
        self.number(name, log)
    }

    /// Reads a number as Microkit does: decimal or `0x…`, with underscores anywhere.
    pub(crate) fn number(self, name: &'static str, log: &mut Log<'_>) -> Option<u64> {
        let digits: String = self.attribute(name)?.chars().filter(|letter| *letter != '_').collect();
        let value = match digits.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => digits.parse(),
        };
        if value.is_err() {
            log.bad_value(self, name, "a number, decimal or 0x…");
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
        if text.chars().any(|letter| !"rwx".contains(letter)) || !(read || execute) {
            log.bad_value(self, "perms", "a combination of r, w and x, and not w alone");
        }
        Permissions { read, write, execute }
    }
}
