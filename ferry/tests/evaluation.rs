//! The tables of `docs/evaluation.md` lead from controls to guarantees, code, tests and planted faults. Each
//! file, test and fault that they name exists, and each fault is noticed by a test of its own row: else it
//! would not show that this test can fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "docs/evaluation.md";
const THREATS: &str = "docs/threat-model.md";
/// The last cells of the first row of each table.
const COLUMNS: [&str; 4] = ["guarantee", "code", "tests", "planted faults"];
/// What a row says in place of a guarantee. All its other cells are empty then.
const NOTHING: &str = "none";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A row of a table: its name and the cells of [`COLUMNS`].
struct Row {
    name: String,
    cells: [String; 4],
}

impl Row {
    /// The names in a cell, which stand between backticks.
    fn names(&self, cell: usize) -> Vec<&str> {
        self.cells[cell].split('`').skip(1).step_by(2).collect()
    }
}

/// The rows of all tables of the document.
fn rows() -> Vec<Row> {
    let text = read(&root().join(DOCUMENT));
    let tables = text.split("\n\n").filter(|part| part.starts_with('|'));
    let mut rows = Vec::new();
    for table in tables {
        let mut lines = table.lines().map(|line| {
            let line = line.trim().trim_start_matches('|').strip_suffix('|').unwrap();
            line.split('|').map(str::trim).map(str::to_owned).collect::<Vec<_>>()
        });
        let header = lines.next().unwrap();
        assert_eq!(header[1..], COLUMNS, "the first row of a table names its columns");
        rows.extend(lines.skip(1).map(|cells| {
            let [name, cells @ ..]: [String; 5] = cells.try_into().expect("as many cells as columns");
            Row { name, cells }
        }));
    }
    assert!(rows.len() > 15, "the tables are found");
    rows
}

/// The sources in a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let found = paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The directory of each package of the workspace.
fn packages() -> BTreeMap<String, PathBuf> {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let package = |member: &toml::Value| {
        let directory = root().join(member.as_str().unwrap());
        let manifest: toml::Table = read(&directory.join("Cargo.toml")).parse().unwrap();
        (manifest["package"]["name"].as_str().unwrap().to_owned(), directory)
    };
    members.iter().map(package).collect()
}

/// Whether a test exists whose name begins like this.
fn is_test(name: &str, packages: &BTreeMap<String, PathBuf>) -> bool {
    if let Some(scenario) = ["classic:", "microkit:"].iter().find_map(|kind| name.strip_prefix(kind)) {
        // A scenario of the harness, a trial of a system of its own, or the tests of a project.
        let begins = [
            ("harness/src", format!("name: \"{scenario}")),
            ("ferry/src", format!("{{prefix}}{scenario}")),
            ("ferry/src", format!("    (\"{scenario}\", \"")),
        ];
        return begins.iter().any(|(directory, begin)| {
            sources(&root().join(directory)).iter().any(|path| read(path).contains(begin))
        });
    }
    let Some((package, rest)) = name.strip_prefix("host:").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let (Some(directory), Some((target, test))) = (packages.get(package), rest.split_once('/')) else {
        return false;
    };
    let files = if target == "lib" {
        sources(&directory.join("src"))
    } else {
        let tests = directory.join("tests");
        sources(&tests.join(target)).into_iter().chain([tests.join(format!("{target}.rs"))]).collect()
    };
    let text: String = files.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    let modules: Vec<&str> = test.split("::").collect();
    let (last, modules) = modules.split_last().unwrap();
    let is_module = |module: &&str| {
        let is_file = files.iter().any(|path| path.file_stem().is_some_and(|stem| stem == *module));
        // Macros make modules, and tests of fixtures with their names.
        is_file || text.contains(&format!("mod {module}")) || text.contains(&format!("!({module},"))
    };
    modules.iter().all(is_module)
        && (text.contains(&format!("fn {last}")) || text.contains(&format!("\n    {last}: ")))
}

/// What each table of faults lists: what a fault does, and who notices it.
fn faults() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let directory = root().join("faults/tables");
    let tables = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let table = |path: PathBuf| {
        let table: toml::Table = read(&path).parse().unwrap();
        let mut faults: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for fault in table["fault"].as_array().unwrap() {
            let noticed = fault["noticed_by"].as_array().unwrap().iter();
            let noticed = noticed.map(|test| test.as_str().unwrap().to_owned());
            // Two platforms can have the same fault.
            faults.entry(fault["what"].as_str().unwrap().to_owned()).or_default().extend(noticed);
        }
        (path.file_name().unwrap().to_string_lossy().into_owned(), faults)
    };
    tables.map(table).collect()
}

/// The name that a link to a heading has.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().to_lowercase().replace(' ', "-");
    letters.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect()
}

/// Whether a guarantee of the threat model has this number, or a part of it this link.
fn is_guarantee(name: &str, threats: &str) -> bool {
    if let Some((_, link)) = name.strip_suffix(')').and_then(|name| name.split_once("](threat-model.md#")) {
        return threats.lines().any(|line| line.starts_with("## ") && anchor(&line[3..]) == link);
    }
    name.parse::<u32>().is_ok() && threats.contains(&format!("\n| {name} | "))
}

#[test]
fn everything_that_the_evaluation_names_exists() {
    let (packages, faults, threats) = (packages(), faults(), read(&root().join(THREATS)));
    let mut wrong = Vec::new();
    for row in rows() {
        let mut say = |what: String| wrong.push(format!("{}: {what}", row.name));
        if row.cells[0] == NOTHING {
            if row.cells[1..].iter().any(|cell| !cell.is_empty()) {
                say("a row without a guarantee names nothing".into());
            }
            continue;
        }
        for name in row.cells[0].split(", ").filter(|name| !is_guarantee(name, &threats)) {
            say(format!("{THREATS} has no guarantee {name}"));
        }
        for (cell, column) in (1..).zip(&COLUMNS[1..]) {
            if row.names(cell).is_empty() {
                say(format!("it names no {column}"));
            }
        }
        for file in row.names(1).into_iter().filter(|file| !root().join(file).is_file()) {
            say(format!("there is no file {file}"));
        }
        let tests = row.names(2);
        for test in tests.iter().filter(|test| !is_test(test, &packages)) {
            say(format!("there is no test {test}"));
        }
        for name in row.names(3) {
            let fault = name.split_once(": ").and_then(|(table, what)| faults.get(table)?.get(what));
            match fault {
                None => say(format!("there is no fault `{name}`")),
                Some(noticed) if !noticed.iter().any(|test| tests.contains(&test.as_str())) => {
                    say(format!("the fault `{name}` is noticed by {noticed:?}, which the row does not name"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "correct these rows of {DOCUMENT}:\n{}", wrong.join("\n"));
}

#[test]
fn what_does_not_exist_is_no_test() {
    let packages = packages();
    for test in [
        "classic:t90",
        "classic:hostile_guards",
        "host:ferry-testbed/guard/life::a_guard_restarts",
        "host:ferry-testbed/search/central_restarts::within_few_acts",
        "host:ferry-description/rules/guard_connected",
        "host:ferry-central/lib/deadlines_wrap",
    ] {
        assert!(is_test(test, &packages), "{test}");
    }
    for test in [
        "classic:t999",
        "t90",
        "host:ferry-testbed/guard/lives::a_guard_restarts",
        "host:ferry-testbed/guard/life::a_guard_resigns",
        "host:ferry-nothing/guard/life::a_guard_restarts",
        "host:ferry-description/rules/no_such_rule",
    ] {
        assert!(!is_test(test, &packages), "{test}");
    }
}
