//! A client in `system.xml`: its four regions, its protection domain, central's two maps, and the channel.
//! All are added after their like, and removed without a trace.

use super::edits::Edits;
use super::error::EditError;
use super::markup::{Markup, Spot, start};
use super::notation::Notation;
use super::places::Places;
use ferry_description::{CENTRAL, CONFIG_REGION, Draft, LARGE_PAGE_BYTES, PAGE_BYTES};
use ferry_layout::geometry::{IN_BYTES, OUT_BYTES};
use roxmltree::{Document, Node};

/// Suffixes of the names of a client's regions, after the client's name and `_`.
const SUFFIXES: [&str; 4] = ["out", "in", "tx", "rx"];
/// Where a client maps its regions, in the same order. There is room for 4 GiB in `_tx`.
const ADDRESSES: [u64; 4] = [0x2000_0000, 0x2001_0000, 0x1_0000_0000, 0x2_0000_0000];
/// The program of the ticker, which announcers have too.
const TICKER_PROGRAM: &str = "ticker.elf";
/// Bytes of a client's stack.
const STACK_BYTES: u64 = 0x1_0000;

/// A client that is to be added.
#[derive(Clone, Debug)]
pub(crate) struct NewClient<'a> {
    pub(crate) name: &'a str,
    /// File name of its program.
    pub(crate) program: &'a str,
    /// 0 to 254. It must be below central's.
    pub(crate) priority: u8,
    /// Whether it may use floating-point registers.
    pub(crate) fpu: bool,
    /// The scheduling domain that it runs in, if the system has a domain schedule.
    pub(crate) schedule_domain: Option<&'a str>,
    /// Sizes in bytes of `_tx` and `_rx`.
    pub(crate) buffers: [u64; 2],
    /// Whether these two consist of pages of 2 MiB.
    pub(crate) large_frames: bool,
    /// A region besides its own that it reads, if there is one.
    pub(crate) reads: Option<Reads<'a>>,
}

/// An announcer that is to be added: who tells central of the time slots of a partition.
#[derive(Clone, Debug)]
pub(super) struct NewAnnouncer<'a> {
    pub(super) name: String,
    /// The scheduling domain that it announces, and runs in.
    pub(super) domain: &'a str,
    pub(super) priority: u8,
    pub(super) budget_us: u64,
    pub(super) period_us: u64,
    /// Number of its channel in central.
    pub(super) channel: u8,
}

/// A region that a client reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads<'a> {
    pub(crate) region: &'a str,
    pub(crate) address: u64,
    /// The symbol of the program that gets the address.
    pub(crate) symbol: &'a str,
}

/// `text` with one more client, at the places that are free for it. `draft` is the description that `text`
/// belongs to.
pub(crate) fn add(
    text: &str,
    draft: &Draft,
    client: &NewClient<'_>,
    places: Places,
) -> Result<String, EditError> {
    let document = Document::parse(text)?;
    let markup = Markup::new(text, &document);
    let Anchors { regions, maps, domain, channel } = anchors(&markup, draft).ok_or(EditError::NoAnchor)?;
    let writer = Writer { markup: &markup, numbers: markup.addresses(), client };
    let mut edits = Edits::default();

    let Spot { at, gap } = markup.after(regions);
    let [first, others @ ..] = writer.regions();
    edits.insert(at, format!("{}{first}{}", markup.block_gap(&gap), each_after(&gap, &others)));

    let Spot { at, gap } = markup.after(maps);
    edits.insert(at, each_after(&gap, &writer.maps_of_central(places)));

    let Spot { at, gap } = markup.after(domain);
    let inner = markup.inner_gaps(domain);
    edits.insert(at, format!("{}{}", markup.block_gap(&gap), writer.domain(&inner)));

    // Without a channel to put it after, it comes after the new protection domain.
    let (spot, inner) = match channel {
        Some(channel) => (markup.after(channel), markup.inner_gaps(channel)),
        None => (markup.after(domain), inner),
    };
    edits.insert(spot.at, format!("{}{}", spot.gap, writer.channel(places.channel, &inner)));
    Ok(edits.apply(text))
}

