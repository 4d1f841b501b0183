//! Tests of the repository itself. Comments and documents are wrapped like code. Every file and every package
//! says what it is. No file names a path of somebody's machine. No files use each other in a circle. The
//! tests look at all files that Git tracks or would track.

mod circles;
mod imports;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The width of a line: of code, as in `rustfmt.toml`, and of comments and documents.
const COLUMNS: usize = 110;

/// A text file. `path` is relative to the root of the repository.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn has_extension(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|found| found == extension)
    }

    fn is_named(&self, name: &str) -> bool {
        self.path.file_name().is_some_and(|found| found == name)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// All text files. Symbolic links are skipped, because their targets are in the list as well.
fn files() -> Vec<File> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().expect("git can be started");
    assert!(output.status.success(), "this is a checkout: {}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).expect("names of files are text");
    let paths = paths.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
    let paths = paths.filter(|path| root().join(path).symlink_metadata().is_ok_and(|what| what.is_file()));
    let read = |path: PathBuf| Some(File { text: fs::read_to_string(root().join(&path)).ok()?, path });
    let files: Vec<File> = paths.filter_map(read).collect();
    assert!(files.len() > 100, "the list of files is the repository's");
    files
}

/// Fails if there are `offences`, and lists them, one on each line.
fn none(offences: &[String], remedy: &str) {
    assert!(offences.is_empty(), "{remedy}:\n{}", offences.join("\n"));
}

/// Words of which code for one architecture has at least one.
const OF_AN_ARCHITECTURE: [&str; 4] = ["target_arch", "Riscv64", "RISCV64", "\"riscv64"];

#[test]
fn the_page_about_ports_names_all_code_for_an_architecture() {
    let page = include_str!("../../../docs/porting.md");
    let (_, section) = page.split_once("## An architecture\n").expect("the section is there");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let places: Vec<&Path> = rows.map(Path::new).collect();
    // Platforms for one architecture alone, and tests.
    let others = ["platform/classic", "platform/hosted", "harness", "ferry/tests", "platform/boards/tests"];
    let mut found = BTreeSet::new();
    let mut missing = Vec::new();
    for File { path, text } in files().iter().filter(|file| file.has_extension("rs")) {
        if others.iter().any(|other| path.starts_with(other))
            || !OF_AN_ARCHITECTURE.iter().any(|word| text.contains(word))
        {
            continue;
        }
        match places.iter().find(|place| path.starts_with(place)) {
            Some(place) => drop(found.insert(*place)),
            None => missing.push(path.display().to_string()),
        }
    }
    none(&missing, "name these files in docs/porting.md");
    let stale = places.iter().filter(|place| !found.contains(*place));
    let stale: Vec<String> = stale.map(|place| place.display().to_string()).collect();
    none(&stale, "nothing there is for one architecture; remove these rows from docs/porting.md");
}

/// Whether a line is too wide although it could be broken. A long link or name has no space to break at.
fn is_too_wide(line: &str) -> bool {
    let start = line.len() - line.trim_start_matches(|letter| " /!#*-".contains(letter)).len();
    let mut letters = line.char_indices();
    match letters.nth(COLUMNS) {
        None => false,
        Some((limit, _)) => line.get(start..=limit).is_none_or(|words| words.trim_end().contains(' ')),
    }
}

/// The lines of a file that are prose, with their numbers. In C these are all: no tool breaks its code.
fn prose(file: &File) -> Vec<(usize, &str)> {
    if file.has_extension("c") || file.has_extension("h") {
        return (1..).zip(file.text.lines()).collect();
    }
    let is_markdown = file.has_extension("md");
    let marker = if file.has_extension("rs") { "//" } else { "#" };
    let mut in_code = false;
    let is_prose = |line: &str| {
        let text = line.trim_start().trim_start_matches(['/', '!', '#']).trim_start();
        if text.starts_with("```") {
            in_code = !in_code;
            return false;
        }
        // A row of a table cannot be broken.
        !in_code && !text.starts_with('|') && (is_markdown || line.trim_start().starts_with(marker))
    };
    let mut is_prose = is_prose;
    (1..).zip(file.text.lines()).filter(|(_, line)| is_prose(line)).collect()
}

#[test]
fn comments_and_documents_are_wrapped_like_code() {
    let is_read = |file: &File| {
        ["rs", "c", "h", "toml", "md", "sh", "py"].iter().any(|extension| file.has_extension(extension))
            || file.is_named("Makefile")
    };
    let mut offences = Vec::new();
    for file in files().iter().filter(|file| is_read(file)) {
        let wide = prose(file).into_iter().filter(|(_, line)| is_too_wide(line));
        offences.extend(wide.map(|(number, _)| format!("{}:{number}", file.path.display())));
    }
    none(&offences, "wrap these lines at 110 columns");
}

/// The names that links within a document have for its headings: as GitHub makes them.
fn anchors(document: &str) -> Vec<String> {
    let headings = document.lines().filter(|line| line.starts_with('#'));
    let is_kept = |letter: &char| letter.is_alphanumeric() || "-_ ".contains(*letter);
    let anchor = |line: &str| -> String {
        line.trim_start_matches('#').trim().to_lowercase().chars().filter(is_kept).collect()
    };
    headings.map(|line| anchor(line).replace(' ', "-")).collect()
}

#[test]
fn links_of_documents_lead_somewhere() {
    let mut offences = Vec::new();
    let mut to_headings = 0;
    for file in files().iter().filter(|file| file.has_extension("md")) {
        let links = file.text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (link, _) in links.filter(|(link, _)| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, name)| (path, Some(name)));
            let directory = root().join(file.path.parent().unwrap());
            let target = if path.is_empty() { root().join(&file.path) } else { directory.join(path) };
            let is_there = match anchor {
                None => target.exists(),
                Some(anchor) => {
                    to_headings += 1;
                    fs::read_to_string(&target).is_ok_and(|text| anchors(&text).iter().any(|it| it == anchor))
                }
            };
            if !is_there {
                offences.push(format!("{}: {link}", file.path.display()));
            }
        }
    }
    none(&offences, "correct these links");
    assert!(to_headings > 20, "{to_headings} links to headings were found");
}

