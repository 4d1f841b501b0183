//! A client of the test systems. It runs the script of its role in the scenario that the image was built for.

#![no_std]
#![no_main]

mod stage;

use ferry_harness::{Actor, Ending, Role, Scenario};
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

/// The script has run in `init`, so nothing is left to do.
struct Done;

impl Handler for Done {
    fn notified(&mut self, _: ChannelSet) {}
}

fn init() -> impl Handler {
    let platform = stage::Platform::of_this_domain();
    let mut actor = platform.actor();
    while !actor.to_client.is_introduced() {
        actor.pause();
    }
    play(&mut actor, stage::scenario());
    Done
}

fn play(actor: &mut Actor<'_>, scenario: &Scenario) {
    let role = actor.role();
    let umpire = role == Role::Gamma && scenario.ending == Ending::Umpire;
    let result = actor.open().and_then(|()| scenario.script(role).map_or(Ok(()), |script| script(actor)));
    if let Err(clue) = result {
        runtime::println!("harness: fail {}: expected: {} (line {})", scenario.name, clue.what, clue.line);
        runtime::exit(1);
    }
    runtime::println!("harness: pass");
    match scenario.ending {
        Ending::By(last) if last == role => runtime::exit(0),
        Ending::WithCode(last, code) if last == role => runtime::exit(code),
        Ending::Umpire => {}
        _ => return,
    }
    let told = if umpire { actor.await_passes(|role| scenario.must_pass(role)) } else { actor.report_pass() };
    match told {
        Ok(()) if umpire => runtime::exit(0),
        Ok(()) => {}
        Err(clue) => {
            runtime::println!("harness: fail {} at the end: expected: {}", scenario.name, clue.what);
            runtime::exit(1);
        }
    }
}
