//! Does what docs/tutorial.md and docs/microkit.md say, in a fresh directory outside of the checkout.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The page as a script: its commands, and its files in place of those that it replaces.
fn script(page: &str) -> (String, usize) {
    let (mut script, mut commands) = (String::new(), 0);
    let mut file = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some((_, rest)) = line.split_once("Replace `")
            && let Some((path, _)) = rest.split_once("` by this:")
        {
            file = path;
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "sh" => {
                commands += block.len();
                script.extend(block.iter().map(|line| format!("{line}\n")));
            }
            "rust" | "toml" | "xml" => {
                assert!(!file.is_empty(), "no file for a block");
                write!(script, "cat > {file} <<'END'\n{}\nEND\n", block.join("\n")).unwrap();
                file = "";
            }
            // What the reader does once in a checkout, and in a Makefile.
            "console" | "make" => {}
            other => panic!("a block of {other}"),
        }
    }
    (script, commands)
}

/// Runs the commands of a page, of which there must be `expected`. Returns what they print.
fn follow(page: &str, expected: usize) -> String {
    let (script, commands) = script(page);
    assert_eq!(commands, expected);
    let directory = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_ferry")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    // What the repository has compiled is not compiled again.
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new("sh")
        .args(["-exc", &script])
        .current_dir(directory.path())
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("CARGO_BUILD_BUILD_DIR", build)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    said.into_owned()
}

#[test]
fn every_command_of_the_tutorial_works() {
    let said = follow(include_str!("../../docs/tutorial.md"), 11);
    assert!(said.contains("hosted::the_greeting_passes_the_filter ... ok"), "{said}");
}

#[test]
fn a_microkit_project_becomes_one_of_ferry() {
    let said = follow(include_str!("../../docs/microkit.md"), 3);
    assert!(said.contains("sensor -> logger"), "{said}");
}
