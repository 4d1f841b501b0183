//! The crate `runtime` of every platform offers the names that `docs/runtime.md` describes, and no others.
//! That all of them have the names with the same types is shown by `harness/src/pd/runtime_names.rs`, which
//! is compiled for all platforms. Here the page, that program and the crates are compared by their text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Names that one platform has besides, for its own programs.
const BESIDES: [(&str, &str); 1] = [("microkit", "supervisor")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The name at the beginning of `text`.
fn name(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// The names in the first column of the page's tables: `` | `name` ``, or `` | `name!(…)` ``.
fn described() -> BTreeSet<String> {
    read("docs/runtime.md").lines().filter_map(|line| line.strip_prefix("| `")).map(name).collect()
}

/// What the program uses.
fn used() -> BTreeSet<String> {
    let program = read("harness/src/pd/runtime_names.rs");
    let code = program.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("runtime::").skip(1)).map(name).collect()
}

/// The public names of a source, but for macros, and for those that the documentation hides.
fn public(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = "";
    let mut rest = source;
    while let Some((line, after)) = rest.split_once('\n') {
        let is_hidden = before.trim() == "#[doc(hidden)]";
        if let Some(list) = line.strip_prefix("pub use ").filter(|_| !is_hidden) {
            // A list can have several lines.
            let list = format!("{list}{after}");
            let list = list.split(';').next().unwrap();
            let list = list.rsplit_once("::{").map_or(list.rsplit("::").next().unwrap(), |(_, list)| list);
            names.extend(list.split(',').map(|item| name(item.trim())));
        } else if let Some(item) =
            ["pub fn ", "pub mod "].iter().find_map(|kind| line.strip_prefix(kind)).filter(|_| !is_hidden)
        {
            names.push(name(item));
        }
        before = line;
        rest = after;
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What the `runtime` of a platform offers.
fn offered(platform: &str) -> BTreeSet<String> {
    let directory = PathBuf::from("platform").join(platform).join("runtime/src");
    let mut names: BTreeSet<String> = public(&read(directory.join("lib.rs"))).into_iter().collect();
    for entry in fs::read_dir(root().join(&directory)).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        // Macros are public wherever they are.
        let macros = source.split("#[macro_export]\nmacro_rules! ").skip(1);
        names.extend(macros.map(name));
    }
    for (of, besides) in BESIDES {
        assert!(of != platform || names.remove(besides), "{besides} is not there any more");
    }
    names
}

#[test]
fn the_page_describes_what_the_program_uses() {
    assert!(described().len() > 15, "the tables were found: {:?}", described());
    assert_eq!(described(), used());
}

#[test]
fn every_platform_offers_what_the_page_describes() {
    for platform in ["classic", "hosted", "microkit"] {
        assert_eq!(offered(platform), described(), "{platform}");
    }
}

/// The program is one of each platform's, so it is compiled for all of them.
#[test]
fn every_platform_compiles_the_program() {
    for platform in ["classic", "hosted", "microkit"] {
        let package = read(PathBuf::from("platform").join(platform).join("pds/Cargo.toml"));
        assert!(package.contains("harness/src/pd/runtime_names.rs"), "{platform}");
    }
}
