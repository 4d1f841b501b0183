//! Values that a rule refuses, and values that it must not refuse. Each test changes a few words of the valid
//! description. What Microkit's tool accepts must be accepted, and what it refuses is refused here first.

use ferry_description::{Description, Mistakes, Platform, Source};

const SYSTEM: &str = include_str!("fixtures/valid/system.xml");
const FLOWS: &str = include_str!("fixtures/valid/flows.toml");

/// Checks the valid description with the first of `from` replaced by `to`, in either file.
fn change(from: &str, to: &str) -> Result<Description, Mistakes> {
    assert!(SYSTEM.contains(from) || FLOWS.contains(from), "{from}");
    check(&SYSTEM.replacen(from, to, 1), &FLOWS.replacen(from, to, 1))
}

fn check(system: &str, flows: &str) -> Result<Description, Mistakes> {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/prefill_too_short");
    let system = Source::new("system.xml", system).with_directories(vec![fixtures.into()]);
    Description::check(&system, &Source::new("flows.toml", flows), &[])
}

fn refused(from: &str, to: &str) -> String {
    change(from, to).unwrap_err().to_string()
}

/// The valid description with more inside the protection domain `bob`, and more regions.
fn with(inside: &str, regions: &str) -> Result<Description, Mistakes> {
    let program = r#"<program_image path="bob.elf" />"#;
    let system = SYSTEM.replacen(program, &format!("{program}{inside}"), 1);
    check(&system.replacen("<system>", &format!("<system>{regions}"), 1), FLOWS)
}

