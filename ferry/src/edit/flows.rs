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

    /// The text with one more `[[partition]]`, after the last one.
    pub(super) fn add_partition(&self, announcer: &str) -> Result<String, EditError> {
        let line = format!("announcer = {}", Value::from(announcer));
        Ok(self.insert(self.partitions()?.last().copied(), &["[[partition]]".into(), line]))
    }

    /// The text without the `[[partition]]` of an announcer.
    pub(super) fn remove_partition(&self, announcer: &str) -> Result<String, EditError> {
        let mut edits = Edits::default();
        for table in self.partitions()? {
            if end_of(table, "announcer") == announcer {
                edits.remove(self.cut(header(table).start..self.end(table)));
            }
        }
        Ok(edits.apply(self.text))
    }

    /// The text without the flows that `is_meant` names by their ends.
    pub(super) fn remove_flows(&self, is_meant: impl Fn(&str, &str) -> bool) -> Result<String, EditError> {
        let mut edits = Edits::default();
        self.cut_flows(&mut edits, is_meant)?;
        Ok(edits.apply(self.text))
    }

    /// The text with one more guard of the flows that `is_meant` names by their ends: the last stage.
    pub(super) fn add_guard(
        &self,
        guard: &str,
        is_meant: impl Fn(&str, &str) -> bool,
    ) -> Result<String, EditError> {
        let (mut edits, name) = (Edits::default(), Value::from(guard));
        for table in
            self.flows()?.into_iter().filter(|table| is_meant(end_of(table, "from"), end_of(table, "to")))
        {
            match table.get("guards") {
                None => {
                    let indentation = self.indentation(table);
                    let line = format!("{}{indentation}guards = [{name}]", line_end(self.text));
                    edits.insert(self.end(table), line);
                }
                Some(Item::Value(Value::Array(stages))) => match stages.iter().last().and_then(Value::span) {
                    None => {
                        let end = stages.span().unwrap_or_default().end.saturating_sub(1);
                        edits.insert(blank_start(self.text, end), name.to_string());
                    }
                    Some(last) => {
                        let gap = &self.text[blank_start(self.text, last.start)..last.start];
                        let gap = if gap.contains('\n') { gap } else { " " };
                        match self.comma_after(last.end) {
                            Some(comma) => edits.insert(self.end_of_line(comma), format!("{gap}{name},")),
                            None => edits.insert(last.end, format!(",{gap}{name}")),
                        }
                    }
                },
                Some(_) => return Err(EditError::OtherForm { table: "guards", form: "guards = […]" }),
            }
        }
        Ok(edits.apply(self.text))
    }

    /// The text without a guard, and how many stages that are. None if it is one of several guards of a
    /// stage.
    pub(super) fn remove_guard(&self, guard: &str) -> Result<Option<(String, usize)>, EditError> {
        let (mut edits, mut count) = (Edits::default(), 0);
        for table in self.flows()? {
            let Some((key, Item::Value(value @ Value::Array(stages)))) = table.get_key_value("guards") else {
                continue;
            };
            let is_of_quorum = |stage: &Value| {
                let members = stage.as_inline_table().and_then(|table| table.get("of")?.as_array());
                members.is_some_and(|members| members.iter().any(|member| member.as_str() == Some(guard)))
            };
            if stages.iter().any(is_of_quorum) {
                return Ok(None);
            }
            let Some(place) = stages.iter().position(|stage| stage.as_str() == Some(guard)) else { continue };
            count += 1;
            let span = |number: usize| stages.get(number).and_then(Value::span).unwrap_or_default();
            let this = span(place);
            // Without guards there is no time for their verdicts.
            if stages.len() == 1
                && let Some((key, Item::Value(within))) = table.get_key_value("verdict_within")
            {
                edits.remove(self.cut(self.line(key, within)));
            }
            edits.remove(match self.comma_after(this.end) {
                _ if stages.len() == 1 => self.cut(self.line(key, value)),
                Some(comma) if place > 0 => blank_start(self.text, this.start)..comma,
                Some(_) => this.start..span(1).start,
                None => span(place - 1).end..this.end,
            });
        }
        Ok(Some((edits.apply(self.text), count)))
    }

    /// Where a key is, with its value and the comment on its last line.
    fn line(&self, key: &Key, value: &Value) -> Range<usize> {
        let [key, value] = [key.span(), value.span()].map(Option::unwrap_or_default);
        key.start..self.end_of_line(value.end)
    }

    /// One past the comma after `end`, if there is one.
    fn comma_after(&self, end: usize) -> Option<usize> {
        let rest = self.text.get(end..)?;
        let comma = rest.find(|letter: char| !letter.is_whitespace())?;
        rest[comma..].starts_with(',').then_some(end + comma + 1)
    }

    /// The white space before the keys of a table.
    fn indentation(&self, table: &Table) -> &'a str {
        let start = table.key("from").and_then(Key::span).unwrap_or_default().start;
        let line = self.text[..start].rfind('\n').map_or(0, |end| end + 1);
        &self.text[line..start]
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
                Item::Value(value) => self.line(key, value),
                _ => return Err(EditError::OtherForm { table: "client", form: "[client.NAME]" }),
            };
            edits.remove(self.cut(range));
        }
        Ok(edits.apply(self.text))
    }

    fn cut_flows(&self, edits: &mut Edits, is_meant: impl Fn(&str, &str) -> bool) -> Result<(), EditError> {
        for table in self.flows()? {
            if is_meant(end_of(table, "from"), end_of(table, "to")) {
                edits.remove(self.cut(header(table).start..self.end(table)));
            }
        }
        Ok(())
    }

    /// The tables of the flows, in the order of the file.
    fn flows(&self) -> Result<Vec<&Table>, EditError> {
        self.tables("flow", "[[flow]]")
    }

    /// The tables of the partitions, in the order of the file.
    fn partitions(&self) -> Result<Vec<&Table>, EditError> {
        self.tables("partition", "[[partition]]")
    }

    fn tables(&self, table: &'static str, form: &'static str) -> Result<Vec<&Table>, EditError> {
        match self.document.get(table) {
            None => Ok(Vec::new()),
            Some(Item::ArrayOfTables(tables)) => Ok(tables.iter().collect()),
            Some(_) => Err(EditError::OtherForm { table, form }),
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

/// The client at one end of a flow, or whoever else a key names.
fn end_of<'t>(table: &'t Table, key: &str) -> &'t str {
    table.get(key).and_then(Item::as_str).unwrap_or_default()
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
