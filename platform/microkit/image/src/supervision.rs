//! Puts Ferry's supervisor into a system description, in the language of Microkit. Every protection domain
//! that has no parent becomes its child. Every one whose program uses Ferry's runtime gets a channel to call
//! it. The console is a device of the supervisor alone, unless the description gives it to another domain.
//!
//! This is done in the text, because that is what Microkit's library reads and checks, and because a user can
//! read the result (`system.xml` in the output directory).

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::Range;

use ferry_boards::{Board, Console, Exit};
use ferry_description::{CENTRAL, MAX_CHANNEL};
use microkit_tool::PD_MAX_NAME_LENGTH;
use microkit_tool::elf::ElfFile;
use roxmltree::{Document, Node};

use crate::error::Error;

/// Name of the supervisor and, with the ending `.elf`, of its program if nobody can call it.
pub(crate) const SUPERVISOR: &str = "ferry_supervisor";
/// Name of its program, without the ending, if somebody can.
const DEMO_SUPERVISOR: &str = "ferry_demo_supervisor";
/// A program that has this symbol can call the supervisor.
pub(crate) const SYMBOL: &str = "ferry_supervisor";
/// Microkit's highest priority, which the supervisor has.
const HIGHEST_PRIORITY: u8 = 254;
/// Domains that the supervisor can look after: it has a channel number and a child number for each.
pub(crate) const LIMIT: usize = MAX_CHANNEL as usize + 1;

/// Where the supervisor maps the registers of a console that is in memory, and those of the device that ends
/// the board.
const UART_ADDRESS: u64 = 0x1000_0000;
const EXIT_ADDRESS: u64 = 0x1000_1000;
/// Bytes of a page of registers.
const PAGE: u64 = 0x1000;

/// A description with a supervisor.
pub(crate) struct Supervised {
    /// The description.
    pub(crate) xml: String,
    /// Names of the domains, by the number that the supervisor knows them by.
    names: Vec<String>,
    /// Bit `n` is set if domain `n` is the supervisor's own child.
    children: u64,
    /// Whether the description gives the console to another domain.
    pub(crate) silent: bool,
}

impl Supervised {
    /// Adds the supervisor to a description that Microkit accepts. `uses_runtime` says whether a domain's
    /// program can call it.
    pub(crate) fn new(text: &str, board: &Board, uses_runtime: impl Fn(&str) -> bool) -> Result<Self, Error> {
        let document = Document::parse(text).map_err(|error| Error::Refused(error.to_string()))?;
        let system = document.root_element();
        let domains: Vec<Node> =
            system.descendants().filter(|node| node.has_tag_name("protection_domain")).collect();
        if domains.len() > LIMIT {
            return Err(Error::TooManyDomains { found: domains.len(), limit: LIMIT });
        }
        let silent = match &board.console {
            Console::Ns16550(ports) => ports_are_taken(system, ports),
            Console::Pl011(page) | Console::MappedNs16550(page) => memory_is_taken(system, page),
        };
        let mut new = Self { xml: String::new(), names: vec![], children: 0, silent };
        let mut inner = String::new();
        let mut channels = String::new();
        let mut rest = text.to_owned();
        for (number, domain) in domains.iter().enumerate() {
            let name = domain.attribute("name").unwrap_or_default();
            if domain.parent() == Some(system) {
                new.children |= 1 << number;
                let (tag, attributes) = text[domain.range()].split_at("<protection_domain".len());
                let _ = writeln!(inner, "{tag} id=\"{number}\"{attributes}");
            }
            // A procedure has a higher priority than its callers, and nothing is above the highest. A domain
            // that has it gets no channel, so it prints nothing.
            if uses_runtime(name) && !has_highest_priority(*domain) {
                let id = free_channel(system, *domain, name)?;
                let _ = writeln!(
                    channels,
                    "<channel><end pd=\"{name}\" id=\"{id}\" pp=\"true\" notify=\"false\" setvar_id=\"{SYMBOL}\" />\
                     <end pd=\"{SUPERVISOR}\" id=\"{number}\" notify=\"false\" /></channel>"
                );
            }
            new.names.push(name.into());
        }
        for domain in system.children().filter(|node| node.has_tag_name("protection_domain")).rev() {
            rest.replace_range(domain.range(), "");
        }
        // The schedule comes before all protection domains, so the places of its elements are still right.
        number_schedule(system, &mut rest);
        let exit = Some(board.exit).filter(|_| !channels.is_empty());
        // A description that has the device itself gets no second one. Then the machine does not end.
        let exit = exit.filter(
            |exit| !matches!(exit, Exit::SifiveTest(page) if memory_is_taken(system, &(*page..page + PAGE))),
        );
        let (devices, regions) = devices(&board.console, silent, exit);
        let program = if channels.is_empty() { SUPERVISOR } else { DEMO_SUPERVISOR };
        let schedule = schedule_domain(&domains);
        let end = rest.rfind("</").unwrap_or(rest.len());
        new.xml = format!(
            "{}\n<!-- Added by ferry-microkit-image. -->\n{regions}\
             <protection_domain name=\"{SUPERVISOR}\" priority=\"{HIGHEST_PRIORITY}\"{schedule}>\n\
             <program_image path=\"{program}.elf\" />\n{devices}{inner}</protection_domain>\n{channels}{}",
            &rest[..end],
            &rest[end..],
        );
        Ok(new)
    }

