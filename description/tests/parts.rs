//! Who takes part: what makes a protection domain a client, who may announce a partition, and who may have
//! power over central.

use ferry_description::{
    Description, Influence, LARGE_PAGE_BYTES, MAX_CHANNEL, Mistakes, PAGE_BYTES, Role, Source,
};
use std::path::Path;

const SYSTEM: &str = include_str!("fixtures/valid/system.xml");
const FLOWS: &str = include_str!("fixtures/valid/flows.toml");

fn check(system: &str, flows: &str) -> Result<Description, Mistakes> {
    Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[])
}

/// The rules that a description breaks.
fn broken(system: &str, flows: &str) -> Vec<&'static str> {
    let found = check(system, flows);
    found.err().iter().flat_map(Mistakes::iter).map(|mistake| mistake.problem.rule()).collect()
}

/// A file in a directory beside this one.
fn read_in(directory: &str, name: &str) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    std::fs::read_to_string(tests.join(directory).join(name)).unwrap()
}

/// The valid description with another protection domain, which has these elements, and more regions.
fn with_domain(name: &str, inside: &str) -> String {
    let domain = format!(
        r#"<protection_domain name="{name}" priority="90"><program_image path="a.elf" />{inside}</protection_domain>"#
    );
    SYSTEM.replacen("</system>", &format!("{domain}</system>"), 1)
}

/// Each of these makes a domain a client, even if it has nothing that a client needs.
#[test]
fn flows_and_regions_make_a_client() {
    let system = with_domain("loner", "");
    assert_eq!(broken(&system, FLOWS), [""; 0]);
    let flow = |from: &str, to: &str, keys: &str| {
        format!("{FLOWS}[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n{keys}\n")
    };
    for flows in [
        flow("alice", "loner", ""),
        flow("loner", "alice", ""),
        flow("bob", "alice", "guards = [\"loner\"]"),
        format!("{FLOWS}[client.loner]\nlarge_frames = false\n"),
    ] {
        let found = broken(&system, &flows);
        assert!(found.contains(&"missing_region"), "{flows}: {found:?}");
    }
    let region = r#"<system><memory_region name="loner_tx" size="0x1000" />"#;
    let found = broken(&system.replacen("<system>", region, 1), FLOWS);
    assert!(found.contains(&"missing_region"), "{found:?}");
}

/// Whoever follows the remedies for missing regions has those that the client asks for.
#[test]
fn a_missing_buffer_is_proposed_with_the_frames_of_its_client() {
    let system = with_domain("loner", "");
    for large_frames in [false, true] {
        let flows = format!("{FLOWS}[client.loner]\nlarge_frames = {large_frames}\n");
        let mistakes = check(&system, &flows).unwrap_err();
        let remedies = mistakes.iter().map(|mistake| mistake.problem.remedy());
        let region = |remedy: String| {
            let added = remedy.strip_prefix("add ")?;
            added.starts_with("<memory_region").then(|| added.to_owned())
        };
        let regions: String = remedies.filter_map(region).collect();
        let found = broken(&system.replacen("<system>", &format!("<system>{regions}"), 1), &flows);
        let of_regions = ["missing_region", "wrong_size", "frame_size", "buffer_size"];
        assert!(found.iter().all(|rule| !of_regions.contains(rule)), "{found:?}");
        assert!(found.contains(&"missing_map"), "{found:?}");
    }
}

