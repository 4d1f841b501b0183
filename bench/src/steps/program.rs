//! The program of a traced domain: where Linux has put it, and which of its functions belong to the
//! measurement.

use super::StepError;
use nix::unistd::Pid;
use object::{Object, ObjectSymbol, SymbolKind};
use std::fs;
use std::io;
use std::ops::Range;

/// Names of functions that measure begin so.
const MEASUREMENT: &str = "bench_";
/// The measured section begins with the return from this function, and ends with the call of the other.
const BEGIN: &str = "bench_begin";
const END: &str = "bench_end";
/// Key of the entry point in the vector that the kernel passes to a program.
const AT_ENTRY: u64 = 9;

/// The functions of a program, at the addresses of its process.
#[derive(Debug)]
pub(super) struct Program {
    functions: Vec<(Range<u64>, String)>,
    /// Those that measure.
    measurement: Vec<Range<u64>>,
    pub(super) begin: Option<u64>,
    pub(super) end: Option<u64>,
}

impl Program {
    /// Of a process whose program has just been loaded: later the process hides where it is.
    pub(super) fn of(pid: Pid, name: &str) -> Result<Self, StepError> {
        let unreadable = |cause| StepError::Program { program: name.to_owned(), cause };
        let contents = fs::read(format!("/proc/{pid}/exe")).map_err(unreadable)?;
        let vector = fs::read(format!("/proc/{pid}/auxv")).map_err(unreadable)?;
        let file = object::File::parse(&*contents).map_err(|cause| unreadable(io::Error::other(cause)))?;
        let entry = entry(&vector).ok_or_else(|| unreadable(io::Error::other("it has no entry point")))?;
        // Addresses wrap around, so that this holds for a program that lies below those of its file as well.
        let base = entry.wrapping_sub(file.entry());
        let mut functions: Vec<(Range<u64>, String)> = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .filter_map(|symbol| {
                let start = symbol.address().wrapping_add(base);
                Some((start..start.wrapping_add(symbol.size()), symbol.name().ok()?.to_owned()))
            })
            .collect();
        functions.sort_unstable_by_key(|(addresses, _)| addresses.start);
        let named = |wanted: &str| {
            let function = functions.iter().find(|(_, name)| name == wanted);
            function.map(|(addresses, _)| addresses.start)
        };
        let (begin, end) = (named(BEGIN), named(END));
        let measurement = functions
            .iter()
            .filter(|(_, name)| name.starts_with(MEASUREMENT))
            .map(|(range, _)| range.clone());
        Ok(Self { measurement: measurement.collect(), begin, end, functions })
    }

    /// Whether the instruction belongs to the measurement and not to what is measured.
    pub(super) fn measures(&self, address: u64) -> bool {
        self.measurement.iter().any(|function| function.contains(&address))
    }

    /// The address in words for a person.
    pub(super) fn place(&self, address: u64) -> String {
        match self.functions.iter().find(|(addresses, _)| addresses.contains(&address)) {
            Some((_, name)) => format!("{address:#x} ({name})"),
            None => format!("{address:#x}, which is in no function of its own"),
        }
    }
}

/// The entry point in the vector that the kernel passes to a program: pairs of a key and a value.
fn entry(vector: &[u8]) -> Option<u64> {
    let (words, _) = vector.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let pair = pairs.iter().find(|[key, _]| u64::from_ne_bytes(*key) == AT_ENTRY);
    pair.map(|[_, value]| u64::from_ne_bytes(*value))
}
