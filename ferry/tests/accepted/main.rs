//! What `ferry check` accepts, nobody refuses later. Random descriptions are checked, and those that are
//! right are given to the planning code of the classic image builder, with the initialiser's own check, to
//! that of the hosted launcher, and to Microkit's tool where there is an SDK. `FERRY_CASES` sets how many
//! descriptions are made.

#[path = "../../../platform/classic/image/tests/elf/mod.rs"]
mod elf;

use ferry_boards::MICROKIT;
use ferry_description::{Description, Domain, Platform, Source};
use ferry_hosted_launcher::PlannedProcess;
use ferry_hosted_table::Table;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const SYSTEM: &str = include_str!("../../../description/tests/fixtures/valid/system.xml");
const FLOWS: &str = include_str!("../../../description/tests/fixtures/valid/flows.toml");

/// Words of the valid description, and what each may become. Most of it is right, and some is not.
const CHANGES: &[(&str, &[&str])] = &[
    (
        r#"name="bob" priority="100""#,
        &[
            r#"name="bob" priority="100" fpu="false""#,
            r#"name="bob" priority="0" passive="true""#,
            r#"name="bob" priority="100" budget="20" period="20""#,
            r#"name="bob" priority="100" budget="0x14" period="1_000_000""#,
            r#"name="bob" priority="100" budget="0""#,
            r#"name="bob" priority="100" stack_size="0x1000""#,
            r#"name="bob" priority="100" stack_size="0x100_0000" cpu="0" smc="false""#,
            r#"name="bob" priority="199" cpu="1""#,
        ],
    ),
    (
        r#"<memory_region name="bob_tx" size="0x10000" />"#,
        &[
            r#"<memory_region name="bob_tx" size="0x200000" />"#,
            r#"<memory_region name="bob_tx" size="0x200000" page_size="0x1000" />"#,
            r#"<memory_region name="bob_tx" size="0x20_1000" />"#,
            r#"<memory_region name="bob_tx" size="0x1800" />"#,
        ],
    ),
    (
        r#"<map mr="bob_tx" vaddr="0x11000000" perms="rw""#,
        &[
            r#"<map mr="bob_tx" vaddr="0x1100_1000" perms="rw""#,
            r#"<map mr="bob_tx" vaddr="0x1000" perms="rw""#,
            r#"<map mr="bob_tx" vaddr="0x0" perms="rw""#,
            r#"<map mr="bob_tx" vaddr="0x3f_f000_0000" perms="rw""#,
            r#"<map mr="bob_tx" vaddr="0xff_f000_0000" perms="rw""#,
            r#"<map mr="bob_tx" vaddr="0x7fff_f000_0000" perms="rw""#,
            r#"<map mr="bob_tx" vaddr="0xffff_ffff_ffff_f000" perms="rw""#,
            r#"<map mr="bob_tx" vaddr="0x11000000" perms="wr""#,
            r#"<map mr="bob_tx" vaddr="0x11000000" perms="rw" cached="false""#,
        ],
    ),
    (
        r#"<program_image path="ticker.elf" />"#,
        &[
            r#"<program_image path="ticker.elf" /><map mr="more" vaddr="0x3000_0000" perms="" />"#,
            r#"<program_image path="ticker.elf" /><map mr="more" vaddr="0x3000_0000" perms="rx" />"#,
            r#"<program_image path="ticker.elf" /><map mr="more" vaddr="0x3000_0000" perms="rwx" />"#,
            r#"<program_image path="ticker.elf" /><map mr="more" vaddr="0x20_0000" />"#,
            r#"<program_image path="ticker.elf" /><map mr="more" vaddr="0x3020_0000" setvar_size="more_size" />"#,
            r#"<program_image path="ticker.elf" /><irq irq="159" id="9" />"#,
            r#"<program_image path="ticker.elf" /><irq irq="0" id="9" />"#,
            r#"<program_image path="ticker.elf" /><irq irq="95" id="9" trigger="edge" />"#,
            r#"<program_image path="ticker.elf" /><irq irq="96" id="9" />"#,
            r#"<program_image path="ticker.elf" /><irq irq="9999" id="9" />"#,
            r#"<program_image path="ticker.elf" /><irq pin="4" vector="3" id="9" />"#,
            r#"<program_image path="ticker.elf" /><setvar symbol="more_at" region_paddr="more" />"#,
        ],
    ),
    (
        r#"<end pd="central" id="2" />"#,
        &[
            r#"<end pd="central" id="61" setvar_id="bobs" />"#,
            r#"<end pd="central" id="1" />"#,
            r#"<end pd="central" id="0x2" />"#,
            r#"<end pd="central" id="+2" />"#,
        ],
    ),
    (
        "</system>",
        &[
            r#"<channel><end pd="bob" id="9" pp="true" /><end pd="ticker" id="9" notify="false" /></channel></system>"#,
            r#"<channel><end pd="ticker" id="9" pp="true" /><end pd="bob" id="9" /></channel></system>"#,
            r#"<protection_domain name="more.than-1"><program_image path="x.elf" /></protection_domain></system>"#,
            r#"<protection_domain name="m" priority="254"><program_image path="x.elf" /></protection_domain></system>"#,
            r#"<channel><end pd="bob" id="7" /><end pd="bob" id="8" /></channel></system>"#,
            "<!-- a comment --></system>",
            "text</system>",
        ],
    ),
];

