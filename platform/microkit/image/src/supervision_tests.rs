//! Tests of what the supervisor's part in a description is.

use super::{Board, Console, Document, Error, Exit, Silence, Supervised};
use ferry_boards::MICROKIT;

const DESCRIPTION: &str = r#"<system>
    <protection_domain name="a" priority="10"><irq irq="1" id="61" />
        <protection_domain name="b" id="5" /></protection_domain>
    <protection_domain name="c" />
    <channel><end pd="a" id="60" /><end pd="c" id="0" /></channel>
</system>"#;

fn supervised(text: &str, board: &Board) -> Result<Supervised, Error> {
    Supervised::new(text, board, |name| name != "c")
}

/// A board whose console is in memory, and one whose console has ports.
fn boards() -> (&'static Board, &'static Board) {
    let with =
        |ports| MICROKIT.iter().find(|board| matches!(board.console, Some(Console::Ports(_))) == ports);
    (with(false).unwrap(), with(true).unwrap())
}

fn children(document: &Document<'_>, parent: &str) -> Vec<(String, String)> {
    let mut domains = document.descendants().filter(|node| node.has_tag_name("protection_domain"));
    let parent = domains.find(|node| node.attribute("name") == Some(parent)).unwrap();
    let attribute = |name| move |node: roxmltree::Node<'_, '_>| node.attribute(name).unwrap().to_owned();
    let children = parent.children().filter(|node| node.has_tag_name("protection_domain"));
    children.map(|child| (attribute("name")(child), attribute("id")(child))).collect()
}

#[test]
fn top_level_domains_become_children_and_others_keep_their_parent() {
    let new = supervised(DESCRIPTION, boards().0).unwrap();
    let document = Document::parse(&new.xml).unwrap();
    let own = |name: &str, id: &str| (name.to_owned(), id.to_owned());
    assert_eq!(children(&document, "ferry_supervisor"), [own("a", "0"), own("c", "2")]);
    assert_eq!(children(&document, "a"), [own("b", "5")]);
    assert_eq!((new.names.join(" ").as_str(), new.children), ("a b c", 0b101));
}

#[test]
fn programs_with_the_symbol_get_a_channel_with_a_free_number() {
    let new = supervised(DESCRIPTION, boards().1).unwrap();
    let callers: Vec<&str> = new.xml.lines().filter(|line| line.contains("pp=\"true\"")).collect();
    assert_eq!(callers.len(), 2, "{callers:?}");
    assert!(callers[0].contains("pd=\"a\" id=\"59\""), "61 is its interrupt, 60 its channel: {}", callers[0]);
    assert!(
        callers[1].contains("pd=\"b\" id=\"61\"")
            && callers[1].contains("id=\"1\" notify=\"false\" /></channel>")
    );
    assert!(callers.iter().all(|caller| caller.matches("notify=\"false\"").count() == 2));
}

#[test]
fn a_console_that_a_domain_has_is_left_alone() {
    let serial = DESCRIPTION.replace("<irq", "<ioport id=\"0\" addr=\"0x3_f0\" size=\"16\" /><irq");
    let new = supervised(&serial, boards().1).unwrap();
    assert!(
        new.silent == Some(Silence::Taken)
            && !new.xml.contains("ferry_uart")
            && new.xml.contains("ferry_exit")
    );
    assert_eq!(supervised(&serial, boards().0).unwrap().silent, None);
}

#[test]
fn ports_that_end_the_machine_are_left_alone_if_a_domain_has_them() {
    let ports = |first: u64, size: u64| {
        DESCRIPTION.replace("<irq", &format!("<ioport id=\"0\" addr=\"{first:#x}\" size=\"{size}\" /><irq"))
    };
    for (first, size) in [(0xf4, 1), (0xf0, 5), (0xf7, 8)] {
        let new = supervised(&ports(first, size), boards().1).unwrap();
        assert!(!new.xml.contains("ferry_exit"), "{first:#x}, {size}: {}", new.xml);
        assert!(new.xml.contains("ferry_uart"), "{first:#x}, {size}: {}", new.xml);
    }
    for (first, size) in [(0xf0, 4), (0xf8, 8)] {
        let new = supervised(&ports(first, size), boards().1).unwrap();
        assert!(new.xml.contains("ferry_exit"), "{first:#x}, {size}: {}", new.xml);
    }
}

#[test]
fn a_supervisor_that_nobody_can_call_does_not_end_the_machine() {
    let new = Supervised::new(DESCRIPTION, boards().1, |_| false).unwrap();
    assert!(!new.xml.contains("pp=\"true\"") && !new.xml.contains("ferry_exit"), "{}", new.xml);
    assert!(new.xml.contains("ferry_uart"), "it reports");
    assert!(new.xml.contains("\"ferry_supervisor.elf\""), "{}", new.xml);
    let demo = supervised(DESCRIPTION, boards().1).unwrap();
    assert!(demo.xml.contains("\"ferry_demo_supervisor.elf\""), "{}", demo.xml);
}

