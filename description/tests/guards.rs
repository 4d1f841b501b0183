//! Guards: what `flows.toml` can name as one, what a guard must not have beside its four regions and its
//! channel, and how its memory is shared out.

use ferry_description::{Description, Mistakes, Source};

const SYSTEM: &str = include_str!("guarded/system.xml");
const FLOWS: &str = include_str!("guarded/flows.toml");

fn check(system: &str, flows: &str) -> Result<Description, Mistakes> {
    Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[])
}

/// `text` with `to` in place of `from`, which is there.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// The system, whose guard `schema` has more, and which has more itself: regions, and what follows them.
fn system(of_guard: &str, regions: &str, others: &str) -> String {
    const PROGRAM: &str = r#"<program_image path="schema.elf" />"#;
    let system = with(SYSTEM, PROGRAM, &format!("{PROGRAM}\n{of_guard}\n"));
    let system = with(&system, "<system>", &format!("<system>\n{regions}\n"));
    with(&system, "</system>", &format!("\n{others}\n</system>"))
}

/// Another protection domain.
fn domain(name: &str, inside: &str) -> String {
    format!(
        "<protection_domain name=\"{name}\" priority=\"90\">\n<program_image path=\"a.elf\" />\n{inside}\n\
         </protection_domain>"
    )
}

const LOG: &str = r#"<memory_region name="log" size="0x1000" />"#;
const MAP: &str = r#"<map mr="log" vaddr="0x13000000" perms="rw" />"#;

/// A guard may have memory of its own.
#[test]
fn a_guard_may_have_a_region_that_nobody_shares() {
    let description = check(&system(MAP, LOG, ""), FLOWS).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let schema = description.system.domain("schema").unwrap();
    assert_eq!(description.system.domains[schema].maps.len(), 5);
}

/// A description with a guard that reaches somebody or is reached, and with no other mistake.
struct Connected {
    system: String,
    /// A device that is trusted, so that the rules about paths have nothing to say.
    trusted: &'static str,
    /// What the guard has, as the mistake says it.
    what: &'static str,
    /// How the line begins that gives it.
    line: &'static str,
}

/// A row of the table, for the most part.
fn row(what: &'static str, line: &'static str, system: String) -> Connected {
    Connected { system, trusted: "", what, line }
}

