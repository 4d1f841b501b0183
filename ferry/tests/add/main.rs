//! Runs `ferry add` and `ferry remove` as a user does. What they add is right, and what they remove leaves no
//! trace, however the files are laid out. What they refuse leaves everything as it was.

mod guards;
mod layouts;
mod partitions;
mod project;
mod refusals;

use project::{Project, read};
use std::fs;

/// Adds one of each kind, checks the result, and removes it all again in another order.
fn there_and_back(project: &Project) {
    let before = project.files();
    let first = project.first_client();
    project.run(&["add", "client", "logger", "--small-frames"]);
    project.run(&["add", "client", "mirror", "--template", "echo", "--priority", "7"]);
    project.run(&["add", "flow", "logger", "mirror", "--class", "urgent", "--mapping", "keep"]);
    project.run(&["add", "flow", "mirror", "logger", "--max-message", "4 KiB"]);
    project.run(&["add", "flow", &first, "logger", "--max-message", "512"]);
    project.check();
    project.run(&["remove", "flow", "logger", "mirror"]);
    project.run(&["remove", "client", "logger", "--with-flows"]);
    project.run(&["remove", "client", "mirror"]);
    assert_eq!(project.files(), before);
    assert!(!project.path("src/bin/logger.rs").exists() && !project.path("src/bin/mirror.rs").exists());
}

#[test]
fn what_is_added_and_removed_leaves_no_trace_in_any_layout() {
    for (name, system, flows) in layouts::all() {
        println!("{name}");
        there_and_back(&Project::new(&system, &flows));
    }
}

#[test]
fn ten_clients_in_a_ring_are_right_and_can_be_removed() {
    let project = Project::demo();
    let before = project.files();
    let names: Vec<String> = (0..10).map(|number| format!("node-{number}")).collect();
    for (name, template) in names.iter().zip(["sender", "receiver", "echo"].iter().cycle()) {
        project.run(&["add", "client", name, "--template", template]);
    }
    for (number, name) in names.iter().enumerate() {
        project.run(&["add", "flow", name, &names[(number + 1) % names.len()]]);
    }
    let report = project.run(&["check"]);
    assert!(
        report.ends_with("system.xml and flows.toml have no mistake: 12 clients, 11 flows\n"),
        "{report}"
    );
    for (number, name) in names.iter().enumerate() {
        project.run(&["remove", "flow", name, &names[(number + 1) % names.len()]]);
    }
    for name in names.iter().rev() {
        project.run(&["remove", "client", name]);
    }
    assert_eq!(project.files(), before);
}

