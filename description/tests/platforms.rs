//! What a platform has is accepted to the last page, pin and priority, and nothing beyond. Each test adds a
//! few elements to the valid description.

use ferry_description::{Description, Interrupts, Platform, Source, Top};

const SYSTEM: &str = include_str!("fixtures/valid/system.xml");
const FLOWS: &str = include_str!("fixtures/valid/flows.toml");

/// A board that has everything.
const BOARD: Platform = Platform {
    name: "the board",
    extras: &["irq", "pin", "pcidev", "phys_addr", "setvar", "domain", "domains"],
    physical: &[0x4000_0000..0x5000_0000, 0x8000_0000..0x9000_0000],
    interrupts: Interrupts::Numbers { highest: 159, of_kernel: &[26, 30] },
    chooses_addresses: true,
    ..Platform::HOSTED
};

/// The valid description with more inside the protection domain `bob`, and more regions.
fn with(inside: &str, regions: &str) -> Description {
    let program = r#"<program_image path="bob.elf" />"#;
    let system = SYSTEM.replacen(program, &format!("{program}{inside}"), 1);
    check(&system.replacen("<system>", &format!("<system>{regions}"), 1))
}

/// The valid description with more attributes of `bob`.
fn bob(attributes: &str) -> Description {
    check(&SYSTEM.replacen(r#"name="bob" priority="100""#, &format!(r#"name="bob" {attributes}"#), 1))
}

fn check(system: &str) -> Description {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/prefill_too_short");
    let system = Source::new("system.xml", system).with_directories(vec![fixtures.into()]);
    Description::check(&system, &Source::new("flows.toml", FLOWS), &[]).unwrap()
}

/// The messages of what the platform refuses, each without its place and its remedy.
fn refused(description: &Description, platform: &Platform) -> Vec<String> {
    let Err(mistakes) = description.check_for(platform) else { return Vec::new() };
    let text = mistakes.to_string();
    let message = |line: &str| line.split_once(": ").unwrap().1.split("; ").next().unwrap().to_owned();
    text.lines().map(message).collect()
}

#[test]
fn memory_is_counted_to_the_byte() {
    // Pages of the valid description, with two for each stack.
    const PAGES: u64 = 1 + 2 * (3 + 2 + 16 + 16) + 4 * 2;
    let log = |attributes: &str| format!(r#"<memory_region name="log" {attributes} />"#);
    for (description, bytes) in [
        (with("", ""), PAGES * 4096),
        (with("", &log(r#"size="0x3000""#)), (PAGES + 3) * 4096),
        (bob(r#"priority="100" stack_size="0x5000""#), (PAGES + 3) * 4096),
        // A device has its memory already.
        (with("", &log(r#"size="0x3000" phys_addr="0x40000000""#)), PAGES * 4096),
        // What fills a region is in the image, too: four bytes, three times.
        (with("", &log(r#"prefill_path="log.txt""#)), (PAGES + 1) * 4096 + 3 * 4),
    ] {
        let board = |memory_bytes| Platform { memory_bytes, ..BOARD };
        assert_eq!(refused(&description, &board(bytes)), [""; 0], "{bytes} bytes");
        let less = refused(&description, &board(bytes - 1));
        assert_eq!(less.len(), 1, "{bytes} bytes: {less:?}");
    }
    assert_eq!(Platform::memory_of_board(512), 448 << 20);
}

#[test]
fn frames_are_counted_with_every_map_of_them() {
    // A frame of a region, for each of its maps too, and each page of a stack twice. Each page is mapped by
    // central and one client, or by one client; the configuration by central.
    const FRAMES: u64 = 2 + 2 * (3 + 2) * 3 + 2 * (16 + 16) * 2 + 4 * 2 * 2;
    let log = |attributes: &str| format!(r#"<memory_region name="log" {attributes} />"#);
    let map = r#"<map mr="log" vaddr="0x13000000" perms="r" />"#;
    for (description, frames) in [
        (with("", ""), FRAMES),
        (with("", &log(r#"size="0x3000""#)), FRAMES + 3),
        (with(map, &log(r#"size="0x3000""#)), FRAMES + 2 * 3),
        (bob(r#"priority="100" stack_size="0x5000""#), FRAMES + 2 * 3),
        // And a page of the image.
        (with(map, &log(r#"prefill_path="log.txt""#)), FRAMES + 2 + 1),
    ] {
        let board = |frames| Platform { frames, ..BOARD };
        assert_eq!(refused(&description, &board(frames)), [""; 0], "{frames} frames");
        let less = refused(&description, &board(frames - 1));
        assert_eq!(less.len(), 1, "{frames} frames: {less:?}");
    }
}

/// Buffers of large frames need one of them for each two megabytes.
#[test]
fn large_frames_are_counted_as_such() {
    // As in the valid description, but two frames for each of the two buffers, and a map of each.
    const FRAMES: u64 = 2 + 2 * (3 + 2) * 3 + 2 * 16 * 2 + 2 * 2 * 2 + 4 * 2 * 2;
    let system = ["bob_tx", "bob_rx"].iter().fold(SYSTEM.to_owned(), |system, region| {
        system.replace(
            &format!(r#"name="{region}" size="0x10000""#),
            &format!(r#"name="{region}" size="0x400000""#),
        )
    });
    let system = system.replacen(r#"mr="bob_rx" vaddr="0x12000000""#, r#"mr="bob_rx" vaddr="0x20000000""#, 1);
    let flows = format!("{FLOWS}[client.bob]\nlarge_frames = true\n");
    let description =
        Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[])
            .unwrap();
    assert_eq!(refused(&description, &Platform { frames: FRAMES, ..BOARD }), [""; 0]);
    assert_eq!(refused(&description, &Platform { frames: FRAMES - 1, ..BOARD }).len(), 1);
}

#[test]
fn a_physical_address_lies_in_one_range_of_the_board() {
    for (address, is_accepted) in [
        (0x3fff_f000_u64, false),
        (0x4000_0000, true),
        (0x4fff_e000, true),
        (0x4fff_f000, false),
        (0x7fff_f000, false),
        (0x8000_0000, true),
        (0x8fff_e000, true),
        (0x8fff_f000, false),
    ] {
        let region = format!(r#"<memory_region name="log" size="0x2000" phys_addr="{address:#x}" />"#);
        assert_eq!(refused(&with("", &region), &BOARD).is_empty(), is_accepted, "{address:#x}");
    }
}

#[test]
fn maps_lie_between_the_lowest_address_and_the_top() {
    // `ferry_tx` of `bob` is mapped lowest, and `ferry_rx` ends highest.
    let lowest = SYSTEM.replacen(r#"mr="bob_tx" vaddr="0x11000000""#, r#"mr="bob_tx" vaddr="0x20000""#, 1);
    let lowest = check(&lowest);
    for (lowest_address, mistakes) in [(0x2_0000, 0), (0x2_0001, 1)] {
        assert_eq!(refused(&lowest, &Platform { lowest_address, ..BOARD }).len(), mistakes);
    }
    let highest =
        check(&SYSTEM.replacen(r#"mr="bob_rx" vaddr="0x12000000""#, r#"mr="bob_rx" vaddr="0x30000000""#, 1));
    // A page lies below the stack, which has two.
    for (top, mistakes) in [
        (Top::Fixed(0x3001_0000), 0),
        (Top::Fixed(0x3000_ffff), 1),
        (Top::Stack(0x3001_3000), 0),
        (Top::Stack(0x3001_2fff), 1),
    ] {
        assert_eq!(refused(&highest, &Platform { top, ..BOARD }).len(), mistakes, "{top:?}");
    }
}

#[test]
fn a_program_may_lie_in_the_pages_beside_a_map() {
    // `bob_tx` is from 0x11000000 to 0x11010000. A program takes whole pages.
    let description = with("", "");
    for (segment, is_accepted) in [
        (0x10ff_e000..0x1100_0000, true),
        (0x10ff_e000..0x1100_0001, false),
        (0x10ff_e000..0x10ff_f001, true),
        (0x1100_f001..0x1100_f002, false),
        (0x1101_0000..0x1101_0001, true),
        (0x1101_0fff..0x1101_1000, true),
    ] {
        let found = description.check_program("bob", None, std::slice::from_ref(&segment));
        assert_eq!(found.is_ok(), is_accepted, "{segment:x?}");
    }
}

#[test]
fn a_platform_has_the_interrupts_of_its_board() {
    const IRQ: &str = r#"<irq irq="5" id="3" />"#;
    const PIN: &str = r#"<irq pin="5" vector="7" id="3" />"#;
    const MESSAGE: &str = r#"<irq pcidev="0:3.1" handle="0" vector="7" id="3" />"#;
    let pins = Interrupts::Pins { controllers: 2, pins: 24 };
    let (arm, pc) = (BOARD, Platform { interrupts: pins, ..BOARD });
    let one = Platform { interrupts: Interrupts::PC, ..BOARD };
    let irq = |number: u64| format!(r#"<irq irq="{number}" id="3" />"#);
    let pin = |ioapic: u64, pin: u64| format!(r#"<irq ioapic="{ioapic}" pin="{pin}" vector="7" id="3" />"#);
    for (element, platform, expected) in [
        (IRQ.to_owned(), &arm, ""),
        (PIN.to_owned(), &pc, ""),
        (MESSAGE.to_owned(), &pc, ""),
        (IRQ.to_owned(), &pc, "an interrupt with irq does not exist on the board"),
        (PIN.to_owned(), &arm, "an interrupt with pin does not exist on the board"),
        (MESSAGE.to_owned(), &arm, "an interrupt with pcidev does not exist on the board"),
        (irq(159), &arm, ""),
        (irq(160), &arm, "the board has no interrupt 160; write 0 to 159"),
        (irq(25), &arm, ""),
        (irq(26), &arm, "the kernel of the board keeps interrupt 26 to itself"),
        (irq(30), &arm, "the kernel of the board keeps interrupt 30 to itself"),
        (pin(1, 23), &pc, ""),
        (pin(2, 23), &pc, "the board has no I/O APIC 2; write 0 to 1"),
        (pin(1, 23), &one, "the board has no I/O APIC 1; write 0"),
        (pin(1, 24), &pc, "the board has no pin 24 of an I/O APIC; write 0 to 23"),
    ] {
        let found =
            with(&element, "").check_for(platform).map_or_else(|it| it.to_string(), |()| String::new());
        assert_eq!(found.is_empty(), expected.is_empty(), "{element}: {found}");
        // What stands behind it is what to do, if that is always the same.
        assert!(format!("{found};").contains(&format!("{expected};")), "{element}: {found}");
    }
}

#[test]
fn a_platform_has_the_priorities_and_cores_that_it_says() {
    let board = Platform { highest_priority: 150, cores: 2, ..BOARD };
    // Central and the ticker have more.
    for (priority, mistakes) in [(150, 2), (151, 3)] {
        let description = bob(&format!(r#"priority="{priority}""#));
        assert_eq!(refused(&description, &board).len(), mistakes, "priority {priority}");
    }
    let board = Platform { highest_priority: 254, ..board };
    for (core, mistakes) in [(1, 0), (2, 1)] {
        let description = bob(&format!(r#"priority="100" cpu="{core}""#));
        assert_eq!(refused(&description, &board).len(), mistakes, "core {core}");
    }
}

#[test]
fn only_kernels_for_one_core_have_a_schedule_of_domains() {
    let domains = r#"<domains><domain name="a" /><domain_schedule><schedule_entry domain="a" duration="1000 us" /></domain_schedule></domains>"#;
    let system = SYSTEM.replacen("<system>", &format!("<system>{domains}"), 1);
    let description = check(&system.replace("<protection_domain ", r#"<protection_domain domain="a" "#));
    assert_eq!(refused(&description, &BOARD), [""; 0]);
    let found = refused(&description, &Platform { cores: 2, ..BOARD });
    for extra in ["domain", "domains"] {
        assert!(found.contains(&format!("`{extra}` does not exist on the board")), "{found:?}");
    }
}

/// An attribute that says what holds without it is no extra.
#[test]
fn a_platform_refuses_what_it_has_not() {
    for (attributes, expected) in [
        (r#"passive="false" smc="false""#, &[][..]),
        (r#"passive="true""#, &["`passive` does not exist on the board"]),
    ] {
        let description = bob(&format!(r#"priority="100" {attributes}"#));
        assert_eq!(refused(&description, &BOARD), expected, "{attributes}");
    }
}

#[test]
fn a_region_whose_address_a_program_gets_needs_an_image_builder_that_chooses_it() {
    let setvar = r#"<setvar symbol="log" region_paddr="log" />"#;
    let description = with(setvar, r#"<memory_region name="log" size="0x1000" />"#);
    for (chooses_addresses, extras, mistakes) in [
        (true, BOARD.extras, 0),
        (false, BOARD.extras, 1),
        // That the platform has no `setvar` is mistake enough.
        (false, &["irq"], 1),
    ] {
        let board = Platform { chooses_addresses, extras, ..BOARD };
        let found = refused(&description, &board);
        assert_eq!(found.len(), mistakes, "{chooses_addresses}, {extras:?}: {found:?}");
    }
}
