//! The names and numbers that the Python module `ferry_sdfgen` writes into a system. The module has no copy
//! that could drift: this test reads them from what `ferry new` and `ferry add client` write, and compares
//! them with `python/src/ferry_sdfgen/_pattern.py`. `make python-pattern` writes that file again.

use super::arguments::{Class, Mapping, Records};
use super::partition;
use super::places::Places;
use super::system::{self, NewClient};
use crate::templates::Template;
use clap::ValueEnum;
use ferry_description::{
    AUDIT_SYMBOL, CENTRAL, CONFIG_REGION, Domain, Draft, LARGE_PAGE_BYTES, PAGE_BYTES, Source, System,
    TICKER, config_bytes,
};
use std::fmt::Write;
use std::path::Path;

const SYSTEM: &str = include_str!("../../templates/project/system.xml");
const FLOWS: &str = include_str!("../../templates/project/flows.toml");
const CLIENT: &str = "client";

#[test]
fn the_python_module_writes_what_this_program_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/src/ferry_sdfgen/_pattern.py");
    let expected = pattern();
    if std::env::var_os("FERRY_WRITE_PATTERN").is_some() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, expected, "write {} again with `make python-pattern`", path.display());
}

/// The contents of `_pattern.py`.
fn pattern() -> String {
    let before = draft(SYSTEM);
    let places = Places::find(&before).unwrap();
    let client = NewClient {
        name: CLIENT,
        program: "client.elf",
        priority: 0,
        fpu: true,
        schedule_domain: None,
        buffers: Template::Receiver.buffers(),
        large_frames: false,
        reads: None,
    };
    let draft = draft(&system::add(SYSTEM, &before, &client, places).unwrap());
    let system = draft.system();
    let [central, ticker] = [CENTRAL, TICKER].map(|name| domain(system, name));
    let mut text = String::from(HEADER);
    program(&mut text, "CENTRAL", central);
    program(&mut text, "TICKER", ticker);
    let (budget, period) = (ticker.budget_us, ticker.period_us);
    write!(text, "TICK_BUDGET_US: Final = {budget}\nTICK_PERIOD_US: Final = {period}\n\n").unwrap();
    config(&mut text, system, central);
    client_regions(&mut text, system, central);
    let symbol = |name| {
        let (own, _) = system.channel(system.domain(name).unwrap(), system.domain(CENTRAL).unwrap()).unwrap();
        own.setvar_id.as_deref().unwrap()
    };
    // The module gives both the same.
    assert_eq!(symbol(CLIENT), symbol(TICKER));
    write!(text, "CHANNEL_SYMBOL: Final = \"{}\"\n\n", symbol(CLIENT)).unwrap();
    let [unused, used] = Template::Receiver.buffers();
    write!(text, "BUFFER_BYTES: Final = {used:#x}\nUNUSED_BUFFER_BYTES: Final = {unused:#x}\n").unwrap();
    write!(text, "PAGE_BYTES: Final = {PAGE_BYTES:#x}\nLARGE_PAGE_BYTES: Final = {LARGE_PAGE_BYTES:#x}\n\n")
        .unwrap();
    writeln!(text, "ANNOUNCER_SUFFIX: Final = \"{}\"", partition::SUFFIX).unwrap();
    writeln!(text, "ANNOUNCER_PRIORITY: Final = {}", partition::PRIORITY).unwrap();
    write!(text, "ANNOUNCER_BUDGET_US: Final = {}\n\n", partition::BUDGET_US).unwrap();
    write!(text, "AUDIT_SYMBOL: Final = \"{AUDIT_SYMBOL}\"\n\n").unwrap();
    words::<Class>(&mut text, "FlowClass", "The class of a flow's messages.");
    words::<Mapping>(&mut text, "FrameMapping", "How long the frames of a flow stay mapped.");
    words::<Records>(&mut text, "AuditRecords", "What the audit log gets of a flow.");
    text
}

const HEADER: &str = "\
\"\"\"What Ferry adds to a system: names, sizes, permissions and symbols.

`make python-pattern` writes this file from what `ferry new` and `ferry add client` write. A test of `ferry`
compares it.
\"\"\"

