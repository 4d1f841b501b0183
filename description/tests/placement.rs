//! Tests what an accepted description becomes: the configuration as central reads it, the window and the
//! grants. Also checks the demo of this repository.

use ferry_description::{
    Access, Description, LARGE_PAGE_BYTES, MAX_CHANNEL, Permissions, Source, WINDOW_ADDRESS, When,
};
use ferry_layout::config::{ClientRecord, Config, ConfigError, Mapping};
use std::path::Path;

fn demo(grown: &[(&str, u64)]) -> Description {
    system_in("demo", grown)
}

fn system_in(directory: &str, grown: &[(&str, u64)]) -> Description {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory);
    let source = |name: &str| Source::read(&root.join(name)).unwrap();
    Description::check(&source("system.xml"), &source("flows.toml"), grown)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A copy of the bytes, in memory that is aligned like central's configuration region.
fn aligned(bytes: &[u8]) -> Vec<u64> {
    let word = |chunk: &[u8]| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    };
    bytes.chunks(8).map(word).collect()
}

#[test]
fn central_reads_the_configuration_that_was_compiled() {
    let description = demo(&[]);
    let placement = description.place(&mut ferry_description::sequential(128));
    let words = aligned(&placement.config);
    let config = Config::parse(zerocopy::IntoBytes::as_bytes(words.as_slice())).unwrap();

    assert_eq!(config.tick_channel(), Some(0));
    assert_eq!(config.tick_period(), 10_000);
    let clients: Vec<_> = config.clients().map(|(_, client)| client).collect();
    let [sender, receiver] = clients.as_slice() else { panic!("{clients:?}") };
    assert_eq!((sender.name.as_str(), receiver.name.as_str()), ("sender", "receiver"));
    assert_eq!((sender.out_address, sender.in_address), (0x2100_0000, 0x2101_0000));
    assert_eq!((sender.channel, receiver.channel), (1, 2));
    assert_eq!((sender.bytes_per_round, sender.messages_per_round), (256 * 1024, 128));

    let buffers = [sender.transmit, sender.receive, receiver.transmit, receiver.receive];
    assert_eq!(buffers.map(|buffer| buffer.bytes), [LARGE_PAGE_BYTES; 4]);
    assert_eq!(buffers.map(|buffer| buffer.first_capability), [128, 129, 130, 131]);
    let homes = [0, 1, 2, 3].map(|number| WINDOW_ADDRESS + number * LARGE_PAGE_BYTES);
    assert_eq!(buffers.map(|buffer| buffer.window_address), homes);

    let [flow] = config.flows() else { panic!("{:?}", config.flows()) };
    assert_eq!((flow.source, flow.target, flow.urgent, flow.mapping()), (0, 1, 0, Mapping::Each));
    assert_eq!(flow.max_message, 64 * 1024);
}

#[test]
fn each_flow_has_its_own_stages_in_the_configuration() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guarded");
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let back = "[[flow]]\nfrom = \"bob\"\nto = \"alice\"\nguards = [\"schema\"]\nmax_message = 1024\n";
    let flows = read("flows.toml").replace("verdict_within", "max_message = 1024\nverdict_within") + back;
    let system = Source::new("system.xml", read("system.xml"));
    let description = Description::check(&system, &Source::new("flows.toml", flows), &[]);
    let description = description.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let config = description.place(&mut ferry_description::sequential(128)).config;
    let words = aligned(&config);
    let parsed = Config::parse(zerocopy::IntoBytes::as_bytes(words.as_slice())).unwrap();
    let stages: Vec<_> = parsed.flows().iter().map(|flow| (flow.first_stage, flow.stages)).collect();
    assert_eq!(stages, [(0, 2), (2, 1)]);
    // What the size of its region is compared with.
    assert_eq!(ferry_description::config_bytes(parsed.clients().count(), 2, 3), config.len());
}

#[test]
fn central_knows_the_announcer_of_each_client() {
    let announcers = |description: &Description| {
        let words = aligned(&description.place(&mut ferry_description::sequential(128)).config);
        let config = Config::parse(zerocopy::IntoBytes::as_bytes(words.as_slice())).unwrap();
        config.clients().map(|(_, client)| client.announcer).collect::<Vec<_>>()
    };
    // `low` is alone in its partition.
    assert_eq!(announcers(&system_in("harness/schedule", &[])), [2, 2, 2, 1]);
    assert_eq!(announcers(&demo(&[])), [ClientRecord::NO_PARTITION; 2]);
}

