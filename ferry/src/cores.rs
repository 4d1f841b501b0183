//! The same system on several cores: central, its ticker and the supervisor on core 0, every other protection
//! domain on another. So clients really run while central runs.
//!
//! Only systems of this repository are spread, whose domains say nothing of cores and budgets themselves.

use crate::description_files::DescriptionFiles;
use crate::file::{self, FileError};
use crate::target::{Config, Target};
use ferry_boards::{Board, Form, Processors};
use ferry_description::{CENTRAL, ReadError, Source, TICKER};
use roxmltree::{Document, Node};
use std::ops::Range;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The cores of everybody but central, its ticker and the supervisor, in turn. One is enough for a client
/// that runs while central runs.
pub(crate) const ONE_OTHER: &[u8] = &[1];
/// The same for clients that also run at the same time as each other.
pub(crate) const TWO_OTHERS: &[u8] = &[1, 2];
/// What a client there gets of its core, in microseconds. A client that yields then sleeps until the next
/// period begins. Without that, one that waits by yielding would take the kernel's only lock again and again.
const BUDGET: &str = "budget=\"150\" period=\"300\"";

/// In how many microseconds all processors that take turns have had theirs, in the first boot of a system.
/// With 50, t123 did not end in a quarter of an hour on RISC-V: core 0 was seen to wait in the firmware for
/// the other one. Why this comes to no end was not found. With each of 11, 22, 25, 39, 47, 48, 49, 51 and
/// 100, t123 ends in half a minute.
const ROUND: u16 = 47;

/// The processors of a board's emulator, for protection domains on the cores up to `highest_core`. Those of a
/// kernel for several cores run at the same time if this machine has more than that, and in turns otherwise:
/// a processor of the emulator that this machine does not run keeps all others waiting. `boot` is the number
/// of the boot of this system, from 1 on.
pub(crate) fn processors(board: &Board, config: Config, highest_core: u8, boot: u32) -> Processors {
    let number = board.processors(config.has_several_cores(), highest_core);
    let has_more = || std::thread::available_parallelism().is_ok_and(|here| here.get() > number.into());
    match number {
        ..=1 => Processors::One,
        _ if waits_at_boot(board, config) || has_more() => Processors::AtTheSameTime(number),
        _ => Processors::InTurns { number, round: round(boot) },
    }
}

/// Whether processors cannot take turns. The loader of a kernel that prints keeps a processor reading a word
/// until the one that it has started has printed its lines. That one invalidates what all have cached of
/// address translations, and in QEMU 7.2 this does not end while the first one reads on. A PC has no loader.
fn waits_at_boot(board: &Board, config: Config) -> bool {
    config == Config::SmpDebug && board.architecture.form != Form::Multiboot
}

/// The same for the first boot of a system of the tests, which is spread over these cores if the kernel runs
/// on several.
pub(crate) fn of_tests(target: Target, others: &[u8]) -> Processors {
    if target.has_several_cores() {
        processors(target.board, target.config, others.iter().copied().max().unwrap_or(0), 1)
    } else {
        Processors::One
    }
}

/// Where processors take turns, those of each boot end at other places. Otherwise each would be like the one
/// before.
fn round(boot: u32) -> u16 {
    match boot {
        ..=1 => ROUND,
        // 5 to 49 in some order: 17 and 45 have no divisor in common.
        _ => 5 + u16::try_from(boot.wrapping_mul(17) % 45).expect("it is below 45"),
    }
}

/// The same for a PC: several lengths, because not each will do ([`pc_timer`](crate::pc_timer)). The first is
/// another one in each of 45 boots.
pub(crate) fn rounds_of_pc(boot: u32) -> Vec<u16> {
    (0..45).map(|more| round(boot) + 25 * more).collect()
}

/// The processors of this machine, for one boot. An emulator whose processors run at the same time has them
/// to itself. Cores wait for each other, so the system comes to a standstill if one gets no processor.
pub(crate) struct Share {
    _some: Option<RwLockReadGuard<'static, ()>>,
    _all: Option<RwLockWriteGuard<'static, ()>>,
}

impl Share {
    /// Waits until they are free.
    pub(crate) fn take(processors: Processors) -> Self {
        static MACHINE: RwLock<()> = RwLock::new(());
        // A trial that has failed leaves nothing behind that the next one could find.
        let some = || MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        let all = || MACHINE.write().unwrap_or_else(PoisonError::into_inner);
        let takes_all = matches!(processors, Processors::AtTheSameTime(_));
        Self { _some: (!takes_all).then(some), _all: takes_all.then(all) }
    }
}