/// Memory, channels and devices that connect a guard.
fn connected_by_what_it_has() -> Vec<Connected> {
    let server = || domain("server", "");
    let guest = "<virtual_machine name=\"guest\">\n<vcpu id=\"0\" />\n</virtual_machine>";
    let with_map = |map: &str| guest.replacen("</virtual", &format!("{map}</virtual"), 1);
    let nic = r#"<io_address_space name="nic" peripheral_id="00:1f.6" domain_id="1"><iomap mr="log" iovaddr="0x200000" perms="rw" /></io_address_space>"#;
    let uart = r#"<memory_region name="log" size="0x1000" phys_addr="0x9000000" />"#;
    let registers = with(SYSTEM, r#"name="schema_tx""#, r#"name="schema_tx" phys_addr="0x9000000""#);
    let channel = r#"<channel><end pd="schema" id="1" /><end pd="server" id="0" /></channel>"#;
    let with_firmware = with(SYSTEM, r#"name="schema""#, r#"name="schema" smc="true""#);
    vec![
        row("the region `log`", MAP, system(MAP, LOG, &domain("logger", MAP))),
        row("the region `log`", MAP, system(MAP, LOG, &domain("host", &with_map(MAP)))),
        row("the region `log`", MAP, system(MAP, LOG, nic)),
        Connected { trusted: "log", ..row("the region `log`", MAP, system(MAP, uart, "")) },
        Connected {
            trusted: "schema_tx",
            ..row("the region `schema_tx`", r#"<map mr="schema_tx""#, registers)
        },
        row("the channel to `server`", "<channel>", system("", "", &(server() + "\n" + channel))),
        row("an interrupt", "<irq", system(r#"<irq irq="40" id="1" />"#, "", "")),
        Connected {
            trusted: "ioport 0x3f8",
            ..row("`ioport 0x3f8`", "<ioport", system(r#"<ioport id="1" addr="0x3f8" size="8" />"#, "", ""))
        },
        Connected {
            trusted: "smc",
            ..row("the right to call the firmware", r#"<protection_domain name="schema""#, with_firmware)
        },
        row("the virtual machine `guest`", "<virtual_machine", system(guest, "", "")),
    ]
}

/// Power of a guard over another, and of another over it.
fn connected_by_power() -> Vec<Connected> {
    const BEGIN: &str = r#"<protection_domain name="schema""#;
    const END: &str = "</protection_domain>";
    let server = domain("server", "");
    let holds = |whose: &str| format!("<cspace>\n<cap_tcb pd=\"{whose}\" slot=\"1\" />\n</cspace>");
    let child = server.replacen("name=", "id=\"1\" name=", 1);
    let (before, rest) = SYSTEM.split_once(BEGIN).unwrap();
    let (schema, after) = rest.split_once(END).unwrap();
    let schema = format!("\n{BEGIN} id=\"1\"{schema}{END}\n");
    let with_parent = [before, &domain("server", &schema), after].concat();
    let vspace = holds("schema").replacen("cap_tcb", "cap_vspace", 1);
    vec![
        row("the parent `server`", BEGIN, with_parent),
        row("the child `server`", r#"<protection_domain id="1" name="server""#, system(&child, "", "")),
        row(
            "a capability of the thread of `server`",
            r#"<cap_tcb pd="server""#,
            system(&holds("server"), "", &server),
        ),
        row(
            "`server` as a holder of a capability of the address space",
            r#"<cap_vspace pd="schema""#,
            system("", "", &domain("server", &vspace)),
        ),
    ]
}

/// Each of these is one mistake, at the line that connects the guard.
#[test]
fn whatever_connects_a_guard_is_refused() {
    for Connected { system, trusted, what, line } in
        connected_by_what_it_has().into_iter().chain(connected_by_power())
    {
        let flows = match trusted {
            "" => FLOWS.to_owned(),
            device => format!("{FLOWS}\n[[trusted]]\ndevice = \"{device}\"\nreason = \"it is small\"\n"),
        };
        let mistakes = check(&system, &flows).err().unwrap_or_else(|| panic!("{what}: nothing is refused"));
        let [mistake] = mistakes.iter().as_slice() else { panic!("{what}: {mistakes}") };
        assert_eq!(mistake.problem.rule(), "guard_connected", "{mistake}");
        assert_eq!(mistake.problem.to_string(), format!("the guard `schema` has {what}"));
        let found = system.lines().nth(mistake.place.line() - 1).unwrap().trim_start();
        assert!(found.starts_with(line), "{what}: {found}");
    }
}

/// Who is no client is no guard, and a stage has members.
#[test]
fn a_guard_is_a_client_and_a_quorum_has_members() {
    const GUARDS: &str = r#"guards = ["schema", { quorum = 1, of = ["range-a", "range-b"] }]"#;
    let no_client = "is named here, but is not a client; name protection domains that send or receive";
    let unknown = "is named here, but there is no such protection domain; add the protection domain `nobody` \
                   to the system description or correct the name";
    for (guards, message) in [
        (r#"["ticker"]"#, format!("`ticker` {no_client}")),
        (r#"["central"]"#, format!("`central` {no_client}")),
        (r#"["nobody"]"#, format!("`nobody` {unknown}")),
        (r#"[{ quorum = 1, of = ["schema", "nobody"] }]"#, format!("`nobody` {unknown}")),
        (
            r#"["schema", { quorum = 1, of = [] }]"#,
            "1 of 0 guards cannot be; write a quorum of 1 up to the number of names in `of`".to_owned(),
        ),
    ] {
        let flows = with(FLOWS, GUARDS, &format!("guards = {guards}"));
        let mistakes = check(SYSTEM, &flows).err().unwrap_or_else(|| panic!("{guards}: nothing is refused"));
        assert_eq!(mistakes.to_string(), format!("flows.toml:7: {message}"), "{guards}");
    }
}

/// Without `max_message`, the guards of a flow say how long a message can be: each has room for one of each
/// of its flows.
#[test]
fn guards_share_their_memory_among_their_flows() {
    let longest = |flows: &str| {
        let description = check(SYSTEM, flows).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        description.flows.iter().map(|flow| flow.max_message).collect::<Vec<_>>()
    };
    let back = |guard: &str| format!("[[flow]]\nfrom = \"bob\"\nto = \"alice\"\nguards = [\"{guard}\"]\n");
    // The flow has three guards with 64 KiB each.
    assert_eq!(longest(FLOWS), [0x1_0000]);
    assert_eq!(longest(&(FLOWS.to_owned() + &back("schema"))), [0x8000, 0x8000]);
    assert_eq!(longest(&(FLOWS.to_owned() + &back("range-b"))), [0x8000, 0x8000]);
}
