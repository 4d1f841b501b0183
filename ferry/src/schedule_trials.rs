//! Trials of partitions on a booted kernel: what a client sees, and when, does not depend on what the clients
//! of another scheduling domain do. The system is in `harness/schedule`.
//!
//! QEMU counts instructions, so that the clock of each boot is the same, and so is everything else that does
//! not depend on what differs.

use crate::boot::{self, Boot, Ending, Expectation};
use crate::built::Built;
use crate::console::Printed;
use crate::demo_trials;
use crate::description_files::DescriptionFiles;
use crate::error::Error;
use crate::file;
use crate::prefill;
use crate::project::Project;
use crate::runner::trial;
use crate::target::Target;
use crate::workspace::Workspace;
use ferry_boards::Emulator;
use libtest_mimic::{Failed, Trial};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The length of central's time slots, in microseconds, on each board. A round takes more instructions on
/// some than on others. Two rounds take longer than the time slot, so that without partitions there is
/// something to see. One round and what `low` has sent do not.
const SLOTS: [(&str, u32); 3] =
    [("qemu_virt_aarch64", 100), ("x86_64_generic", 115), ("qemu_virt_riscv64", 150)];
/// Its length in the system's description.
const SLOT: &str = "duration=\"100 us\"";
/// The directory of the system.
const SYSTEM: &str = "harness/schedule";
/// The region that tells the high partition what to do, and all that it can do. From `BUSY` on it keeps
/// central busy.
const REGION: &str = "behaviour";
const BEHAVIOURS: [u8; 4] = [0, 1, 2, 3];
const BUSY: u8 = 2;
/// Time that one boot may take.
const LIMIT: Duration = Duration::from_mins(3);
/// By how many looks two boots may differ: when exactly the kernel begins and ends a time slot depends on
/// what it interrupts.
const LOOKS: u32 = 2;
/// The last line of `low`, and what the busy ones print.
const LAST: &str = "low | 60 changes";
const IS_BUSY: [&str; 2] = ["noise-a | 200 messages have arrived", "noise-b | 200 messages have arrived"];

/// What a boot needs.
struct Schedule {
    built: Built,
    emulator: &'static Emulator,
    /// The length of central's time slots, in microseconds.
    slot: u32,
    files: DescriptionFiles,
    directory: PathBuf,
}

/// The trials for a board of Microkit. `directory` is for their files, `prefix` begins their names.
pub(crate) fn of_microkit(
    target: Target,
    prefix: &str,
    directory: &Path,
    workspace: &Workspace,
) -> Result<Vec<Trial>, Error> {
    let slot = SLOTS.iter().find(|(board, _)| *board == target.board.name);
    let (Some((_, slot)), Some(emulator)) = (slot, target.board.emulator) else { return Ok(Vec::new()) };
    let files = DescriptionFiles::of_directory(&workspace.root.join(SYSTEM));
    let project = Project::of(files.clone())?;
    let built = Built::build(target, demo_trials::selection(target.platform), workspace, &project)?;
    let directory = directory.join("partitions");
    let schedule = Arc::new(Schedule { built, emulator, slot: *slot, files, directory });
    let without = Arc::clone(&schedule);
    Ok(vec![
        trial(format!("{prefix}a_partition_sees_and_times_nothing_of_another"), move || {
            let (first, others) = schedule.logs(true)?;
            for (behaviour, log) in others {
                if let Some(difference) = difference(&first, &log) {
                    return Err(format!("behaviour {behaviour} shows: {difference}").into());
                }
            }
            Ok(())
        }),
        // So the system is one in which there is something to see.
        trial(format!("{prefix}without_partitions_a_client_times_another"), move || {
            let (first, others) = without.logs(false)?;
            if others.iter().all(|(_, log)| difference(&first, log).is_none()) {
                return Err(
                    "all behaviours look alike without partitions, so the other trial shows nothing".into()
                );
            }
            Ok(())
        }),
    ])
}

/// The first lines that differ by more than `LOOKS`.
fn difference(one: &[String], other: &[String]) -> Option<String> {
    let pair = one.iter().zip(other).find(|(one, other)| !are_alike(one, other));
    pair.map(|(one, other)| format!("`{one}` and `{other}`"))
}

/// Whether two lines `change 3 after 323 looks: 3a6480e8e231212e` are the same, but for `LOOKS`.
fn are_alike(one: &str, other: &str) -> bool {
    let parts = |line: &str| {
        let (before, after) = line.split_once(" looks: ")?;
        let (change, looks) = before.rsplit_once(' ')?;
        Some((change.to_owned(), after.to_owned(), looks.parse::<u32>().ok()?))
    };
    match (parts(one), parts(other)) {
        (Some((change, seen, looks)), Some((other_change, other_seen, other_looks))) => {
            (change, seen) == (other_change, other_seen) && looks.abs_diff(other_looks) <= LOOKS
        }
        _ => one == other,
    }
}

