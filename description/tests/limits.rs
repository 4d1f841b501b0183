//! What is just within a limit is accepted, and the next step is refused by its own rule alone.

use ferry_description::{Description, Mistakes, Source};
use std::path::Path;

const SYSTEM: &str = include_str!("fixtures/valid/system.xml");
const FLOWS: &str = include_str!("fixtures/valid/flows.toml");

fn check(system: &str, flows: &str) -> Result<Description, Mistakes> {
    let system = Source::new("system.xml", system).with_directories(vec![env!("CARGO_TARGET_TMPDIR").into()]);
    Description::check(&system, &Source::new("flows.toml", flows), &[])
}

/// The rules that a description breaks.
fn broken(system: &str, flows: &str) -> Vec<&'static str> {
    let found = check(system, flows);
    found.err().iter().flat_map(Mistakes::iter).map(|mistake| mistake.problem.rule()).collect()
}

/// Those of the valid description with more inside the protection domain `bob`, and more regions.
fn with(inside: &str, regions: &str) -> Vec<&'static str> {
    let program = r#"<program_image path="bob.elf" />"#;
    let system = SYSTEM.replacen(program, &format!("{program}{inside}"), 1);
    broken(&system.replacen("<system>", &format!("<system>{regions}"), 1), FLOWS)
}

/// Those of the valid description with the first of `from` replaced by `to`.
fn change(from: &str, to: &str) -> Vec<&'static str> {
    assert!(SYSTEM.contains(from), "{from}");
    broken(&SYSTEM.replacen(from, to, 1), FLOWS)
}

