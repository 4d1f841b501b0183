//! The tables of faults.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ferry_faults::at;
use serde::Deserialize;

use crate::Error;
use crate::trial::Place;

/// A table as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    fault: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    what: String,
    file: String,
    from: String,
    to: String,
    noticed_by: Vec<String>,
}

/// One fault, and the tests that notice it.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The fault in words.
    pub(crate) what: String,
    /// The file, from the root of the tree.
    pub(crate) file: String,
    pub(crate) places: Vec<Place>,
    /// The text that is replaced, and what replaces it.
    from: String,
    to: String,
    /// Name of the table that lists it.
    table: String,
}

/// Reads all tables of a directory.
pub(crate) fn read(directory: &Path) -> Result<Vec<Fault>, Error> {
    let entries = fs::read_dir(directory).map_err(at(directory))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(at(directory)))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    let mut faults = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let table: Table = ferry_faults::table(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for row in table.fault {
            let places = row.noticed_by.iter().map(|place| {
                Place::parse(place)
                    .ok_or_else(|| Error::NoPlace { table: name.clone(), place: place.clone() })
            });
            let places = places.collect::<Result<Vec<_>, _>>()?;
            let (what, file, table) = (row.what, row.file, name.clone());
            faults.push(Fault { what, file, places, from: row.from, to: row.to, table });
        }
    }
    Ok(faults)
}

/// The faults of the table `text`, with or without `.toml`. If there is no such table, the faults whose
/// description, file or tests contain `text`.
pub(crate) fn choose<'a>(faults: &'a [Fault], text: &str) -> Result<Vec<&'a Fault>, Error> {
    let table = text.trim_end_matches(".toml");
    let mut chosen: Vec<&Fault> = faults.iter().filter(|fault| fault.table() == table).collect();
    if chosen.is_empty() {
        chosen = faults.iter().filter(|fault| fault.contains(text)).collect();
    }
    if chosen.is_empty() {
        let tables: BTreeSet<&str> = faults.iter().map(Fault::table).collect();
        let tables = tables.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::Unknown { text: text.to_owned(), tables });
    }
    Ok(chosen)
}

impl Fault {
    /// Returns the text of the file with the fault in it. The file is that of the tree at `root`.
    pub(crate) fn apply(&self, root: &Path) -> Result<String, Error> {
        let path = root.join(&self.file);
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        let found = text.matches(&self.from).count();
        if found == 1 {
            return Ok(text.replacen(&self.from, &self.to, 1));
        }
        let (table, what, file) = (self.table.clone(), self.what.clone(), self.file.clone());
        Err(Error::Stale { table, what, file, found })
    }

    /// Name of its table without the ending, as in `make faults FILTER=rights`.
    fn table(&self) -> &str {
        self.table.trim_end_matches(".toml")
    }

    /// Whether the fault's description, file or tests contain `text`.
    fn contains(&self, text: &str) -> bool {
        let mut texts =
            [&self.what, &self.file].into_iter().chain(self.places.iter().map(|place| &place.test));
        texts.any(|words| words.contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"
[[fault]]
what = "one for two"
file = "a.rs"
from = "two"
to = "one"
noticed_by = ["host:ferry-x/lib/counts", "classic:t01"]
"#;

    fn with(source: &str) -> Result<String, Error> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.toml"), TABLE).unwrap();
        fs::write(directory.path().join("a.rs"), source).unwrap();
        let faults = read(directory.path()).unwrap();
        assert_eq!((faults.len(), faults[0].places.len()), (1, 2));
        faults[0].apply(directory.path())
    }

    #[test]
    fn a_fault_replaces_its_text() {
        assert_eq!(with("one two three").unwrap(), "one one three");
    }

    #[test]
    fn a_text_that_is_not_there_once_is_an_error() {
        for (source, found) in [("one", 0), ("two two", 2)] {
            let error = with(source).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "a.toml: the text to replace for \"one for two\" is {found} times in a.rs; it must be \
                     there once"
                )
            );
        }
    }

    #[test]
    fn a_text_chooses_a_table_or_what_contains_it() {
        const OTHER: &str = r#"
[[fault]]
what = "another"
file = "engine/b.rs"
from = "two"
to = "one"
noticed_by = ["hosted:t02"]
"#;
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("engine.toml"), TABLE).unwrap();
        fs::write(directory.path().join("launcher.toml"), OTHER).unwrap();
        let faults = read(directory.path()).unwrap();
        let chosen = |text: &str| {
            choose(&faults, text).map(|faults| faults.iter().map(|fault| fault.what.as_str()).collect())
        };
        let [all, one, another]: [&[&str]; 3] = [&["one for two", "another"], &["one for two"], &["another"]];
        for (text, whats) in [
            ("", all),
            ("launcher", another),
            ("launcher.toml", another),
            ("engine", one),
            ("engine/", another),
            ("a.rs", one),
            ("t02", another),
            ("counts", one),
        ] {
            let found: Vec<&str> = chosen(text).unwrap();
            assert_eq!(found, whats, "{text}");
        }
        assert_eq!(
            chosen("lancher").unwrap_err().to_string(),
            "no table is called \"lancher\", and no fault has this text; the tables are engine, launcher"
        );
    }
}
