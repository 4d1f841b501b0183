//! The table of trusted code in `docs/threat-model.md`: what runs on the target and must be right for the
//! guarantees to hold. `make trusted-code` writes it; without that this test compares it with the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The document with the table, between [`BEGIN`] and [`END`].
const DOCUMENT: &str = "docs/threat-model.md";
const BEGIN: &str = "<!-- trusted code: `make trusted-code` writes this table -->\n";
const END: &str = "<!-- end of trusted code -->\n";

/// Lines by which the table may be behind the sources, in a hundred. Blocks that are unsafe may not differ.
const TOLERANCE: usize = 5;

/// A part of the trusted code: its name, and the files and directories that it consists of.
const PARTS: [(&str, &[&str]); 9] = [
    ("shared memory and its protocol (`layout`)", &["layout/src"]),
    ("engine, express lane", &["central-pd/src/engine/express.rs", "central-pd/src/engine/express"]),
    ("engine, all else", &["central-pd/src"]),
    ("central's protection domain", &["central-pd/src/pd"]),
    ("what writes the audit log (`audit`)", &["audit/src/chain.rs", "audit/src/writer.rs"]),
    ("what platforms share (`platform/api`)", &["platform/api/src"]),
    ("runtime on Microkit", &["platform/microkit/runtime/src"]),
    ("supervisor on Microkit", &["platform/microkit/supervisor/src"]),
    ("what the supervisor has more in demonstrations", &["platform/microkit/supervisor/demo/src"]),
];

/// What is counted in a part.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Count {
    lines: usize,
    unsafe_blocks: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The sources of a directory, or the one file.
fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut sources: Vec<PathBuf> = entries.flat_map(|entry| sources(&entry.unwrap().path())).collect();
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources
}

/// Lines of code in a source, without comments, empty lines and unit tests.
fn count(text: &str) -> Count {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut count = Count::default();
    for line in code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        count.lines += 1;
        let is_block = ["unsafe {", "unsafe impl", "unsafe fn"].iter().any(|words| line.contains(words));
        count.unsafe_blocks += usize::from(is_block);
    }
    count
}

/// The count of each part. A file belongs to the first part that names it, or else to the nearest directory.
fn counts() -> Vec<Count> {
    let parts = PARTS.map(|(_, paths)| paths.iter().flat_map(|path| sources(&root().join(path))).collect());
    let named: Vec<Vec<PathBuf>> = parts.to_vec();
    let owner = |source: &PathBuf| {
        let holders = named.iter().enumerate().filter(|(_, sources)| sources.contains(source));
        holders.min_by_key(|(_, sources)| sources.len()).map(|(number, _)| number)
    };
    let mut counts = vec![Count::default(); PARTS.len()];
    for (number, sources) in named.iter().enumerate() {
        for source in sources {
            let is_test = source.file_stem().is_some_and(|stem| stem == "tests");
            if owner(source) == Some(number) && !is_test {
                let text = fs::read_to_string(source).unwrap();
                let of_file = count(&text);
                counts[number].lines += of_file.lines;
                counts[number].unsafe_blocks += of_file.unsafe_blocks;
            }
        }
    }
    counts
}

/// The table, as it is written in the document.
fn table(counts: &[Count]) -> String {
    let mut rows = vec!["| part | lines of code | unsafe |".to_owned(), "| --- | --- | --- |".to_owned()];
    let all = counts.iter().fold(Count::default(), |all, count| Count {
        lines: all.lines + count.lines,
        unsafe_blocks: all.unsafe_blocks + count.unsafe_blocks,
    });
    for ((name, _), count) in PARTS.iter().zip(counts) {
        rows.push(format!("| {name} | {} | {} |", count.lines, count.unsafe_blocks));
    }
    rows.push(format!("| all | {} | {} |\n", all.lines, all.unsafe_blocks));
    rows.join("\n")
}

/// The counts of a table, by row.
fn read(table: &str) -> Vec<(String, usize, usize)> {
    let rows = table.lines().skip(2).filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, lines, blocks] = cells.as_slice() else { return None };
        Some(((*name).to_owned(), lines.parse().ok()?, blocks.parse().ok()?))
    });
    rows.collect()
}

#[test]
fn the_table_of_trusted_code_is_that_of_the_sources() {
    let path = root().join(DOCUMENT);
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the document has the mark of the table");
    let (written, after) = rest.split_once(END).expect("the document has the mark of the table's end");
    let new = table(&counts());
    if std::env::var_os("FERRY_WRITE_TRUSTED_CODE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{new}{END}{after}")).unwrap();
        return;
    }
    let (written, new) = (read(written), read(&new));
    assert_eq!(written.len(), new.len(), "`make trusted-code` writes the table");
    for ((name, lines, blocks), (new_name, new_lines, new_blocks)) in written.iter().zip(&new) {
        let is_near = new_lines.abs_diff(*lines) * 100 <= lines * TOLERANCE;
        assert!(
            name == new_name && blocks == new_blocks && is_near,
            "{name}: {lines} lines and {blocks} unsafe in the table, {new_lines} and {new_blocks} in the \
             sources; `make trusted-code` writes the table"
        );
    }
}

#[test]
fn comments_tests_and_empty_lines_do_not_count() {
    let text =
        "//! What.\n\nfn a() {\n    // Why.\n    unsafe { b() }\n}\n\n#[cfg(test)]\nmod tests {\n    x\n}\n";
    assert_eq!(count(text), Count { lines: 3, unsafe_blocks: 1 });
}
