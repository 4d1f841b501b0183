//! Runs `ferry audit` as a user does, on logs that central's own writer has made.

use ferry_audit::{Line, Writer};
use ferry_layout::{AuditKind, AuditLog, AuditRecord, AuditSlot, Status};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Runs `ferry audit` in a directory without a system.
fn audit(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.current_dir(directory).arg("audit").args(arguments).output().unwrap()
}

/// What it prints, and what it says on standard error.
fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// The lines of a console on which a logger has printed five records.
fn console() -> Vec<String> {
    let slots: Vec<AuditSlot> = (0..8).map(|_| AuditSlot::default()).collect();
    let log = AuditLog::new(&slots).unwrap();
    let mut writer = Writer::resume(log);
    for tag in 1..5 {
        let status = Status::Denied as u8;
        let record =
            AuditRecord { source: 0, target: 1, tag, status, ..AuditRecord::of(AuditKind::SendRefused) };
        writer.append(record);
    }
    let records = (0..5).map(|number| format!("logger | {}", Line(&log.load(number))));
    ["sender | hello".to_owned()].into_iter().chain(records).collect()
}

fn written(lines: &[String]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("console.txt");
    fs::write(&file, lines.join("\n")).unwrap();
    (directory, file)
}

/// The digits after `newest: `.
fn newest(printed: &str) -> String {
    let (_, digits) = printed.split_once("newest: ").unwrap();
    digits.trim_end().to_owned()
}

#[test]
fn an_intact_log_says_what_it_holds_and_its_newest_hash() {
    let (directory, _) = written(&console());
    let output = audit(directory.path(), &["verify", "console.txt"]);
    let (printed, said) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(printed.starts_with("intact: 5 records, from number 0 to 4\nnewest: "), "{printed}");
    let newest = newest(&printed);
    let again = audit(directory.path(), &["verify", "--expect", &newest, "console.txt"]);
    assert_eq!(again.status.code(), Some(0));
    // The end is cut off.
    let (shorter, _) = written(&console()[..5]);
    let output = audit(shorter.path(), &["verify", "--expect", &newest, "console.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(texts(&output).0.contains("the last one is record 3: the end is missing"));
    // The log that goes on from there is another one.
    let output = audit(directory.path(), &["verify", "--after", &newest, "console.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(texts(&output).0.contains("begins with record 0"));
}

#[test]
fn what_was_done_to_a_log_is_said_with_the_number_of_the_record() {
    let found = |change: fn(&mut Vec<String>)| {
        let mut lines = console();
        change(&mut lines);
        let (directory, _) = written(&lines);
        let output = audit(directory.path(), &["verify", "console.txt"]);
        assert_eq!(output.status.code(), Some(1));
        let (printed, said) = texts(&output);
        assert!(said.starts_with("ferry: console.txt: this log is not what central wrote"), "{said}");
        printed
    };
    let changed = found(|lines| {
        let tag = lines[3].find("ferry-audit ").unwrap() + 12 + 2 * 8;
        lines[3].replace_range(tag..=tag, "f");
    });
    assert_eq!(changed, "record 2 was changed\n");
    assert!(found(|lines| drop(lines.remove(3))).starts_with("record 2 is missing: "));
    assert!(found(|lines| lines.swap(3, 4)).starts_with("record 3 stands where record 2 belongs\n"));
    assert!(found(|lines| lines[4].truncate(100)).starts_with("line 5: this is no whole record\n"));
}

#[test]
fn a_file_that_is_no_log_is_no_intact_log() {
    for (contents, words) in [("hello", "this is no audit log"), ("", "this is no audit log")] {
        let (directory, file) = written(&[contents.to_owned()]);
        let output = audit(directory.path(), &["verify", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(texts(&output).1.contains(words), "{:?}", texts(&output));
    }
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(audit(directory.path(), &["verify", "nowhere"]).status.code(), Some(1));
    assert_eq!(audit(directory.path(), &["verify", "--after", "00", "nowhere"]).status.code(), Some(2));
}

#[test]
fn records_are_shown_in_words_with_the_names_of_a_system() {
    let (directory, file) = written(&console());
    let (printed, _) = texts(&audit(directory.path(), &["show", "console.txt"]));
    assert!(printed.starts_with("0  start 1, tick 0: central started\n"), "{printed}");
    assert!(printed.contains("client 0 to client 1: a message of 0 bytes, tag 0x1, ended with Denied"));
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("demo");
    let (printed, said) = texts(&audit(&demo, &["show", file.to_str().unwrap()]));
    assert!(printed.contains("`sender` to `receiver`: a message"), "{printed}{said}");
}

#[test]
fn a_run_ends_with_a_line_about_the_audit_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = |project: &str, line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
        command.current_dir(root.join(project)).args(["run", "--platform", "hosted", "--limit", "60"]);
        // What the repository has compiled is not compiled again.
        command.env("CARGO_BUILD_BUILD_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap());
        command.env_remove("CARGO_TARGET_DIR").args(["--expect", line]);
        let output = command.output().unwrap();
        let (printed, said) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{printed}{said}");
        printed.lines().last().unwrap().to_owned()
    };
    let last = run("examples/guard", "logger | schema has refused 1");
    assert!(last.starts_with("audit log: intact, ") && last.ends_with(" records"), "{last}");
    // Without a log, nothing is said about one.
    let last = run("harness/guards", "sender | case 0 ended with Done");
    assert!(!last.contains("audit"), "{last}");
}
