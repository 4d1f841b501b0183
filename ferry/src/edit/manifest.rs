//! The dependency `ferry-guard` in the project's `Cargo.toml`. It comes from where `ferry-client` comes from.

use super::edits::{Edits, line_end, rest_of_line};
use super::error::EditError;
use super::write::Change;
use std::fs;
use std::path::{Path, PathBuf};
use toml_edit::{Document, Item, Value};

/// The dependency that a guard needs, and the one that every client has.
const GUARD: &str = "ferry-guard";
const CLIENT: &str = "ferry-client";
/// The directories of both, in Ferry's sources.
const DIRECTORIES: [&str; 2] = ["client-pd", "guard"];

/// What is to be done.
pub(super) enum Dependency {
    /// Nothing: the manifest has it, or there is none.
    Known,
    /// This.
    New(Change),
    /// It cannot be told where it is to come from.
    Unknown,
}

impl Dependency {
    /// The change of the manifest.
    pub(super) fn change(&self) -> Option<Change> {
        match self {
            Self::New(change) => Some(change.clone()),
            Self::Known | Self::Unknown => None,
        }
    }
}

/// Where the manifest of a project is.
pub(super) fn beside(system: &Path) -> PathBuf {
    system.with_file_name("Cargo.toml")
}

/// The manifest with the dependency. What it says of others stays as it is.
pub(super) fn with_guard(path: &Path) -> Result<Dependency, EditError> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(Dependency::Known) };
    let manifest = Document::parse(text.as_str())
        .map_err(|cause| EditError::Parse { path: "Cargo.toml", cause: cause.message().to_owned() })?;
    let Some(Item::Table(dependencies)) = manifest.get("dependencies") else {
        return Ok(Dependency::Unknown);
    };
    if dependencies.contains_key(GUARD) {
        return Ok(Dependency::Known);
    }
    let Some(Item::Value(client)) = dependencies.get(CLIENT) else { return Ok(Dependency::Unknown) };
    let (Some(source), Some(span)) = (source(client), client.span()) else { return Ok(Dependency::Unknown) };
    let rest = rest_of_line(&text, span.end);
    let at = span.end + if rest.trim_start().starts_with('#') { rest.trim_end().len() } else { 0 };
    let mut edits = Edits::default();
    edits.insert(at, format!("{}{GUARD} = {source}", line_end(&text)));
    let after = edits.apply(&text);
    Ok(Dependency::New(Change { path: path.to_owned(), before: Some(text), after: Some(after) }))
}

/// Where the guard's crate comes from, if the client's comes from there. Features are the client's own.
fn source(client: &Value) -> Option<String> {
    let table = client.as_inline_table()?;
    let mut keys = Vec::new();
    for key in ["path", "git", "branch", "tag", "rev"] {
        let Some(value) = table.get(key) else { continue };
        let mut value = value.as_str()?.to_owned();
        if key == "path" {
            value = value.trim_end_matches('/').strip_suffix(DIRECTORIES[0])?.to_owned() + DIRECTORIES[1];
        }
        keys.push(format!("{key} = {}", Value::from(value)));
    }
    (!keys.is_empty()).then(|| format!("{{ {} }}", keys.join(", ")))
}