    /// The number of a domain, if it is the supervisor's own child.
    pub(crate) fn child(&self, domain: &str) -> Option<usize> {
        let number = self.names.iter().position(|name| name == domain)?;
        (self.children & (1 << number) != 0).then_some(number)
    }

    /// Writes into the supervisor's program the names of the domains, and which of them are its children.
    pub(crate) fn patch(&self, program: &mut ElfFile) -> Result<(), Error> {
        let mut names = vec![0; LIMIT * PD_MAX_NAME_LENGTH];
        for (name, place) in self.names.iter().zip(names.chunks_mut(PD_MAX_NAME_LENGTH)) {
            let length = name.len().min(place.len());
            place[..length].copy_from_slice(&name.as_bytes()[..length]);
        }
        let written = program
            .write_symbol("ferry_domains", &names)
            .and_then(|()| program.write_symbol("ferry_children", &self.children.to_le_bytes()));
        written.map_err(|cause| Error::Program { path: SUPERVISOR.into(), cause })
    }
}

/// The supervisor's attribute `domain`, if there is a domain schedule. The supervisor runs when central runs:
/// central is trusted by all as the supervisor is, it is what the supervisor restarts most urgently, and so
/// no client's turn is shortened by what the supervisor does for another.
fn schedule_domain(domains: &[Node]) -> String {
    let central = domains.iter().find(|domain| domain.attribute("name") == Some(CENTRAL));
    let domain = central.and_then(|central| central.attribute("domain"));
    domain.map_or_else(String::new, |domain| format!(" domain=\"{domain}\""))
}

/// Gives every scheduling domain a number of its own. Microkit would give them out in an order that differs
/// from build to build.
fn number_schedule(system: Node<'_, '_>, text: &mut String) {
    let schedule = system.children().filter(|node| node.has_tag_name("domains"));
    let domains: Vec<Node> = schedule
        .flat_map(|schedule| schedule.children().filter(|node| node.has_tag_name("domain")))
        .collect();
    let id = |domain: &Node<'_, '_>| domain.attribute("id").and_then(number);
    let used: HashSet<u64> = domains.iter().filter_map(id).collect();
    let free = (0..).filter(|number| !used.contains(number));
    let unnumbered = domains.iter().filter(|domain| domain.attribute("id").is_none());
    let numbered: Vec<_> = unnumbered.zip(free).collect();
    for (domain, number) in numbered.into_iter().rev() {
        text.insert_str(domain.range().start + "<domain".len(), &format!(" id=\"{number}\""));
    }
}

/// The supervisor's devices, and the memory regions that they need. Nobody else gets the device that ends the
/// board, and the supervisor gets it only if there is somebody who can ask for that.
fn devices(console: &Console, silent: bool, exit: Option<Exit>) -> (String, String) {
    let (mut devices, mut regions) = (String::new(), String::new());
    let mut add = |(device, region): (String, String)| {
        devices += &device;
        regions += &region;
    };
    match console {
        _ if silent => {}
        Console::Ns16550(ports) => add(io_ports(0, ports, "ferry_uart")),
        Console::Pl011(page) | Console::MappedNs16550(page) => {
            add(registers(UART_ADDRESS, page, "ferry_uart"));
        }
    }
    match exit {
        None | Some(Exit::Semihosting) => {}
        Some(Exit::DebugExit(port)) => {
            let ports = u64::from(port)..u64::from(port + Exit::DEBUG_EXIT_PORTS);
            add(io_ports(1, &ports, "ferry_exit"));
        }
        Some(Exit::SifiveTest(page)) => add(registers(EXIT_ADDRESS, &(page..page + PAGE), "ferry_exit")),
    }
    (devices, regions)
}

