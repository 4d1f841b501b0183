//! For each way round central, one description that has it and breaks no other rule. The test compares the
//! mistake word for word. What `[[trusted]]` then changes is tested as well.

use ferry_description::{Description, Mistakes, Source};
use std::path::Path;

fn check(fixture: &str, more_flows: &str) -> Result<Description, Mistakes> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paths").join(fixture);
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let flows = format!("{}\n{more_flows}", read("flows.toml"));
    Description::check(&Source::new("system.xml", read("system.xml")), &Source::new("flows.toml", flows), &[])
}

/// Declares a test for each fixture. Its mistakes are exactly these lines.
macro_rules! paths {
    ($($fixture:ident: $($message:literal)+,)*) => {$(
        #[test]
        fn $fixture() {
            let mistakes = check(stringify!($fixture), "").unwrap_err();
            let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            assert_eq!(shown, [$($message),+]);
        }
    )*};
}

paths! {
    capabilities_of_two_clients: r#"system.xml:39: `alice` and `bob` can influence each other outside all flows, through `debugger`: `debugger` holds the thread of `alice` (line 39), `debugger` holds the address space of `bob` (line 40); remove one of these, or vouch for it in flows.toml: [[trusted]] domain = "debugger" with a reason"#,
    channel_to_the_ticker: r#"system.xml:49: `alice` and `central` can influence each other outside all flows, through `ticker`: `alice` signals `ticker` (line 49), `ticker` signals `central` (line 38); remove one of these, or vouch for it in flows.toml: [[trusted]] domain = "ticker" with a reason"#,
    device_of_a_third: r#"system.xml:39: `alice` and `central` can influence each other outside all flows, through `driver`: `driver` may have all memory read by the device at `uart` (line 39), `driver` may have all memory written by the device at `uart` (line 39); remove it, or vouch in flows.toml that this device reaches no memory but its driver's: [[trusted]] device = "uart" with a reason"#,
    device_without_iommu: r#"system.xml:29: `alice` and `central` can influence each other outside all flows: `alice` may have all memory written by the device at `uart` (line 29); remove it, or vouch in flows.toml that this device reaches no memory but its driver's: [[trusted]] device = "uart" with a reason"#,
    firmware_of_a_client: r#"system.xml:29: `alice` and `bob` can influence each other outside all flows: `bob` may have all memory read by the device at `smc` (line 29); remove it, or vouch in flows.toml that this device reaches no memory but its driver's: [[trusted]] device = "smc" with a reason"#,
    guest_memory_of_another: "system.xml:29: `alice` can influence `bob` outside all flows: `alice` runs the guest `linux` (line 29), the guest `linux` writes `guest_ram` (line 31), `bob` reads `guest_ram` (line 40); remove one of these, and list a flow from `alice` to `bob` if data is to go there",
    guests_of_central_and_a_client: "system.xml:33: `alice` and `central` can influence each other outside all flows: `alice` runs the guest `linux` (line 33), the guest `linux` writes `shared_ram` (line 35), the guest `windows` reads `shared_ram` (line 24), `central` gets the exits of the guest `windows` (line 22); remove one of these",
    guests_of_two_clients: "system.xml:29: `alice` and `bob` can influence each other outside all flows: `alice` runs the guest `linux` (line 29), the guest `linux` writes `shared_ram` (line 31), the guest `windows` reads `shared_ram` (line 42), `bob` gets the exits of the guest `windows` (line 40); remove one of these, and list a flow from `alice` to `bob` if data is to go there",
    interrupt_under_two_vectors: "system.xml:28: `alice` and `bob` can influence each other outside all flows: `alice` and `bob` get the same interrupt (line 28); remove one of these, and list a flow from `alice` to `bob` if data is to go there",
    one_device_with_memory_of_two: "system.xml:30: `alice` and `bob` can influence each other outside all flows: `alice` writes `alice_dma` (line 30), the device `nic` reads `alice_dma` (line 41), the device `nic` writes `bob_dma` (line 42), `bob` reads `bob_dma` (line 38); remove one of these, and list a flow from `alice` to `bob` if data is to go there",
    one_region_in_two_devices: "system.xml:31: `alice` can influence `bob` outside all flows: `alice` writes `alice_dma` (line 31), the device `nic` reads `alice_dma` (line 42), the device `nic` writes `ring` (line 43), the device `disk` reads `ring` (line 46), the device `disk` writes `bob_dma` (line 47), `bob` reads `bob_dma` (line 39); remove one of these, and list a flow from `alice` to `bob` if data is to go there",
    one_way_chain: r#"system.xml:55: `alice` can influence `bob` outside all flows, through `filter`: `alice` signals `filter` (line 55), `filter` writes `samples` (line 40), `bob` reads `samples` (line 36); remove one of these, or vouch for it in flows.toml: [[trusted]] domain = "filter" with a reason"#,
    parent_of_two_clients: r#"system.xml:24: `alice` and `bob` can influence each other outside all flows, through `boss`: `boss` gets the faults of its child `alice` (line 24), `boss` is the parent of `bob` (line 31); remove one of these, or vouch for it in flows.toml: [[trusted]] domain = "boss" with a reason"#,
    ports_of_a_client: r#"system.xml:35: `alice` and `bob` can influence each other outside all flows: `bob` may have all memory read by the device at `ioport 0xcf8` (line 35); remove it, or vouch in flows.toml that this device reaches no memory but its driver's: [[trusted]] device = "ioport 0xcf8" with a reason"#,
    registers_behind_an_iommu: r#"system.xml:30: `alice` and `bob` can influence each other outside all flows: `alice` may command the device `nic`, by `registers` (line 30), the device `nic` writes `bob_dma` (line 41), `bob` reads `bob_dma` (line 38); remove it, or vouch in flows.toml that this device reaches no memory but its driver's: [[trusted]] device = "registers" with a reason"#,
    registers_of_two_readers: "system.xml:29: `alice` and `bob` can influence each other outside all flows: `alice` uses the device at `timer` (line 29), `bob` reads `timer` (line 37); remove one of these, and list a flow from `alice` to `bob` if data is to go there",
    second_channel_to_central: "system.xml:49: `alice` and `central` can influence each other outside all flows: `alice` signals `central` (line 49); remove one of these",
    server_that_both_call: r#"system.xml:52: `alice` and `bob` can influence each other outside all flows, through `server`: `alice` calls `server` (line 52), `server` answers calls of `bob` (line 56); remove one of these, or vouch for it in flows.toml: [[trusted]] domain = "server" with a reason"#,
    third_domain_shares_with_both: r#"system.xml:30: `alice` can influence `bob` outside all flows, through `logger`: `alice` writes `in_log` (line 30), `logger` reads `in_log` (line 42), `logger` writes `out_log` (line 43), `bob` reads `out_log` (line 38); remove one of these, or vouch for it in flows.toml: [[trusted]] domain = "logger" with a reason"#,
}

