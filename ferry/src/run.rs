//! `ferry run`: builds the demo with a file in it, runs it, and compares what arrived with the file.

use crate::arguments::RunArguments;
use crate::boot::{self, Boot, Emulator, Ending, Expectation};
use crate::built::Built;
use crate::error::Error;
use crate::input::{Input, REGION};
use crate::output::line;
use crate::progress::Step;
use crate::summary::{Counters, Received, Summary};
use crate::target::Selection;
use crate::workspace::Workspace;
use std::time::Duration;

/// Time that a boot may take, and the time that each MiB of the file adds.
const LIMIT: Duration = Duration::from_mins(1);
const LIMIT_PER_MEBIBYTE: Duration = Duration::from_secs(2);

/// Runs the demo.
pub(crate) fn run(arguments: &RunArguments) -> Result<(), Error> {
    let workspace = Workspace::locate()?;
    let input = Input::read(arguments.input.as_deref(), &workspace)?;
    let contents = input.region();
    let grown = [(REGION, contents.len() as u64)];
    let description = arguments.description.load_for(arguments.target.rules(), &grown)?;
    if description.system.region(REGION).is_none() {
        return Err(Error::NoSuchRegion { region: REGION.to_owned() });
    }
    let built = Built::build(arguments.target, Selection::System, &workspace)?;
    let directory = workspace.products().join("run");
    let prefills = [(REGION.to_owned(), contents)];
    let emulator = built.emulator(&arguments.description, &description, &prefills, &[], &directory)?;
    let mebibytes = u32::try_from(input.length() >> 20).unwrap_or(u32::MAX);
    let limit = arguments.limit.map_or(LIMIT + LIMIT_PER_MEBIBYTE * mebibytes, Duration::from_secs);
    let boot = boot_with_progress(built.what_runs(), emulator, limit, arguments.console)?;
    let received = compare(&input, &boot)?;
    let counters = Counters::of(&boot.console);
    line(format_args!(
        "{}",
        Summary { input: &input.name, received: &received, counters, duration: boot.duration }
    ))?;
    Ok(())
}

fn boot_with_progress(
    what: &str,
    emulator: Emulator,
    limit: Duration,
    show_console: bool,
) -> Result<Boot, Error> {
    let expectation = Expectation {
        lines: vec!["ferry: received ".to_owned()],
        fault: None,
        ending: Ending::Exit(0),
        limit,
    };
    let mut step = Step::begin(what);
    let boot = boot::boot(emulator, &expectation, &mut |line| {
        if show_console {
            step.line(line);
        }
        if line.starts_with("Booting all finished") {
            step.detail("sending the file");
        }
    });
    Ok(boot?)
}

/// Fails unless exactly the bytes of the file arrived, by length and SHA-256.
fn compare(input: &Input, boot: &Boot) -> Result<Received, Error> {
    let differs = |what: String| Error::Transfer {
        what,
        remedy: "the transfer is broken; run again with --console and compare the counters",
    };
    let received =
        Received::of(&boot.console).ok_or_else(|| differs("the receiver's report is damaged".to_owned()))?;
    if received.bytes != input.length() {
        return Err(differs(format!("{} bytes were sent and {} arrived", input.length(), received.bytes)));
    }
    let sha256 = input.sha256();
    if received.sha256 != sha256 {
        return Err(differs(format!("SHA-256 {sha256} was sent and {} arrived", received.sha256)));
    }
    Ok(received)
}
