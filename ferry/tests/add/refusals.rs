//! Every refusal, with its whole message. Nothing is written then.

use crate::project::{Project, read};
use std::fs;

/// The demo's `system.xml`, with these elements before its channels.
fn with_elements(elements: &str) -> String {
    read("demo/system.xml").replacen("    <channel>", &format!("{elements}\n    <channel>"), 1)
}

/// A protection domain that does nothing.
fn domain(name: &str, attributes: &str) -> String {
    let image = r#"<program_image path="a.elf" />"#;
    format!(r#"<protection_domain name="{name}" priority="1"{attributes}>{image}</protection_domain>"#)
}

#[test]
fn names_that_a_client_cannot_have() {
    let project = Project::demo();
    let bad = |name: &str| {
        format!(
            "ferry: `{name}` cannot name a client, because that also names a program and its source; write \
             a letter (a-z, A-Z), then letters, digits, `_` and `-`, at most 48 of them all\n"
        )
    };
    let long = "n".repeat(49);
    for name in ["", "1st", "_x", "a b", "a/b", "../a", "a.b", "ä", "a\"", &long] {
        assert_eq!(project.refused(&["add", "client", name]), bad(name));
    }
    for (name, owner) in [
        ("central", "Ferry"),
        ("ticker", "Ferry"),
        ("ferry_supervisor", "Ferry's supervisor"),
        ("monitor", "Microkit's monitor"),
        ("build", "Cargo"),
    ] {
        let message = format!("ferry: the name `{name}` belongs to {owner}; choose another name\n");
        assert_eq!(project.refused(&["add", "client", name]), message);
    }
}

#[test]
fn names_that_are_taken() {
    let project = Project::demo();
    assert_eq!(
        project.refused(&["add", "client", "sender"]),
        "ferry: system.xml:43: there is a protection domain `sender` already; choose another name\n"
    );
    let system = read("demo/system.xml").replace("\"input\"", "\"net_rx\"");
    let other = Project::new(&system, &read("demo/flows.toml"));
    let refused = other.refused(&["add", "client", "net"]);
    // A region that is called like a client's is a mistake by itself.
    assert!(
        refused.starts_with("ferry: the description has mistakes already; mend them first:\n"),
        "{refused}"
    );
    assert!(refused.contains("`net_rx` is named like a region of a client"), "{refused}");

    fs::create_dir_all(project.path("src/bin")).unwrap();
    fs::write(project.path("src/bin/logger.rs"), "// mine\n").unwrap();
    assert_eq!(
        project.refused(&["add", "client", "logger"]),
        "ferry: src/bin/logger.rs exists already; choose another name, or add --no-source to make it the \
         client's source as it is\n"
    );
    project.run(&["add", "client", "logger", "--no-source"]);
    assert_eq!(fs::read_to_string(project.path("src/bin/logger.rs")).unwrap(), "// mine\n");
}

#[test]
fn a_result_with_a_mistake() {
    let project = Project::demo();
    assert_eq!(
        project.refused(&["add", "client", "logger", "--priority", "200"]),
        "ferry: nothing was written, because the result would have mistakes, in these lines of it:\n\
         system.xml:68: `central` has priority 200, its client `logger` has 200; give central a priority \
         above 200, so that a signal to it takes effect at once\n"
    );
    assert_eq!(
        project.refused(&["add", "flow", "receiver", "sender", "--max-message", "2097153"]),
        "ferry: nothing was written, because the result would have mistakes, in these lines of it:\n\
         flows.toml:40: messages may have 2097153 bytes, but `receiver_tx` has 2097152 bytes; write max_message \
         = 2097152 or less, or make the region larger\n"
    );
}

#[test]
fn a_description_that_is_wrong_before() {
    let project =
        Project::new(&read("demo/system.xml").replace("id=\"2\"", "id=\"1\""), &read("demo/flows.toml"));
    let message = "ferry: the description has mistakes already; mend them first:\n\
                   system.xml:70: `central` has the number 1 twice, first in line 66; write id=\"2\", which is free\n";
    assert_eq!(project.refused(&["add", "client", "logger"]), message);
    assert_eq!(project.refused(&["remove", "flow", "sender", "receiver"]), message);
    let nothing = Project::demo();
    assert_eq!(
        nothing.refused(&["add", "client", "logger", "--system", "nowhere.xml"]),
        "ferry: nowhere.xml: No such file or directory (os error 2); name another file with --system or \
         --flows\n"
    );
}

#[test]
fn no_room_for_another_client() {
    let project = Project::demo();
    for number in 2..32 {
        project.run(&["add", "client", &format!("c{number}"), "--no-source"]);
    }
    assert_eq!(
        project.refused(&["add", "client", "another"]),
        "ferry: there are 32 clients, and central can serve no more; give some of them a central of their \
         own in another system\n"
    );
}

#[test]
fn no_room_in_central() {
    // 59 interrupts, and the channels to two clients and the ticker.
    let interrupts: Vec<_> = (3..62).map(|id| format!("<irq irq=\"{id}\" id=\"{id}\" />")).collect();
    let interrupts = interrupts.concat();
    let central = "<program_image path=\"central.elf\" />";
    let system = read("demo/system.xml").replace(central, &format!("{central}{interrupts}"));
    let flows = read("demo/flows.toml");
    let project = Project::new(&system, &flows);
    assert_eq!(
        project.refused(&["add", "client", "another"]),
        "ferry: central has used all 62 numbers for channels and interrupts; remove one of its channels \
         first\n"
    );
    // One region from the addresses of the clients to central's window.
    let system = read("demo/system.xml")
        .replace(
            "<system>",
            "<system><memory_region name=\"vast\" size=\"0xfdf000000\" page_size=\"0x1000\" />",
        )
        .replace(central, &format!("{central}<map mr=\"vast\" vaddr=\"0x21100000\" />"))
        .replace("0xfdf000000", &format!("{:#x}", 0x10_0000_0000_u64 - 0x2110_0000));
    let project = Project::new(&system, &flows);
    for number in 0..6 {
        project.run(&["add", "client", &format!("c{number}"), "--no-source"]);
    }
    assert_eq!(
        project.refused(&["add", "client", "another"]),
        "ferry: central has no free addresses from 0x21000000 to its window at 0x1000000000; move what it \
         maps there\n"
    );
}

#[test]
fn no_room_for_another_protection_domain() {
    let domains: String = (0..58).map(|number| domain(&format!("pd{number}"), "")).collect();
    let project = Project::new(&with_elements(&domains), &read("demo/flows.toml"));
    assert_eq!(
        project.refused(&["add", "client", "another"]),
        "ferry: there are 62 protection domains, and a system can have no more; remove one first\n"
    );
}

#[test]
fn flows_that_cannot_be() {
    let project = Project::demo();
    for (arguments, message) in [
        (["add", "flow", "sendr", "receiver"], "there is no client `sendr`; did you mean `sender`?"),
        (["add", "flow", "sender", "xyz"], "there is no client `xyz`; the clients are: `sender`, `receiver`"),
        (
            ["add", "flow", "ticker", "receiver"],
            "`ticker` is a protection domain, but no client; name one that sends or receives",
        ),
        (
            ["add", "flow", "sender", "central"],
            "`central` carries every flow and is the end of none; name the two clients",
        ),
        (
            ["add", "flow", "sender", "sender"],
            "`sender` reaches its own memory without central; name two different clients",
        ),
        (
            ["add", "flow", "sender", "receiver"],
            "there is a flow from `sender` to `receiver` already; change it in flows.toml, or remove it first",
        ),
        (
            ["remove", "flow", "receiver", "sender"],
            "there is no flow from `receiver` to `sender`; did you mean the flow back?",
        ),
        (["remove", "flow", "sendr", "receiver"], "there is no client `sendr`; did you mean `sender`?"),
    ] {
        assert_eq!(project.refused(&arguments), format!("ferry: {message}\n"));
    }
    project.run(&["remove", "flow", "sender", "receiver"]);
    assert_eq!(
        project.refused(&["remove", "flow", "sender", "receiver"]),
        "ferry: there is no flow from `sender` to `receiver`; `ferry check` lists the flows\n"
    );
    project.run(&["remove", "client", "sender"]);
    project.run(&["remove", "client", "receiver"]);
    assert_eq!(
        project.refused(&["add", "flow", "sender", "receiver"]),
        "ferry: there is no client `sender`; there are no clients yet: `ferry add client NAME`\n"
    );
}

#[test]
fn flows_in_another_form() {
    let flows = "tick = { period_us = 10_000 }\nflow = [{ from = \"sender\", to = \"receiver\" }]\n\
                 client = { sender = { large_frames = true }, receiver = { large_frames = true } }\n";
    let project = Project::new(&read("demo/system.xml"), flows);
    let message = |table, form| {
        format!(
            "ferry: `{table}` is written in a form that ferry cannot change; write it as {form}, as \
             docs/flows.md does\n"
        )
    };
    assert_eq!(project.refused(&["add", "flow", "receiver", "sender"]), message("flow", "[[flow]]"));
    assert_eq!(project.refused(&["remove", "flow", "sender", "receiver"]), message("flow", "[[flow]]"));
    assert_eq!(project.refused(&["add", "client", "logger"]), message("client", "[client.NAME]"));
    project.run(&["add", "client", "logger", "--small-frames"]);
}

#[test]
fn clients_that_others_need() {
    let project = Project::demo();
    assert_eq!(
        project.refused(&["remove", "client", "sender"]),
        "ferry: `sender` takes part in 1 flow: `sender` to `receiver`; remove it first, or add --with-flows\n"
    );
    project.run(&["add", "flow", "receiver", "sender"]);
    assert_eq!(
        project.refused(&["remove", "client", "sender"]),
        "ferry: `sender` takes part in 2 flows: `sender` to `receiver`, `receiver` to `sender`; remove \
         them first, or add --with-flows\n"
    );
    assert_eq!(
        project.refused(&["remove", "client", "central"]),
        "ferry: `central` is a protection domain, but no client; name one that sends or receives\n"
    );

    let channel = r#"<channel><end pd="sender" id="9" notify="false" /><end pd="clock" id="9" /></channel>"#;
    let system = with_elements(&format!("{}\n{channel}", domain("clock", "")));
    let project = Project::new(&system, &read("demo/flows.toml"));
    assert_eq!(
        project.refused(&["remove", "client", "sender", "--with-flows"]),
        "ferry: system.xml:62: `sender` has a channel to `clock`; remove it first, in clock's program too\n"
    );
    let image = r#"<program_image path="sender.elf" />"#;
    let child = format!("{image}\n{}", domain("helper", r#" id="1""#));
    let project = Project::new(&read("demo/system.xml").replace(image, &child), &read("demo/flows.toml"));
    assert_eq!(
        project.refused(&["remove", "client", "sender", "--with-flows"]),
        "ferry: system.xml:45: `sender` contains other protection domains or a virtual machine; move them \
         out first\n"
    );
}