/// Why a system was not spread.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpreadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] FileError),
    #[error("{0}; correct the description")]
    Syntax(#[from] roxmltree::Error),
}

/// Writes the description into `directory`, with one of these cores for each protection domain.
pub(crate) fn spread(
    files: &DescriptionFiles,
    others: &[u8],
    directory: &Path,
) -> Result<DescriptionFiles, SpreadError> {
    let source = Source::read(&files.system)?;
    let system = directory.join("system.xml");
    file::write(&system, spread_text(&source, others)?)?;
    Ok(DescriptionFiles { system, flows: files.flows.clone() })
}

fn spread_text(source: &Source, others: &[u8]) -> Result<String, roxmltree::Error> {
    let document = Document::parse(source.text())?;
    let is_client = |node: &Node<'_, '_>| {
        let name = node.attribute("name");
        node.has_tag_name("protection_domain") && name != Some(CENTRAL) && name != Some(TICKER)
    };
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    let mut others = others.iter().cycle();
    for node in document.descendants() {
        if is_client(&node)
            && let Some(core) = others.next()
        {
            let place = node.range().start + "<protection_domain".len();
            changes.push((place..place, format!(" cpu=\"{core}\" {BUDGET}")));
        }
        // The new description lies in another directory than the files that it names.
        if let Some(path) = node.attribute_node("prefill_path")
            && let Some(found) = source.find(path.value())
        {
            changes.push((path.range_value(), found.to_string_lossy().into_owned()));
        }
    }
    let mut spread = source.text().to_owned();
    // From the end, so that the places before it stay right.
    for (place, text) in changes.into_iter().rev() {
        spread.replace_range(place, &text);
    }
    Ok(spread)
}

#[cfg(test)]
mod tests {
    use super::{BUDGET, ONE_OTHER, TWO_OTHERS, processors, round, rounds_of_pc, spread_text};
    use crate::target::Config;
    use ferry_boards::{Board, Files, Form, MICROKIT, Processors};
    use ferry_description::Source;
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn boots_that_take_turns_differ() {
        let files = Files { kernel: Path::new("kernel"), image: Path::new("a directory/image") };
        for board in MICROKIT.iter().filter(|board| board.emulator.is_some()) {
            let of = |boot| {
                let processors = Processors::InTurns { number: 4, round: round(boot) };
                board.emulate(board.emulator.unwrap(), files, 0, processors)
            };
            let all: Vec<_> = (1..=20).map(of).collect();
            let lines: BTreeSet<_> = all.iter().map(|command| format!("{command:?}")).collect();
            assert_eq!(lines.len(), 20, "{}", board.name);
            // All else is as in the first.
            let rest = |command: &Command| {
                let words = command.get_args().filter(|word| !word.to_string_lossy().contains("interval="));
                let words: Vec<_> = words.map(ToOwned::to_owned).collect();
                (command.get_program().to_owned(), command.get_current_dir().map(Path::to_owned), words)
            };
            assert!(all.iter().all(|command| rest(command) == rest(&all[0])));
        }
    }

    #[test]
    fn a_pc_has_other_turns_to_try_and_begins_with_those_of_the_boot() {
        for boot in 1..=45 {
            let lengths = rounds_of_pc(boot);
            assert_eq!((lengths[0], lengths.len()), (round(boot), 45));
            assert!(lengths.is_sorted_by(|one, next| one < next) && lengths[44] < 2000, "{lengths:?}");
        }
    }

    #[test]
    fn where_the_loader_prints_processors_run_at_the_same_time() {
        let debug = |board: &Board| processors(board, Config::SmpDebug, 1, 1);
        let at_the_same_time = |board: &Board| matches!(debug(board), Processors::AtTheSameTime(_));
        let with_loader = MICROKIT.iter().filter(|board| board.architecture.form != Form::Multiboot);
        assert!(with_loader.filter(|board| board.emulator.is_some()).all(at_the_same_time));
    }

    #[test]
    fn clients_get_cores_and_central_and_the_ticker_none() {
        let text = r#"<system><protection_domain name="ticker" /><protection_domain name="central" />
            <protection_domain name="a" /><protection_domain name="b" /></system>"#;
        for (others, last) in [(ONE_OTHER, 1), (TWO_OTHERS, 2)] {
            let spread = spread_text(&Source::new("system.xml", text), others).unwrap();
            let on = |core: u8, name: &str| {
                spread.contains(&format!("<protection_domain cpu=\"{core}\" {BUDGET} name=\"{name}\""))
            };
            assert!(on(1, "a") && on(last, "b"), "{spread}");
            assert_eq!(spread.matches("cpu=").count(), 2, "{spread}");
        }
    }
}