#[test]
fn devices_in_memory_are_mapped_for_the_supervisor_alone() {
    let board = Board::of_microkit("qemu_virt_riscv64").unwrap();
    let new = supervised(DESCRIPTION, board).unwrap();
    for (symbol, address) in [("ferry_uart", "0x10000000"), ("ferry_exit", "0x100000")] {
        let region = format!("name=\"{symbol}\" size=\"0x1000\" phys_addr=\"{address}\"");
        assert_eq!(new.xml.matches(&region).count(), 1, "{}", new.xml);
        assert_eq!(new.xml.matches(&format!("setvar_vaddr=\"{symbol}\"")).count(), 1, "{}", new.xml);
    }
    let product = Supervised::new(DESCRIPTION, board, |_| false).unwrap();
    assert!(product.xml.contains("ferry_uart") && !product.xml.contains("ferry_exit"));
}

#[test]
fn a_board_without_console_and_exit_has_a_supervisor_without_devices() {
    let known = boards().0;
    let board = Board {
        name: "bare",
        summary: "",
        architecture: known.architecture,
        platform: known.platform.clone(),
        cores: 1,
        console: None,
        exit: None,
        emulator: None,
    };
    let new = supervised(DESCRIPTION, &board).unwrap();
    assert_eq!(
        (new.silent, new.registers, new.ends_without_device),
        (Some(Silence::Undeclared), None, false)
    );
    assert!(!new.xml.contains("ferry_uart") && !new.xml.contains("ferry_exit"), "{}", new.xml);
    let (known, exit) = (supervised(DESCRIPTION, known).unwrap(), known.exit);
    assert_eq!((known.silent, known.ends_without_device), (None, exit == Some(Exit::Semihosting)));
    assert!(known.registers.is_some() && known.ends_without_device);
    let product = Supervised::new(DESCRIPTION, boards().0, |_| false).unwrap();
    assert!(!product.ends_without_device, "nobody can ask for it");
}

#[test]
fn devices_in_memory_that_a_domain_has_are_left_alone() {
    let board = Board::of_microkit("qemu_virt_riscv64").unwrap();
    let taken = "<system><memory_region name=\"power\" size=\"0x2000\" phys_addr=\"0xf_f000\" />";
    let new = supervised(&DESCRIPTION.replace("<system>", taken), board).unwrap();
    assert!(new.xml.contains("ferry_uart") && !new.xml.contains("ferry_exit"), "{}", new.xml);
    let taken = "<system><memory_region name=\"uart\" size=\"0x1000\" phys_addr=\"0x1000_0000\" />";
    let new = supervised(&DESCRIPTION.replace("<system>", taken), board).unwrap();
    assert!(new.silent == Some(Silence::Taken) && !new.xml.contains("ferry_uart"), "{}", new.xml);
}

#[test]
fn a_domain_of_the_highest_priority_has_no_channel() {
    for priority in ["254", "0xfe"] {
        let text = DESCRIPTION.replace("\"10\"", &format!("\"{priority}\""));
        let new = supervised(&text, boards().1).unwrap();
        assert_eq!(new.xml.matches("pp=\"true\"").count(), 1, "only `b` has one: {}", new.xml);
    }
}

#[test]
fn the_supervisor_is_scheduled_with_central() {
    const SCHEDULE: &str = r#"<system><domains><domain name="x" /><domain name="y" id="0" />
        <domain name="z" /><domain_schedule /></domains>"#;
    let text = DESCRIPTION.replace("<system>", SCHEDULE);
    let text =
        text.replace(r#"name="c""#, r#"name="central" domain="z""#).replace(r#"pd="c""#, r#"pd="central""#);
    let new = supervised(&text, boards().1).unwrap();
    assert!(new.xml.contains(r#"name="ferry_supervisor" priority="254" domain="z">"#), "{}", new.xml);
    let document = Document::parse(&new.xml).unwrap();
    let domains = document.descendants().filter(|node| node.has_tag_name("domain"));
    let ids: Vec<_> = domains.map(|domain| domain.attribute("id").unwrap()).collect();
    assert_eq!(ids, ["1", "0", "2"]);
}

#[test]
fn more_domains_than_numbers_are_refused() {
    let domains = "<protection_domain />".repeat(63);
    let error = supervised(&format!("<system>{domains}</system>"), boards().1).err().unwrap();
    assert!(matches!(error, Error::TooManyDomains { found: 63, limit: 62 }), "{error}");
}