fn fixture(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn ranges_may_lie_side_by_side() {
    // `bob_tx` is at 0x11000000 to 0x11010000.
    for (address, rules) in [
        (0x10ff_f000, &[][..]),
        (0x1100_0000, &["overlapping_maps"]),
        (0x1100_f000, &["overlapping_maps"]),
        (0x1101_0000, &[]),
    ] {
        let map = format!(r#"<map mr="log" vaddr="{address:#x}" perms="r" />"#);
        assert_eq!(with(&map, r#"<memory_region name="log" size="0x1000" />"#), rules, "{address:#x}");
    }
    for (address, rules) in [
        (0x4000_0000, &[][..]),
        (0x4000_1000, &["physical_overlap"]),
        (0x4000_2000, &["physical_overlap"]),
        (0x4000_3000, &["physical_overlap"]),
        (0x4000_4000, &[]),
        (0x5000_0000, &[]),
    ] {
        let region = |name: &str, address: u64, bytes: u64| {
            format!(r#"<memory_region name="{name}" size="{bytes:#x}" phys_addr="{address:#x}" />"#)
        };
        let regions = region("one", 0x4000_2000, 0x2000) + &region("two", address, 0x2000);
        assert_eq!(with("", &regions), rules, "{address:#x}");
    }
    for (first, count, rules) in [
        (0x5c, 4, &[][..]),
        (0x5d, 4, &["overlapping_ports"]),
        (0x63, 1, &["overlapping_ports"]),
        (0x64, 4, &[]),
        (0xfff0, 16, &[]),
        (0xfff1, 16, &["bad_value"]),
    ] {
        let ports = |id: u8, first: u64, count: u64| {
            format!(r#"<ioport id="{id}" addr="{first:#x}" size="{count}" />"#)
        };
        let both = ports(3, 0x60, 4) + &ports(4, first, count);
        let mut found = with(&both, "");
        // Whoever has ports could reach any device by them.
        found.retain(|rule| *rule != "hidden_path");
        assert_eq!(found, rules, "{count} from {first:#x} on");
    }
}

/// What the devices of an address space of the IOMMU see.
#[test]
fn ranges_of_a_device_may_lie_side_by_side() {
    for (address, rules) in [
        (0x20_0000, &[][..]),
        (0x20_1000, &["overlapping_maps"]),
        (0x20_3000, &["overlapping_maps"]),
        (0x20_4000, &[]),
    ] {
        let region =
            |name: &str| format!(r#"<memory_region name="{name}" size="0x2000" page_size="0x1000" />"#);
        let map = |name: &str, at: u64| format!(r#"<iomap mr="{name}" iovaddr="{at:#x}" perms="rw" />"#);
        let space = format!(
            r#"<io_address_space name="nic" peripheral_id="00:1f.6" domain_id="1">{}{}</io_address_space></system>"#,
            map("one", 0x20_2000),
            map("two", address)
        );
        let system = SYSTEM.replacen("<system>", &format!("<system>{}{}", region("one"), region("two")), 1);
        assert_eq!(broken(&system.replacen("</system>", &space, 1), FLOWS), rules, "{address:#x}");
    }
}

#[test]
fn maps_end_where_the_window_and_the_stack_begin() {
    let central = |address: u64| {
        change(r#"mr="bob_in" vaddr="0x20030000""#, &format!(r#"mr="bob_in" vaddr="{address:#x}""#))
    };
    assert_eq!(central(0xf_ffff_e000), [""; 0]);
    assert_eq!(central(0xf_ffff_f000), ["map_in_window"]);
    let bob = |address: u64| {
        change(r#"mr="bob_rx" vaddr="0x12000000""#, &format!(r#"mr="bob_rx" vaddr="{address:#x}""#))
    };
    assert_eq!(bob(0x7fff_fffe_b000), [""; 0]);
    assert_eq!(bob(0x7fff_fffe_c000), ["map_too_high"]);
}

#[test]
fn attributes_reach_to_their_limits() {
    for (attributes, is_accepted) in [
        (r#"cpu="255""#, true),
        (r#"cpu="256""#, false),
        (r#"period="10_000_000_000_000""#, true),
        (r#"period="10_000_000_000_001""#, false),
        (r#"stack_size="0x1000""#, true),
        (r#"stack_size="0""#, false),
        (r#"stack_size="0x1800""#, false),
        (r#"stack_size="0x1000000""#, true),
        (r#"stack_size="0x1001000""#, false),
    ] {
        let found =
            change(r#"name="bob" priority="100""#, &format!(r#"name="bob" priority="100" {attributes}"#));
        assert_eq!(found, if is_accepted { &[][..] } else { &["bad_value"] }, "{attributes}");
    }
    for (size, is_accepted) in [("0x1000", true), ("0", false), ("0x1800", false)] {
        let found = with("", &format!(r#"<memory_region name="log" size="{size}" />"#));
        assert_eq!(found, if is_accepted { &[][..] } else { &["bad_value"] }, "{size}");
    }
}

#[test]
fn the_longest_message_is_limited_to_the_byte() {
    let flows = |keys: &str| format!("{FLOWS}{keys}\n");
    // Clients have buffers of 64 KiB.
    for (size, rules) in [
        ("\"64 KiB\"", &[][..]),
        ("65537", &["long_message"]),
        ("\"1 GiB\"", &["long_message"]),
        ("\"4 GiB\"", &["not_toml"]),
        ("\"0 KiB\"", &["not_toml"]),
    ] {
        assert_eq!(broken(SYSTEM, &flows(&format!("max_message = {size}"))), rules, "{size}");
    }
    let guarded = fixture("long_inspection/system.xml");
    assert_eq!(broken(&guarded, &flows("max_message = 65536\nguards = [\"schema\"]")), [""; 0]);
    assert_eq!(broken(SYSTEM, &flows("max_message = 65536\none_way = true")), [""; 0]);
}

#[test]
fn a_file_may_fill_its_region_to_the_last_byte() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (bytes, rules) in [(4095, &[][..]), (4096, &[]), (4097, &["prefill_too_long"]), (0, &["empty_file"])]
    {
        std::fs::write(directory.join("fill"), vec![1; bytes]).unwrap();
        let region = r#"<memory_region name="log" size="0x1000" prefill_path="fill" />"#;
        assert_eq!(with("", region), rules, "{bytes} bytes");
    }
}

#[test]
fn there_are_sixteen_scheduling_domains() {
    for (count, rules) in [(16, &[][..]), (17, &["too_many_schedule_domains"])] {
        let domains: Vec<String> =
            (0..count).map(|number| format!(r#"<domain name="d{number}" />"#)).collect();
        let domains = domains.concat();
        let schedule =
            r#"<domain_schedule><schedule_entry domain="d0" duration="1000 us" /></domain_schedule>"#;
        let system =
            SYSTEM.replacen("<system>", &format!("<system><domains>{domains}{schedule}</domains>"), 1);
        let system = system.replace("<protection_domain ", r#"<protection_domain domain="d0" "#);
        assert_eq!(broken(&system, FLOWS), rules, "{count} domains");
    }
}

#[test]
fn elements_are_nested_128_deep() {
    let nested = |depth: usize| {
        let (open, close) = ("<a>".repeat(depth - 1), "</a>".repeat(depth - 1));
        broken(&format!("<system>{open}{close}</system>"), FLOWS)
    };
    assert!(!nested(128).contains(&"too_deep"));
    assert_eq!(nested(129), ["too_deep"]);
}

#[test]
fn an_announcer_runs_twice_from_one_time_slot_to_the_next() {
    let (system, flows) = (fixture("announcer_period/system.xml"), fixture("announcer_period/flows.toml"));
    for (period, rules) in [(2000, &[][..]), (2001, &["announcer_period"])] {
        let system = system.replacen(r#"period="4000""#, &format!(r#"period="{period}""#), 1);
        assert_eq!(broken(&system, &flows), rules, "{period} us");
    }
}

#[test]
fn there_are_256_stages() {
    let (system, flows) = (fixture("too_many_stages/system.xml"), fixture("too_many_stages/flows.toml"));
    assert_eq!(broken(&system, &flows), ["too_many_stages"]);
    // The last flow has eight stages, and there are 264 in all.
    let (fewer, _) = flows.rsplit_once("[[flow]]").unwrap();
    assert_eq!(broken(&system, fewer), [""; 0]);
}

#[test]
fn a_client_may_have_a_name_of_48_bytes() {
    for (bytes, rules) in [(48, &[][..]), (49, &["name_too_long"])] {
        let name = "b".repeat(bytes);
        let renamed = |text: &str| {
            let text = text.replace("\"bob\"", &format!("\"{name}\""));
            text.replace("\"bob_", &format!("\"{name}_"))
        };
        assert_eq!(broken(&renamed(SYSTEM), &renamed(FLOWS)), rules, "{bytes} bytes");
    }
}

/// Between the time slots of two partitions central has one. Others may have theirs too, but do not count.
#[test]
fn time_slots_of_no_partition_do_not_count() {
    let (system, flows) = (fixture("announcer_period/system.xml"), fixture("announcer_period/flows.toml"));
    let slot = |domain: &str| format!(r#"<schedule_entry domain="{domain}" duration="1000 us" />"#);
    let domain = r#"<domain name="low" />"#;
    let system = system
        .replacen(r#"period="4000""#, r#"period="2000""#, 1)
        .replacen(domain, &format!(r#"{domain}<domain name="other" />"#), 1)
        .replacen(&slot("low"), &(slot("low") + &slot("other")), 1);
    assert_eq!(broken(&system, &flows), [""; 0]);
    assert_eq!(broken(&system.replacen(&slot("exchange"), "", 1), &flows), ["no_exchange"]);
}

/// The numbers of a domain's channels and interrupts are its own. Central has the numbers 0 to 2.
#[test]
fn interrupts_share_numbers_with_channels_of_their_domain_alone() {
    for (id, rules) in [(0, &["interrupt_number"][..]), (1, &[]), (2, &[])] {
        assert_eq!(with(&format!(r#"<irq irq="5" id="{id}" />"#), ""), rules, "{id}");
    }
    // Two interrupts connect nobody.
    let program = r#"<program_image path="alice.elf" />"#;
    let system = SYSTEM.replacen(program, &format!(r#"{program}<irq irq="5" id="3" />"#), 1);
    let program = r#"<program_image path="bob.elf" />"#;
    let system = system.replacen(program, &format!(r#"{program}<irq irq="6" id="3" />"#), 1);
    assert_eq!(broken(&system, FLOWS), [""; 0]);
}

#[test]
fn names_of_ferry_and_microkit_are_taken() {
    for (name, owner) in [("monitor", "Microkit's monitor"), ("ferry_supervisor", "Ferry's supervisor")] {
        let domain =
            format!(r#"<protection_domain name="{name}"><program_image path="a.elf" /></protection_domain>"#);
        let system = SYSTEM.replacen("<system>", &format!("<system>{domain}"), 1);
        let mistakes = check(&system, FLOWS).unwrap_err().to_string();
        assert!(mistakes.contains(owner), "{mistakes}");
    }
}

/// Each mistake with the end of its message: what to do.
#[test]
fn a_remedy_names_what_is_meant() {
    let domains = |inside: &str| {
        let schedule = format!("<domains><domain name=\"a\" />{inside}</domains>");
        let system = SYSTEM.replacen("<system>", &format!("<system>{schedule}"), 1);
        system.replace("<protection_domain ", r#"<protection_domain domain="a" "#)
    };
    let schedule = r#"<domain_schedule><schedule_entry domain="a" duration="1000 us" /></domain_schedule>"#;
    let inside = |text: &str| {
        let program = r#"<program_image path="bob.elf" />"#;
        SYSTEM.replacen(program, &format!("{program}{text}"), 1)
    };
    let top = |text: &str| SYSTEM.replacen("<system>", &format!("<system>{text}"), 1);
    for (system, remedy) in [
        (top("<memory_regions />"), "did you mean `memory_region`?"),
        (inside("<program_images />"), "did you mean `program_image`?"),
        (SYSTEM.replacen("<channel>", "<channel><ends />", 1), "did you mean `end`?"),
        (inside(r#"<virtual_machine name="vm"><vcpus /></virtual_machine>"#), "did you mean `vcpu`?"),
        (top(r#"<io_address_space name="nic"><iomaps /></io_address_space>"#), "did you mean `iomap`?"),
        (inside("<cspace><cap_tcbs /></cspace>"), "did you mean `cap_tcb`?"),
        (domains(&format!("<domains />{schedule}")), "did you mean `domain`?"),
        (
            domains(&schedule.replace("<schedule_entry", "<schedule_entries /><schedule_entry")),
            "did you mean `schedule_entry`?",
        ),
        (
            top(r#"<memory_region name="somebody_tx" size="0x1000" />"#),
            "add the protection domain `somebody`, or end the name differently",
        ),
        (
            domains(&schedule.replace(r#"domain="a""#, r#"domain="elsewhere""#)),
            "add <domain name=\"elsewhere\" /> to <domains>, or correct the name",
        ),
        (SYSTEM.replacen("<channel>", r#"<channel id="1">"#, 1), "remove it"),
    ] {
        let mistakes = check(&system, FLOWS).unwrap_err().to_string();
        assert!(mistakes.lines().any(|line| line.ends_with(remedy)), "{remedy}: {mistakes}");
    }
}
