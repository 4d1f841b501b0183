//! Counts the cache lines that a wake-up of central touches. Where caches are cold, each of them costs a load
//! from memory, and that takes longer than the instructions.
//!
//! Valgrind's `lackey` prints the address of every instruction and of every access. So this program runs one
//! warm wake-up under it, between two stores to `MARK`. Before that, it prints where everything lies.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::callgrind::CallgrindError;
use crate::case::{Case, Policy};
use crate::engine_bench::EngineBench;

/// Bytes of a cache line.
const LINE: u64 = 64;
/// Wake-ups before the one that is looked at, so that nothing happens in it for the first time.
const WARM: u32 = 40;
/// A store to this begins or ends what is looked at.
static MARK: AtomicU64 = AtomicU64::new(0);

/// How many cache lines a wake-up touches.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lines {
    /// Of central's own state.
    pub state: usize,
    /// Of the pages that central shares with the two clients.
    pub pages: usize,
    /// Of the rest of the data: the stack, and the bytes of the message.
    pub others: usize,
    /// Of the program.
    pub code: usize,
}

/// The cases that are looked at: one message, and a batch, under both policies.
#[must_use]
pub fn cases() -> Vec<Case> {
    let batches = |policy| [1, 32].map(|batch| Case::pair(64, batch, policy));
    Policy::ALL.into_iter().flat_map(batches).collect()
}

/// Counts the lines of case `number`.
pub fn counted(number: usize) -> Result<Lines, CallgrindError> {
    let program = std::env::current_exe().map_err(CallgrindError::NotInstalled)?;
    let case = number.to_string();
    let mut child = Command::new("valgrind")
        .args(["--tool=lackey", "--trace-mem=yes", "--log-fd=1"])
        .arg(program)
        .args(["touch", &case])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(CallgrindError::NotInstalled)?;
    let lines = child.stdout.take().and_then(|output| read(BufReader::new(output)));
    let status = child.wait().map_err(CallgrindError::NotInstalled)?;
    if !status.success() {
        return Err(CallgrindError::Failed(status, format!("touch {case}")));
    }
    lines.ok_or_else(|| CallgrindError::Unreadable(format!("lackey, case {case}")))
}

/// Runs case `number` and prints where everything lies. Called in the process under lackey.
pub fn run_touched(number: usize) {
    let Some(case) = cases().into_iter().nth(number) else { return };
    let mut bench = EngineBench::new(case);
    for _ in 0..WARM {
        bench.prepare();
        bench.run();
        bench.collect();
    }
    bench.prepare();
    print_places(&bench);
    MARK.store(1, Ordering::SeqCst);
    black_box(&mut bench).run();
    MARK.store(2, Ordering::SeqCst);
    bench.collect();
}

fn print_places(bench: &EngineBench) {
    println!("ferry-mark {:x} {:x}", MARK.as_ptr().addr(), MARK.as_ptr().addr() + 8);
    let Range { start, end } = bench.state();
    println!("ferry-state {start:x} {end:x}");
    for Range { start, end } in bench.pages() {
        println!("ferry-page {start:x} {end:x}");
    }
}

/// Reads what lackey prints. `None` if it does not have both marks and something between them.
fn read(output: impl BufRead) -> Option<Lines> {
    let (mut mark, mut state, mut pages) = (None, None, Vec::new());
    let (mut data, mut code) = (BTreeSet::new(), BTreeSet::new());
    let mut marks = 0;
    for line in output.lines() {
        let line = line.ok()?;
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [name, start, end] = words[..]
            && let Some(name) = name.strip_prefix("ferry-")
        {
            let range = address(start)?..address(end)?;
            match name {
                "mark" => mark = Some(range),
                "state" => state = Some(range),
                _ => pages.push(range),
            }
        }
        let [what @ ("I" | "L" | "S" | "M"), place] = words[..] else { continue };
        let (Some(mark), Some((start, bytes))) = (&mark, place.split_once(',')) else { continue };
        let (start, bytes) = (address(start)?, bytes.parse::<u64>().ok()?);
        if mark.contains(&start) {
            // An exchange is a load too.
            marks += u32::from(matches!(what, "S" | "M"));
        } else if marks == 1 {
            let lines = if what == "I" { &mut code } else { &mut data };
            lines.extend(start / LINE..(start + bytes).div_ceil(LINE));
        }
    }
    let state = state?;
    let among = |ranges: &[Range<u64>]| {
        let holds =
            |range: &Range<u64>, line: u64| range.start < (line + 1) * LINE && line * LINE < range.end;
        data.iter().filter(|line| ranges.iter().any(|range| holds(range, **line))).count()
    };
    let (of_state, of_pages) = (among(&[state]), among(&pages));
    let lines = Lines {
        state: of_state,
        pages: of_pages,
        others: data.len() - of_state - of_pages,
        code: code.len(),
    };
    (marks == 2 && lines.state > 0 && lines.code > 0).then_some(lines)
}

fn address(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: &str = "ferry-mark 1000 1008\nferry-state 2000 3000\nferry-page 5000 6000\n";

    /// A line counts once, an access may touch two, and nothing counts outside the marks.
    #[test]
    fn lines_are_told_apart() {
        let trace = "==7== Lackey\n S 2000,8\n S 1000,8\nI  04000,4\nI  0403f,2\n L 2000,8\n S 2008,8\n \
                     M 203c,8\n L 5040,4\n L 7000,8\n S 1000,8\nI  08000,4\n L 2100,8\n";
        let lines = read(format!("{PLACES}{trace}").as_bytes());
        assert_eq!(lines, Some(Lines { state: 2, pages: 1, others: 1, code: 2 }));
    }

    #[test]
    fn what_is_cut_short_is_no_count() {
        let whole = " L 1000,8\n M 1000,8\nI  04000,4\n L 2000,8\n S 1000,8\n";
        assert!(read(format!("{PLACES}{whole}").as_bytes()).is_some());
        for trace in [" S 1000,8\nI  04000,4\n L 2000,8\n", " S 1000,8\n M 1000,8\n", whole] {
            let places = if trace == whole { "" } else { PLACES };
            assert_eq!(read(format!("{places}{trace}").as_bytes()), None);
        }
    }
}
