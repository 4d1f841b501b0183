//! What `ferry test` does when its output cannot be written. Each run builds with Cargo before that, which
//! may replace the program that is tested. So the runs are one after the other, in a file of their own.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the demo's tests on the hosted platform, which needs no emulator and no SDK.
fn test(output: impl Into<Stdio>, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ferry"))
        .args(["test", "--platform", "hosted", "--"])
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo"))
        .stdin(Stdio::null())
        .stdout(output)
        .output()
        .unwrap()
}

/// What it says on standard error, besides what it builds.
fn errors(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let lines = str::from_utf8(&output.stderr).unwrap().lines();
    lines.filter(|line| !line.starts_with("ferry: building ") && !line.contains("Finished `")).collect()
}

#[test]
fn no_error_of_writing_is_lost() {
    const LISTS: &[&str] = &["--list"];
    const RUNS: &[&str] = &["the_message"];
    for arguments in [LISTS, RUNS] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = errors(&test(full, arguments));
        assert!(error.contains("ferry: could not write to standard output: No space left"), "{error}");
    }
    for arguments in [LISTS, RUNS] {
        // The end of the pipe that could be read is closed at once.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let error = errors(&test(writer, arguments));
        assert!(!error.contains("ferry: ") && !error.contains("panicked"), "{error}");
    }
    for (log, says) in
        [("/dev/full", "could not write /dev/full"), ("/nowhere/log", "could not create /nowhere/log")]
    {
        let error = errors(&test(Stdio::piped(), &["--logfile", log, "the_message"]));
        assert!(error.contains(says) && !error.contains("panicked"), "{error}");
    }
    let written = test(Stdio::piped(), LISTS);
    assert!(written.status.success() && written.stdout.starts_with(b"hosted::"), "{written:?}");
}
