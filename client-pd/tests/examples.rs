//! Every public function of the library has an example, which the documentation shows and the tests run.

use std::fs;
use std::path::Path;

/// Whether a line begins a public function, or another entry point: a trait or a macro.
fn begins_entry_point(line: &str) -> bool {
    let item = line.trim_start();
    ["pub fn ", "pub const fn ", "pub unsafe fn ", "pub trait ", "macro_rules! "]
        .iter()
        .any(|start| item.starts_with(start))
}

#[test]
fn every_entry_point_has_an_example() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lacking = Vec::new();
    let mut examples = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let Ok(source) = fs::read_to_string(&path) else { continue };
        // What documents the item that follows.
        let (mut has_example, mut is_hidden) = (false, false);
        for line in source.lines() {
            let text = line.trim_start();
            if text.starts_with("///") {
                has_example |= text == "/// ```";
            } else if text.starts_with("#[") {
                is_hidden |= text == "#[doc(hidden)]";
            } else {
                if begins_entry_point(line) && !is_hidden {
                    examples += usize::from(has_example);
                    if !has_example {
                        lacking.push(format!("{}: {text}", path.display()));
                    }
                }
                (has_example, is_hidden) = (false, false);
            }
        }
    }
    assert!(lacking.is_empty(), "give these an example:\n{}", lacking.join("\n"));
    assert!(examples > 50, "the entry points were found: {examples}");
}
