//! The planted faults of Ferry itself: which fault was planted into which file, and which test notices it.
//! They are about Ferry's code and not about the project's, and are copied from Ferry's sources as they are.

use super::bundle::Bundle;
use super::gaps::Gaps;
use crate::error::Error;
use crate::file;
use serde::Deserialize;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The directory in the evidence, and what is in it.
pub(super) const README: &str = "planted-faults/README.md";

/// The directories of Ferry's sources with tables.
const TABLES: &str = "faults/tables";
const MUTANTS: &str = "faults/mutants";

const INTRODUCTION: &str = "\
# Planted faults of Ferry itself

These tables are about the code of Ferry, from whose sources central was built, and not about this project.
Each row is a fault that is planted into a copy of the sources, alone, and a test that must fail for it. So a
row shows that the test can fail. Nothing was planted for this evidence. In a checkout of Ferry, `make faults`
plants all that tests on the host notice, `make faults ON=classic` those that scenarios on seL4 notice, and
`make mutants` does the same with every ordering of memory in the lock-free code (`model-checking.md`).
`survivors.toml` lists the mutants of `make mutation-score` that no test notices, each with the reason why
that is no gap.
";

/// A table, as far as it is shown.
#[derive(Deserialize)]
struct Table {
    fault: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    what: String,
    file: String,
    noticed_by: Vec<String>,
}

/// Adds the tables. `root` is the directory of Ferry's sources.
pub(super) fn add(root: &Path, bundle: &mut Bundle, gaps: &mut Gaps) -> Result<(), Error> {
    let tables = root.join(TABLES);
    let Ok(entries) = fs::read_dir(&tables) else {
        gaps.missing(README, "the sources of Ferry that were used have no tables of planted faults");
        return Ok(());
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut text = INTRODUCTION.to_owned();
    for path in &paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let contents = fs::read_to_string(path).map_err(file::failed("read", path))?;
        // Another version of Ferry may write its tables in another way. They are copied all the same.
        let faults = toml::from_str::<Table>(&contents).map_or(Vec::new(), |table| table.fault);
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {name}\n\n| file | fault | noticed by |\n| --- | --- | --- |\n");
        for fault in faults {
            let noticed = fault.noticed_by.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>();
            let what = fault.what.replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | {what} | {} |", fault.file, noticed.join(", "));
        }
        bundle.add(format!("planted-faults/{name}"), contents);
    }
    bundle.add(README, text);
    for (directory, name) in [(MUTANTS, "survivors.toml"), ("docs", "model-checking.md")] {
        if let Ok(contents) = fs::read(root.join(directory).join(name)) {
            bundle.add(format!("planted-faults/{name}"), contents);
        }
    }
    Ok(())
}