/// A region that nothing in the valid description has; the ticker may map it.
const REGIONS: &[&str] = &[
    r#"<memory_region name="more" size="0x1000" />"#,
    r#"<memory_region name="more" size="0x200000" />"#,
    r#"<memory_region name="more" size="0x400000" page_size="0x200_000" />"#,
    r#"<memory_region name="more" size="0x1001" />"#,
    r#"<memory_region name="more" size="0xffff_ffff_ffff_f000" />"#,
    r#"<memory_region name="more" size="0x1000" phys_addr="0x900_0000" />"#,
    r#"<memory_region name="more" size="0x1000" phys_addr="0x800_0000" />"#,
    r#"<memory_region name="more" size="0x1000" phys_addr="0x100_0000_0000" />"#,
    r#"<memory_region name="more" size="0x1000" phys_addr="0xc00_0000" />"#,
    r#"<memory_region name="more" size="0x20_0000" phys_addr="0x8400_0000" />"#,
    r#"<memory_region name="more" size="0x20_0000" phys_addr="0x8420_0000" />"#,
    r#"<memory_region name="more" size="0x1000" phys_addr="0xffff_f000" />"#,
    r#"<memory_region name="more" size="0x2000" prefill_path="ferry/Cargo.toml" />"#,
    r#"<memory_region name="more" prefill_path="ferry/Cargo.toml" />"#,
    r#"<memory_region name="more" prefill_path="ferry/Cargo.toml" page_size="0x200000" />"#,
    r#"<memory_region name="more" prefill_path="ferry/no-such-file" />"#,
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A description: one choice for each place, or none.
fn system() -> impl Strategy<Value = String> {
    let choices: Vec<_> = CHANGES.iter().map(|(_, all)| prop::option::weighted(0.4, 0..all.len())).collect();
    (choices, 0..REGIONS.len()).prop_map(|(choices, region)| {
        let mut text = SYSTEM.replacen("<system>", &format!("<system>\n    {}", REGIONS[region]), 1);
        for ((from, all), choice) in CHANGES.iter().zip(choices) {
            if let Some(choice) = choice {
                text = text.replacen(from, all[choice], 1);
            }
        }
        text
    })
}

fn source(system: &str) -> Source {
    Source::new("system.xml", system).with_directories(vec![root().to_owned()])
}

/// Holds all descriptions that `accepts` takes against `refuses`, which says why it refuses one.
fn hold(cases: u32, platform: &Platform, refuses: impl Fn(&str, &Description) -> Option<String>) {
    let cases = std::env::var("FERRY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    let right = Cell::new(0_u32);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&system(), |system| {
        let checked = Description::check(&source(&system), &Source::new("flows.toml", FLOWS), &[]);
        let Ok(description) = checked else { return Ok(()) };
        if description.check_for(platform).is_err() {
            return Ok(());
        }
        right.set(right.get() + 1);
        match refuses(&system, &description) {
            Some(why) => Err(TestCaseError::fail(format!("{why}\n{system}"))),
            None => Ok(()),
        }
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(right.get() > cases / 20, "only {} of {cases} descriptions are right", right.get());
    println!("{} of {cases} descriptions are right on {}", right.get(), platform.name);
}

#[test]
fn the_classic_image_builder_and_its_initialiser_take_it() {
    hold(2000, &Platform::CLASSIC, |_, description| {
        let program = |domain: &Domain| Ok(program(description, domain));
        match ferry_classic_image::compile(description, &program, &[]) {
            Ok(_) => None,
            // Where programs lie is not in the description. These are at the lowest address that is usual.
            Err(ferry_classic_image::ImageError::Mistakes(mistakes))
                if mistakes.iter().all(|mistake| mistake.problem.rule() == "map_over_program") =>
            {
                None
            }
            Err(error) => Some(error.to_string()),
        }
    });
}

#[test]
fn the_hosted_launcher_plans_it_and_its_processes_take_it() {
    hold(2000, &Platform::HOSTED, |_, description| match ferry_hosted_launcher::plan(description, &[]) {
        Ok(plan) => plan.processes.iter().find_map(refused),
        Err(error) => Some(error.to_string()),
    });
}

/// What the runtime of a process, or Linux, would refuse.
fn refused(process: &PlannedProcess) -> Option<String> {
    let table = &process.table;
    let window = table.window.map(|window| (window.address, window.bytes));
    let maps = table.maps.iter().map(|map| (map.address, map.bytes));
    let mut ranges: Vec<(u64, u64)> = maps.chain(window).collect();
    ranges.sort_unstable();
    let lowest = Platform::HOSTED.lowest_address;
    let is_placed = |(address, bytes): &(u64, u64)| {
        let end = address.checked_add(*bytes);
        address.is_multiple_of(0x1000) && *address >= lowest && end.is_some_and(|end| end <= 0x5000_0000_0000)
    };
    let maps = table.maps.iter().map(|map| map.file);
    let grants = table.grants.iter().map(|grant| grant.file);
    let counters = table.channels.iter().map(|channel| channel.counter);
    let named: BTreeSet<i32> = maps.chain(grants).chain(counters).chain([table.wait]).collect();
    let given: BTreeSet<i32> = process.files.iter().map(|(number, _)| *number).collect();
    let words: BTreeSet<&str> = table.words.iter().map(|(symbol, _)| symbol.as_str()).collect();
    let problems = [
        ("a mapping that Linux refuses", !ranges.iter().all(is_placed)),
        ("mappings that overlap", ranges.windows(2).any(|pair| pair[0].0 + pair[0].1 > pair[1].0)),
        ("a file that it does not get", named != given || given.len() != process.files.len()),
        ("a word with two values", words.len() != table.words.len()),
        (
            "a table that it cannot read",
            !table.encode().is_ok_and(|all| Table::decode(&all).as_ref() == Ok(table)),
        ),
    ];
    let found = problems.into_iter().find(|(_, is_there)| *is_there);
    found.map(|(problem, _)| format!("{} has {problem}: {table:x?}", table.domain))
}

/// A program with all symbols that the description sets in a domain.
fn program(description: &Description, domain: &Domain) -> Vec<u8> {
    let number = description.system.domain(&domain.name);
    let ends = description.system.channels.iter().flat_map(|channel| &channel.ends);
    let of_channels =
        ends.filter(|end| Some(end.domain) == number).filter_map(|end| end.setvar_id.as_deref());
    let symbols: Vec<&str> =
        domain.symbols.iter().map(|(symbol, _)| symbol.as_str()).chain(of_channels).collect();
    elf::program(&symbols, 0)
}

#[test]
fn microkits_tool_takes_it() {
    let Some(sdk) = sdk() else {
        // Not by a macro, because the test runner would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "******** NOT HELD AGAINST MICROKIT'S TOOL: no SDK was found; set MICROKIT_SDK ********"
        );
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    for board in &MICROKIT {
        hold(60, &board.platform, |system, _| {
            let path = directory.path().join("system.xml");
            std::fs::write(&path, system).unwrap();
            let output = Command::new(sdk.join("bin/microkit"))
                .current_dir(root())
                .arg(&path)
                .args(["--board", board.name, "--config", "debug", "--output"])
                .arg(directory.path().join("image"))
                .arg("--report")
                .arg(directory.path().join("report"))
                .env("MICROKIT_SDK", &sdk)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            // It looks for programs only when it has accepted everything else.
            (!said.contains("unable to find program image")).then_some(said)
        });
    }
}

/// The SDK, where the command line looks for it.
fn sdk() -> Option<PathBuf> {
    let named = std::env::var_os("MICROKIT_SDK").map(PathBuf::from);
    let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share/microkit-sdk-2.3.0"));
    named.or_else(usual).filter(|sdk| sdk.join("bin/microkit").is_file())
}
