//! `flows.toml` as text: adds and removes flows and what the file says about one client. The parser gives the
//! places; nothing that is not named here changes.

use super::edits::{Edits, blank_start, line_end, rest_of_line};
use super::error::EditError;
use std::ops::Range;
use toml_edit::{Document, Item, Key, Table, Value};

/// A flow that is to be added.
#[derive(Clone, Debug)]
pub(super) struct NewFlow<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    /// The other keys, with their values.
    pub(super) keys: Vec<(&'static str, Value)>,
}

/// The file, with the places of its tables.
pub(super) struct FlowsText<'a> {
    text: &'a str,
    document: Document<&'a str>,
}

impl<'a> FlowsText<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, EditError> {
        Ok(Self { text, document: Document::parse(text)? })
    }

    /// The text with one more flow, after the last one.
    pub(super) fn add_flow(&self, flow: &NewFlow<'_>) -> Result<String, EditError> {
        let mut lines = vec!["[[flow]]".to_owned()];
        let ends = [("from", flow.from.into()), ("to", flow.to.into())];
        lines.extend(
            ends.into_iter().chain(flow.keys.iter().cloned()).map(|(key, value)| format!("{key} = {value}")),
        );
        Ok(self.insert(self.flows()?.last().copied(), &lines))
    }

    /// The text with `[client.NAME]`, which asks for large frames, after the last of these.
    pub(super) fn add_large_frames(&self, client: &str) -> Result<String, EditError> {
        let clients = self.tables_of_clients()?.into_iter().flat_map(Table::iter);
        let last = clients.filter_map(|(_, item)| item.as_table()).max_by_key(|table| header(table).start);
        Ok(self.insert(last, &[format!("[client.{}]", Key::new(client)), "large_frames = true".into()]))
    }

    /// The text without the flows that `is_meant` names by their ends.
    pub(super) fn remove_flows(&self, is_meant: impl Fn(&str, &str) -> bool) -> Result<String, EditError> {
        let mut edits = Edits::default();
        self.cut_flows(&mut edits, is_meant)?;
        Ok(edits.apply(self.text))
    }

    /// The text without anything about a client: its flows, `[client.NAME]`, and its restarts.
    pub(super) fn remove_client(&self, client: &str) -> Result<String, EditError> {
        let mut edits = Edits::default();
        if self.document.contains_key("flow") {
            self.cut_flows(&mut edits, |from, to| from == client || to == client)?;
        }
        let clients = self.tables_of_clients()?;
        let tables = clients.into_iter().chain(self.table("restarts", "[restarts]")?);
        for (key, item) in tables.filter_map(|table| table.get_key_value(client)) {
            let range = match item {
                Item::Table(table) if !table.is_dotted() => header(table).start..self.end(table),
                Item::Value(value) => {
                    let [key, value] = [key.span(), value.span()].map(Option::unwrap_or_default);
                    key.start..self.end_of_line(value.end)
                }
                _ => return Err(EditError::OtherForm { table: "client", form: "[client.NAME]" }),
            };
            edits.remove(self.cut(range));
        }
        Ok(edits.apply(self.text))
    }

    fn cut_flows(&self, edits: &mut Edits, is_meant: impl Fn(&str, &str) -> bool) -> Result<(), EditError> {
        let end = |table: &'_ Table, key: &str| table.get(key).and_then(Item::as_str).map(str::to_owned);
        for table in self.flows()? {
            let (from, to) = (end(table, "from"), end(table, "to"));
            if is_meant(&from.unwrap_or_default(), &to.unwrap_or_default()) {
                edits.remove(self.cut(header(table).start..self.end(table)));
            }
        }
        Ok(())
    }

    /// The tables of the flows, in the order of the file.
    fn flows(&self) -> Result<Vec<&Table>, EditError> {
        match self.document.get("flow") {
            None => Ok(Vec::new()),
            Some(Item::ArrayOfTables(flows)) => Ok(flows.iter().collect()),
            Some(_) => Err(EditError::OtherForm { table: "flow", form: "[[flow]]" }),
        }
    }

    /// The table with the tables of the clients, if there is one.
    fn tables_of_clients(&self) -> Result<Option<&Table>, EditError> {
        self.table("client", "[client.NAME]")
    }

    fn table(&self, table: &'static str, form: &'static str) -> Result<Option<&Table>, EditError> {
        match self.document.get(table) {
            None => Ok(None),
            Some(Item::Table(found)) if !found.is_dotted() => Ok(Some(found)),
            Some(_) => Err(EditError::OtherForm { table, form }),
        }
    }

    /// The text with these lines after a table, or at its end. An empty line is before them.
    fn insert(&self, after: Option<&Table>, lines: &[String]) -> String {
        let at = after.map_or(self.text.trim_end().len(), |table| self.end(table));
        let line_end = line_end(self.text);
        let gap = if at == 0 { String::new() } else { line_end.repeat(2) };
        let mut edits = Edits::default();
        edits.insert(at, format!("{gap}{}", lines.join(line_end)));
        edits.apply(self.text)
    }

    /// Where a table ends, with the comment on its last line.
    fn end(&self, table: &Table) -> usize {
        self.end_of_line(last_byte(table).max(header(table).end))
    }

    /// `end`, or the end of the comment after it.
    fn end_of_line(&self, end: usize) -> usize {
        let rest = rest_of_line(self.text, end);
        if rest.trim_start().starts_with('#') { end + rest.trim_end().len() } else { end }
    }

    /// `range` with the white space before it. What so becomes the beginning of the file is not left to begin
    /// with white space.
    fn cut(&self, range: Range<usize>) -> Range<usize> {
        let start = blank_start(self.text, range.start);
        let rest = &self.text[range.end..];
        let is_first = start == 0 && !rest.trim().is_empty();
        let after = if is_first { rest.len() - rest.trim_start().len() } else { 0 };
        start..range.end + after
    }
}

/// Where the header of a table is.
fn header(table: &Table) -> Range<usize> {
    table.span().unwrap_or_default()
}

/// One past the last byte of a table's values.
fn last_byte(table: &Table) -> usize {
    let end = |(_, item): (&str, &Item)| match item {
        Item::Table(table) if table.is_dotted() => last_byte(table),
        Item::Value(value) => value.span().unwrap_or_default().end,
        _ => 0,
    };
    table.iter().map(end).max().unwrap_or(0)
}