/// The attributes of `bob`.
fn bob(attributes: &str) -> Result<Description, Mistakes> {
    change(r#"name="bob" priority="100""#, &format!(r#"name="bob" priority="100" {attributes}"#))
}

#[test]
fn attributes_of_domains_have_values() {
    for (attributes, problem) in [
        (r#"fpu="off""#, "`fpu` is `off`; write true or false"),
        (r#"passive="1""#, "`passive` is `1`; write true or false"),
        (r#"smc="yes""#, "`smc` is `yes`; write true or false"),
        (r#"cpu="256""#, "`cpu` is `256`; write 0 to 255, the number of a processor core"),
        (r#"cpu="-1""#, "`cpu` is `-1`; write a number, decimal or 0x…"),
        (r#"budget="0""#, "`budget` is `0`; write at least 20, the least that the kernel can measure"),
        (
            r#"period="100000000000000""#,
            "`period` is `100000000000000`; write at most 10_000_000_000_000, which the kernel can count",
        ),
        (r#"budget="2000" period="1000""#, "`budget` is `2000`; write at most the period"),
        (r#"stack_size="0x800""#, "`stack_size` is `0x800`; write a multiple of 0x1000 up to 0x100_0000"),
        (
            r#"id="1""#,
            "element `protection_domain` has no attribute `id`; known attributes: name, priority, budget, period, \
             passive, stack_size, cpu, smc, fpu, domain",
        ),
    ] {
        assert_eq!(bob(attributes).unwrap_err().to_string(), format!("system.xml:29: {problem}"));
    }
    for attributes in [
        r#"fpu="false""#,
        r#"passive="true""#,
        r#"smc="false""#,
        r#"cpu="0""#,
        r#"budget="500" period="0x3e8""#,
    ] {
        bob(attributes).unwrap();
    }
}

#[test]
fn regions_are_sized_by_what_fills_them() {
    let bytes = |region: &str| {
        let description = with("", region).unwrap();
        let number = description.system.region("log").unwrap();
        description.system.regions[number].bytes
    };
    assert_eq!(bytes(r#"<memory_region name="log" prefill_path="log.txt" />"#), 0x1000);
    assert_eq!(
        bytes(r#"<memory_region name="log" prefill_path="log.txt" page_size="0x200000" />"#),
        0x20_0000
    );
    assert_eq!(bytes(r#"<memory_region name="log" prefill_bootinfo="fdt" />"#), 0x1000);
    let refused = with("", r#"<memory_region name="log" />"#).unwrap_err().to_string();
    assert_eq!(refused, r#"system.xml:1: element `memory_region` lacks the attribute `size`; add size="…""#);
    let refused = with("", r#"<memory_region name="log" size="0x1000" prefill_bootinfo="x86" />"#);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "system.xml:1: `prefill_bootinfo` is `x86`; write x86_vbe, x86_mbmmap, x86_acpi_rsdp, x86_framebuffer, \
         x86_tsc_freq or fdt"
    );
}

#[test]
fn physical_addresses_are_aligned_and_do_not_wrap() {
    for (address, problem) in [
        ("0x800", "a multiple of the page size"),
        ("0xffff_ffff_ffff_f000", "an address such that the region ends below 2^64"),
    ] {
        let region = format!(r#"<memory_region name="log" size="0x2000" phys_addr="{address}" />"#);
        let refused = with("", &region).unwrap_err().to_string();
        assert_eq!(refused, format!("system.xml:1: `phys_addr` is `{address}`; write {problem}"));
    }
}

#[test]
fn permissions_are_those_of_microkit() {
    let with_permissions = |permissions: &str| {
        let map = format!(r#"<map mr="log" vaddr="0x13000000" perms="{permissions}" />"#);
        with(&map, r#"<memory_region name="log" size="0x1000" />"#)
    };
    for permissions in ["", "r", "rw", "wr", "x", "rx", "rwx", "rr"] {
        with_permissions(permissions).unwrap();
    }
    for permissions in ["w", "ww", "R", "r w"] {
        assert_eq!(
            with_permissions(permissions).unwrap_err().to_string(),
            format!(
                "system.xml:30: `perms` is `{permissions}`; write a combination of r, w and x, and not w alone"
            )
        );
    }
}

#[test]
fn large_buffers_have_the_pages_that_the_client_wants() {
    const REGION: &str = r#"<memory_region name="bob_tx" size="0x10000" />"#;
    const LARGE: &str = r#"<memory_region name="bob_tx" size="0x200000" />"#;
    let at = |address: &str, flows: &str| {
        let system = SYSTEM.replacen(REGION, LARGE, 1);
        let map = r#"<map mr="bob_tx" vaddr="0x11000000""#;
        let rx = r#"<memory_region name="bob_rx" size="0x10000" />"#;
        let system = system.replacen(rx, r#"<memory_region name="bob_rx" size="0x200000" />"#, 1);
        check(&system.replacen(map, &format!(r#"<map mr="bob_tx" vaddr="{address}""#), 1), flows)
    };
    let large = format!("{FLOWS}[client.bob]\nlarge_frames = true\n");
    assert_eq!(at("0x11001000", FLOWS).unwrap().clients[1].transmit.frame_bits, 12);
    assert_eq!(at("0x11000000", FLOWS).unwrap().clients[1].transmit.frame_bits, 12);
    assert_eq!(at("0x11000000", &large).unwrap().clients[1].transmit.frame_bits, 21);
    assert_eq!(
        at("0x11001000", &large).unwrap_err().to_string(),
        "system.xml:33: the address 0x11001000 is not a multiple of the page size 0x200000 of `bob_tx`; move it \
         to a multiple of 0x200000, or state page_size=\"0x1000\" for the region"
    );
}

#[test]
fn numbers_of_channels_are_decimal() {
    for (id, problem) in [
        ("0x1", "write a decimal number"),
        ("1_0", "write a decimal number"),
        ("-1", "write a decimal number"),
        ("62", "write 0 to 61"),
    ] {
        let refused =
            refused(r#"<end pd="central" id="2" />"#, &format!(r#"<end pd="central" id="{id}" />"#));
        assert_eq!(refused, format!("system.xml:45: `id` is `{id}`; {problem}"));
    }
    assert_eq!(
        refused(r#"<end pd="central" id="2" />"#, r#"<end pd="central" />"#),
        r#"system.xml:45: element `end` lacks the attribute `id`; add id="2", which is free"#
    );
    // Interrupts have numbers of the same domain.
    let program = r#"<program_image path="central.elf" />"#;
    let system = SYSTEM.replacen(program, &format!(r#"{program}<irq irq="5" id="2" />"#), 1);
    let system = system.replacen(r#"<end pd="central" id="2" />"#, r#"<end pd="central" />"#, 1);
    let message = check(&system, FLOWS).unwrap_err().to_string();
    assert!(message.ends_with(r#"add id="3", which is free"#), "{message}");
}

#[test]
fn schedules_are_checked_like_microkits() {
    const ENTRY: &str = r#"<schedule_entry domain="a" duration="1000 us" />"#;
    let schedule = |domains: &str, attributes: &str, entries: &str| {
        let domains =
            format!("<domains>{domains}<domain_schedule {attributes}>{entries}</domain_schedule></domains>");
        let system = SYSTEM.replacen("<system>", &format!("<system>{domains}"), 1);
        check(&system.replace("<protection_domain ", r#"<protection_domain domain="a" "#), FLOWS)
    };
    schedule(r#"<domain name="a" id="15" />"#, r#"start_index="0" index_shift="5""#, ENTRY).unwrap();
    schedule(r#"<domain name="a" />"#, "", &ENTRY.replace("1000 us", "1_000 ticks")).unwrap();
    for (domains, attributes, entries, problem) in [
        (r#"<domain name="a" id="16" />"#, "", ENTRY, "`id` is `16`; write 0 to 15"),
        (
            r#"<domain name="a" id="1" /><domain name="b" id="1" />"#,
            "",
            ENTRY,
            "`id` is `1`; write a number that no other <domain> has",
        ),
        (
            r#"<domain name="a" /><domain name="a" />"#,
            "",
            ENTRY,
            "`name` is `a`; write a name that no other <domain> has",
        ),
        (
            r#"<domain name="a" />"#,
            r#"start_index="1""#,
            ENTRY,
            "`start_index` is `1`; write the number of a <schedule_entry>, counted from 0",
        ),
        (
            r#"<domain name="a" />"#,
            r#"index_shift="99""#,
            ENTRY,
            "`index_shift` is `99`; write a number below 100 less the number of entries",
        ),
        (
            r#"<domain name="a" />"#,
            "",
            r#"<schedule_entry domain="a" duration="0 us" />"#,
            "`duration` is `0 us`; write a number and `us` or `ticks`, such as \"1000 us\", not 0 and below 10^13",
        ),
    ] {
        let refused = schedule(domains, attributes, entries).unwrap_err().to_string();
        assert_eq!(refused, format!("system.xml:1: {problem}"));
    }
}

#[test]
fn flows_are_refused_in_words_of_toml() {
    const REMEDY: &str = "; docs/flows.md lists every key and its values";
    for (from, to, line, problem) in [
        ("10_000", "0", 2, "this is the integer `0`, expected a whole number from 1 to 4294967295"),
        (
            "10_000",
            "\"long\"",
            2,
            "this is the string \"long\", expected a whole number from 1 to 4294967295",
        ),
        (
            "[[flow]]",
            "[flow]",
            4,
            "there can be several of them, so [flow] needs two pairs of brackets: [[flow]]",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\nclass = \"fast\"",
            7,
            "unknown word `fast`, expected `normal` or `urgent`",
        ),
        ("to = \"bob\"", "", 4, "missing key `to`"),
        (
            "to = \"bob\"",
            "to = \"bob\"\nmax_message = 0",
            7,
            "this is the integer `0`, expected 1 byte to 4 GiB - 1, as a number or like \"64 KiB\" or \"16 MiB\"",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\n[client.bob]\nmessages_per_round = 129",
            8,
            "this is the integer `129`, expected a whole number from 1 to 128",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\n[restarts]\nbob = 256",
            8,
            "this is the integer `256`, expected a whole number from 0 to 255",
        ),
        (
            "10_000",
            "2020-01-01",
            2,
            "this is a table or a date, expected a whole number from 1 to 4294967295",
        ),
        ("10_000", "[1]", 2, "this is an array, expected a whole number from 1 to 4294967295"),
        (
            "10_000",
            "99999999999999999999",
            2,
            "this is the integer `99999999999999999999`, expected a whole number from 1 to 4294967295",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\nguards = [5]",
            7,
            "this is the integer `5`, expected the name of a guard, or a table like { quorum = 2, of = \
             [\"a\", \"b\", \"c\"] }",
        ),
        (
            "[tick]",
            "trusted = 5\n[tick]",
            1,
            "this is the integer `5`, expected tables, each headed [[trusted]]",
        ),
        ("[tick]", "[[tick]]", 1, "this is an array, expected a table, [tick] with `period_us` in it"),
        (
            "to = \"bob\"",
            "to = \"bob\"\nclass = { urgent = {} }",
            7,
            "this is a table or a date, expected `normal` or `urgent`",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\nmapping = 1",
            7,
            "this is the integer `1`, expected `each` or `keep`",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\n[client]\nbob = [1, 2, true]",
            8,
            "this is an array, expected a table, [client.NAME]",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\n[client]\nbob = 2020-01-01",
            8,
            "this is a date, expected one of `bytes_per_round`, `messages_per_round`, `large_frames`",
        ),
        (
            "to = \"bob\"",
            "to = \"bob\"\n[trusted]\ndomain = \"ticker\"",
            7,
            "there can be several of them, so [trusted] needs two pairs of brackets: [[trusted]]",
        ),
    ] {
        assert_eq!(refused(from, to), format!("flows.toml:{line}: {problem}{REMEDY}"));
    }
}

/// To the parser, the second of two such tables is a key that is there twice.
#[test]
fn two_tables_with_one_pair_of_brackets_each_are_refused_as_one_is() {
    let two = refused("[[flow]]", "[flow]\nfrom = \"bob\"\nto = \"alice\"\n[flow]");
    let what = "there can be several of them, so [flow] needs two pairs of brackets: [[flow]]";
    assert!(two.starts_with(&format!("flows.toml:7: {what}; ")), "{two}");
    let twice = refused("to = \"bob\"", "to = \"bob\"\nto = \"bob\"");
    assert!(twice.starts_with("flows.toml:7: duplicate key; "), "{twice}");
}

#[test]
fn a_platform_refuses_what_it_lacks() {
    let refused = |description: Result<Description, Mistakes>, platform: &Platform| {
        description.unwrap().check_for(platform).unwrap_err().to_string()
    };
    bob("").unwrap().check_for(&Platform::CLASSIC).unwrap();
    bob("").unwrap().check_for(&Platform::HOSTED).unwrap();
    assert_eq!(
        refused(bob(r#"cpu="1""#), &Platform::HOSTED),
        "system.xml:29: the hosted platform has no processor core 1; write 0; on Microkit the configurations for \
         several cores have more (--config smp-debug)"
    );
    assert_eq!(
        refused(
            change("period_us = 10_000", "period_us = 10_000"),
            &Platform { periods_us: 1..=2, ..Platform::CLASSIC }
        ),
        "flows.toml:2: the classic platform cannot count a period of 10000 us; write 1 to 2, here and as the ticker's period"
    );
}

#[test]
fn harmful_letters_are_shown_as_escapes() {
    let refused = refused(r#"name="bob" priority"#, "name=\"b\u{202e}ob\" priority");
    let first = refused.lines().next().unwrap();
    assert!(first.starts_with("system.xml:29: the name `b\\u{202e}ob` is no name;"), "{first}");
    let rendered =
        change(r#"name="bob" priority"#, "name=\"b\u{202e}ob\" priority").unwrap_err().render(false);
    assert!(!rendered.contains('\u{202e}'), "{rendered}");
}

#[test]
fn the_same_mistake_many_times_is_shown_a_few_times() {
    let flow = "[[flow]]\nfrom = \"alice\"\nto = \"bob\"\n";
    let mistakes = check(SYSTEM, &format!("{FLOWS}\n{}", flow.repeat(2000))).unwrap_err();
    let duplicates = mistakes.iter().filter(|mistake| mistake.problem.rule() == "duplicate_flow");
    assert_eq!(duplicates.count(), 2000);
    for text in [mistakes.to_string(), mistakes.render(false)] {
        assert!(text.lines().count() < 100, "{text}");
        assert!(text.contains("1990 more mistakes like these"), "{text}");
    }
    let few = check(SYSTEM, &format!("{FLOWS}\n{}", flow.repeat(10))).unwrap_err().to_string();
    assert_eq!((few.lines().count(), few.contains("more")), (10, false), "{few}");
}

#[test]
fn nesting_exhausts_no_stack() {
    let deep = |number: usize| {
        let domain = r#"<protection_domain name="d"><program_image path="d.elf" />"#;
        format!("{}{}", domain.repeat(number), "</protection_domain>".repeat(number))
    };
    let refused = check(&format!("<system>{}</system>", deep(100_000)), FLOWS).unwrap_err().to_string();
    assert!(refused.contains("nested more than 128 deep"), "{refused}");
}
