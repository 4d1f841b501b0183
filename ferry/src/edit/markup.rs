//! How a `system.xml` is laid out: the white space between its elements, and how it writes them. New elements
//! look like those beside them.
//!
//! What holds always: [`Markup::cut`] removes exactly what was inserted at a [`Spot`]. An inserted element
//! brings the white space before it, and a removed one takes that along.

use super::edits::{blank_start, line_end, rest_of_line};
use super::notation::Notation;
use ferry_description::{CENTRAL, CONFIG_REGION};
use roxmltree::{Document, Node};
use std::ops::Range;

/// A system description as text, with the places of its elements.
pub(super) struct Markup<'a> {
    text: &'a str,
    root: Node<'a, 'a>,
}

/// A place after an element, and the white space that an element there begins with.
pub(super) struct Spot {
    pub(super) at: usize,
    pub(super) gap: String,
}

impl<'a> Markup<'a> {
    pub(super) fn new(text: &'a str, document: &'a Document<'a>) -> Self {
        Self { text, root: document.root_element() }
    }

    /// The elements directly in the system that are called so.
    pub(super) fn all(&self, tag: &'static str) -> impl DoubleEndedIterator<Item = Node<'a, 'a>> {
        self.root.children().filter(move |node| node.has_tag_name(tag))
    }

    /// The memory region of this name.
    pub(super) fn region(&self, name: &str) -> Option<Node<'a, 'a>> {
        self.all("memory_region").find(|node| node.attribute("name") == Some(name))
    }

    /// The protection domain of this name, which may be a child of another.
    pub(super) fn domain(&self, name: &str) -> Option<Node<'a, 'a>> {
        let mut nodes = self.root.descendants();
        nodes.find(|node| node.has_tag_name("protection_domain") && node.attribute("name") == Some(name))
    }

    /// The maps in central.
    pub(super) fn maps_of_central(&self) -> impl DoubleEndedIterator<Item = Node<'a, 'a>> {
        let central = self.domain(CENTRAL);
        central.into_iter().flat_map(|central| central.children()).filter(|node| node.has_tag_name("map"))
    }

    /// The white space before an element.
    fn gap(&self, node: Node<'_, '_>) -> &'a str {
        let start = node.range().start;
        &self.text[blank_start(self.text, start)..start]
    }

    /// The same with one line end, however many lines are left empty.
    fn narrow(&self, gap: &str) -> String {
        match gap.rsplit_once('\n') {
            Some((_, indent)) => format!("{}{indent}", line_end(self.text)),
            None => gap.to_owned(),
        }
    }

    /// The place after an element. What else is on its line stays on its line: comments, and elements of the
    /// same kind.
    pub(super) fn after(&self, anchor: Node<'a, 'a>) -> Spot {
        let mut at = anchor.range().end;
        for node in anchor.next_siblings().skip(1) {
            let is_other = node.is_element() && node.tag_name() != anchor.tag_name();
            if is_other || node.is_text() && self.text[node.range()].contains('\n') {
                break;
            }
            if !node.is_text() {
                at = node.range().end;
            }
        }
        let gap = self.gap(anchor);
        let is_end_of_line = rest_of_line(self.text, at).trim().is_empty();
        let gap = if gap.contains('\n') && !is_end_of_line { String::new() } else { self.narrow(gap) };
        Spot { at, gap }
    }

    /// What is before the first element of a block: an empty line, if the file has some.
    pub(super) fn block_gap(&self, gap: &str) -> String {
        let mut elements = self.root.children().filter(Node::is_element);
        let has_empty_lines = elements.any(|node| self.gap(node).matches('\n').count() > 1);
        let more = if has_empty_lines && gap.contains('\n') { line_end(self.text) } else { "" };
        format!("{more}{gap}")
    }

    /// What is before the elements in an element like `model`, and before its end.
    pub(super) fn inner_gaps(&self, model: Node<'a, 'a>) -> [String; 2] {
        let first = model.first_element_child().map_or("", |child| self.gap(child));
        let text = &self.text[model.range()];
        let end = text.rfind("</").unwrap_or(text.len());
        [self.narrow(first), self.narrow(&text[blank_start(text, end)..end])]
    }

    /// How addresses are written.
    pub(super) fn addresses(&self) -> Notation {
        let addresses = self.root.descendants().filter_map(|node| node.attribute("vaddr"));
        Notation::of_addresses(addresses)
    }

    /// An element without contents.
    pub(super) fn element(&self, tag: &str, attributes: &[(&str, &str)]) -> String {
        let like = self.region(CONFIG_REGION).map_or("", |node| &self.text[node.range()]);
        let is_close = like.strip_suffix("/>").is_some_and(|before| !before.ends_with(char::is_whitespace));
        format!("{}{}", start(tag, attributes), if is_close { "/>" } else { " />" })
    }

    /// What has to be removed with an element. What else is on its line keeps its place.
    pub(super) fn cut(&self, node: Node<'_, '_>) -> Range<usize> {
        let Range { start, end } = node.range();
        let rest = rest_of_line(self.text, end);
        let follows = !rest.trim().is_empty() && !rest.trim_start().starts_with("</");
        if follows && self.gap(node).contains('\n') {
            start..end + (rest.len() - rest.trim_start().len())
        } else {
            blank_start(self.text, start)..end
        }
    }
}

/// The beginning of an element, without the bracket that ends it. No value has letters that XML would take
/// for its own: names and numbers have none.
pub(super) fn start(tag: &str, attributes: &[(&str, &str)]) -> String {
    let attributes = attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\""));
    format!("<{tag}{}", attributes.collect::<String>())
}
