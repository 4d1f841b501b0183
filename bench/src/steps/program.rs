//! The program of a traced domain: where Linux has loaded it, and which of its functions belong to the
//! measurement.

use super::StepError;
use nix::unistd::Pid;
use object::{Object, ObjectSymbol, SymbolKind};
use std::fs;
use std::io;
use std::ops::Range;

/// Beginning of the names of functions that belong to the measurement.
const MEASUREMENT: &str = "bench_";
/// The measured section begins when the first function returns, and ends when the second is called.
const BEGIN: &str = "bench_begin";
const END: &str = "bench_end";
/// Key of the entry point in the auxiliary vector, which the kernel passes to a program.
const AT_ENTRY: u64 = 9;

/// The functions of a program, at their addresses in its process.
#[derive(Debug)]
pub(super) struct Program {
    functions: Vec<(Range<u64>, String)>,
    /// Addresses of the functions that belong to the measurement.
    measurement: Vec<Range<u64>>,
    pub(super) begin: Option<u64>,
    pub(super) end: Option<u64>,
}

impl Program {
    /// The program of a process that has just loaded it. Later the process hides its addresses.
    pub(super) fn of(pid: Pid, name: &str) -> Result<Self, StepError> {
        let unreadable = |cause| StepError::Program { program: name.to_owned(), cause };
        let contents = fs::read(format!("/proc/{pid}/exe")).map_err(unreadable)?;
        let vector = fs::read(format!("/proc/{pid}/auxv")).map_err(unreadable)?;
        let file = object::File::parse(&*contents).map_err(|cause| unreadable(io::Error::other(cause)))?;
        let entry = entry(&vector).ok_or_else(|| unreadable(io::Error::other("it has no entry point")))?;
        // The difference wraps around, so it is right also if Linux loads the program below the addresses in
        // its file.
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

    /// Whether the instruction belongs to the measurement itself.
    pub(super) fn measures(&self, address: u64) -> bool {
        self.measurement.iter().any(|function| function.contains(&address))
    }

    /// An address in words, for a message.
    pub(super) fn place(&self, address: u64) -> String {
        match self.functions.iter().find(|(addresses, _)| addresses.contains(&address)) {
            Some((_, name)) => format!("{address:#x} ({name})"),
            None => format!("{address:#x}, which is in no function of its own"),
        }
    }
}

/// The entry point from the auxiliary vector, which consists of pairs of a key and a value.
fn entry(vector: &[u8]) -> Option<u64> {
    let (words, _) = vector.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let pair = pairs.iter().find(|[key, _]| u64::from_ne_bytes(*key) == AT_ENTRY);
    pair.map(|[_, value]| u64::from_ne_bytes(*value))
}
