//! `ferry evidence`: what it writes is complete, the same each time, and right by the programs of others
//! (`sha256sum`). What it cannot write it names. What was changed afterwards is found. Nothing that is not
//! its own is lost.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.current_dir(directory).args(arguments).stdin(Stdio::null());
    // What the repository has compiled is not compiled again.
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    command.env("CARGO_BUILD_BUILD_DIR", build).env_remove("CARGO_TARGET_DIR");
    command
}

fn ferry(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeed(directory: &Path, arguments: &[&str]) -> String {
    let output = ferry(directory, arguments);
    assert!(output.status.success(), "{arguments:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// What a command says that must fail with this exit code.
fn fail(directory: &Path, arguments: &[&str], code: i32) -> [String; 2] {
    let output = ferry(directory, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?} {output:?}");
    [text(&output.stdout), text(&output.stderr)]
}

/// A new project in a directory of the checkout, so that its kernel is not built again.
fn project() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    succeed(directory.path(), &["new", "gateway"]);
    let project = directory.path().join("gateway");
    (directory, project)
}

/// All files below a directory, by their names.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(here: &Path, name: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(here).unwrap().map(Result::unwrap) {
            let name = format!("{name}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), files);
            } else {
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(directory, "", &mut files);
    files
}

fn json(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

/// Runs `sha256sum -c` with these sums in a directory.
fn sha256sum(directory: &Path, sums: &Path) {
    let mut check = Command::new("sha256sum");
    let output = check.arg("--check").arg("--strict").arg(sums).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The files of all evidence. Those of an image and of its tests are not among them.
const ALWAYS: [&str; 10] = [
    "SHA256SUMS",
    "description/flows.toml",
    "description/system.xml",
    "description/test.toml",
    "graph.svg",
    "index.md",
    "report.json",
    "report.txt",
    "times.json",
    "versions.json",
];

#[test]
fn evidence_is_complete_and_the_same_each_time() {
    let (_directory, project) = project();
    let said = succeed(&project, &["evidence", "--platform", "hosted", "one"]);
    assert!(said.contains("there is no inspect.txt: the hosted platform has no image"), "{said}");
    let one = files(&project.join("one"));
    let own = ["image/Cargo.lock", "image/hashes.json", "tests.json", "tests.txt"];
    let expected = ALWAYS.iter().chain(&own).copied();
    let missing: Vec<_> = expected.clone().filter(|name| !one.contains_key(*name)).collect();
    let more = one.keys().filter(|name| !expected.clone().any(|it| it == *name));
    let more: Vec<_> = more.filter(|name| !name.starts_with("planted-faults/")).collect();
    assert!(missing.is_empty() && more.is_empty(), "{missing:?} {more:?}");
    sha256sum(&project.join("one"), Path::new("SHA256SUMS"));
    succeed(&project, &["evidence", "--verify", "one"]);

    // What it says is what other commands say.
    assert_eq!(one["description/system.xml"], fs::read(project.join("system.xml")).unwrap());
    let of_copy = ["--system", "description/system.xml"];
    let again = |command: &[&str]| succeed(&project.join("one"), &[command, &of_copy].concat());
    assert_eq!(text(&one["graph.svg"]), again(&["graph"]));
    assert!(again(&["check"]).starts_with(&text(&one["report.txt"])), "{}", text(&one["report.txt"]));
    let report: Value = serde_json::from_str(&again(&["check", "--format", "json"])).unwrap();
    assert_eq!(json(&one, "report.json"), report);
    let tests = json(&one, "tests.json");
    let rows = tests["tests"].as_array().unwrap();
    assert_eq!((&tests["passed"], &tests["failed"]), (&Value::from(rows.len()), &Value::from(0)));
    assert_eq!(
        (&rows[0]["name"], &rows[0]["passed"]),
        (&"hosted::the_greeting_arrives".into(), &true.into())
    );
    let programs = &json(&one, "image/hashes.json")["programs"];
    let origin = |domain: &str| {
        let all = programs.as_array().unwrap().iter();
        let mut origins = all.filter(|program| program["domain"] == domain).map(|it| &it["origin"]);
        origins.next().unwrap().clone()
    };
    assert_eq!([origin("central"), origin("greeter")], ["ferry", "project"]);
    let versions = json(&one, "versions.json");
    assert_eq!(versions["ferry"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(versions["ferry"]["git"]["commit"].as_str().unwrap().len() >= 40, "{versions}");
    assert!(versions["rustc"][0].as_str().unwrap().starts_with("rustc "), "{versions}");
    let planted = text(&one["planted-faults/README.md"]);
    assert!(planted.contains("| transmit buffers are granted writable | `classic:t90`"), "{planted}");

    // Elsewhere, and in the place of earlier evidence.
    for place in ["../two", "one"] {
        succeed(&project, &["evidence", "--platform", "hosted", place]);
        let mut two = files(&project.join(place));
        assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
        two.retain(|name, contents| one[name] != *contents);
        assert!(two.keys().all(|name| ["SHA256SUMS", "times.json"].contains(&name.as_str())), "{two:?}");
    }
    // No run leaves anything behind, beside the directory or in the project.
    for directory in [&project, project.parent().unwrap(), &project.join("target/ferry")] {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("evidence-")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_failed_test_is_recorded_and_is_a_failure() {
    let (_directory, project) = project();
    let tests = "[[test]]\nname = \"never\"\nexpect = [\"listener | never\"]\nlimit_s = 2\n";
    fs::write(project.join("test.toml"), tests).unwrap();
    let [_, error] = fail(&project, &["evidence", "--platform", "hosted", "evidence"], 1);
    let says = "ferry: the evidence is in evidence, and it does not say that all is well: 1 test failed (tests.txt)\n";
    assert!(error.ends_with(says), "{error}");
    let files = files(&project.join("evidence"));
    let (results, index) = (text(&files["tests.txt"]), text(&files["index.md"]));
    assert!(results.starts_with("test hosted::never ... FAILED\n    the machine did not end"), "{results}");
    assert!(results.ends_with("0 passed, 1 failed\n"), "{results}");
    assert!(index.contains("What failed: **1 test failed (tests.txt)**"), "{index}");
    assert_eq!(json(&files, "tests.json")["tests"][0]["passed"], false);
    succeed(&project, &["evidence", "--verify", "evidence"]);
}

#[test]
fn the_image_of_the_guard_example_is_the_one_of_ferry_image() {
    let directory = tempfile::tempdir().unwrap();
    let (evidence, image) = (directory.path().join("evidence"), directory.path().join("image"));
    let system = ["--system", "examples/guard/system.xml", "--platform", "classic"];
    let on_classic = |command: &[&str], path: &Path| {
        succeed(&root(), &[&command[..1], &system, &command[1..], &[path.to_str().unwrap()]].concat())
    };
    on_classic(&["evidence"], &evidence);
    on_classic(&["image", "--output"], &image);
    sha256sum(&image, &evidence.join("image/SHA256SUMS"));
    let files = files(&evidence);
    let inspected = on_classic(&["inspect"], &image.join("system.elf"));
    assert_eq!(text(&files["inspect.txt"]), inspected);
    assert_eq!(json(&files, "tests.json")["passed"], 1);
    let hashes = json(&files, "image/hashes.json");
    let programs = hashes["programs"].as_array().unwrap();
    assert!(programs.iter().all(|program| program["rust_target"] == "x86_64-unknown-none"), "{hashes}");
    let report = text(&files["report.txt"]);
    assert!(report.contains("schema") && report.contains("description/system.xml:"), "{report}");
}

#[test]
fn what_a_machine_cannot_build_is_named() {
    let (directory, project) = project();
    // No SDK is there. Programs of Rust are found all the same.
    let home = directory.path().join("home");
    let of = |variable: &str, name: &str| {
        let given = std::env::var_os(variable).map(PathBuf::from);
        given.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(name))
    };
    let mut ferry = command(&project, &["evidence", "--platform", "microkit", "evidence"]);
    ferry.env("CARGO_HOME", of("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", of("RUSTUP_HOME", ".rustup"));
    let output = ferry.env("HOME", home).env_remove("MICROKIT_SDK").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = text(&output.stderr);
    assert!(said.contains("nothing was built, because no Microkit SDK was found"), "{said}");
    let files = files(&project.join("evidence"));
    let missing: Vec<_> = ALWAYS.iter().filter(|name| !files.contains_key(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let index = text(&files["index.md"]);
    for row in [
        "| `image/hashes.json` | no Microkit SDK was found; set MICROKIT_SDK |",
        "| `tests.json` | nothing was built |",
    ] {
        assert!(index.contains(row), "{index}");
    }
}

/// A directory that looks like evidence. Nothing was built for it.
fn made(directory: &Path) -> PathBuf {
    let made = directory.join("evidence");
    fs::create_dir_all(made.join("image")).unwrap();
    let mut sums = String::new();
    for name in ["image/hashes.json", "index.md", "versions.json"] {
        fs::write(made.join(name), "abc").unwrap();
        writeln!(sums, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  {name}").unwrap();
    }
    fs::write(made.join("SHA256SUMS"), sums).unwrap();
    made
}

#[test]
fn what_was_changed_is_missing_or_was_added_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let evidence = made(directory.path());
    let verify = ["evidence", "--verify", "evidence"];
    let said = succeed(directory.path(), &verify);
    assert_eq!(said, "evidence: 3 files, each as it was written, and nothing else\n");
    fs::write(evidence.join("index.md"), "abd").unwrap();
    fs::remove_file(evidence.join("image/hashes.json")).unwrap();
    fs::write(evidence.join("image/more"), "").unwrap();
    fs::create_dir(evidence.join("empty")).unwrap();
    let [said, error] = fail(directory.path(), &verify, 1);
    assert_eq!(said, "missing: image/hashes.json\nchanged: index.md\nadded: empty/\nadded: image/more\n");
    let says = "ferry: evidence is not as it was written, in 4 files; make the evidence again, or get it again from \
                who made it\n";
    assert_eq!(error, says);
    // A link is not the file that it leads to.
    let evidence = made(&directory.path().join("linked"));
    fs::rename(evidence.join("index.md"), directory.path().join("index.md")).unwrap();
    std::os::unix::fs::symlink(directory.path().join("index.md"), evidence.join("index.md")).unwrap();
    let [said, _] = fail(directory.path(), &["evidence", "--verify", "linked/evidence"], 1);
    assert_eq!(said, "changed: index.md\n");
}

#[test]
fn what_holds_no_evidence_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::create_dir(here.join("full")).unwrap();
    fs::write(here.join("full/file"), "mine").unwrap();
    fs::create_dir_all(here.join("damaged")).unwrap();
    fs::write(here.join("damaged/SHA256SUMS"), "abc  index.md\n").unwrap();
    let evidence = made(here);
    fs::write(evidence.join("notes.txt"), "mine").unwrap();
    let system = root().join("demo/system.xml");
    let write =
        |place: &str| fail(here, &["evidence", "--system", system.to_str().unwrap(), place], 1)[1].clone();
    for (place, message) in [
        ("full", "full is not empty and holds no evidence that `ferry evidence` wrote; name a new directory"),
        (
            "damaged",
            "damaged is not empty and holds no evidence that `ferry evidence` wrote; name a new directory",
        ),
        ("full/file", "full/file is no directory; name another one"),
        (
            "evidence",
            "evidence holds `notes.txt`, which is not of the evidence and would be lost; move it elsewhere, or name a \
             new directory",
        ),
    ] {
        assert_eq!(write(place), format!("ferry: {message}\n"));
    }
    let verify = |place: &str| fail(here, &["evidence", "--verify", place], 1)[1].clone();
    assert_eq!(
        verify("full"),
        "ferry: full holds no evidence: SHA256SUMS is missing; name a directory that `ferry evidence` wrote\n"
    );
    assert!(verify("damaged").starts_with("ferry: damaged/SHA256SUMS:1: this is no line of SHA-256 sums"));
    assert_eq!(fs::read(here.join("full/file")).unwrap(), b"mine");
    // Options that would change nothing are refused.
    let [_, error] = fail(here, &["evidence", "--verify", "--platform", "hosted", "evidence"], 2);
    assert!(error.contains("cannot be used with"), "{error}");
    let product = ["evidence", "--system", system.to_str().unwrap(), "--product", "new"];
    assert!(fail(here, &product, 2)[1].contains("only Microkit has images for use"));
}
