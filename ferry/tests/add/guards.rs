//! `ferry add guard` and `ferry remove guard`, in every layout, and what they refuse.

use crate::layouts;
use crate::project::{Project, ferry, read};
use std::fs;

/// The demo with a guard for its flow.
fn guarded() -> Project {
    let project = Project::demo();
    project.run(&["add", "guard", "form", "--flow", "sender:receiver"]);
    project
}

#[test]
fn a_guard_that_is_added_and_removed_leaves_no_trace_in_any_layout() {
    let mut guarded = 0;
    for (name, system, flows) in layouts::all() {
        println!("{name}");
        let project = Project::new(&system, &flows);
        let before = project.files();
        let flows: toml::Table = before[1].parse().unwrap();
        let end = |key: &str| flows["flow"][0][key].as_str().unwrap().to_owned();
        let flow = format!("{}:{}", end("from"), end("to"));
        let added = ferry(&project.path(""), &["add", "guard", "form", "--flow", &flow]);
        if !added.status.success() {
            // A system without a tick, or a flow of longer messages than a guard can inspect.
            let said = String::from_utf8(added.stderr).unwrap();
            assert!(
                said.starts_with("ferry: nothing was written, because ") && project.files() == before,
                "{said}"
            );
            continue;
        }
        project.run(&["add", "guard", "range", "--flow", &flow, "--lang", "c"]);
        project.check();
        assert!(project.path("src/bin/form.rs").exists() && project.path("c/range.c").exists());
        project.run(&["remove", "guard", "form"]);
        project.check();
        project.run(&["remove", "guard", "range"]);
        assert_eq!(project.files(), before);
        assert!(!project.path("src/bin/form.rs").exists() && !project.path("c/range.c").exists());
        guarded += 1;
    }
    assert!(guarded > 15, "only {guarded}");
}

/// A flow without guards may not say how long these have.
#[test]
fn the_last_guard_takes_the_time_for_verdicts_with_it() {
    let project = guarded();
    let [_, flows] = project.files();
    let timed = format!("{flows}verdict_within = 7 # ticks\n");
    fs::write(project.path("flows.toml"), timed).unwrap();
    project.check();
    project.run(&["remove", "guard", "form"]);
    assert_eq!(project.files(), Project::demo().files());
}