/// A range of I/O ports as a device, which needs no region. The program finds its number in the symbol.
fn io_ports(id: u8, ports: &Range<u64>, symbol: &str) -> (String, String) {
    let (first, count) = (ports.start, ports.end - ports.start);
    let device =
        format!("<ioport id=\"{id}\" addr=\"{first:#x}\" size=\"{count}\" setvar_id=\"{symbol}\" />\n");
    (device, String::new())
}

/// Registers in memory as a device, and their region. Both have the name of the symbol in which the program
/// finds the address.
fn registers(address: u64, page: &Range<u64>, symbol: &str) -> (String, String) {
    let device = format!(
        "<map mr=\"{symbol}\" vaddr=\"{address:#x}\" perms=\"rw\" cached=\"false\" setvar_vaddr=\"{symbol}\" />\n"
    );
    let (start, bytes) = (page.start, page.end - page.start);
    (device, format!("<memory_region name=\"{symbol}\" size=\"{bytes:#x}\" phys_addr=\"{start:#x}\" />\n"))
}

/// Whether the description gives I/O ports of this range to somebody, for a driver perhaps.
fn ports_are_taken(system: Node<'_, '_>, ports: &Range<u64>) -> bool {
    is_taken(system, "ioport", "addr", ports)
}

/// Whether the description gives registers at these physical addresses to somebody.
fn memory_is_taken(system: Node<'_, '_>, page: &Range<u64>) -> bool {
    is_taken(system, "memory_region", "phys_addr", page)
}

fn is_taken(system: Node<'_, '_>, tag: &str, start: &str, device: &Range<u64>) -> bool {
    let number = |node: Node<'_, '_>, attribute| number(node.attribute(attribute)?);
    system.descendants().filter(|node| node.has_tag_name(tag)).any(|node| {
        number(node, start)
            .zip(number(node, "size"))
            .is_some_and(|(start, size)| start < device.end && device.start < start.saturating_add(size))
    })
}

/// Whether a domain has the priority of the supervisor.
fn has_highest_priority(domain: Node<'_, '_>) -> bool {
    domain.attribute("priority").and_then(number) >= Some(u64::from(HIGHEST_PRIORITY))
}

/// Reads a number as Microkit does.
fn number(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// The highest channel number that a domain does not use, for a channel, an interrupt, or anything else of
/// its own.
fn free_channel(system: Node<'_, '_>, domain: Node<'_, '_>, name: &str) -> Result<u8, Error> {
    let ends =
        system.descendants().filter(|node| node.has_tag_name("end") && node.attribute("pd") == Some(name));
    let own = domain.children().filter(Node::is_element);
    let used: HashSet<u8> = ends.chain(own).filter_map(|node| node.attribute("id")?.parse().ok()).collect();
    let free = (0..=MAX_CHANNEL).rev().find(|id| !used.contains(id));
    free.ok_or_else(|| Error::NoChannel { domain: name.into() })
}

#[cfg(test)]
mod tests {
    use super::{Board, Console, Document, Error, Supervised};
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
            |ports| MICROKIT.iter().find(|board| matches!(board.console, Console::Ns16550(_)) == ports);
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
        assert!(
            callers[0].contains("pd=\"a\" id=\"59\""),
            "61 is its interrupt, 60 its channel: {}",
            callers[0]
        );
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
        assert!(new.silent && !new.xml.contains("ferry_uart") && new.xml.contains("ferry_exit"));
        assert!(!supervised(&serial, boards().0).unwrap().silent);
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
    fn devices_in_memory_that_a_domain_has_are_left_alone() {
        let board = Board::of_microkit("qemu_virt_riscv64").unwrap();
        let taken = "<system><memory_region name=\"power\" size=\"0x2000\" phys_addr=\"0xf_f000\" />";
        let new = supervised(&DESCRIPTION.replace("<system>", taken), board).unwrap();
        assert!(new.xml.contains("ferry_uart") && !new.xml.contains("ferry_exit"), "{}", new.xml);
        let taken = "<system><memory_region name=\"uart\" size=\"0x1000\" phys_addr=\"0x1000_0000\" />";
        let new = supervised(&DESCRIPTION.replace("<system>", taken), board).unwrap();
        assert!(new.silent && !new.xml.contains("ferry_uart"), "{}", new.xml);
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
        let text = text
            .replace(r#"name="c""#, r#"name="central" domain="z""#)
            .replace(r#"pd="c""#, r#"pd="central""#);
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
}
