//! `ferry new`: a project outside of the checkout, which builds, runs and passes its test, also with more
//! clients; and what it refuses.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.current_dir(directory).args(arguments).stdin(Stdio::null());
    // What the repository has compiled is not compiled again.
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    command.env("CARGO_BUILD_BUILD_DIR", build);
    command.env_remove("CARGO_TARGET_DIR");
    command
}

fn ferry(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn ten_added_clients_and_one_in_c_exchange_messages() {
    // In the checkout, so that its kernel is not built again.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let project = directory.path().join("crowd");
    let succeed = |here: &Path, arguments: &[&str]| {
        let output = ferry(here, arguments);
        assert!(output.status.success(), "{arguments:?}\n{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    succeed(directory.path(), &["new", "crowd"]);
    let names: Vec<String> = (0..10).map(|number| format!("node-{number}")).collect();
    for (name, template) in names.iter().zip(["sender", "receiver"].iter().cycle()) {
        succeed(&project, &["add", "client", name, "--template", template]);
    }
    succeed(&project, &["add", "client", "mirror", "--template", "echo"]);
    succeed(&project, &["add", "client", "recorder", "--lang", "c", "--template", "receiver"]);
    assert!(project.join("c/recorder.c").is_file());
    // Each sender greets the receivers on both sides of it, in a ring.
    let mut expected = Vec::new();
    for sender in (0..10).step_by(2) {
        for receiver in [(sender + 1) % 10, (sender + 9) % 10] {
            succeed(&project, &["add", "flow", &names[sender], &names[receiver]]);
            expected.push(format!("{} | 17 bytes from {}", names[receiver], names[sender]));
        }
    }
    // A client in Rust and one in C, in one system.
    succeed(&project, &["add", "flow", "node-0", "recorder"]);
    expected.push("recorder | 17 bytes from node-0".to_owned());
    let expected: Vec<&str> = expected.iter().flat_map(|line| ["--expect", line]).collect();
    for platform in ["hosted", "classic"] {
        let run = [&["run", "--platform", platform, "--limit", "120"], &expected[..]].concat();
        let output = ferry(&project, &run);
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{said}{errors}");
        assert_eq!(said.matches(" | 17 bytes from node-").count(), expected.len() / 2);
        // Whoever starts from a template starts without a warning.
        assert!(!errors.contains("warning"), "{errors}");
    }
}

/// A guard in each language passes the greeting as its template is, and its own test passes on this machine.
#[test]
fn guards_from_templates_let_the_greeting_through() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let project = directory.path().join("guarded");
    let succeed = |mut command: Command| {
        let output = command.output().unwrap();
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{command:?}\n{said}{errors}");
        // Whoever starts from a template starts without a warning.
        assert!(!errors.contains("warning"), "{errors}");
        said
    };
    succeed(command(directory.path(), &["new", "guarded"]));
    succeed(command(&project, &["add", "guard", "form", "--flow", "greeter:listener"]));
    succeed(command(&project, &["add", "guard", "form-in-c", "--flow", "greeter:listener", "--lang", "c"]));
    // Before anything is built.
    let source = fs::read_to_string(project.join("c/form-in-c.c")).unwrap();
    let lines: Vec<&str> = source.lines().filter_map(|line| line.strip_prefix("//     ")).collect();
    assert!(lines.iter().any(|line| line.contains("gcc")), "it says how it is tested: {lines:?}");
    let mut shell = Command::new("sh");
    shell.current_dir(&project).args(["-e", "-c", &lines.join("\n")]);
    succeed(shell);

    let line = "listener | 18 bytes from greeter";
    let said =
        succeed(command(&project, &["run", "--platform", "hosted", "--expect", line, "--limit", "120"]));
    assert!(said.contains(line), "{said}");

    let mut cargo = Command::new(env!("CARGO"));
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    cargo
        .current_dir(&project)
        // In the profile of what was compiled before, so that only the guard and its test are compiled.
        .args(["test", "--quiet", "--release", "--bin", "form"])
        .env("CARGO_BUILD_BUILD_DIR", build)
        .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only")
        .env("CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_DEBUG", "line-tables-only")
        .env("CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_OVERFLOW_CHECKS", "true");
    cargo.env_remove("CARGO_TARGET_DIR");
    assert!(succeed(cargo).contains("1 passed"), "its test has run");
}

/// A list of tests, and a filter that selects none, need no build of anything.
#[test]
fn tests_are_listed_without_a_build() {
    let directory = tempfile::tempdir().unwrap();
    assert!(ferry(directory.path(), &["new", "listed"]).status.success());
    let project = directory.path().join("listed");
    let list = ferry(&project, &["test", "--", "--list"]);
    assert!(list.status.success(), "{}", text(&list.stderr));
    for platform in ["classic", "hosted"] {
        let line = format!("{platform}::the_greeting_arrives: test");
        assert!(text(&list.stdout).contains(&line), "{}", text(&list.stdout));
    }
    let none = ferry(&project, &["test", "--", "no_such_test"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("no_such_test"), "{}", text(&none.stderr));
    assert!(!project.join("target").exists(), "{}{}", text(&list.stderr), text(&none.stderr));
}

/// Where nothing can be written, nothing is built.
#[test]
fn an_output_that_cannot_be_written_is_refused_before_the_build() {
    let directory = tempfile::tempdir().unwrap();
    assert!(ferry(directory.path(), &["new", "full"]).status.success());
    let project = directory.path().join("full");
    for command in ["image", "library"] {
        let output = ferry(&project, &[command, "--output", "system.xml/below"]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.starts_with("ferry: could not write into system.xml/below: Not a directory"),
            "{error}"
        );
    }
    assert!(!project.join("target").exists());
}

#[test]
fn a_new_project_runs_and_passes_its_test() {
    let directory = tempfile::tempdir().unwrap();
    let made = ferry(directory.path(), &["new", "my gateway/my-gateway"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let next = "next: cd 'my gateway/my-gateway', then `ferry run` and `ferry test`\n";
    assert!(text(&made.stdout).ends_with(next), "{}", text(&made.stdout));
    let project = directory.path().join("my gateway/my-gateway");
    // From a directory below the project, whose path has a blank.
    let below = project.join("src/bin");
    let check = ferry(&below, &["check", "--platform", "hosted"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    let test = ferry(&below, &["test", "--platform", "hosted"]);
    assert!(test.status.success(), "{}{}", text(&test.stdout), text(&test.stderr));
    assert!(text(&test.stdout).contains("hosted::the_greeting_arrives ... ok"), "{}", text(&test.stdout));

    let line = "listener | 18 bytes from greeter";
    let run = |more: &[&str]| ferry(&project, &[&["run", "--platform", "hosted"], more].concat());
    let seen = run(&["--expect", line, "--limit", "60"]);
    assert!(seen.status.success() && text(&seen.stdout).contains(line), "{}", text(&seen.stderr));
    // Nobody ends this system, and a limit that no clock can hold is none.
    let unseen = run(&["--expect", "listener | no such line", "--limit", "2"]);
    assert_eq!(unseen.status.code(), Some(124), "{}", text(&unseen.stderr));
    let seen = run(&["--expect", line, "--limit", "18446744073709551615"]);
    assert!(seen.status.success(), "{}", text(&seen.stderr));
    // A reader that goes away ends the run, although this system never ends itself.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let unread = command(&project, &["run", "--platform", "hosted"]).stdout(writer).status().unwrap();
    assert_eq!(unread.code(), Some(1));
    // Two at a time.
    std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(|| run(&["--expect", line, "--limit", "60"])));
        for run in runs {
            let run = run.join().unwrap();
            assert!(run.status.success(), "{}", text(&run.stderr));
        }
    });
    let none = ferry(&project, &["test", "--platform", "hosted", "--", "no_such_test"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(
        text(&none.stderr)
            .ends_with("ferry: no test has a name that contains `no_such_test`; `--list` shows all names\n"),
        "{}",
        text(&none.stderr)
    );
    // A run leaves nothing behind.
    let left = fs::read_dir(project.join("target/ferry/run")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_new_project_in_c_runs_and_passes_its_test() {
    // In the checkout, so that its kernel is not built again.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let project = directory.path().join("in-c");
    let succeed = |here: &Path, arguments: &[&str]| {
        let output = ferry(here, arguments);
        assert!(output.status.success(), "{arguments:?}\n{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    };
    succeed(directory.path(), &["new", "in-c", "--lang", "c"]);
    assert!(project.join("c/greeter.c").is_file() && !project.join("Cargo.toml").exists());
    succeed(&project, &["add", "client", "mirror", "--lang", "c", "--template", "echo"]);
    succeed(&project, &["add", "flow", "greeter", "mirror"]);
    succeed(&project, &["add", "flow", "mirror", "greeter"]);
    succeed(&project, &["check"]);
    for platform in ["hosted", "classic"] {
        let said = succeed(&project, &["test", "--platform", platform]);
        assert!(said.contains("the_greeting_arrives") && said.contains("1 passed"), "{said}");
        let line = "greeter | the message to mirror ended with Done";
        let said = succeed(&project, &["run", "--platform", platform, "--limit", "60", "--expect", line]);
        assert!(!said.contains("warning"), "{said}");
    }
    refusals_of_programs_in_c(&project);
    // The same source, compiled by a build of one's own.
    succeed(&project, &["library", "--platform", "hosted", "--output", "build"]);
    fs::rename(project.join("c/listener.c"), project.join("build/listener.c")).unwrap();
    let mut compiler = Command::new("gcc");
    compiler.current_dir(project.join("build")).args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I."]);
    let compiled = compiler.args(["listener.c", "libferry.a", "-o", "listener.elf"]).status().unwrap();
    assert!(compiled.success());
    let line = "listener | 18 bytes from greeter";
    let run = ["run", "--platform", "hosted", "--programs", "build", "--limit", "60", "--expect", line];
    succeed(&project, &run);
    // What was added goes again, with its source.
    succeed(&project, &["remove", "client", "mirror", "--with-flows"]);
    assert!(!project.join("c/mirror.c").exists());
}

/// What cannot be built is named, with the source.
fn refusals_of_programs_in_c(project: &Path) {
    let path = project.join("c/mirror.c");
    let good = fs::read_to_string(&path).unwrap();
    let refused = |source: &str, platform: &str| {
        fs::write(&path, source).unwrap();
        let output = ferry(project, &["run", "--platform", platform, "--limit", "60"]);
        assert!(!output.status.success());
        text(&output.stderr)
    };
    let names = "#include <microkit.h>\nvoid init(void) {}\nvoid notified(microkit_channel c) { (void)c; }\n";
    for platform in ["hosted", "classic"] {
        let silent = refused(names, platform);
        assert!(
            silent.contains("the program `mirror.elf` of a client never asks central to let it in"),
            "{silent}"
        );
        assert!(silent.contains("call ferry_init"), "{silent}");
    }
    let other = good.replace("#include <ferry.h>", "#define ferry_abi_1 ferry_abi_2\n#include <ferry.h>");
    let other = refused(&other, "hosted");
    assert!(other.contains("it includes a ferry.h that has another ABI version"), "{other}");
    let careless = refused(&good.replace("check(ferry_init(", "(ferry_init("), "hosted");
    assert!(careless.contains("the C compiler did not accept ./c/mirror.c"), "{careless}");
    let unfinished =
        refused(&good.replace("void notified(", "void other(microkit_channel);\nvoid other("), "hosted");
    assert!(unfinished.contains("mirror: the program has no function `notified`"), "{unfinished}");
    fs::write(&path, good).unwrap();
}

#[test]
fn what_cannot_be_a_project_is_refused_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let output = ferry(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        text(&output.stderr)
    };
    fs::create_dir(directory.path().join("full")).unwrap();
    fs::write(directory.path().join("full/file"), "").unwrap();
    for (name, message) in [
        ("full", "ferry: full exists and is not an empty directory; name another one\n"),
        (
            "1st",
            "ferry: `1st` is no name for a package: it must begin with a letter and consist of letters, digits, `-` and `_`; \
             name another directory\n",
        ),
        (
            "ferry-client",
            "ferry: names that begin with `ferry-` belong to the packages of Ferry, and Cargo takes no two alike; \
             name another directory\n",
        ),
    ] {
        assert_eq!(refused(&["new", name]), message);
    }
    assert_eq!(
        refused(&["new", "project", "--lang", "c", "--git", "address"]),
        "ferry: a project in C has no Cargo package that could name a git repository; leave out --git\n"
    );
    assert_eq!(
        refused(&["new", "project", "--git", "a\"b"]),
        "ferry: `a\"b` is no address of a git repository: it contains a quotation mark or a line end\n"
    );
    assert_eq!(
        refused(&["run"]),
        "ferry: there is no system.xml here or in a directory above; run this in a project, make one with \
         `ferry new DIRECTORY`, or name the file with --system\n"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}