#[test]
fn a_system_can_be_filled_up_and_emptied() {
    let project = Project::demo();
    let before = project.files();
    for number in 2..32 {
        project.run(&["add", "client", &format!("c{number}"), "--no-source"]);
    }
    project.check();
    assert!(project.files()[0].contains(r#"name="ferry_config" size="0x2000""#), "it has grown");
    for number in 2..32 {
        project.run(&["remove", "client", &format!("c{number}")]);
    }
    assert_eq!(project.files(), before);
}

#[test]
fn new_elements_look_like_those_beside_them() {
    let project = Project::demo();
    let said = project.run(&["add", "client", "logger"]);
    assert_eq!(
        said,
        "added the client `logger`\n  \
         system.xml: 4 memory regions, a protection domain of priority 100, 2 maps in central, channel 3 of \
         central\n  \
         flows.toml: [client.logger] asks for large frames\n  \
         src/bin/logger.rs: its source, from the template `receiver`\n\
         next: `ferry add flow sender logger` says that `sender` may send to `logger`\n"
    );
    let said =
        project.run(&["add", "flow", "sender", "logger", "--class", "urgent", "--max-message", "64 KiB"]);
    assert_eq!(
        said,
        "added the flow from `sender` to `logger`\n  \
         flows.toml: a [[flow]], after the last one\n\
         next: `ferry check` shows what it lets through\n"
    );
    let [system, flows] = project.files();
    for added in [
        r#"
    <memory_region name="receiver_rx" size="0x20_0000" page_size="0x20_0000" />

    <memory_region name="logger_out" size="0x3000" page_size="0x1000" />
    <memory_region name="logger_in" size="0x2000" page_size="0x1000" />
    <memory_region name="logger_tx" size="0x20_0000" page_size="0x20_0000" />
    <memory_region name="logger_rx" size="0x20_0000" page_size="0x20_0000" />

    <!-- The file to send."#,
        r#"
        <map mr="receiver_in" vaddr="0x2103_0000" perms="rw" />
        <map mr="logger_out" vaddr="0x2104_0000" perms="r" />
        <map mr="logger_in" vaddr="0x2105_0000" perms="rw" />
    </protection_domain>"#,
        r#"
    </protection_domain>

    <protection_domain name="logger" fpu="false" priority="100" stack_size="0x1_0000">
        <program_image path="logger.elf" />
        <map mr="logger_out" vaddr="0x2000_0000" perms="rw" setvar_vaddr="ferry_out" setvar_size="ferry_out_size" />
        <map mr="logger_in" vaddr="0x2001_0000" perms="r" setvar_vaddr="ferry_in" setvar_size="ferry_in_size" />
        <map mr="logger_tx" vaddr="0x1_0000_0000" perms="rw" setvar_vaddr="ferry_tx" setvar_size="ferry_tx_size" />
        <map mr="logger_rx" vaddr="0x2_0000_0000" perms="r" setvar_vaddr="ferry_rx" setvar_size="ferry_rx_size" />
    </protection_domain>

    <channel>"#,
        r#"
    </channel>
    <channel>
        <end pd="central" id="3" />
        <end pd="logger" id="0" setvar_id="ferry_central" />
    </channel>
</system>"#,
    ] {
        assert!(system.contains(added), "{added}\nis not in\n{system}");
    }
    let added =
        "\n\n[[flow]]\nfrom = \"sender\"\nto = \"logger\"\nclass = \"urgent\"\nmax_message = \"64 KiB\"\n";
    assert!(flows.ends_with(added), "{flows}");
}

#[test]
fn a_one_way_flow_is_one_without_a_way_back() {
    let project = Project::demo();
    project.run(&["add", "client", "office"]);
    let before = project.files();
    let said = project.run(&["add", "flow", "receiver", "office", "--one-way"]);
    assert!(said.starts_with("added the flow from `receiver` to `office`\n"), "{said}");
    let added = "\n\n[[flow]]\nfrom = \"receiver\"\nto = \"office\"\none_way = true\n";
    assert!(project.files()[1].ends_with(added), "{}", project.files()[1]);
    assert!(project.run(&["check"]).contains("one-way"));

    // A way back over another client, which the next flow would open, in either order.
    let refused = project.refused(&["add", "flow", "office", "sender"]);
    assert!(refused.contains("this flow is one-way, but `office` can influence `receiver`"), "{refused}");
    project.run(&["remove", "flow", "receiver", "office"]);
    assert_eq!(project.files(), before);
    project.run(&["add", "flow", "office", "sender"]);
    let before = project.files();
    let one_way = ["add", "flow", "receiver", "office", "--one-way"];
    let refused = project.refused(&one_way);
    assert!(refused.contains("this flow is one-way, but `office` can influence `receiver`"), "{refused}");
    assert_eq!(project.files(), before, "nothing is written then");

    let reason = "the office reports faults of the \"line\"";
    project.run(&[&one_way[..], &["--return-path", reason]].concat());
    assert!(project.files()[1].ends_with(&format!("one_way = true\nreturn_path = '{reason}'\n")));
    assert!(project.run(&["check"]).contains(reason));
}

#[test]
fn what_a_one_way_flow_cannot_be_is_refused() {
    let project = Project::demo();
    project.run(&["add", "client", "office"]);
    let refused =
        project.refused(&["add", "flow", "receiver", "office", "--one-way", "--max-message", "1 MiB"]);
    assert!(refused.contains("more than a one-way flow carries"), "{refused}");
    let alone = ["add", "flow", "receiver", "office", "--return-path", "none"];
    let output = project::ferry(&project.path(""), &alone);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("--one-way"), "{said}");
    let refused =
        project.refused(&["add", "flow", "receiver", "office", "--one-way", "--return-path", "none"]);
    assert!(refused.contains("nothing leads from `office` to `receiver`"), "{refused}");
    // Without a tick nobody could be told when a send has ended.
    let project = Project::new(&read("bench/system.xml"), &read("bench/flows-keep.toml"));
    let refused = project.refused(&["add", "flow", "consumer", "producer", "--one-way"]);
    assert!(refused.contains("the system has no tick at which its sends could end"), "{refused}");
}

#[test]
fn a_client_has_large_frames_unless_it_is_to_have_small_ones() {
    let project = Project::demo();
    let before = project.files();
    project.run(&["add", "client", "camera", "--template", "sender"]);
    project.run(&["add", "flow", "camera", "receiver"]);
    let [_, flows] = project.files();
    let table = "[client.receiver]\nlarge_frames = true\n\n[client.camera]\nlarge_frames = true\n\n[[flow]]";
    assert!(flows.contains(table), "{flows}");
    assert!(!project.run(&["check"]).contains("hint: "), "nothing is mapped page by page");
    project.run(&["remove", "client", "camera", "--with-flows"]);

    let said = project.run(&["add", "client", "camera", "--template", "sender", "--small-frames"]);
    assert!(!said.contains("large frames"), "{said}");
    let [system, flows] = project.files();
    assert_eq!(flows, before[1]);
    for (suffix, size) in [("tx", "0x4_0000"), ("rx", "0x1000")] {
        let region = format!(r#"name="camera_{suffix}" size="{size}" page_size="0x1000""#);
        assert!(system.contains(&region), "{system}");
    }
    project.run(&["add", "flow", "camera", "receiver"]);
    assert!(
        project
            .run(&["check"])
            .contains("262144 bytes takes 64 maps and 64 unmaps of frames of 4 KiB for `camera`;")
    );
}

#[test]
fn a_source_that_somebody_has_changed_is_kept() {
    let project = Project::demo();
    project.run(&["add", "client", "logger", "--sources", "pds"]);
    let path = project.path("pds/logger.rs");
    let source = fs::read_to_string(&path).unwrap();
    assert!(source.starts_with("//! The client `logger`."), "{source}");
    fs::write(&path, format!("{source}// mine\n")).unwrap();
    let said = project.run(&["remove", "client", "logger", "--sources", "pds"]);
    assert_eq!(
        said,
        "removed the client `logger`\n  \
         system.xml: 4 memory regions, its protection domain, 2 maps in central, its channel\n  \
         flows.toml: all that it says of it\n\
         kept pds/logger.rs, because it is not what a template gave; remove it yourself\n"
    );
    assert!(fs::read_to_string(&path).unwrap().ends_with("// mine\n"));
    project.check();
}

#[test]
fn the_last_flow_can_be_removed_and_added_again() {
    let project = Project::demo();
    let before = project.files();
    let said = project.run(&["remove", "flow", "sender", "receiver"]);
    assert_eq!(
        said,
        "removed the flow from `sender` to `receiver`\n  \
         flows.toml: its [[flow]]\n\
         next: `ferry add flow FROM TO`; a system without a flow cannot be built\n"
    );
    project.run(&["add", "flow", "sender", "receiver", "--max-message", "64 KiB"]);
    assert_eq!(project.files(), before);
    project.run(&["remove", "client", "sender", "--with-flows"]);
    project.run(&["remove", "client", "receiver"]);
    project.run(&["add", "client", "first"]);
    project.run(&["add", "client", "second"]);
    project.run(&["add", "flow", "first", "second"]);
    project.check();
}

#[test]
fn the_directory_of_the_system_is_that_of_the_sources() {
    let project = Project::demo();
    let elsewhere = tempfile::tempdir().unwrap();
    let [system, flows] = ["system.xml", "flows.toml"].map(|name| project.path(name).display().to_string());
    let arguments = ["add", "client", "logger", "--system", &system, "--flows", &flows];
    let output = project::ferry(elsewhere.path(), &arguments);
    assert!(output.status.success(), "{output:?}");
    assert!(project.path("src/bin/logger.rs").is_file());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
