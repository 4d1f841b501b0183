//! The same system on several cores: central, its ticker and the supervisor on core 0, every other protection
//! domain on another. So clients really run while central runs.
//!
//! Only systems of this repository are spread, whose domains say nothing of cores and budgets themselves.

use crate::description_files::DescriptionFiles;
use crate::file::{self, FileError};
use ferry_boards::Board;
use ferry_description::{CENTRAL, ReadError, Source, TICKER};
use roxmltree::{Document, Node};
use std::ops::Range;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The core of everybody but central, its ticker and the supervisor. One is enough for a client that runs
/// while central runs, and a PC with two processors is emulated at full speed on nearly every machine.
const OTHER: u8 = 1;
/// What a client there gets of its core, in microseconds. A client that yields then sleeps until the next
/// period begins. Without that, one that waits by yielding would take the kernel's only lock again and again,
/// and where an emulator has fewer processors than the board, everybody would wait for each other.
const BUDGET: &str = "budget=\"150\" period=\"300\"";

/// Whether this machine has as many processors as a spread system on the board.
pub(crate) fn are_here(board: &Board) -> bool {
    let needed = usize::from(board.processors(true, OTHER));
    std::thread::available_parallelism().is_ok_and(|here| here.get() >= needed)
}

/// The processors of this machine, for one boot. A spread system has them to itself: its cores wait for each
/// other, so it comes to a standstill if one of them gets no processor.
pub(crate) struct Processors {
    _some: Option<RwLockReadGuard<'static, ()>>,
    _all: Option<RwLockWriteGuard<'static, ()>>,
}

impl Processors {
    /// Waits until they are free.
    pub(crate) fn take(is_spread: bool) -> Self {
        static PROCESSORS: RwLock<()> = RwLock::new(());
        // A trial that has failed leaves nothing behind that the next one could find.
        let some = || PROCESSORS.read().unwrap_or_else(PoisonError::into_inner);
        let all = || PROCESSORS.write().unwrap_or_else(PoisonError::into_inner);
        Self { _some: (!is_spread).then(some), _all: is_spread.then(all) }
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

/// Writes the description into `directory`, with a core for each protection domain.
pub(crate) fn spread(files: &DescriptionFiles, directory: &Path) -> Result<DescriptionFiles, SpreadError> {
    let source = Source::read(&files.system)?;
    let system = directory.join("system.xml");
    file::write(&system, spread_text(&source)?)?;
    Ok(DescriptionFiles { system, flows: files.flows.clone() })
}

fn spread_text(source: &Source) -> Result<String, roxmltree::Error> {
    let document = Document::parse(source.text())?;
    let is_client = |node: &Node<'_, '_>| {
        let name = node.attribute("name");
        node.has_tag_name("protection_domain") && name != Some(CENTRAL) && name != Some(TICKER)
    };
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for node in document.descendants() {
        if is_client(&node) {
            let place = node.range().start + "<protection_domain".len();
            changes.push((place..place, format!(" cpu=\"{OTHER}\" {BUDGET}")));
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
    use super::{BUDGET, spread_text};
    use ferry_description::Source;

    #[test]
    fn clients_get_cores_and_central_and_the_ticker_none() {
        let text = r#"<system><protection_domain name="ticker" /><protection_domain name="central" />
            <protection_domain name="a" /><protection_domain name="b" /></system>"#;
        let spread = spread_text(&Source::new("system.xml", text)).unwrap();
        let of = |name: &str| spread.contains(&format!("<protection_domain name=\"{name}\""));
        assert!(of("ticker") && of("central") && !of("a") && !of("b"), "{spread}");
        assert!(spread.matches("cpu=\"1\"").count() == 2 && spread.matches(BUDGET).count() == 2, "{spread}");
    }
}