#[test]
fn central_refuses_a_channel_beyond_the_highest() {
    let mut description = demo(&[]);
    let parse = |description: &Description| {
        let words = aligned(&description.place(&mut ferry_description::sequential(128)).config);
        Config::parse(zerocopy::IntoBytes::as_bytes(words.as_slice())).map(|_| ())
    };
    description.clients[1].channel = MAX_CHANNEL;
    assert_eq!(parse(&description), Ok(()));
    description.clients[1].channel = MAX_CHANNEL + 1;
    assert_eq!(parse(&description), Err(ConfigError::Client(1)));
}

#[test]
fn grants_are_read_only_for_what_is_sent_and_disjoint_in_the_window() {
    let description = demo(&[]);
    let placement = description.place(&mut ferry_description::sequential(128));
    let name = |region: usize| description.system.regions[region].name.as_str();
    let granted: Vec<_> = placement.grants.iter().map(|grant| (name(grant.region), grant.writable)).collect();
    let expected = [("sender_tx", false), ("sender_rx", true), ("receiver_tx", false), ("receiver_rx", true)];
    assert_eq!(granted, expected);
    for pair in placement.grants.windows(2) {
        assert!(pair[0].window_address + pair[0].buffer.bytes <= pair[1].window_address);
        assert_eq!(pair[0].first_capability + pair[0].buffer.frames(), pair[1].first_capability);
    }
    assert_eq!(placement.window.unwrap().bytes, 4 * LARGE_PAGE_BYTES);
}

#[test]
fn the_report_says_what_each_domain_is() {
    let of_role = |description: &Description, role: &str| {
        let report = description.report();
        let rows = report.domains.iter().filter(|row| format!("{:?}", row.role) == role);
        rows.map(|row| row.name.clone()).collect::<Vec<_>>()
    };
    let name = |description: &Description, number: usize| description.system.domains[number].name.clone();
    let schedule = system_in("harness/schedule", &[]);
    let announcers: Vec<String> =
        schedule.partitions.iter().map(|partition| name(&schedule, partition.announcer)).collect();
    assert!(!announcers.is_empty());
    assert_eq!(of_role(&schedule, "Announcer"), announcers);
    let audited = system_in("description/tests/audited", &[]);
    assert_eq!(of_role(&audited, "Auditor"), [name(&audited, audited.audit.unwrap().reader)]);
    assert_eq!(of_role(&demo(&[]), "Client"), ["sender", "receiver"]);
}

/// Central reads snapshots from the receive buffer of a guard, and from no other receive buffer.
#[test]
fn central_reads_receive_buffers_of_guards_alone() {
    let report = system_in("description/tests/guarded", &[]).report();
    let permissions = |region: &str| {
        let rows = report.access.iter().filter(|row| row.region == region && row.holder.name == "central");
        rows.map(|row| row.permissions).collect::<Vec<_>>()
    };
    assert_eq!(permissions("schema_rx"), [Permissions::READ, Permissions::READ_WRITE]);
    assert_eq!(permissions("bob_rx"), [Permissions::READ_WRITE]);
}

#[test]
fn a_region_grows_for_the_file_that_fills_it() {
    let description = demo(&[("input", 10_000)]);
    let region = description.system.region("input").unwrap();
    assert_eq!(description.system.regions[region].bytes, 0x3000);
}

#[test]
fn the_access_table_lists_every_reach_of_central() {
    let table = demo(&[]).report();
    let central: Vec<_> = table.access.iter().filter(|row| row.holder.name == "central").collect();
    let row = |region: &str| {
        let rows: Vec<&&Access> = central.iter().filter(|row| row.region == region).collect();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        (row.permissions, row.when)
    };
    assert_eq!(row("sender_out"), (Permissions::READ, When::Always));
    assert_eq!(row("sender_in"), (Permissions::READ_WRITE, When::Always));
    assert_eq!(row("sender_tx"), (Permissions::READ, When::PerTransfer));
    assert_eq!(row("receiver_rx"), (Permissions::READ_WRITE, When::PerTransfer));
    assert!(central.iter().all(|row| row.region != "input"));
    let shown = table.to_string();
    // A region is named once, above all who reach it.
    let of_region: Vec<String> = shown
        .lines()
        .skip_while(|line| !line.starts_with("sender_tx "))
        .take(3)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        of_region,
        [
            "sender_tx 2097152 sender rw always",
            "central r while it transfers, by frame capability",
            "sender_rx 2097152 sender r always"
        ]
    );
    assert!(shown.contains("sender -> receiver  up to 65536 bytes a message, normal"), "{shown}");
}

