//! Calls inside the engine run one way: each file calls only files below its own in the list of `lib.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of the engine, as the list of `lib.rs` orders them, without `engine/` and `.rs`.
fn order(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source.join("lib.rs")).unwrap();
    let listed = text.lines().filter_map(|line| line.strip_prefix("//!   engine/")?.split_once(".rs"));
    listed.map(|(name, _)| name.to_owned()).collect()
}

/// All files of the engine with their text, by the name of the file in the list: the lanes below `express.rs`
/// count as that file, and so does what stands in for it.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let below = path.strip_prefix(directory).unwrap();
        let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
        let name = first.trim_end_matches(".rs").replace("no_express", "express");
        found.push((name, fs::read_to_string(&path).unwrap()));
    }
    found
}

/// The names of the methods of `Engine` in a file.
fn methods(text: &str) -> Vec<&str> {
    let blocks = text.split("\nimpl Engine {\n").skip(1).filter_map(|rest| rest.split("\n}\n").next());
    let lines = blocks.flat_map(str::lines).filter(|line| !line.trim_start().starts_with("//"));
    let names = lines.filter_map(|line| line.split_once("fn ").filter(|(before, _)| before.len() < 30));
    names.map(|(_, rest)| rest.split(['(', '<']).next().unwrap()).collect()
}

/// The names of the methods that a file calls on `self`.
fn calls(text: &str) -> Vec<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("self.").skip(1)).filter_map(called).collect()
}

/// The name at the beginning of `text`, if it is called.
fn called(text: &str) -> Option<&str> {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    let (name, rest) = text.split_at(end);
    (rest.starts_with('(') || rest.starts_with("::<")).then_some(name)
}

#[test]
fn calls_run_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (order, files) = (order(&source), files(&source.join("engine")));
    let rank = |name: &str| order.iter().position(|listed| listed == name);
    let mut defined = BTreeMap::new();
    for (name, text) in files.iter().filter(|(name, _)| name != "client") {
        let rank = rank(name).unwrap_or_else(|| panic!("the list of lib.rs lacks engine/{name}.rs"));
        defined.extend(methods(text).into_iter().map(|method| (method, rank)));
    }
    assert!(order.iter().all(|listed| files.iter().any(|(name, _)| name == listed)), "a file is gone");
    // The scan finds what it looks for.
    assert!(defined.len() > 150 && calls(&files[0].1).len() > 3);
    let mut upwards = Vec::new();
    for (name, text) in &files {
        for call in calls(text) {
            if let (Some(from), Some(to)) = (rank(name), defined.get(call))
                && *to < from
            {
                upwards.push(format!("engine/{name}.rs calls {call} of engine/{}.rs", order[*to]));
            }
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
}