#[test]
fn every_source_opens_with_what_it_is() {
    let sources = files();
    let is_silent = |file: &&File| {
        file.has_extension("rs") && !file.text.starts_with("//!")
            || file.has_extension("py") && !file.text.starts_with("\"\"\"")
    };
    let silent = sources.iter().filter(is_silent);
    let silent: Vec<String> = silent.map(|file| file.path.display().to_string()).collect();
    none(&silent, "begin these files with a comment `//!` or a docstring that says what they are");
}

#[test]
fn every_package_says_what_it_is() {
    let sources = files();
    let says = |directory: &Path| {
        let opens = |name: &str, with: &str| {
            sources.iter().any(|file| file.path == directory.join(name) && file.text.starts_with(with))
        };
        // A package whose programs all lie elsewhere has no source file that could say it.
        opens("README.md", "# ")
            || opens("src/lib.rs", "//!")
            || opens("src/main.rs", "//!")
            || opens("Cargo.toml", "#")
    };
    let packages =
        sources.iter().filter(|file| file.is_named("Cargo.toml") && file.text.contains("[package]\n"));
    let silent = packages.filter_map(|file| file.path.parent()).filter(|directory| !says(directory));
    let silent: Vec<String> = silent.map(|directory| directory.display().to_string()).collect();
    none(&silent, "give these packages a README.md, or an opening comment");
}

#[test]
fn no_file_names_a_place_on_a_machine() {
    // These are put together here, so that this file does not contain them.
    let places = ["home", "root", "Users", "work"].map(|name| format!("/{name}/"));
    let mut offences = Vec::new();
    for file in files() {
        let named = (1..).zip(file.text.lines()).filter(|(_, line)| {
            places.iter().any(|place| {
                let begins = |at: usize| {
                    !line[..at]
                        .ends_with(|letter: char| letter.is_alphanumeric() || "./_-}>".contains(letter))
                };
                line.match_indices(place.as_str()).any(|(at, _)| begins(at))
            })
        });
        offences.extend(named.map(|(number, _): (usize, _)| format!("{}:{number}", file.path.display())));
    }
    none(&offences, "write these paths from the repository's root, or from $HOME");
}

/// A library of which the manifest says that it has no unit tests is not compiled for any.
#[test]
fn a_library_whose_unit_tests_are_not_run_has_none() {
    let files = files();
    let untested = |file: &&File| {
        let manifest: Option<toml::Table> = file.is_named("Cargo.toml").then(|| file.text.parse().unwrap());
        manifest.is_some_and(|it| it.get("lib").and_then(|lib| lib.get("test")) == Some(&false.into()))
    };
    let sources: Vec<PathBuf> =
        files.iter().filter(untested).map(|manifest| manifest.path.with_file_name("src")).collect();
    assert!(sources.len() > 3, "{sources:?}");
    let has_tests = |file: &&File| {
        sources.iter().any(|source| file.path.starts_with(source)) && file.text.contains("#[test]")
    };
    let offences: Vec<String> =
        files.iter().filter(has_tests).map(|file| file.path.display().to_string()).collect();
    none(&offences, "remove `test = false` from these packages' manifests");
}

/// A package that only some commands give a feature is compiled once with it and once without, and so is all
/// that depends on it.
#[test]
fn dependencies_have_the_same_features_in_tests_as_elsewhere() {
    let features = |edges: &str| -> BTreeSet<String> {
        let cargo = std::env::var_os("CARGO").unwrap();
        let mut tree = Command::new(cargo);
        tree.args(["tree", "--prefix", "none", "--format", "{p} [{f}]", "--edges", edges]);
        let output = tree.current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8(output.stdout).unwrap();
        tree.lines()
            .map(|line| line.trim_end_matches(" (*)").to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    };
    let (programs, tests) = (features("normal,build"), features("normal,build,dev"));
    let different: Vec<String> = programs.difference(&tests).cloned().collect();
    none(&different, "name the features that tests need of these packages where they are always needed");
}

#[test]
fn a_line_is_too_wide_only_if_it_can_be_broken() {
    let words = "word ".repeat(30);
    assert!(is_too_wide(&format!("// {words}")));
    assert!(!is_too_wide(&format!("// {}", "w".repeat(200))));
    assert!(!is_too_wide(&format!("// {}", &words[..COLUMNS - 4])));
    // Columns count characters, not bytes.
    assert!(!is_too_wide(&format!("// {}", "ä ".repeat(50))));
}
