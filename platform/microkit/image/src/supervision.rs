//! Puts Ferry's supervisor into a system description, in the language of Microkit. Every protection domain
//! that has no parent becomes its child. Every one whose program uses Ferry's runtime gets a channel to call
//! it. The console is a device of the supervisor alone, unless the description gives it to another domain, or
//! the board has none that is declared.
//!
//! This is done in the text, because that is what Microkit's library reads and checks, and because a user can
//! read the result (`system.xml` in the output directory).

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use ferry_boards::{Board, Console, Exit, Registers};
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
    /// Why there is no console, if there is none.
    pub(crate) silent: Option<Silence>,
    /// The registers of a console in memory.
    registers: Option<Registers>,
    /// Whether the supervisor may end the machine, and needs no device for that.
    ends_without_device: bool,
}

/// Why there is no console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Silence {
    /// The description gives it to another domain.
    Taken,
    /// None is declared for the board.
    Undeclared,
}

impl Silence {
    /// The reason in words, for a description and a board.
    pub(crate) fn of(self, description: &Path, board: &Board) -> String {
        match self {
            Self::Taken => {
                format!("{} gives the console's device to a protection domain", description.display())
            }
            Self::Undeclared => format!(
                "no console is declared for the board {}; docs/porting.md says how to declare one",
                board.name
            ),
        }
    }
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
        let (is_taken, registers) = match &board.console {
            None => (false, None),
            Some(Console::Ports(ports)) => (ports_are_taken(system, ports), None),
            Some(Console::Mapped(page, registers)) => (memory_is_taken(system, page), Some(*registers)),
        };
        let console = board.console.as_ref().filter(|_| !is_taken);
        let silent = match console {
            Some(_) => None,
            None if is_taken => Some(Silence::Taken),
            None => Some(Silence::Undeclared),
        };
        let registers = registers.filter(|_| silent.is_none());
        let mut new = Self {
            xml: String::new(),
            names: vec![],
            children: 0,
            silent,
            registers,
            ends_without_device: false,
        };
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
        let exit = board.exit.filter(|_| !channels.is_empty());
        // A description that has the device itself gets no second one. Then the machine does not end.
        let exit = exit.filter(|exit| match exit {
            Exit::Semihosting => true,
            Exit::DebugExit => !ports_are_taken(system, &exit_ports()),
            Exit::SifiveTest(page) => !memory_is_taken(system, &(*page..page + PAGE)),
        });
        new.ends_without_device = exit == Some(Exit::Semihosting);
        let (devices, regions) = devices(console, exit);
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

    /// Writes into the supervisor's program the names of the domains, which of them are its children, and
    /// what it has to know of the board.
    pub(crate) fn patch(&self, program: &mut ElfFile) -> Result<(), Error> {
        let mut names = vec![0; LIMIT * PD_MAX_NAME_LENGTH];
        for (name, place) in self.names.iter().zip(names.chunks_mut(PD_MAX_NAME_LENGTH)) {
            let length = name.len().min(place.len());
            place[..length].copy_from_slice(&name.as_bytes()[..length]);
        }
        let mut symbols =
            vec![("ferry_domains", names), ("ferry_children", self.children.to_le_bytes().to_vec())];
        if let Some(registers) = self.registers {
            symbols.push(("ferry_uart_registers", registers.words().map(u32::to_le_bytes).concat()));
        }
        if self.ends_without_device {
            symbols.push(("ferry_exit", 0_u64.to_le_bytes().to_vec()));
        }
        for (symbol, bytes) in symbols {
            let written = program.write_symbol(symbol, &bytes);
            written.map_err(|cause| Error::Program { path: SUPERVISOR.into(), cause })?;
        }
        Ok(())
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
fn devices(console: Option<&Console>, exit: Option<Exit>) -> (String, String) {
    let (mut devices, mut regions) = (String::new(), String::new());
    let mut add = |(device, region): (String, String)| {
        devices += &device;
        regions += &region;
    };
    match console {
        None => {}
        Some(Console::Ports(ports)) => add(io_ports(0, ports, "ferry_uart")),
        Some(Console::Mapped(page, _)) => add(registers(UART_ADDRESS, page, "ferry_uart")),
    }
    match exit {
        None | Some(Exit::Semihosting) => {}
        Some(Exit::DebugExit) => add(io_ports(1, &exit_ports(), "ferry_exit")),
        Some(Exit::SifiveTest(page)) => add(registers(EXIT_ADDRESS, &(page..page + PAGE), "ferry_exit")),
    }
    (devices, regions)
}

/// The ports of QEMU's device that ends a PC.
fn exit_ports() -> Range<u64> {
    let first = u64::from(Exit::DEBUG_EXIT_PORT);
    first..first + u64::from(Exit::DEBUG_EXIT_PORTS)
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
#[path = "supervision_tests.rs"]
mod tests;