/// What `low` has printed.
type Log = Vec<String>;

impl Schedule {
    /// What `low` prints if the high ones do nothing, and for each other behaviour.
    fn logs(&self, has_partitions: bool) -> Result<(Log, Vec<(u8, Log)>), Failed> {
        let [nothing, others @ ..] = BEHAVIOURS;
        let first = self.log(nothing, has_partitions)?;
        let others =
            others.into_iter().map(|behaviour| Ok((behaviour, self.log(behaviour, has_partitions)?)));
        Ok((first, others.collect::<Result<_, Failed>>()?))
    }

    /// Boots the system with this behaviour. Returns what `low` prints.
    fn log(&self, behaviour: u8, has_partitions: bool) -> Result<Log, Failed> {
        let name = format!("{behaviour}-{}", if has_partitions { "apart" } else { "together" });
        let directory = self.directory.join(name);
        let files = self.files(has_partitions, &directory)?;
        let prefills = [(REGION.to_owned(), vec![behaviour])];
        let description = files.load(&prefill::sizes(&prefills))?;
        let mut emulator = self.built.emulator(&files, &description, &prefills, &[], &directory, 1)?;
        emulator.command.args(self.emulator.counting());
        let busy = IS_BUSY.iter().filter(|_| behaviour >= BUSY);
        let expectation = Expectation {
            lines: busy.chain([&LAST]).map(|line| (*line).to_owned()).collect(),
            fault: None,
            ending: Ending::AfterLines,
            limit: LIMIT,
        };
        let Boot { console, .. } = boot::boot(emulator, &expectation, &mut |_| true)?;
        let lines = console.iter().map(|line| Printed::of(line)).filter(|line| line.domain == Some("low"));
        Ok(lines.map(|line| line.text.to_owned()).collect())
    }

    /// The description, with times that are as long in instructions on every board, and without partitions if
    /// there are to be none.
    fn files(&self, has_partitions: bool, directory: &Path) -> Result<DescriptionFiles, Failed> {
        let read = |path: &Path| fs::read_to_string(path).map_err(file::failed("read", path));
        let factor = 1 << self.emulator.clock_shift;
        let system = read(&self.files.system)?.replace(SLOT, &format!("duration=\"{} us\"", self.slot));
        let system = slower(&system, factor);
        let mut flows: toml::Table = read(&self.files.flows)?.parse()?;
        if let Some(toml::Value::Integer(period)) =
            flows.get_mut("tick").and_then(|tick| tick.get_mut("period_us"))
        {
            *period *= i64::from(factor);
        }
        if !has_partitions {
            flows.remove("partition");
        }
        let files =
            DescriptionFiles { system: directory.join("system.xml"), flows: directory.join("flows.toml") };
        file::write(&files.system, system)?;
        file::write(&files.flows, flows.to_string())?;
        Ok(files)
    }
}

/// A system description in which every time is `factor` times as long.
fn slower(system: &str, factor: u32) -> String {
    let mut text = system.to_owned();
    for attribute in ["duration=\"", "budget=\"", "period=\""] {
        let mut parts = text.split(attribute);
        let mut longer = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
            let (number, rest) = part.split_at(digits);
            let number = number.parse::<u64>().map_or(0, |number| number * u64::from(factor));
            let _ = write!(longer, "{attribute}{number}{rest}");
        }
        text = longer;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{are_alike, slower};

    #[test]
    fn two_looks_are_no_difference_and_three_are() {
        let line = |looks: u32, seen: &str| format!("change 3 after {looks} looks: {seen}");
        assert!(are_alike(&line(323, "a5"), &line(325, "a5")));
        assert!(!are_alike(&line(323, "a5"), &line(326, "a5")));
        assert!(!are_alike(&line(323, "a5"), &line(323, "a6")));
        assert!(are_alike("60 changes", "60 changes") && !are_alike("60 changes", &line(1, "a5")));
    }

    #[test]
    fn every_time_is_longer() {
        let system = r#"<a duration="500 us" size="7"/><b budget="100" period="2500">"#;
        let longer = r#"<a duration="8000 us" size="7"/><b budget="1600" period="40000">"#;
        assert_eq!((slower(system, 16).as_str(), slower(system, 1).as_str()), (longer, system));
    }
}