from typing import Final, Literal, TypeAlias

from ._parts import ClientRegion, Config, Program

";

fn draft(system: &str) -> Draft {
    let (system, flows) = (Source::new("system.xml", system), Source::new("flows.toml", FLOWS));
    Draft::check(&system, &flows).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn domain<'a>(system: &'a System, name: &str) -> &'a Domain {
    &system.domains[system.domain(name).unwrap()]
}

fn program(text: &mut String, constant: &str, domain: &Domain) {
    let Domain { name, program, priority, stack_bytes, fpu, .. } = domain;
    let fpu = python(*fpu);
    let values = [
        format!("name=\"{name}\""),
        format!("image=\"{program}\""),
        format!("priority={priority}"),
        format!("stack_bytes={stack_bytes:#x}"),
        format!("fpu={fpu}"),
    ];
    write!(text, "{constant}: Final = Program(\n{})\n", lines(&values, 1)).unwrap();
}

fn config(text: &mut String, system: &System, central: &Domain) {
    let map = central.map_of(system.region(CONFIG_REGION).unwrap()).unwrap();
    let base = config_bytes(0, 0, 0);
    let [client, flow, stage] =
        [config_bytes(1, 0, 0), config_bytes(0, 1, 0), config_bytes(0, 0, 1)].map(|bytes| bytes - base);
    // The module takes the size to be a sum.
    for (clients, flows, stages) in [(1, 1, 0), (2, 1, 1), (7, 20, 3), (32, 992, 256)] {
        let sum = base + clients * client + flows * flow + stages * stage;
        assert_eq!(config_bytes(clients, flows, stages), sum);
    }
    let values = [
        format!("region=\"{CONFIG_REGION}\""),
        format!("permissions=\"{}\"", map.permissions),
        format!("address_symbol=\"{}\"", map.setvar_address.as_deref().unwrap()),
        format!("size_symbol=\"{}\"", map.setvar_size.as_deref().unwrap()),
        format!("bytes={base}"),
        format!("bytes_per_client={client}"),
        format!("bytes_per_flow={flow}"),
        format!("bytes_per_stage={stage}"),
    ];
    write!(text, "CONFIG: Final = Config(\n{})\n\n", lines(&values, 1)).unwrap();
}

fn client_regions(text: &mut String, system: &System, central: &Domain) {
    text.push_str("CLIENT_REGIONS: Final = (\n");
    for map in &domain(system, CLIENT).maps {
        let region = &system.regions[map.region];
        let suffix = region.name.strip_prefix(CLIENT).unwrap().strip_prefix('_').unwrap();
        let of_central = central.map_of(map.region).map(|map| format!("\"{}\"", map.permissions));
        // Central maps a region from the start if its size is the protocol's, and not the client's.
        let bytes = if of_central.is_some() { format!("{:#x}", region.bytes) } else { "None".into() };
        let values = [
            format!("suffix=\"{suffix}\""),
            format!("bytes={bytes}"),
            format!("permissions=\"{}\"", map.permissions),
            format!("address_symbol=\"{}\"", map.setvar_address.as_deref().unwrap()),
            format!("size_symbol=\"{}\"", map.setvar_size.as_deref().unwrap()),
            format!("central_permissions={}", of_central.as_deref().unwrap_or("None")),
        ];
        write!(text, "    ClientRegion(\n{}    ),\n", lines(&values, 2)).unwrap();
    }
    text.push_str(")\n");
}

/// The words of `flows.toml` for one key, as a type.
fn words<T: ValueEnum>(text: &mut String, name: &str, what: &str) {
    let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let words: Vec<String> = words.map(|word| format!("\"{}\"", word.get_name())).collect();
    write!(text, "{name}: TypeAlias = Literal[{}]\n\"\"\"{what}\"\"\"\n", words.join(", ")).unwrap();
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// Each value on a line of its own, so deep inside.
fn lines(values: &[String], depth: usize) -> String {
    let indent = "    ".repeat(depth);
    values.iter().flat_map(|value| [indent.as_str(), value, ",\n"]).collect()
}