#[test]
fn a_guard_is_a_client_without_a_flow_of_its_own() {
    let project = Project::demo();
    let said = project.run(&["add", "guard", "form", "--flow", "sender:receiver"]);
    assert_eq!(
        said,
        "added the guard `form`\n  \
         system.xml: 4 memory regions, a protection domain of priority 100, 2 maps in central, channel 3 of \
         central\n  \
         flows.toml: the last stage of 1 flow: `sender` to `receiver`\n  \
         flows.toml: [client.form] asks for large frames\n  \
         src/bin/form.rs: its source, which passes printable ASCII\n\
         next: write the filter; its first lines say how it is tested\n"
    );
    let [system, flows] = project.files();
    assert!(system.contains(r#"<map mr="form_rx" vaddr="0x2_0000_0000" perms="r" "#), "{system}");
    assert!(flows.ends_with("max_message = \"64 KiB\"\nguards = [\"form\"]\n"), "{flows}");
    let description = project.check();
    assert_eq!(description.flows[0].stages.len(), 1);
    let source = fs::read_to_string(project.path("src/bin/form.rs")).unwrap();
    assert!(source.starts_with("//! The guard `form`. "), "{source}");
}

#[test]
fn a_guard_becomes_the_last_stage_however_the_stages_are_written() {
    let cases = [
        (r#"guards = ["form"]"#, r#"guards = ["form", "last"]"#),
        (r#"guards = [ "form" ] # so far"#, r#"guards = [ "form", "last" ] # so far"#),
        (
            "guards = [\n    \"form\", # the form\n    # and no more\n]",
            "guards = [\n    \"form\", # the form\n    \"last\",\n    # and no more\n]",
        ),
        ("guards = [\n\t\"form\"\n]", "guards = [\n\t\"form\",\n\t\"last\"\n]"),
    ];
    for (before, after) in cases {
        let project = guarded();
        let [_, flows] = project.files();
        let flows = flows.replace(r#"guards = ["form"]"#, before);
        fs::write(project.path("flows.toml"), &flows).unwrap();
        project.run(&["add", "guard", "last", "--flow", "sender:receiver"]);
        let table = |guard: &str| format!("[client.{guard}]\nlarge_frames = true\n");
        let expected = flows.replace(before, after);
        let expected = expected.replace(&table("form"), &format!("{}\n{}", table("form"), table("last")));
        assert_eq!(project.files()[1], expected);
        project.run(&["remove", "guard", "last"]);
        assert_eq!(project.files()[1], flows);
    }
}

#[test]
fn the_first_of_several_guards_can_be_removed() {
    let project = guarded();
    let before = project.files();
    project.run(&["add", "guard", "last", "--flow", "sender:receiver"]);
    let said = project.run(&["remove", "guard", "form"]);
    assert_eq!(
        said,
        "removed the guard `form`\n  \
         system.xml: 4 memory regions, its protection domain, 2 maps in central, its channel\n  \
         flows.toml: its stage of 1 flow: `sender` to `receiver`\n  \
         src/bin/form.rs: its source, which nobody had changed\n"
    );
    assert_eq!(project.files()[1], before[1].replace("form", "last"));
    project.check();
}

#[test]
fn a_guard_of_several_flows_is_named_in_each() {
    let project = Project::demo();
    project.run(&["add", "client", "logger"]);
    project.run(&["add", "flow", "sender", "logger"]);
    let before = project.files();
    let flows = ["--flow", "sender:receiver", "--flow", "sender:logger"];
    let said = project.run(&[["add", "guard", "form"].as_slice(), &flows].concat());
    assert!(
        said.contains("the last stage of 2 flows: `sender` to `receiver`, `sender` to `logger`\n"),
        "{said}"
    );
    let line =
        "  messages of at most 64 KiB now, because no max_message says otherwise: `sender` to `logger`\n";
    assert!(said.contains(line), "{said}");
    assert_eq!(project.files()[1].matches(r#"guards = ["form"]"#).count(), 2);
    project.check();
    project.run(&["remove", "guard", "form"]);
    assert_eq!(project.files(), before);
}

#[test]
fn the_manifest_gets_the_dependency_from_where_the_other_one_comes() {
    let cases = [
        (
            "[dependencies]\nferry-client = { path = \"../ferry/client-pd\" } # the library\nheapless = \"0.9\"\n",
            Some("# the library\nferry-guard = { path = \"../ferry/guard\" }\nheapless"),
        ),
        (
            "[dependencies]\nferry-client = { git = \"https://example.org/f\", rev = \"12ab\" }\n",
            Some("}\nferry-guard = { git = \"https://example.org/f\", rev = \"12ab\" }\n"),
        ),
        ("[dependencies]\nferry-client = { path = \"a/client-pd\" }\nferry-guard = { path = \"g\" }\n", None),
        ("[dependencies]\nferry-client = { workspace = true }\n", None),
    ];
    for (manifest, added) in cases {
        let project = Project::demo();
        let manifest = format!("[package]\nname = \"demo\"\n\n{manifest}");
        fs::write(project.path("Cargo.toml"), &manifest).unwrap();
        let said = project.run(&["add", "guard", "form", "--flow", "sender:receiver"]);
        let after = fs::read_to_string(project.path("Cargo.toml")).unwrap();
        match added {
            Some(added) => {
                assert!(after.contains(added), "{after}");
                assert!(said.contains("  Cargo.toml: the dependency ferry-guard\n"), "{said}");
            }
            None => assert_eq!(after, manifest),
        }
        let must_be_told = manifest.contains("workspace");
        assert_eq!(
            said.contains("next: add the dependency ferry-guard to Cargo.toml, "),
            must_be_told,
            "{said}"
        );
    }
}

#[test]
fn guards_that_cannot_be() {
    let project = guarded();
    let [system, _] = project.files();
    let line = 1 + system.lines().position(|line| line.contains(r#"domain name="form""#)).unwrap();
    let add =
        |name: &'static str, flow: &'static str| project.refused(&["add", "guard", name, "--flow", flow]);
    for (refused, message) in [
        (
            add("form", "sender:receiver"),
            &*format!("system.xml:{line}: there is a protection domain `form` already; choose another name"),
        ),
        (add("central", "sender:receiver"), "the name `central` belongs to Ferry; choose another name"),
        (
            add("last", "receiver:sender"),
            "there is no flow from `receiver` to `sender`; did you mean the flow back?",
        ),
        (add("last", "sendr:receiver"), "there is no client `sendr`; did you mean `sender`?"),
        (
            project.refused(&["remove", "client", "form"]),
            "`form` is a guard of the flow from `sender` to `receiver`; `ferry remove guard form` removes it \
             there too",
        ),
        (
            project.refused(&["remove", "guard", "sender"]),
            "`sender` guards no flow; `ferry remove client sender` removes it, and `ferry check` lists the flows",
        ),
        (
            project.refused(&[
                "add",
                "guard",
                "last",
                "--flow",
                "sender:receiver",
                "--flow",
                "sender:receiver",
            ]),
            "the flow from `sender` to `receiver` is named twice; leave one --flow out",
        ),
    ] {
        assert_eq!(refused, format!("ferry: {message}\n"));
    }
    // What is no flow at all is a mistake in the command line.
    for flow in ["sender", ":receiver", "sender:"] {
        let output = ferry(&project.path(""), &["add", "guard", "last", "--flow", flow]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("write the two clients of a flow with a colon between them"), "{said}");
    }
}

#[test]
fn a_flow_of_long_messages_has_no_guard() {
    let project =
        Project::new(&read("demo/system.xml"), &read("demo/flows.toml").replace("64 KiB", "65 KiB"));
    let refused = project.refused(&["add", "guard", "form", "--flow", "sender:receiver"]);
    let begins =
        "ferry: nothing was written, because the result would have mistakes, in these lines of it:\n";
    assert!(refused.starts_with(begins) && refused.contains("max_message"), "{refused}");
}

#[test]
fn a_guard_of_a_quorum_is_not_removed() {
    let project = guarded();
    project.run(&["add", "guard", "other", "--flow", "sender:receiver"]);
    let [_, flows] = project.files();
    let quorum = r#"guards = [{ quorum = 1, of = ["form", "other"] }]"#;
    fs::write(project.path("flows.toml"), flows.replace(r#"guards = ["form", "other"]"#, quorum)).unwrap();
    project.check();
    assert_eq!(
        project.refused(&["remove", "guard", "form"]),
        "ferry: `form` is one of several guards of a stage, { quorum = …, of = […] }; change that stage in \
         flows.toml first\n"
    );
}
