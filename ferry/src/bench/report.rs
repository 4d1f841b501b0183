//! Turns measurements into rows, lines on the screen, and profiles.

use super::error::BenchError;
use super::programs::{Owner, Programs};
use super::trace::Trace;
use crate::console::{Printed, word};
use crate::file::{self, FileError};
use ferry_rows::carrier::{Row, per_message};
use ferry_rows::case::Case;
use ferry_rows::order::Course;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

/// The producer's lines begin with this.
const LINE: &str = "bench: ";
/// The largest difference between clock and trace: this part of the clock's count, and this many instructions
/// of a round on top. Reading the clock takes instructions, and a tick of the clock can be longer than an
/// instruction.
const TOLERANCE: f64 = 0.01;
const SLACK: f64 = 200.0;

/// What the producer's clock measured in a case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Messages in a round.
    pub(super) messages: u32,
    /// Instructions of the shortest round, computed from the calibrated clock.
    pub(super) instructions: f64,
    /// Ticks of the clock for one instruction.
    pub(super) ticks_per_instruction: f64,
}

/// The clock's measurement of each case, read from the lines that the producer printed.
pub(super) fn clocks(console: &[String], courses: &[Course]) -> Vec<Clock> {
    let number = |line: &str, name: &str| word(line, name)?.parse::<f64>().ok();
    let texts = console.iter().map(|line| Printed::of(line).text);
    let lines: Vec<&str> = texts.filter_map(|text| text.strip_prefix(LINE)).collect();
    let calibration = lines.iter().find(|line| line.starts_with("calibration "));
    let ratio = calibration.and_then(|line| Some(number(line, "ticks")? / number(line, "instructions")?));
    let rounds = lines.iter().filter(|line| line.starts_with("payload="));
    courses
        .iter()
        .zip(rounds)
        .filter_map(|(course, line)| {
            let ticks_per_instruction = ratio?;
            let instructions = number(line, "ticks")? / ticks_per_instruction;
            let messages = course.batches * course.case.batch;
            Some(Clock { messages, instructions, ticks_per_instruction })
        })
        .collect()
}

/// The row of a case. Fails if clock and trace disagree.
pub(super) fn row(
    carrier: &str,
    case: Case,
    clock: &Clock,
    trace: &Trace,
    programs: &Programs,
) -> Result<Row, BenchError> {
    let fail = |what| BenchError::Case { carrier: carrier.to_owned(), case, what };
    let count = |owner| trace.instructions(programs, owner);
    let [central, producer, consumer, others, kernel] =
        [Owner::Central, Owner::Producer, Owner::Consumer, Owner::Other, Owner::Kernel].map(count);
    let total = central + producer + consumer + others + kernel;
    let strays = trace.executed.iter().find(|(address, _)| programs.owner(**address).is_none());
    if let Some((address, _)) = strays {
        return Err(fail(format!(
            "an unknown program executed an instruction at {address:#x}; only the measured programs may run"
        )));
    }
    let each = |count| Some(per_message(count, clock.messages));
    let steps = per_message(total + trace.repetitions, 1);
    let interrupts = per_message(trace.in_interrupts, 1);
    let ticked = clock.instructions;
    if (steps - ticked).abs() > ticked * TOLERANCE + SLACK + interrupts {
        return Err(fail(format!(
            "the clock counted {ticked:.0} instructions and the trace {steps:.0}, besides {interrupts:.0} for interrupts"
        )));
    }
    let calls = |owner, parts: &[&str]| {
        programs.entries(owner, parts).into_iter().map(|entry| trace.calls(entry)).sum::<u64>()
    };
    // A program in C signals central by the platform's half of its library.
    let notify = |owner| calls(owner, &["runtime", "notify"]) + calls(owner, &["ferry_platform_signal"]);
    Ok(Row {
        instructions: each(total),
        central: each(central),
        clients: each(producer + consumer),
        producer: each(producer),
        consumer: each(consumer),
        others: each(others).filter(|_| !case.way.is_plain()),
        kernel: each(kernel),
        entries: each(trace.system_calls),
        maps: each(calls(Owner::Central, &["runtime", "6Window", "3map"])),
        unmaps: each(calls(Owner::Central, &["runtime", "6Window", "5unmap"])),
        signals: each(notify(Owner::Central)),
        doorbells: each([Owner::Producer, Owner::Consumer, Owner::Other].map(notify).iter().sum()),
        ..Row::of(case)
    })
}

/// The heading above the rows of a carrier.
pub(super) struct Heading<'a>(pub(super) &'a str);

impl fmt::Display for Heading<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}, instructions a message:\n   total  central producer consumer   others   kernel  entries  signals doorbells    maps  unmaps | by the clock | case",
            self.0
        )
    }
}

/// A row, as it is printed on the screen.
pub(super) struct Shown<'a>(pub(super) &'a Row, pub(super) &'a Clock);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(row, clock) = self;
        for value in [row.instructions, row.central, row.producer, row.consumer, row.others, row.kernel] {
            write!(formatter, "{:8.1} ", value.unwrap_or_default())?;
        }
        for value in [row.entries, row.signals, row.doorbells, row.maps, row.unmaps] {
            write!(formatter, "{:8.3} ", value.unwrap_or_default())?;
        }
        let by_clock = clock.instructions / f64::from(clock.messages);
        write!(formatter, "| {by_clock:8.1} ({} ticks each) | {}", clock.ticks_per_instruction, row.case)
    }
}

/// Writes how often each function and each instruction of a case was executed. The instructions are listed by
/// address, for a disassembler.
pub(super) fn profile(
    directory: &Path,
    carrier: &str,
    case: Case,
    trace: &Trace,
    programs: &Programs,
) -> Result<(), FileError> {
    let mut functions: BTreeMap<(Owner, &str), u64> = BTreeMap::new();
    let mut places: Vec<(u64, u64)> =
        trace.executed.iter().map(|(address, count)| (*address, *count)).collect();
    places.sort_unstable();
    for (address, count) in &places {
        let Some(owner) = programs.owner(*address) else { continue };
        let name = programs.function(*address).map_or("?", |function| function.name.as_str());
        *functions.entry((owner, name)).or_default() += count;
    }
    let mut functions: Vec<_> = functions.into_iter().collect();
    functions.sort_unstable_by_key(|((owner, _), count)| (*owner, std::cmp::Reverse(*count)));
    let mut text =
        format!("# {carrier}, {case}: instructions of the traced round, by function and by address\n");
    for ((owner, name), count) in functions {
        let _ = writeln!(text, "{count:9} {owner:?} {name}");
    }
    for (address, count) in places {
        let _ = writeln!(text, "{address:#x} {count}");
    }
    fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
    let carrier = carrier.replace(' ', "-");
    let Case { policy, payload, batch, .. } = case;
    let frames = if case.frames.are_small() { "" } else { "-large" };
    let name = format!("{carrier}-{policy}{frames}-{}-{payload}-{batch}.txt", case.way.word());
    let path = directory.join(name);
    fs::write(&path, text).map_err(file::failed("write", &path))
}