/// `text` with one more announcer, after the last program of its kind or else after central, and its channel.
pub(super) fn add_announcer(text: &str, announcer: &NewAnnouncer<'_>) -> Result<String, EditError> {
    let document = Document::parse(text)?;
    let markup = Markup::new(text, &document);
    let mut domains = markup.all("protection_domain");
    let domain =
        domains.rfind(|node| node.children().any(|child| child.attribute("path") == Some(TICKER_PROGRAM)));
    let domain = domain.or_else(|| markup.domain(CENTRAL)).ok_or(EditError::NoAnchor)?;
    let NewAnnouncer { name, domain: of, priority, budget_us, period_us, channel } = announcer;
    let [priority, budget, period] = [u64::from(*priority), *budget_us, *period_us].map(|n| n.to_string());
    let attributes = [
        ("name", name.as_str()),
        ("domain", of),
        ("fpu", "false"),
        ("priority", &priority),
        ("budget", &budget),
        ("period", &period),
    ];
    let [child, end] = markup.inner_gaps(domain);
    let program = markup.element("program_image", &[("path", TICKER_PROGRAM)]);
    let Spot { at, gap } = markup.after(domain);
    let start = start("protection_domain", &attributes);
    let mut edits = Edits::default();
    edits.insert(at, format!("{}{start}>{child}{program}{end}</protection_domain>", markup.block_gap(&gap)));
    let (spot, inner) = match markup.all("channel").next_back() {
        Some(channel) => (markup.after(channel), markup.inner_gaps(channel)),
        None => (markup.after(domain), [child, end]),
    };
    edits.insert(spot.at, format!("{}{}", spot.gap, channel_of(&markup, name, *channel, &inner)));
    Ok(edits.apply(text))
}

/// What the new elements are put after: the last region of a client, the last map of one in central, the last
/// protection domain of a client, the last channel. Without clients it is what Ferry itself needs.
fn anchors<'a>(markup: &Markup<'a>, draft: &Draft) -> Option<Anchors<'a>> {
    let clients = draft.clients();
    let name = |node: &Node<'a, 'a>| node.attribute("name").unwrap_or_default();
    let is_client = |found: &str| clients.iter().any(|client| client.name == found);
    let is_of_client = |region: &str| {
        let owner = region.rsplit_once('_').filter(|(_, suffix)| SUFFIXES.contains(suffix));
        owner.is_some_and(|(owner, _)| is_client(owner))
    };
    let regions = markup.all("memory_region").rfind(|node| is_of_client(name(node)));
    let regions = regions.or_else(|| markup.region(CONFIG_REGION))?;
    let maps = markup.maps_of_central().rfind(|map| is_of_client(map.attribute("mr").unwrap_or_default()));
    let maps = maps.or_else(|| markup.maps_of_central().next_back())?;
    let domains = || markup.all("protection_domain");
    let domain = domains().rfind(|node| is_client(name(node)));
    let domain = domain.or_else(|| domains().find(|node| name(node) == CENTRAL));
    let domain = domain.or_else(|| domains().next_back())?;
    Some(Anchors { regions, maps, domain, channel: markup.all("channel").next_back() })
}

struct Anchors<'a> {
    regions: Node<'a, 'a>,
    maps: Node<'a, 'a>,
    domain: Node<'a, 'a>,
    channel: Option<Node<'a, 'a>>,
}

/// `text` without the client of this name.
pub(super) fn remove(text: &str, name: &str) -> Result<String, EditError> {
    let document = Document::parse(text)?;
    let markup = Markup::new(text, &document);
    let regions = SUFFIXES.map(|suffix| format!("{name}_{suffix}"));
    let maps = markup.maps_of_central();
    let maps = maps.filter(|map| regions.iter().any(|region| map.attribute("mr") == Some(region)));
    let channels = markup.all("channel").filter(|channel| {
        let ends = channel.children().filter_map(|end| end.attribute("pd"));
        ends.clone().any(|end| end == name) && ends.clone().any(|end| end == CENTRAL)
    });
    let mut edits = Edits::default();
    let found = regions.iter().filter_map(|region| markup.region(region));
    for node in found.chain(maps).chain(markup.domain(name)).chain(channels) {
        edits.remove(markup.cut(node));
    }
    Ok(edits.apply(text))
}

