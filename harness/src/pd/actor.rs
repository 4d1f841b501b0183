//! A client of the test systems: runs the script of its role in the scenario that the image was built for.

#![no_std]
#![no_main]

use core::fmt::Arguments;

use ferry_client::Regions;
use ferry_harness::{Actor, Buffer, Ending, Role, SCENARIO_MAGIC, SCENARIOS, Scenario, Stage};
use ferry_layout::{InRegion, OutRegion};
use runtime::{Channel, ChannelSet, Handler, Region};

runtime::protection_domain!(init);

/// What this client's regions and channel are.
struct Platform {
    out: Region,
    into: Region,
    tx: Region,
    rx: Region,
    central: Channel,
}

impl Stage for Platform {
    fn print(&self, line: Arguments<'_>) {
        runtime::println!("{line}");
    }

    fn ring(&self) {
        runtime::notify(self.central);
    }

    fn pause(&self) {
        runtime::yield_now();
    }

    fn regions(&self) -> Option<Regions> {
        // SAFETY: these are this client's regions. The actor reaches them by raw copies only, and a script that opens a
        // port leaves the buffers to it.
        unsafe { Regions::new(Some(self.out), Some(self.into), Some(self.tx), Some(self.rx)) }.ok()
    }
}

/// The script has run in `init`; nothing is left to do.
struct Done;

impl Handler for Done {
    fn notified(&mut self, _: ChannelSet) {}
}

fn init() -> impl Handler {
    let platform = Platform {
        out: runtime::region!(ferry_out).expect("ferry_out"),
        into: runtime::region!(ferry_in).expect("ferry_in"),
        tx: runtime::region!(ferry_tx).expect("ferry_tx"),
        rx: runtime::region!(ferry_rx).expect("ferry_rx"),
        central: runtime::channel!(ferry_central).expect("ferry_central"),
    };
    let scenario = scenario();
    let out = platform.out.shared::<OutRegion>().expect("ferry_out has its size");
    let into = platform.into.shared::<InRegion>().expect("ferry_in has its size");
    // SAFETY: this client's transmit buffer, mapped read-write; no reference to it exists.
    let tx = unsafe { Buffer::new(platform.tx) };
    // SAFETY: this client's receive buffer, mapped read-write in the test systems; no reference to it exists.
    let rx = unsafe { Buffer::new(platform.rx) };
    while !into.is_introduced() {
        runtime::yield_now();
    }
    let mut actor = Actor::new(out, into, tx, rx, &platform);
    play(&mut actor, scenario);
    Done
}

/// The scenario that the image builder put into the region `scenario`.
fn scenario() -> &'static Scenario {
    let region = runtime::region!(ferry_scenario).expect("ferry_scenario");
    // SAFETY: filled by the image builder, and nobody can write it.
    let bytes = unsafe { region.constant() };
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(word(0), SCENARIO_MAGIC, "the region scenario is not filled in");
    &SCENARIOS[word(4) as usize]
}

fn play(actor: &mut Actor<'_>, scenario: &Scenario) {
    let role = actor.role();
    let umpire = role == Role::Gamma && scenario.ending == Ending::Umpire;
    let result = actor.open().and_then(|()| scenario.script(role).map_or(Ok(()), |script| script(actor)));
    if let Err(clue) = result {
        runtime::println!(
            "harness: fail {} {}: expected: {} (line {})",
            scenario.name,
            role.name(),
            clue.what,
            clue.line
        );
        runtime::exit(1);
    }
    runtime::println!("harness: pass {}", role.name());
    if scenario.ending == Ending::By(role) {
        runtime::exit(0);
    }
    if scenario.ending != Ending::Umpire {
        return;
    }
    let told = if umpire { actor.await_passes() } else { actor.report_pass() };
    match told {
        Ok(()) if umpire => runtime::exit(0),
        Ok(()) => {}
        Err(clue) => {
            runtime::println!(
                "harness: fail {} {} at the end: expected: {}",
                scenario.name,
                role.name(),
                clue.what
            );
            runtime::exit(1);
        }
    }
}