/// The other buffer of the same client is not what was meant.
#[test]
fn a_client_that_maps_a_missing_buffer_is_not_told_to_map_its_other_one() {
    let region = r#"<memory_region name="bob_rx" size="0x10000" />"#;
    assert!(SYSTEM.contains(region));
    let told =
        |region_is: &str| check(&SYSTEM.replacen(region, region_is, 1), FLOWS).unwrap_err().to_string();
    let missing = told("");
    let remedy = "add <memory_region name=\"bob_rx\" size=\"…\" /> or correct the name";
    assert!(missing.contains("there is no memory region `bob_rx`") && missing.ends_with(remedy), "{missing}");
    let misspelt = told(r#"<memory_region name="bob_rxx" size="0x10000" />"#);
    assert!(misspelt.ends_with("did you mean `bob_rxx`?"), "{misspelt}");
}

/// A capability of central, or being its parent, is for those who are trusted. A client is not made so.
#[test]
fn power_over_central_is_for_the_trusted() {
    let holds = r#"<cspace><cap_tcb pd="central" slot="1" /></cspace>"#;
    let holder = with_domain("server", holds);
    let own = SYSTEM.replacen(
        r#"<program_image path="bob.elf" />"#,
        &format!(r#"<program_image path="bob.elf" />{holds}"#),
        1,
    );
    let (before, rest) = SYSTEM.split_once(r#"<protection_domain name="central""#).unwrap();
    let (central, after) = rest.split_once("</protection_domain>").unwrap();
    let parent = format!(
        r#"{before}<protection_domain name="server" priority="210"><program_image path="a.elf" /><protection_domain name="central" id="1"{central}</protection_domain></protection_domain>{after}"#
    );
    let trust = |name: &str| format!("{FLOWS}[[trusted]]\ndomain = \"{name}\"\nreason = \"it is small\"\n");
    assert_eq!(broken(&holder, FLOWS), ["held_capability"]);
    assert_eq!(broken(&holder, &trust("server")), [""; 0]);
    assert_eq!(broken(&parent, FLOWS), ["parent_of_another"]);
    assert_eq!(broken(&parent, &trust("server")), [""; 0]);
    // Trust in somebody without power is needless, and trust in somebody else does not help.
    assert_eq!(broken(&with_domain("server", ""), &trust("server")), ["needless_trust"]);
    assert!(broken(&holder, &trust("ticker")).contains(&"held_capability"));
    assert!(broken(&own, FLOWS).contains(&"held_capability"));
}

#[test]
fn nobody_but_central_maps_the_configuration() {
    let map = r#"<map mr="ferry_config" vaddr="0x14000000" perms="r" />"#;
    let found = broken(&with_domain("logger", map), FLOWS);
    assert!(found.contains(&"foreign_map"), "{found:?}");
}

/// That one device reaches no memory but its driver's says nothing of another one.
#[test]
fn each_device_is_vouched_for_by_itself() {
    let uart = r#"<map mr="uart" vaddr="0x14000000" perms="rw" />"#;
    let inside = |inside: &str| {
        let program = r#"<program_image path="bob.elf" />"#;
        let system = SYSTEM.replacen(program, &format!("{program}{inside}"), 1);
        let region = r#"<system><memory_region name="uart" size="0x1000" phys_addr="0x9000000" />"#;
        let system = system.replacen("<system>", region, 1);
        system.replacen(r#"name="bob""#, r#"name="bob" smc="true""#, 1)
    };
    let trust = |name: &str| format!("[[trusted]]\ndevice = \"{name}\"\nreason = \"it is small\"\n");
    assert_eq!(broken(&inside(""), &(FLOWS.to_owned() + &trust("smc"))), [""; 0]);
    assert!(broken(&inside(uart), &(FLOWS.to_owned() + &trust("smc"))).contains(&"hidden_path"));
    assert_eq!(broken(&inside(uart), &(FLOWS.to_owned() + &trust("smc") + &trust("uart"))), [""; 0]);
    // What is said of one is of no use as long as another one reaches the same.
    assert_eq!(
        broken(&inside(uart), &(FLOWS.to_owned() + &trust("uart"))),
        ["hidden_path", "needless_trust"]
    );
}

#[test]
fn who_takes_part_announces_no_partition() {
    let read = |name| read_in("fixtures/announcer_participant", name);
    let (system, flows) = (read("system.xml"), read("flows.toml"));
    for (name, what) in [("central", "central itself"), ("bob", "a client"), ("ticker", "the ticker")] {
        let flows = flows.replacen("announcer = \"ticker\"", &format!("announcer = \"{name}\""), 1);
        let mistakes = check(&system, &flows).unwrap_err().to_string();
        assert!(mistakes.contains(&format!("`{name}` announces a partition, and is {what};")), "{mistakes}");
    }
    let log = r#"<memory_region name="audit_log" size="0x1000" />"#;
    let reader = r#"<protection_domain name="logger" domain="low" priority="90">
        <program_image path="logger.elf" />
        <map mr="audit_log" vaddr="0x13000000" perms="r" setvar_vaddr="ferry_audit" setvar_size="ferry_audit_size" />
    </protection_domain>"#;
    let of_central = r#"<program_image path="central.elf" />"#;
    let map = r#"<map mr="audit_log" vaddr="0x20040000" perms="rw" />"#;
    let system = system
        .replacen("<memory_region", &format!("{log}<memory_region"), 1)
        .replacen(of_central, &format!("{of_central}{map}"), 1)
        .replacen("</system>", &format!("{reader}</system>"), 1);
    let flows = flows.replacen("announcer = \"ticker\"", "announcer = \"logger\"", 1);
    let mistakes = check(&system, &(flows + "\n[audit]\nregion = \"audit_log\"\n")).unwrap_err().to_string();
    let reader = "`logger` announces a partition, and is the reader of the audit log;";
    assert!(mistakes.contains(reader), "{mistakes}");
}

/// A number is offered for a channel that has another one's, as long as there is one.
#[test]
fn a_channel_is_offered_a_number_that_is_free() {
    let remedies = |others: u8| {
        let channel = |id: u8, peer: &str| {
            format!(r#"<channel><end pd="hub" id="{id}" /><end pd="{peer}" id="{id}" /></channel>"#)
        };
        let domains = ["hub", "peer", "other"].map(|name| {
            let program = r#"<program_image path="a.elf" />"#;
            format!(r#"<protection_domain name="{name}" priority="90">{program}</protection_domain>"#)
        });
        let channels = (0..others).map(|id| channel(id, "peer")).chain([channel(0, "other")]);
        let more: String = domains.into_iter().chain(channels).collect();
        check(&SYSTEM.replacen("</system>", &(more + "</system>"), 1), FLOWS).unwrap_err().to_string()
    };
    let some = remedies(MAX_CHANNEL);
    assert!(some.contains(&format!("write id=\"{MAX_CHANNEL}\", which is free")), "{some}");
    let none = remedies(MAX_CHANNEL + 1);
    assert!(none.contains("give one of the two another id") && !none.contains("is free"), "{none}");
}

#[test]
fn the_configuration_is_found_by_its_name() {
    let config = r#"<memory_region name="ferry_config" size="0x1000" />"#;
    let system = SYSTEM.replacen(config, "", 1).replacen(
        r#"<memory_region name="bob_out""#,
        &format!(r#"{config}<memory_region name="bob_out""#),
        1,
    );
    let description = check(&system, FLOWS).unwrap();
    assert_eq!(description.system.regions[description.config_region].name, "ferry_config");
}

#[test]
fn the_highest_core_is_that_of_a_domain_or_of_a_guest() {
    let core = |inside: &str, core: u8| {
        let system = with_domain("host", inside).replacen(
            r#"name="bob" priority="100""#,
            &format!(r#"name="bob" priority="100" cpu="{core}""#),
            1,
        );
        check(&system, FLOWS).unwrap().system.highest_core()
    };
    assert_eq!(core("", 0), 0);
    assert_eq!(core("", 3), 3);
    let guest = r#"<virtual_machine name="guest"><vcpu id="0" cpu="5" /></virtual_machine>"#;
    assert_eq!(core(guest, 3), 5);
}

/// Microkit makes a region of large pages if every map of it allows that, and no device has it.
#[test]
fn pages_are_large_if_all_maps_allow_it() {
    const REGION: &str = r#"<system><memory_region name="log" size="0x200000" />"#;
    let device = r#"<io_address_space name="nic" peripheral_id="00:1f.6" domain_id="1"><iomap mr="log" iovaddr="0x200000" perms="rw" /></io_address_space></system>"#;
    for (address, has_device, bytes) in [
        (0x2000_0000_u64, false, LARGE_PAGE_BYTES),
        (0x2000_1000, false, PAGE_BYTES),
        (0x2000_0000, true, PAGE_BYTES),
    ] {
        let map = format!(r#"<map mr="log" vaddr="{address:#x}" perms="r" />"#);
        let mut system = with_domain("logger", &map).replacen("<system>", REGION, 1);
        if has_device {
            system = system.replacen("</system>", device, 1);
        }
        let description = check(&system, FLOWS).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let region = description.system.region("log").unwrap();
        assert_eq!(description.system.page_bytes(region), bytes, "{address:#x}, a device: {has_device}");
    }
}

#[test]
fn a_file_that_is_no_text_is_named_with_the_place_of_its_first_wrong_byte() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-text.xml");
    std::fs::write(&path, b"<system>\n  \xc3\xa4\xff</system>").unwrap();
    let error = Source::read(&path).unwrap_err().to_string();
    assert!(error.contains("no-text.xml:2:4: the byte 0xff is not UTF-8;"), "{error}");
}

/// The roles of all, and the ways in which they influence each other.
#[test]
fn the_report_says_who_is_what_and_what_each_does() {
    let fixture = |name| read_in("fixtures/announcer_participant", name);
    let flows = fixture("flows.toml").replacen("[[partition]]\nannouncer = \"ticker\"\n", "", 1);
    let other = r#"<protection_domain name="other" domain="low" priority="90">
        <program_image path="a.elf" />
    </protection_domain></system>"#;
    let system = fixture("system.xml").replacen("</system>", other, 1);
    let report = check(&system, &flows).unwrap().report();
    let roles: Vec<_> = report.domains.iter().map(|row| (row.name.as_str(), row.role)).collect();
    let expected = [
        ("ticker", Role::Ticker),
        ("low-begins", Role::Announcer),
        ("high-begins", Role::Announcer),
        ("central", Role::Central),
        ("alice", Role::Client),
        ("bob", Role::Client),
        ("other", Role::Other),
    ];
    assert_eq!(roles, expected);

    let map = |region: &str, place: &str, perms: &str| {
        format!(r#"<map mr="{region}" vaddr="{place}" perms="{perms}" />"#)
    };
    let more = format!(
        r#"<protection_domain name="two" priority="95"><program_image path="a.elf" />{}{}</protection_domain>
        <channel><end pd="one" id="0" pp="true" /><end pd="two" id="0" /></channel></system>"#,
        map("shared", "0x30000000", "r"),
        map("code", "0x30100000", "x"),
    );
    let regions = ["shared", "code"].map(|name| format!(r#"<memory_region name="{name}" size="0x1000" />"#));
    let system = with_domain("one", &map("shared", "0x30000000", "rw"))
        .replacen("</system>", &more, 1)
        .replacen("<system>", &format!("<system>{}", regions.concat()), 1);
    let report = check(&system, FLOWS).unwrap().report();
    let step = |step: &Influence| format!("{} {} {}", step.from.name, step.way, step.to.name);
    let mut steps: Vec<String> = report.influences.iter().map(step).collect();
    steps.retain(|step| step.split(' ').any(|name| ["one", "two"].contains(&name)));
    steps.sort_unstable();
    let expected = [
        "code read two",
        "one call two",
        "one signal two",
        "one write shared",
        "shared read one",
        "shared read two",
        "two call one",
        "two signal one",
    ];
    assert_eq!(steps, expected);
}
