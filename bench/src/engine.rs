//! The carrier `engine`, and the floors below it. `unchecked` reads and writes the same queues but checks
//! nothing. `memcpy` and `copy` (Ferry's own copy routine) only move the same bytes between the same places.

use crate::callgrind::{CallgrindError, count, end_of_case, measured_section};
use crate::carrier::{Carrier, Row, per_message};
use crate::case::{Case, Policy};
use crate::engine_bench::{EngineBench, pointers};
use std::hint::black_box;
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

/// Number of wake-ups that are counted in each case. As many run before, to warm up.
const WAKE_UPS: u32 = 32;
/// Number of times that each case is timed. The shortest time counts, because other work of the machine can
/// only add to it.
const REPETITIONS: usize = 7;
/// Most bytes and most messages of one timed measurement.
const BYTES_IN_TIME: u32 = 16 << 20;
const MESSAGES_IN_TIME: u32 = 1 << 14;

/// What moves bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Subject {
    /// Central.
    Engine,
    /// A central that checks nothing.
    Unchecked,
    /// The C library's `memcpy`.
    Memcpy,
    /// `ferry_platform::copy_opaque`.
    Copy,
}

impl Subject {
    /// All subjects.
    pub const ALL: [Self; 4] = [Self::Engine, Self::Unchecked, Self::Memcpy, Self::Copy];

    /// The name of the carrier.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Unchecked => "unchecked",
            Self::Memcpy => "memcpy",
            Self::Copy => "copy",
        }
    }

    /// The cases in which the subject is measured. Only the engine maps, so the others have one policy.
    /// `short` selects the one case for which the engine is tuned.
    fn cases(self, short: bool) -> Vec<Case> {
        if short {
            return vec![Case::pair(64, 32, Policy::Keep)];
        }
        let mut cases = Case::pairs();
        if self != Self::Engine {
            cases.retain(|case| case.policy == Policy::Keep);
        }
        cases.extend(Case::scaling());
        cases
    }
}

/// The carrier of a subject, with instruction counts.
pub fn counted(subject: Subject, short: bool, products: &Path) -> Result<Carrier, CallgrindError> {
    let cases = subject.cases(short);
    let arguments = ["count", subject.name(), "--short"];
    let arguments = if short { &arguments } else { &arguments[..2] };
    let counts = count(arguments, cases.len(), &products.join(subject.name()))?;
    let rows = cases.into_iter().zip(counts).map(|(case, count)| {
        let messages = WAKE_UPS * case.batch * u32::from(case.senders());
        Row { instructions: Some(per_message(count, messages)), ..Row::of(case) }
    });
    Ok(Carrier { name: subject.name().to_owned(), rows: rows.collect() })
}

/// Adds times and kernel requests to counted carriers, one for each subject. All cases take turns, so that
/// other work of the machine affects all of them alike.
pub fn time(carriers: &mut [Carrier]) {
    let mut works: Vec<(&mut Row, Work, f64)> = Subject::ALL
        .into_iter()
        .zip(carriers)
        .flat_map(|(subject, carrier)| carrier.rows.iter_mut().map(move |row| (subject, row)))
        .map(|(subject, row)| {
            let work = Work::new(subject, row.case);
            (row, work, f64::INFINITY)
        })
        .collect();
    for _ in 0..REPETITIONS {
        for (_, work, best) in &mut works {
            *best = work.time().min(*best);
        }
    }
    for (row, work, best) in &mut works {
        row.nanoseconds = Some(*best);
        if work.subject == Subject::Engine {
            [row.maps, row.unmaps, row.signals] = work.requests().map(Some);
        }
    }
}

/// Runs the cases that callgrind counts. Called in the process under callgrind.
pub fn run_counted(subject: Subject, short: bool) {
    for case in subject.cases(short) {
        let mut work = Work::new(subject, case);
        for _ in 0..WAKE_UPS {
            work.batch(|carry| carry());
        }
        for _ in 0..WAKE_UPS {
            work.batch(|carry| measured_section(carry));
        }
        end_of_case();
    }
}

/// A case that is being measured.
struct Work {
    subject: Subject,
    bench: EngineBench,
    places: Vec<(u64, u64)>,
    length: usize,
}

impl Work {
    fn new(subject: Subject, case: Case) -> Self {
        let bench = EngineBench::new(case);
        let places = bench.places().collect();
        Self { subject, bench, places, length: case.payload as usize }
    }

    /// Runs one batch. `around` is called with the part to measure.
    ///
    /// # Panics
    /// If the batch does not arrive.
    fn batch(&mut self, around: impl FnOnce(&mut dyn FnMut())) {
        let Self { subject, bench, places, length } = self;
        match subject {
            Subject::Engine => {
                bench.prepare();
                around(&mut || bench.run());
                bench.collect();
            }
            Subject::Unchecked => {
                bench.prepare();
                around(&mut || bench.run_unchecked());
                bench.collect();
            }
            Subject::Memcpy => around(&mut || {
                for (from, to) in black_box(&*places) {
                    let (from, to) = pointers(*from, *to);
                    // SAFETY: this memory belongs to the bench, and nothing else uses it now. The buffers of
                    // two clients do not overlap.
                    unsafe { ptr::copy_nonoverlapping(from, to, black_box(*length)) };
                }
            }),
            Subject::Copy => around(&mut || {
                for (from, to) in black_box(&*places) {
                    let (from, to) = pointers(*from, *to);
                    // SAFETY: as above.
                    unsafe { ferry_platform::copy_opaque(from, to, black_box(*length)) };
                }
            }),
        }
    }

    /// Nanoseconds per message, averaged over all messages of a measurement.
    fn time(&mut self) -> f64 {
        let messages = self.bench.messages();
        let bytes = messages * u32::try_from(self.length).unwrap_or(u32::MAX);
        let batches = (MESSAGES_IN_TIME / messages).min(BYTES_IN_TIME / bytes).max(4);
        let overhead = overhead();
        // Other cases have run since, so this brings the memory of this case back into the cache.
        self.batch(|carry| carry());
        let mut total = Duration::ZERO;
        for _ in 0..batches {
            self.batch(|carry| {
                let begun = Instant::now();
                carry();
                total += begun.elapsed().saturating_sub(overhead);
            });
        }
        total.as_secs_f64() * 1e9 / f64::from(batches * messages)
    }

    /// Maps, unmaps and signals per message.
    fn requests(&mut self) -> [f64; 3] {
        let seen = |bench: &EngineBench| [bench.machine.maps, bench.machine.unmaps, bench.machine.signals];
        let before = seen(&self.bench);
        for _ in 0..WAKE_UPS {
            self.batch(|carry| carry());
        }
        let after = seen(&self.bench);
        let messages = self.bench.messages() * WAKE_UPS;
        [0, 1, 2].map(|which: usize| per_message(after[which] - before[which], messages))
    }
}

/// The time that two readings of the clock take.
fn overhead() -> Duration {
    let once = || Instant::now().elapsed();
    std::iter::repeat_with(once).take(1000).min().unwrap_or_default()
}