/// `text` with central's configuration region of this size in bytes.
pub(crate) fn resize_config(text: &str, bytes: u64) -> Result<String, EditError> {
    let document = Document::parse(text)?;
    let region = Markup::new(text, &document).region(CONFIG_REGION);
    let mut edits = Edits::default();
    if let Some(size) = region.and_then(|region| region.attribute_node("size")) {
        edits.replace(size.range_value(), Notation::of(size.value()).write(bytes));
    }
    Ok(edits.apply(text))
}

/// Writes the elements of a client as the file writes its own.
struct Writer<'a> {
    markup: &'a Markup<'a>,
    numbers: Notation,
    client: &'a NewClient<'a>,
}

impl Writer<'_> {
    fn regions(&self) -> [String; 4] {
        let NewClient { name, buffers: [transmit, receive], large_frames, .. } = *self.client;
        let page = if large_frames { LARGE_PAGE_BYTES } else { PAGE_BYTES };
        let small = [OUT_BYTES, IN_BYTES].map(|bytes| (bytes as u64, PAGE_BYTES));
        let sizes = [small[0], small[1], (transmit, page), (receive, page)];
        std::array::from_fn(|number| {
            let (bytes, page) = sizes[number];
            let name = format!("{name}_{}", SUFFIXES[number]);
            let size = self.numbers.write(bytes.next_multiple_of(page));
            let page = self.numbers.write(page);
            self.markup.element("memory_region", &[("name", &name), ("size", &size), ("page_size", &page)])
        })
    }

    fn maps_of_central(&self, places: Places) -> [String; 2] {
        let name = self.client.name;
        let maps = [("out", places.out_address, "r"), ("in", places.in_address, "rw")];
        maps.map(|(suffix, address, permissions)| {
            let (region, address) = (format!("{name}_{suffix}"), self.numbers.write(address));
            self.markup.element("map", &[("mr", &region), ("vaddr", &address), ("perms", permissions)])
        })
    }

    fn domain(&self, [child, end]: &[String; 2]) -> String {
        let NewClient { name, program, priority, fpu, schedule_domain, reads, .. } = *self.client;
        let (priority, stack) = (priority.to_string(), self.numbers.write(STACK_BYTES));
        let mut attributes = vec![("name", name)];
        if !fpu {
            attributes.push(("fpu", "false"));
        }
        attributes.extend([("priority", priority.as_str()), ("stack_size", &stack)]);
        attributes.extend(schedule_domain.map(|domain| ("domain", domain)));
        let mut children = vec![self.markup.element("program_image", &[("path", program)])];
        for ((suffix, address), permissions) in SUFFIXES.iter().zip(ADDRESSES).zip(["rw", "r", "rw", "r"]) {
            children.push(self.map(
                &format!("{name}_{suffix}"),
                address,
                permissions,
                &format!("ferry_{suffix}"),
            ));
        }
        children.extend(reads.map(|reads| self.map(reads.region, reads.address, "r", reads.symbol)));
        let children = each_after(child, &children);
        format!("{}>{children}{end}</protection_domain>", start("protection_domain", &attributes))
    }

    fn map(&self, region: &str, address: u64, permissions: &str, symbol: &str) -> String {
        let (address, size) = (self.numbers.write(address), format!("{symbol}_size"));
        let places = [("mr", region), ("vaddr", &address), ("perms", permissions)];
        let symbols = [("setvar_vaddr", symbol), ("setvar_size", &size)];
        self.markup.element("map", &[places.as_slice(), &symbols].concat())
    }

    fn channel(&self, number: u8, inner: &[String; 2]) -> String {
        channel_of(self.markup, self.client.name, number, inner)
    }
}

/// A channel between central, where it has this number, and another protection domain.
fn channel_of(markup: &Markup<'_>, name: &str, number: u8, [child, end]: &[String; 2]) -> String {
    let central = markup.element("end", &[("pd", CENTRAL), ("id", &number.to_string())]);
    let own = markup.element("end", &[("pd", name), ("id", "0"), ("setvar_id", "ferry_central")]);
    format!("<channel>{}{end}</channel>", each_after(child, &[central, own]))
}

/// The elements, each with this white space before it.
fn each_after(gap: &str, elements: &[String]) -> String {
    elements.iter().flat_map(|element| [gap, element]).collect()
}