#[test]
fn large_frames_are_taken_where_both_files_say_so() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    let system = std::fs::read_to_string(root.join("system.xml")).unwrap();
    let system = system.replace(
        r#"<memory_region name="sender_rx" size="0x20_0000" page_size="0x20_0000" />"#,
        r#"<memory_region name="sender_rx" size="0x40_0000" page_size="0x20_0000" />"#,
    );
    let system = system.replace(
        r#"<memory_region name="sender_tx" size="0x20_0000" page_size="0x20_0000" />"#,
        r#"<memory_region name="sender_tx" size="0x4000_0000" page_size="0x20_0000" />"#,
    );
    let flows = std::fs::read_to_string(root.join("flows.toml")).unwrap();
    let sender = "[client.sender]\nlarge_frames = true\n";
    let flows = flows.replace(sender, &format!("{sender}bytes_per_round = \"1 MiB\"\n"));
    // The region `input` is filled with a file of the demo.
    let system = Source::new("system.xml", system).with_directories(vec![root]);
    let description = Description::check(&system, &Source::new("flows.toml", flows), &[]).unwrap();
    let sender = &description.clients[0];
    assert_eq!((sender.transmit.frame_bits, sender.transmit.frames()), (21, 512));
    assert_eq!(sender.bytes_per_round, 1 << 20);
}

#[test]
fn a_file_of_the_caller_replaces_that_of_the_region() {
    let description = demo(&[("input", 200 << 20)]);
    let input = description.system.region("input").map(|number| &description.system.regions[number]).unwrap();
    assert_eq!((input.bytes, input.prefill_bytes, &input.prefill), (200 << 20, 200 << 20, &None));
    // It counts once. The board gets the memory for its copies in the image from whoever builds that.
    description.check_for(&ferry_description::Platform::CLASSIC).unwrap();
}

/// A system with three guards, one of them alone and two in a stage of their own.
fn guarded() -> Description {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guarded");
    let source = |name: &str| Source::read(&directory.join(name)).unwrap();
    Description::check(&source("system.xml"), &source("flows.toml"), &[])
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn central_reads_the_guards_that_were_compiled() {
    let placement = guarded().place(&mut ferry_description::sequential(128));
    let words = aligned(&placement.config);
    let config = Config::parse(zerocopy::IntoBytes::as_bytes(words.as_slice())).unwrap();
    let guards: Vec<_> = config.clients().filter(|(_, client)| client.guard != 0).collect();
    let names: Vec<&str> = guards.iter().map(|(_, guard)| guard.name.as_str()).collect();
    assert_eq!(names, ["schema", "range-a", "range-b"]);
    let [flow] = config.flows() else { panic!("{:?}", config.flows()) };
    let stages: Vec<_> = config.stages(flow).iter().map(|stage| (stage.members, stage.quorum)).collect();
    let [schema, a, b] = [0, 1, 2].map(|number: usize| 1 << guards[number].0.number());
    assert_eq!(stages, [(schema, 1), (a | b, 1)]);
    assert_eq!((flow.verdict_within, flow.max_message), (20, 64 * 1024));
}

/// Central can write to the receive buffer of a guard by one range of its window, and only read it by the
/// other, with capabilities of their own.
#[test]
fn a_guard_s_receive_buffer_is_granted_twice() {
    let description = guarded();
    let placement = description.place(&mut ferry_description::sequential(128));
    for guard in description.clients.iter().filter(|client| client.is_guard) {
        let grants = placement.grants.iter().filter(|grant| grant.region == guard.receive.region);
        let [first, second] = grants.collect::<Vec<_>>()[..] else { panic!("two for {}", guard.name) };
        assert!(first.writable && !second.writable);
        assert_eq!(first.buffer, second.buffer);
        assert_eq!(first.first_capability + first.buffer.frames(), second.first_capability);
    }
    for pair in placement.grants.windows(2) {
        assert!(pair[0].window_address + pair[0].buffer.bytes <= pair[1].window_address);
    }
    let report = description.report().to_string();
    assert!(report.contains("    passed by schema\n    passed by 1 of range-a, range-b\n"), "{report}");
    assert!(report.contains("    within 20 ticks a stage, else refused\n"), "{report}");
}