#[test]
fn a_path_through_who_is_trusted_is_listed_with_its_lines() {
    let trusted = "[[trusted]]\ndomain = \"server\"\nreason = \"it counts\"\n";
    let report = check("server_that_both_call", trusted).unwrap().report();
    let [server] = report.trusted.as_slice() else { panic!("{:?}", report.trusted) };
    assert_eq!((server.name.as_str(), server.reason.as_str(), server.line), ("server", "it counts", 8));
    let shown = report.to_string();
    let expected = "
other ways of influence
  `central` signals `ticker`  system.xml:40
  `ticker` signals `central`  system.xml:41
  `alice` calls `server`  system.xml:52
  `server` answers calls of `alice`  system.xml:52
  `bob` calls `server`  system.xml:56
  `server` answers calls of `bob`  system.xml:56

trusted to carry nothing from one to another: `server`  flows.toml:8
  because: it counts
  `alice` can influence it
    `alice` calls `server`  system.xml:52
  `bob` can influence it
    `bob` calls `server`  system.xml:56
  it can influence `alice`
    `server` answers calls of `alice`  system.xml:52
  it can influence `bob`
    `server` answers calls of `bob`  system.xml:56

no client can influence another but by these flows and through what is trusted; none can influence central \
                    but by its four regions and its channel
";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn a_device_is_vouched_for_by_its_name() {
    let vouch = |name: &str| format!("[[trusted]]\ndevice = \"{name}\"\nreason = \"it has no DMA\"\n");
    let report = check("device_without_iommu", &vouch("uart")).unwrap().report();
    assert_eq!(
        report.trusted[0].used_by[0].what,
        "`alice` may have all memory written by the device at `uart`"
    );
    check("device_of_a_third", &vouch("uart")).unwrap();
    check("ports_of_a_client", &vouch("ioport 0xcf8")).unwrap();
    check("firmware_of_a_client", &vouch("smc")).unwrap();
    check("registers_behind_an_iommu", &vouch("registers")).unwrap();
    check("one_device_with_memory_of_two", &vouch("nic")).unwrap();
}

#[test]
fn trust_in_one_does_not_cover_another() {
    let trusted = "[[trusted]]\ndomain = \"logger\"\nreason = \"it adds\"\n";
    check("third_domain_shares_with_both", trusted).unwrap();
    let trusted = "[[trusted]]\ndevice = \"ring\"\nreason = \"it adds\"\n";
    let mistakes = check("one_region_in_two_devices", trusted).unwrap_err();
    assert!(mistakes.to_string().contains("there is no such device"), "{mistakes}");
    let trusted = "[[trusted]]\ndevice = \"disk\"\nreason = \"it adds\"\n";
    check("one_region_in_two_devices", trusted).unwrap();
}
