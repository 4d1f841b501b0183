//! For each rule, one description that breaks it and no other rule. The test compares the mistake word for
//! word.

use ferry_description::{Description, Interrupts, Mistakes, Platform, Problem, Source};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

fn check(fixture: &str) -> Result<Description, Mistakes> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    let source = |name: &str| {
        let text = std::fs::read_to_string(directory.join(name)).unwrap();
        Source::new(name, text).with_directories(vec![directory.clone()])
    };
    let description = Description::check(&source("system.xml"), &source("flows.toml"), &[])?;
    if let Ok(programs) = std::fs::read_to_string(directory.join("programs")) {
        let programs: Vec<String> = programs.split_whitespace().map(str::to_owned).collect();
        description.check_programs(&Platform::CLASSIC, &programs)?;
    }
    // The addresses that the program of `bob` occupies.
    if let Ok(segment) = std::fs::read_to_string(directory.join("segment")) {
        let numbers = segment.split_whitespace().map(|number| u64::from_str_radix(number, 16).unwrap());
        let [start, end] = numbers.collect::<Vec<_>>().try_into().unwrap();
        description.check_program("bob", None, std::slice::from_ref(&(start..end)))?;
    }
    match std::fs::read_to_string(directory.join("platform")) {
        Ok(name) => description.check_for(platform(name.trim())).map(|()| description),
        Err(_) => Ok(description),
    }
}

/// The platform that a fixture names in its file `platform`, for rules that only some platforms have.
fn platform(name: &str) -> &'static Platform {
    static TWO_CORES: Platform = Platform { name: "a board with two cores", cores: 2, ..Platform::HOSTED };
    static ARM: Platform = Platform {
        name: "an ARM board",
        extras: &["irq", "phys_addr"],
        physical: &[0..0x800_0000, 0x800_1000..0x100_0000_0000],
        interrupts: Interrupts::Numbers { highest: 159, of_kernel: &[26] },
        ..Platform::HOSTED
    };
    static PC: Platform = Platform { name: "a PC", extras: &["setvar"], ..Platform::HOSTED };
    match name {
        "classic" => &Platform::CLASSIC,
        "hosted" => &Platform::HOSTED,
        "arm" => &ARM,
        "pc" => &PC,
        _ => &TWO_CORES,
    }
}

#[test]
fn the_description_that_the_fixtures_are_made_from_is_accepted() {
    check("valid").unwrap();
}

#[test]
fn every_rule_has_its_fixture() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let names = std::fs::read_dir(directory).unwrap();
    let fixtures: BTreeSet<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let rules: BTreeSet<String> =
        Problem::RULES.iter().copied().chain(["valid"]).map(str::to_owned).collect();
    assert_eq!(fixtures, rules);
}

/// The table of rules in `docs/system.md`, made from the fixtures.
fn table() -> String {
    let mut table = "| rule, with its description | message |\n| --- | --- |\n".to_owned();
    for rule in Problem::RULES {
        let message = check(rule).unwrap_err().to_string().replace('|', "\\|");
        let fixture = format!("../description/tests/fixtures/{rule}");
        writeln!(table, "| [{rule}]({fixture}) | `` {message} `` |").unwrap();
    }
    table
}

