//! No files of a package use each other in a circle: whoever reads one of them would have to read all of
//! them.
//!
//! A circle can be right, for example where data has a recursive form. Then the opening comment of one of its
//! files has a line of its own that names another one and the reason:
//!
//! ```text
//! //! Circle: `domain.rs`, because a child is a protection domain.
//! ```

use super::imports::{Uses, uses};
use super::{none, root};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The packages of which this holds.
const PACKAGES: [&str; 4] = ["central-pd", "description", "ferry", "harness"];

/// How the line begins that gives a reason.
const REASON: &str = "//! Circle: `";

/// All files that a file uses, and that these use, and so on.
fn reached<'a>(from: &'a Path, uses: &'a Uses) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        let used = uses.get(file).into_iter().flat_map(|used| used.keys());
        waiting.extend(used.map(PathBuf::as_path).filter(|used| reached.insert(*used)));
    }
    reached
}

/// The files that use each other in circles, in words: each circle once, with all uses within it.
fn circles(uses: &Uses) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for file in uses.keys() {
        let after = reached(file, uses);
        let circle: BTreeSet<&Path> =
            after.into_iter().filter(|other| reached(other, uses).contains(file.as_path())).collect();
        if circle.is_empty() || !seen.insert(circle.clone()) {
            continue;
        }
        let mut words = format!("a circle of {} files", circle.len());
        for user in &circle {
            for (used, names) in uses[*user].iter().filter(|(used, _)| circle.contains(used.as_path())) {
                let names = names.iter().cloned().collect::<Vec<_>>().join(", ");
                write!(words, "\n  {} uses {}: {names}", user.display(), used.display()).unwrap();
            }
        }
        circles.push(words);
    }
    circles
}

/// Takes out the uses for which a file gives a reason, and lists the reasons that nothing needs.
fn excuse(uses: &mut Uses) -> Vec<String> {
    let whole = uses.clone();
    let mut needless = Vec::new();
    for (user, of_user) in uses {
        let text = fs::read_to_string(user).unwrap();
        let opening = text.lines().take_while(|line| line.starts_with("//!"));
        for name in opening.filter_map(|line| line.strip_prefix(REASON)?.split('`').next()) {
            let used = user.with_file_name(name);
            let is_circle = reached(&used, &whole).contains(user.as_path());
            if of_user.remove(&used).is_none() || !is_circle {
                needless.push(format!("{}: there is no circle with {name}", user.display()));
            }
        }
    }
    needless
}

/// What is wrong with the files below a directory.
fn offences(src: &Path) -> Vec<String> {
    let mut uses = uses(src);
    let mut offences = excuse(&mut uses);
    offences.extend(circles(&uses));
    let directory = format!("{}/", root().display());
    offences.iter().map(|offence| offence.replace(&directory, "")).collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let sources = PACKAGES.map(|package| root().join(package).join("src"));
    let offences: Vec<String> = sources.iter().flat_map(|src| offences(src)).collect();
    none(
        &offences,
        "move what the files share into one below them, or say why not: //! Circle: `FILE`, because …",
    );
}

/// The offences in a library of these files.
fn in_library(files: &[(&str, &str)]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let prefix = format!("{}/", directory.path().display());
    offences(directory.path()).iter().map(|offence| offence.replace(&prefix, "")).collect()
}

#[test]
fn a_circle_is_found_however_the_names_are_written() {
    for (text, written) in [
        ("use crate::a::One; struct Two(One);", "crate::a::One"),
        ("struct Two(super::a::One);", "super::a::One"),
        ("use crate::a; struct Two(a::One);", "a::One"),
        ("use super::One; struct Two(One);", "super::One"),
        ("fn two() { use crate::{a::{self as first}}; first::one(); }", "first::one"),
        ("fn two() { println!(\"{}\", crate::a::one()); }", "crate::a::one"),
        ("#[error(\"{}\", crate::a::one())] struct Two;", "crate::a::one"),
        ("mod inner { use super::super::a::*; }", "super::super::a"),
    ] {
        let text = text.to_owned() + "pub fn two() {}";
        let found = in_library(&[
            ("lib.rs", "mod a; mod b; pub use a::One;"),
            ("a.rs", "pub struct One; pub fn one() { crate::b::two() }"),
            ("b.rs", &text),
        ]);
        let expected =
            format!("a circle of 2 files\n  a.rs uses b.rs: crate::b::two\n  b.rs uses a.rs: {written}");
        assert_eq!(found, [expected], "{text}");
    }
}

#[test]
fn what_a_parent_defines_and_a_child_uses_is_a_circle_only_if_the_parent_uses_the_child() {
    let child = ("a/child.rs", "use super::One; pub struct Child(One);");
    for (parent, is_circle) in [
        ("mod child; pub struct One;", false),
        ("mod child; pub use child::Child; pub struct One;", false),
        ("mod child; pub use child::*; pub struct One;", false),
        ("mod child; pub struct One; pub(in crate::a) fn make() {}", false),
        ("mod child; pub use child::Child; pub struct One; fn make() -> Option<Child> { None }", true),
        ("mod child; pub struct One; fn make() -> Option<child::Child> { None }", true),
        ("mod child; use child::Child; pub struct One;", true),
        ("mod child; pub struct One; #[cfg(test)] mod tests { use super::child::Child; }", false),
    ] {
        for name in ["a.rs", "a/mod.rs"] {
            let found = in_library(&[("lib.rs", "mod a;"), (name, parent), child]);
            assert_eq!(!found.is_empty(), is_circle, "{parent} {found:?}");
        }
    }
}

#[test]
fn a_circle_may_have_a_reason_and_a_reason_must_have_a_circle() {
    let library = ("lib.rs", "mod a; mod b;");
    let b = ("b.rs", "pub struct Two(Box<crate::a::One>);");
    let reason = "//! One.\n//!\n//! Circle: `b.rs`, because it is a tree.\n";
    let with = |text: &str| in_library(&[library, ("a.rs", &format!("{reason}{text}")), b]);
    assert_eq!(with("pub struct One(crate::b::Two);"), [""; 0]);
    assert_eq!(with("pub struct One;"), ["a.rs: there is no circle with b.rs"]);
    // A comment further below is not the opening one.
    let below = format!("pub struct One(crate::b::Two);\nmod below {{\n{reason}}}\n");
    assert_eq!(in_library(&[library, ("a.rs", &below), b]).len(), 1);
}
