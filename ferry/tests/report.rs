//! Runs `ferry check` and `ferry graph` as a user does: on the demo, on a description with a mistake, and on
//! text that is hostile to a drawing.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs the command line in a directory with a `system.xml` and a `flows.toml`.
fn ferry(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.current_dir(directory).args(arguments).output().unwrap()
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A directory with the description of a fixture that has a path, and with an entry that trusts a domain.
fn trusting(fixture: &str, domain: &str, reason: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let fixture = root().join("description/tests/paths").join(fixture);
    fs::copy(fixture.join("system.xml"), directory.path().join("system.xml")).unwrap();
    let flows = fs::read_to_string(fixture.join("flows.toml")).unwrap();
    let flows = format!("{flows}\n[[trusted]]\ndomain = \"{domain}\"\nreason = '''{reason}'''\n");
    fs::write(directory.path().join("flows.toml"), flows).unwrap();
    directory
}

#[test]
fn the_picture_of_the_readme_is_that_of_the_demo() {
    let drawn = text(ferry(&root().join("demo"), &["graph"]));
    let is_same = fs::read_to_string(root().join("docs/ferry.svg")).unwrap() == drawn;
    assert!(is_same, "`make graph` draws docs/ferry.svg again");
}

#[test]
fn a_drawing_is_the_same_each_time_and_shows_who_is_trusted() {
    let directory = trusting("third_domain_shares_with_both", "logger", "it adds");
    let drawn = text(ferry(directory.path(), &["graph"]));
    assert_eq!(drawn, text(ferry(directory.path(), &["graph"])));
    let document = roxmltree::Document::parse(&drawn).unwrap();
    let elements = || document.descendants().filter(roxmltree::Node::is_element);
    let of_class =
        |class: &str| elements().filter(|element| element.attribute("class") == Some(class)).count();
    assert_eq!((of_class("box central"), of_class("box client"), of_class("box trusted")), (1, 2, 1));
    assert_eq!((of_class("box region"), of_class("link path"), of_class("flow")), (2, 4, 1));
    let texts: Vec<&str> = elements().filter_map(|element| element.text()).collect();
    assert!(texts.contains(&"`logger` is trusted, carries nothing: it adds"), "{texts:?}");
    assert!(texts.iter().any(|text| text.ends_with("`alice` writes `in_log` (system.xml:30)")), "{texts:?}");
}

#[test]
fn the_report_lists_the_partitions() {
    let project = root().join("harness/schedule");
    let shown = text(ferry(&project, &["check"]));
    let partitions = "\
partitions: central serves each only in its own time slots after those of it
  low: low; `low-begins` announces its time slots
  high: high, noise-a, noise-b; `high-begins` announces its time slots
";
    assert!(shown.contains(partitions), "{shown}");
    let json: Value = serde_json::from_str(&text(ferry(&project, &["check", "--format", "json"]))).unwrap();
    let clients = |partition: usize| json["report"]["partitions"][partition]["clients"].clone();
    assert_eq!(
        [clients(0), clients(1)],
        [serde_json::json!(["low"]), serde_json::json!(["high", "noise-a", "noise-b"])]
    );
    let drawn = text(ferry(&project, &["graph"]));
    assert!(drawn.contains("announcer, priority 230"), "{drawn}");
    assert!(!text(ferry(&root().join("demo"), &["check"])).contains("partitions"));
}

#[test]
fn no_text_of_a_file_becomes_markup() {
    let reason = "</text><script>\u{202e}&\"\\";
    let directory = trusting("server_that_both_call", "server", reason);
    let drawn = text(ferry(directory.path(), &["graph"]));
    let document = roxmltree::Document::parse(&drawn).unwrap();
    assert!(document.descendants().all(|node| node.tag_name().name() != "script"));
    assert!(!drawn.contains('\u{202e}'));
    let shown = text(ferry(directory.path(), &["check"]));
    assert!(!shown.contains('\u{202e}'), "{shown}");
}

#[test]
fn the_same_is_drawn_for_graphviz() {
    let directory = trusting("server_that_both_call", "server", "it adds");
    let output = directory.path().join("graph.dot");
    let arguments = ["graph", "--format", "dot", "--output", output.to_str().unwrap()];
    assert_eq!(text(ferry(directory.path(), &arguments)), "");
    let drawn = fs::read_to_string(output).unwrap();
    assert!(drawn.starts_with("digraph ferry {\n") && drawn.ends_with("}\n"), "{drawn}");
    let call = "[label=\"`alice` calls `server` (system.xml:52)\", color=\"#b91c1c\"];";
    assert!(drawn.contains(call), "{drawn}");
}

#[test]
fn a_hint_is_printed_and_refuses_nothing() {
    let fixture = root().join("description/tests/fixtures/valid");
    let said = text(ferry(&fixture, &["check"]));
    let hints: Vec<&str> = said.lines().filter(|line| line.starts_with("hint: ")).collect();
    let [hint] = hints[..] else { panic!("{said}") };
    assert!(
        hint.contains("flows.toml:4: `alice` to `bob`: a message of 65536 bytes takes 16 maps"),
        "{hint}"
    );
    assert!(said.ends_with("have no mistake: 2 clients, 1 flow\n"), "{said}");
}

#[test]
fn a_system_whose_programs_nobody_has_cannot_be_built_anywhere_yet() {
    let nowhere = "so it cannot be built anywhere yet";
    let fixture = root().join("description/tests/fixtures/valid");
    let said = text(ferry(&fixture, &["check"]));
    assert!(said.contains(nowhere) && !said.contains("can be built for"), "{said}");
    // With a platform, that is a mistake.
    assert_eq!(ferry(&fixture, &["check", "--platform", "classic"]).status.code(), Some(1));
    assert!(!text(ferry(&root().join("demo"), &["check"])).contains(nowhere));
}

#[test]
fn a_program_gets_the_report_or_the_mistakes() {
    let verdict = |output: &Output| -> Value { serde_json::from_slice(&output.stdout).unwrap() };
    let right = ferry(&root().join("demo"), &["check", "--format", "json"]);
    assert!(right.status.success());
    let right = verdict(&right);
    assert_eq!((&right["version"], &right["mistakes"]), (&Value::from(1), &Value::Array(Vec::new())));
    let report = &right["report"];
    assert_eq!(report["flows"][0]["from"], "sender");
    assert_eq!(report["access"][0]["permissions"], "r");
    assert_eq!(report["influences"][1]["what"], "`central` signals `ticker`");

    let fixture = root().join("description/tests/fixtures/wrong_size");
    let wrong = ferry(&fixture, &["check", "--format", "json"]);
    assert_eq!(wrong.status.code(), Some(1));
    let wrong = verdict(&wrong);
    assert_eq!(wrong["report"], Value::Null);
    let mistake = &wrong["mistakes"][0];
    assert_eq!((&mistake["rule"], &mistake["line"]), (&Value::from("wrong_size"), &Value::from(7)));
    assert_eq!(mistake["remedy"], "write size=\"0x3000\"");
}