#[test]
fn every_rule_is_documented() {
    const MARKS: [&str; 2] = ["<!-- rules -->\n", "<!-- end of rules -->"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/system.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (found, after) = rest.split_once(MARKS[1]).unwrap();
    let table = table();
    if std::env::var_os("FERRY_WRITE_RULES").is_some() {
        std::fs::write(&path, [before, MARKS[0], &table, MARKS[1], after].concat()).unwrap();
        return;
    }
    assert_eq!(found, table, "write the table again with `make rules`");
}

#[test]
fn a_mistake_is_shown_with_its_line() {
    let shown = check("wrong_size").unwrap_err().render(false);
    assert_eq!(
        shown,
        "\
error[wrong_size]: `bob_out` has 0x4000 bytes
 --> system.xml:7:5
  |
7 |     <memory_region name=\"bob_out\" size=\"0x4000\" />
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: write size=\"0x3000\"

"
    );
}

/// Only what is wrong is underlined.
#[test]
fn a_mistake_is_underlined() {
    let valid = include_str!("fixtures/valid/system.xml");
    let region = r#"<memory_region name="ferry_config""#;
    let stray = valid.replacen(region, &format!("bob sends {region}"), 1);
    let flows = Source::new("flows.toml", include_str!("fixtures/valid/flows.toml"));
    let stray = Description::check(&Source::new("system.xml", stray), &flows, &[]).unwrap_err();
    for (mistakes, wrong) in [
        (check("document_type").unwrap_err(), "<!DOCTYPE"),
        (check("stray_text").unwrap_err(), "bob receives"),
        (stray, "bob sends"),
    ] {
        let shown = mistakes.render(false);
        let (line, marks) = shown
            .lines()
            .zip(shown.lines().skip(1))
            .find(|(_, marks)| marks.contains('^'))
            .unwrap_or_else(|| panic!("{shown}"));
        let start = marks.find('^').unwrap();
        let length = marks.matches('^').count();
        assert_eq!(&line[start..start + length], wrong, "{shown}");
    }
}

#[test]
fn a_program_that_is_missing_may_be_written_in_either_language() {
    let description = check("valid").unwrap();
    let programs = ["logger.elf".to_owned()];
    let mistakes = description.check_programs(&Platform::CLASSIC, &programs).unwrap_err().to_string();
    assert!(
        mistakes.contains(
            "as src/bin/NAME.rs, as c/NAME.c or as an ELF file, name its directory with --programs"
        ),
        "{mistakes}"
    );
}

/// Declares a test for each rule. The fixture of the rule breaks it, and the mistake is exactly this line.
macro_rules! rules {
    ($($rule:ident: $message:literal,)*) => {$(
        #[test]
        fn $rule() {
            let mistakes = check(stringify!($rule)).unwrap_err();
            assert_eq!(mistakes.to_string(), $message);
            let rules: Vec<&str> = mistakes.iter().map(|mistake| mistake.problem.rule()).collect();
            assert_eq!(rules, [stringify!($rule)]);
        }
    )*};
}

rules! {
    announcer_participant: "flows.toml:11: `ticker` announces a partition, and is the ticker; let a protection domain announce it that does nothing else, with Ferry's ticker.elf as its program",
    announcer_period: r#"system.xml:25: `low-begins` has a period of 4000 us, its time slots begin 4000 us apart; write period="2000" or less, so that it runs again at the beginning of the next one"#,
    announcer_priority: "system.xml:28: `high-begins` has priority 100, `bob` of the same scheduling domain has 100; give the announcer a priority above 100, so that nobody can delay it",
    audit_participant: "system.xml:37: `bob` reads the audit log, and is a client; let another protection domain read it; a client would learn of all the others past the flows",
    audit_reader: "flows.toml:9: the audit log `audit_log` is read by nobody; let one protection domain beside central map it, with perms=\"r\"; it can pass on what it reads",
    audit_without_log: "flows.toml:7: `audit` is for systems with an audit log; add [audit] with region = \"…\", or remove the key",
    audit_without_tick: "flows.toml:6: central signals the reader of the audit log at a tick, but the system has none; add a ticker, as docs/system.md says, or remove the channel between central and the reader",
    bad_name: "system.xml:11: the name `../log` is no name; write letters (a-z, A-Z), digits, `_`, `-` and `.`, and no two dots in a row",
    bad_path: "system.xml:30: the path `bob.elf ` is no path; write a path without control characters, and without blanks at its ends",
    bad_symbol: "system.xml:32: `the log` cannot be a symbol of a program; write the name of a global variable, as in ferry_out",
    bad_value: "system.xml:9: `size` is `64k`; write a number, decimal or 0x…",
    buffer_size: r#"system.xml:10: `bob_rx` has 0x10000 bytes, too few for one large frame of 0x200000; write size="0x200000", or remove large_frames from [client.bob]"#,
    buffer_too_large: "system.xml:10: `bob_rx` has 0x8001000 bytes, more than central can address; keep to 0x4000000 bytes, or set large_frames = true for up to 0x40000000",
    cached_differs: "system.xml:33: `log` is cached in one map and not in another, in line 14; write the same `cached` in all maps of the region; the processor keeps only one of them true",
    call_priority: "system.xml:49: `ticker` of priority 220 may call `bob` of priority 100; give `bob` a priority above 220; who answers calls runs above its callers",
    calls_both_ways: "system.xml:48: both ends may make protected procedure calls; remove pp=\"true\" at the end with the higher priority",
    central_priority: "system.xml:29: `central` has priority 200, its client `bob` has 200; give central a priority above 200, so that a signal to it takes effect at once",
    channel_ends: r#"system.xml:44: a channel has two ends, this one has 1; write two <end pd="…" id="…" /> elements"#,
    config_too_small: r#"system.xml:2: the configuration needs 0x152c bytes, `ferry_config` has 0x1000; write size="0x2000""#,
    connected_clients: "system.xml:48: the clients `alice` and `bob` have a channel of their own; remove it and list a flow from `alice` to `bob`; central does the signalling",
    cut_name: "system.xml:48: the name `mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm` has 64 bytes, and Microkit would cut it; shorten it to 63 bytes",
    document_type: "system.xml:1: a document type declaration is not allowed here; remove <!DOCTYPE …>; a system description has none",
    domain_without_schedule: "system.xml:29: `domain` is `two`, but nothing before this declares scheduling domains; remove `domain`, or write <domains> before the first protection domain",
    duplicate_channel: "system.xml:45: `central` has the number 1 twice, first in line 41; write id=\"2\", which is free",
    duplicate_flow: "flows.toml:8: the flow from `alice` to `bob` is listed twice, first in line 4; remove one of the two",
    duplicate_name: "system.xml:11: the name `bob_tx` is taken, first in line 9; give one of the two another name",
    duplicate_symbol: "system.xml:35: `bob` gets the symbol `ferry_tx` twice; remove one of the two, or name another symbol",
    empty_file: "system.xml:11: the file `log.txt` is empty; write something into it, or leave the region without a file",
    empty_schedule: "system.xml:5: the schedule begins with no entry; add <schedule_entry domain=\"…\" duration=\"1000 us\" /> to it",
    executable: "system.xml:34: `bob` may execute `bob_rx`; remove `x`; nothing that can be written or received is ever code",
    filled_region: "system.xml:10: `bob_rx` is filled, but it belongs to `bob`; remove prefill_path and prefill_bootinfo; Ferry and the client write what is in it",
    flow_between_partitions: "flows.toml:10: `alice` and `bob` notice each other by this flow, and are in different partitions; make the flow one-way and put its guards into one scheduling domain, or put them all into one, or remove [[partition]]",
    flow_to_self: "flows.toml:4: this flow goes from `alice` to itself; remove it; a client reaches its own memory without central",
    foreign_map: "system.xml:31: `bob` maps `alice_tx`, which is memory of `alice`; remove the mapping; only `alice` and `central` may reach it, data goes by a flow",
    frame_size: r#"system.xml:10: `bob_rx` has pages of 0x200000 bytes, `large_frames` of `bob` wants 0x1000; write page_size="0x1000" and a size that is a multiple of it, or change large_frames in [client.bob]"#,
    guard_connected: "system.xml:49: the guard `schema` has the region `log`; remove it; a guard has no device, reaches central alone, and is reached by central alone",
    guard_in_flow: "flows.toml:10: `schema` is a guard, and this flow goes from it or to it; guard the flow with another protection domain; a guard has no flow",
    guard_too_small: "system.xml:14: the guard `schema` has room for 1 of the 2 flows that go through it; make `schema_rx` 98304 bytes or larger, so that it holds the longest message of each flow, or write a smaller max_message in these flows",
    guard_twice: "flows.toml:7: `schema` guards this flow twice; name each guard once; a second look would be the same",
    guards_without_tick: "flows.toml:4: this flow has guards, but the system has no tick that could end their time; add a ticker, as docs/system.md says; without it, a guard that never answers would stop the flow",
    held_capability: "system.xml:31: `bob` holds capabilities of `alice`; remove the capability; with it the holder could read what `alice` reads",
    hidden_path: r#"system.xml:52: `alice` and `bob` can influence each other outside all flows, through `server`: `alice` signals `server` (line 52), `server` signals `bob` (line 56); remove one of these, or vouch for it in flows.toml: [[trusted]] domain = "server" with a reason"#,
    in_centrals_domain: "system.xml:22: `ticker` is in the scheduling domain `exchange` of central; put it into another one; what runs in central's time slots delays it for all partitions",
    interrupt_number: "system.xml:28: `alice` has two channels or interrupts with the number 0; give one of the two another id",
    interrupt_without_source: r#"system.xml:28: the interrupt says not where it comes from; add irq="…" on ARM and RISC-V, pin="…" or pcidev="…" on x86"#,
    kernel_interrupt: "system.xml:13: the kernel of an ARM board keeps interrupt 26 to itself; remove it; no program can receive it",
    large_io_map: r#"system.xml:38: the pages of `dma` are too large for the IOMMU; remove page_size from the region, or write page_size="0x1000""#,
    late_schedule: "system.xml:48: <domains> comes after `ticker`, which so is in no scheduling domain; move <domains> above all protection domains",
    long_inspection: "flows.toml:7: messages may have 131072 bytes, more than a guard can inspect; write max_message = 65536 or less; a guard looks at a whole message at once",
    long_message: "flows.toml:7: messages may have 131072 bytes, but `alice_tx` has 65536 bytes; write max_message = 65536 or less, or make the region larger",
    long_one_way: "flows.toml:7: messages may have 65537 bytes, more than a one-way flow carries; write max_message = 65536 or less; a message is delivered at once or dropped",
    long_schedule: "system.xml:5: the schedule has 100 entries and end markers; keep to 99",
    machine_without_domain: "system.xml:36: this virtual machine is in no protection domain; put it into the protection domain that gets its exits",
    machine_without_processor: r#"system.xml:28: the virtual machine `linux` has no virtual processor; add <vcpu id="0" /> to it"#,
    map_at_zero: "system.xml:33: `bob_tx` is mapped at the address 0; map it at a higher address; a program takes 0 for no address",
    map_in_window: "system.xml:20: `bob_in` lies in central's window or wraps around; map it below 0x1000000000",
    map_out_of_reach: "system.xml:38: `dma` does not fit into `nic` at 0x8000000000; move it, so that it ends at 0x8000000000 or below",
    map_over_program: "system.xml:33: `bob_tx` is mapped over the program of `bob`, which is at 0x200120 to 0x2081f0; map it above 0x2081f0",
    map_too_high: "system.xml:33: `bob_tx` ends at 0xffff800000010000, in the stack of `bob` or above it; map it so that it ends at 0x7fffffffb000 or below",
    misaligned_map: "system.xml:33: the address 0x11000800 is not a multiple of the page size 0x1000 of `bob_tx`; move it to a multiple of 0x1000",
    missing_attribute: "system.xml:32: element `map` lacks the attribute `vaddr`; add vaddr=\"0x20000000\", which is free",
    missing_channel: "system.xml:29: `bob` has no channel to `central`; add <channel><end pd=\"central\" id=\"2\" /><end pd=\"bob\" id=\"0\" setvar_id=\"ferry_central\" /></channel>",
    missing_file: "system.xml:11: there is no file `log.txt`; correct the path; it is relative to the system description, or to the current directory",
    missing_map: "system.xml:14: `central` does not map `bob_out`; add <map mr=\"bob_out\" vaddr=\"0x20200000\" perms=\"r\" /> to it",
    missing_region: r#"system.xml:28: `bob` needs the memory region `bob_rx`, which does not exist; add <memory_region name="bob_rx" size="0x40000" page_size="0x1000" />"#,
    missing_setvar: r#"system.xml:46: no setvar sets the symbol `ferry_central` in `bob`; add setvar_id="ferry_central" here"#,
    mixed_processors: "system.xml:36: an interrupt with irq is of ARM or RISC-V, an interrupt with pin or pcidev is of x86; remove one of the two; no board has both",
    name_too_long: "system.xml:29: the name `bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` has 49 bytes; shorten it to 48 bytes",
    needless_return_path: "flows.toml:8: `return_path` excuses nothing: nothing leads from `bob` to `alice`; remove it",
    needless_trust: "flows.toml:8: `ticker` is trusted, but nothing needs that; remove the entry, so that the list stays short",
    no_announcer: r#"system.xml:46: nobody announces the scheduling domain `high` of `bob`; add [[partition]] with announcer = "…", a protection domain of `high` that has Ferry's ticker.elf as its program"#,
    no_central: r#"system.xml:1: there is no protection domain `central`; add <protection_domain name="central"> with Ferry's central.elf as its program"#,
    no_exchange: r#"system.xml:7: the time slot of `high` comes after that of `low`, and central has none between them; add <schedule_entry domain="exchange" duration="1000 us" /> after this one"#,
    no_flows: "flows.toml:3: there is no flow; list who may send to whom: [[flow]] with from = \"…\" and to = \"…\"",
    no_guards: "flows.toml:7: `guards` names nobody; name a guard, or remove the key",
    no_schedule: "system.xml:2: <domains> has 0 elements called `domain_schedule`; write one <domain_schedule> in it",
    no_schedule_domain: "system.xml:37: there is a domain schedule, but `bob` is in no scheduling domain; add domain=\"…\", one of <domains>",
    not_a_client: "flows.toml:6: `ticker` is named here, but is not a client; name protection domains that send or receive",
    not_on_platform: "system.xml:11: `phys_addr` does not exist on the classic platform; remove it, or choose another platform or board",
    not_toml: "flows.toml:7: unknown key `clas`, expected one of `from`, `to`, `class`, `mapping`, `max_message`, `guards`, `verdict_within`, `one_way`, `return_path`, `audit`; did you mean `class`?; docs/flows.md lists every key and its values",
    not_xml: "system.xml:13: this is not XML: expected 'protection_domain' tag, not 'protection_domian' at 13:5; write a Microkit 2.3 system description",
    one_way_audited: "flows.toml:8: the audit log cannot have all messages of a one-way flow; write audit = \"refusals\"; it has the verdicts of the flow's guards, and the receiver sees the gaps",
    one_way_without_tick: "flows.toml:4: this flow is one-way, but the system has no tick at which its sends could end; add a ticker, as docs/system.md says",
    orphan_region: "system.xml:11: `bobb_rx` is named like a region of a client, but there is no protection domain `bobb`; did you mean `bob_rx`?",
    overlapping_maps: "system.xml:34: in `bob`, `bob_tx` and `bob_rx` overlap; move one of the two",
    overlapping_ports: "system.xml:29: the I/O ports 0x3f8 of `alice` and 0x3ff of `alice` overlap; give each port to one protection domain, once",
    parent_of_another: "system.xml:28: `alice` is the parent of `bob`; take `bob` out of it; a parent can stop its child and read its registers",
    partition_twice: "flows.toml:11: the scheduling domain `low` has two announcers; remove one of the two",
    partition_without_schedule: "flows.toml:4: `[[partition]]` is for systems with a domain schedule; add <domains> to the system description, or remove it",
    physical_overlap: "system.xml:11: `alice_tx` and `device` are the same physical memory; move one of the two, or leave the address to the tool",
    platform_address: "system.xml:33: `bob_tx` lies outside of what the hosted platform can map; map it from 0x10000 on, so that it ends at 0x500000000000 or below",
    platform_core: "system.xml:29: a board with two cores has no processor core 3; keep to cores below 2",
    platform_frames: "system.xml:11: all regions and stacks need 131248 frames and maps, more than the classic platform can make; keep to 114688; this is the largest region: write page_size=\"0x200000\", or make it smaller",
    platform_interrupt: "system.xml:13: an ARM board has no interrupt 9999; write 0 to 159",
    platform_memory: "system.xml:11: all regions, contents and stacks need 0x10000000000052000 bytes, more than the hosted platform has; keep to 0x10000000000 bytes; this is the largest region",
    platform_period: "flows.toml:2: the classic platform cannot count a period of 100000 us; write 1000 to 54000, here and as the ticker's period",
    platform_physical: "system.xml:11: `log` has the physical addresses 0x10000000000 to 0x10000001000, which an ARM board cannot give; correct phys_addr; a region can lie within one of these: 0x0 to 0x8000000, 0x8001000 to 0x10000000000",
    platform_priority: "system.xml:11: priority 254 is above those of the classic platform; keep to 253",
    port_number: "system.xml:29: `alice` has two sets of I/O ports with the number 1; give one of the two another id",
    prefill_size: "system.xml:32: no file fills `log`, so there is no size of it to set; add prefill_path to the region, or remove setvar_prefill_size",
    prefill_too_long: "system.xml:11: the file for `log` has 0x10f4 bytes, the region has 0x1000; leave out `size`, or write size=\"0x2000\"",
    prefill_too_short: "system.xml:11: the file for `log` has 0x4 bytes and ends before the last page of the region; leave out `size`, or write size=\"0x1000\"; Microkit fills no region in part",
    program_images: r#"system.xml:29: `bob` has 0 program images; write one <program_image path="…" />"#,
    protected_call: r#"system.xml:46: `bob` may make protected procedure calls to `central`; remove pp="true"; central serves signals alone"#,
    quorum: "flows.toml:7: 3 of 2 guards cannot be; write a quorum of 1 up to the number of names in `of`",
    region_address: "system.xml:32: `log` of line 11 has no physical address to set; add phys_addr=\"…\" to the region; for a PC nobody can choose an address before it boots",
    repeated_element: "system.xml:29: a second `cspace` in one protection domain; put the contents of both into one",
    repeated_slot: "system.xml:30: `alice` gets two capabilities in slot 1; give one of the two another slot",
    reserved_name: "system.xml:48: the name `monitor` belongs to Microkit's monitor; choose another name",
    reserved_symbol: "system.xml:32: `bob` sets the symbol `ferry_supervisor`, which Ferry sets; name another symbol",
    return_path: "flows.toml:7: this flow is one-way, but `bob` can influence `alice`: `bob` influences `alice` by the flow from `bob` to `alice`; make these flows one-way or remove one, or say why it is right: return_path = \"…\"",
    schedules_twice: "system.xml:10: <domains> was written before, in line 2; put both into one",
    shared_interrupt: "system.xml:36: the interrupt 40 goes to `alice` and to `bob`; give it to one of them",
    shared_memory: "system.xml:33: the clients `alice` and `bob` share the memory region `log`; give each a region of its own and list a flow from `alice` to `bob`",
    shared_pin: "system.xml:14: pin 4 of I/O APIC 0 has two vectors, first in line 13; remove one of the two; a pin raises one vector alone",
    silent_channel: r#"system.xml:46: `bob` may not signal `central`; remove notify="false""#,
    static_buffer: "system.xml:19: `central` maps `alice_tx` from the start; remove the mapping; central maps frames of it for each transfer",
    slot_in_ticks: r#"system.xml:9: the time slot of `high` is measured in ticks, in a schedule with partitions; write all durations in microseconds, such as "1000 us"; the period of an announcer has to fit, and how long a tick is depends on the board"#,
    stray_text: "system.xml:29: there is text between the elements; remove it, or make it a comment: <!-- … -->",
    tick_period: r#"flows.toml:2: the tick has a period of 20000 us, `ticker` has 10000 us; write period="20000" there, or change period_us"#,
    tick_without_ticker: "flows.toml:1: there is a tick, but no protection domain `ticker`; add the protection domain `ticker`, or remove [tick]",
    ticker_budget: r#"system.xml:11: `ticker` has a budget of 10000 us in a period of 10000 us; write a budget below 10000, such as budget="1000"; a ticker that is never out of budget never waits for the next period"#,
    ticker_priority: "system.xml:11: `ticker` has priority 100, `central` has 200; give the ticker a priority above 200, so that nobody can starve the tick",
    ticker_without_tick: "system.xml:11: there is a protection domain `ticker`, but no tick; add [tick] with period_us to flows.toml, or remove the ticker",
    too_deep: "system.xml:48: element `a` is nested more than 128 deep; write child domains side by side where they need no parent",
    too_many_clients: "system.xml:432: 33 clients are more than central can serve; keep to 32, or give some of them a central of their own in another system",
    too_many_domains: "system.xml:106: 63 protection domains are more than a system can have; keep to 62: Microkit has numbers for 63, and one is Ferry's supervisor",
    too_many_guards: "flows.toml:7: this flow has 9 guards; keep to 8",
    too_many_schedule_domains: "system.xml:2: 17 scheduling domains are more than the kernel has; keep to 16",
    too_many_stages: "flows.toml:168: all flows together have 264 stages of guards; keep to 256",
    trusted_names: r#"flows.toml:8: this names nobody to trust; write either domain = "…" or device = "…""#,
    trusted_participant: "flows.toml:9: `bob` is trusted, but takes part in flows itself; remove the entry; only who is neither central nor a client can be trusted",
    trusted_twice: "flows.toml:12: `server` is trusted twice; remove one of the two",
    trusted_without_reason: r#"flows.toml:8: `server` is trusted without a reason; add reason = "…"; it is printed in the report"#,
    two_prefills: "system.xml:11: a file and the boot information cannot both fill a region; remove prefill_path or prefill_bootinfo",
    uncached: "system.xml:33: `bob` maps `bob_tx` uncached; remove cached=\"false\"; central and its clients share cached memory",
    unknown_attribute: "system.xml:32: element `map` has no attribute `perm`; did you mean `perms`?",
    unknown_client: "flows.toml:6: `carol` is named here, but there is no such protection domain; add the protection domain `carol` to the system description or correct the name",
    unknown_domain: "system.xml:46: there is no protection domain `bop`; did you mean `bob`?",
    unknown_element: "system.xml:11: element `memory` is not allowed in system; remove it, or check the spelling in Microkit's manual",
    unknown_program: "system.xml:30: no program of the classic platform is called `bbo.elf`; did you mean `bob.elf`?",
    unknown_region: r#"system.xml:31: there is no memory region `log`; add <memory_region name="log" size="…" /> or correct the name"#,
    unknown_schedule_domain: "system.xml:37: there is no scheduling domain `tvo`; did you mean `two`?",
    unknown_trusted: "flows.toml:9: `server` is trusted, but there is no such protection domain; name a protection domain of the system description, or remove the entry",
    unscheduled: "system.xml:36: the scheduling domain `two` of `bob` is never scheduled; add <schedule_entry domain=\"two\" duration=\"1000 us\" /> to the schedule",
    verdict_without_guards: "flows.toml:7: `verdict_within` is for flows with `guards`; remove it, or name guards",
    writable_code: "system.xml:32: `log` may be written and executed, which the classic platform never allows; remove `w` or `x`",
    wrong_permission: r#"system.xml:32: `bob` maps `bob_in` with perms `rw`; write perms="r""#,
    wrong_size: r#"system.xml:7: `bob_out` has 0x4000 bytes; write size="0x3000""#,
}
