//! What the command line does with its output: where nothing can be written, where nobody reads, and where a
//! terminal would obey what a file says. No command panics, whatever happens to its output.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn ferry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo"))
        .stdin(Stdio::null());
    command
}

/// A device on which every write fails as on a full disk.
fn full_disk() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A directory for a description that is made by a test.
fn write(test: &str, system: &[u8], flows: &[u8]) -> [PathBuf; 2] {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&directory).unwrap();
    [("system.xml", system), ("flows.toml", flows)].map(|(name, contents)| {
        let path = directory.join(name);
        fs::write(&path, contents).unwrap();
        path
    })
}

fn check(test: &str, system: &[u8], flows: &[u8]) -> Output {
    let [system, flows] = write(test, system, flows);
    ferry(&["check", "--system"]).arg(system).arg("--flows").arg(flows).output().unwrap()
}

fn without_panic(error: &[u8]) -> String {
    let error = text(error);
    assert!(!error.contains("panicked"), "{error}");
    error
}

#[test]
fn a_full_disk_is_an_error() {
    for arguments in [
        &["check"][..],
        &["check", "--format", "json"],
        &["check", "--platform", "classic"],
        &["graph"],
        &["--help"],
        &["help", "run"],
        &["--version"],
        &["test", "--", "--help"],
    ] {
        let output = ferry(arguments).stdout(full_disk()).output().unwrap();
        let error = without_panic(&output.stderr);
        assert!(error.starts_with("ferry: could not write to standard output: "), "{arguments:?}: {error}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_news() {
    for arguments in [&["check"][..], &["check", "--format", "json"], &["graph"], &["--version"]] {
        // The end of the pipe that could be read is closed at once.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = ferry(arguments).stdout(writer).output().unwrap();
        assert_eq!(without_panic(&output.stderr), "");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_path_that_no_program_has_is_a_mistake() {
    let demo = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/system.xml")).unwrap();
    let flows = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/flows.toml")).unwrap();
    let [system, flows] =
        write("program", demo.replace("\"central.elf\"", "\"centrla.elf\"").as_bytes(), flows.as_bytes());
    for target in [&["classic"][..], &["hosted"], &["microkit", "--board", "qemu_virt_aarch64"]] {
        let mut command = ferry(&["check", "--platform"]);
        let output = command.args(target).arg("--system").arg(&system).arg("--flows").arg(&flows).output();
        let error = without_panic(&output.unwrap().stderr);
        assert!(error.contains("is called `centrla.elf`"), "{error}");
        assert!(error.contains("did you mean `central.elf`?"), "{error}");
    }
    // Without a platform it says so for each.
    let output = ferry(&["check", "--system"]).arg(&system).arg("--flows").arg(&flows).output().unwrap();
    let platforms = 2 + ferry_boards::MICROKIT.len();
    assert_eq!(text(&output.stdout).matches("is called `centrla.elf`").count(), platforms, "{output:?}");
}

#[test]
fn errors_that_cannot_be_printed_are_errors_still() {
    for arguments in [&["check", "--system", "nowhere.xml"][..], &["nothing"]] {
        let status = ferry(arguments).stdout(full_disk()).stderr(full_disk()).status().unwrap();
        assert!(status.signal().is_none(), "{status}");
        assert!(matches!(status.code(), Some(1 | 2)), "{status}");
    }
}

#[test]
fn a_file_that_is_not_utf8_is_named_with_the_place() {
    let output = check("not_utf8", b"<system>\n    <!-- \xc3\xa4 \xff -->\n</system>\n", b"");
    let error = without_panic(&output.stderr);
    assert!(
        error.ends_with(
            "system.xml:2:12: the byte 0xff is not UTF-8; save the file in UTF-8, or remove the byte\n"
        ),
        "{error}"
    );
}

#[test]
fn no_text_of_a_file_reaches_a_terminal_as_it_is() {
    let system = "<system>\n<memory_region name=\"\u{9b}31m\u{202e}x\" size=\"0x1000\" />\n</system>\n";
    let output = check("escapes", system.as_bytes(), "[\"\u{1b}\u{2066}\"]\n".as_bytes());
    let error = without_panic(&output.stderr);
    let is_harmful =
        |letter: char| letter.is_control() && letter != '\n' || "\u{202e}\u{2066}".contains(letter);
    assert!(!error.contains(is_harmful), "{error:?}");
    assert!(error.contains("bad_name"), "{error}");
}

#[test]
fn colours_are_for_terminals() {
    let output = check("colours", b"<system />", b"");
    assert!(!without_panic(&output.stderr).contains('\u{1b}'));
}

#[test]
fn numbers_agree_with_their_nouns() {
    let output = ferry(&["check"]).output().unwrap();
    let report = text(&output.stdout);
    assert!(report.ends_with("system.xml and flows.toml have no mistake: 2 clients, 1 flow\n"), "{report}");
    let output = check("nouns", b"<system />", b"");
    assert!(text(&output.stderr).contains("\nferry: 1 mistake; nothing was built;"), "{output:?}");
}

#[test]
fn options_that_a_platform_would_ignore_are_refused() {
    for (arguments, message) in [
        (
            ["--board", "x86_64_generic", "--platform", "classic"],
            "ferry: --board is for microkit only, and the platform is classic; leave it out, or add --platform \
             microkit\n",
        ),
        (
            ["--config", "release", "--platform", "hosted"],
            "ferry: --config is for microkit only, and the platform is hosted; leave it out, or add --platform \
             microkit\n",
        ),
        (
            ["--processors", "1", "--platform", "classic"],
            "ferry: --processors is for hosted only, and the platform is classic; leave it out, or add --platform \
             hosted\n",
        ),
    ] {
        // `check`, `self-test` and `bench` take a platform, a board and a configuration too.
        let commands: &[&str] = match arguments[0] {
            "--board" => &["run", "check", "self-test", "bench"],
            "--config" => &["run", "check", "self-test"],
            _ => &["run"],
        };
        for command in commands {
            let output = ferry(&[&[*command], &arguments[..]].concat()).output().unwrap();
            assert_eq!(
                (text(&output.stderr).as_str(), output.status.code()),
                (message, Some(2)),
                "{command}"
            );
        }
    }
}

#[test]
fn what_cannot_fill_a_region_is_said_before_anything_is_built() {
    let run = |file: &str| ferry(&["run", "--prefill", &format!("input={file}")]).output().unwrap();
    for (file, message) in [
        ("/dev/zero", "ferry: /dev/zero is a directory, a pipe or a device; name a file\n"),
        ("src", "ferry: src is a directory, a pipe or a device; name a file\n"),
        ("-dash", "ferry: -dash: there is no such file; name one that exists\n"),
        ("$(echo x)'\"", "ferry: $(echo x)'\": there is no such file; name one that exists\n"),
    ] {
        let output = run(file);
        assert_eq!((text(&output.stderr).as_str(), output.status.code()), (message, Some(1)));
    }
    let large = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large");
    File::create(&large).unwrap().set_len(225 << 20).unwrap();
    let error = text(&run(large.to_str().unwrap()).stderr);
    assert!(error.ends_with("has 235929600 bytes; a system on classic takes at most 224 MiB\n"), "{error}");
    let output = ferry(&["run", "--prefill", "inptu=system.xml"]).output().unwrap();
    assert_eq!(
        text(&output.stderr),
        "ferry: there is no memory region `inptu` to fill; name one of the system description's\n"
    );
}

#[test]
fn completions_and_manual_pages_are_those_of_the_arguments() {
    let bash = ferry(&["completions", "bash"]).output().unwrap();
    assert!(bash.status.success() && text(&bash.stdout).contains("--prefill"), "{bash:?}");
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    let made = ferry(&["man"]).arg(&pages).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    for page in ["ferry.1", "ferry-run.1", "ferry-add-client.1"] {
        let page = fs::read_to_string(pages.join(page)).unwrap();
        assert!(page.starts_with(".ie \\n(.g .ds Aq") && page.contains(".SH NAME"), "{page}");
    }
}
