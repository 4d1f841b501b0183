//! The lane `engine`, and below it the floor: the same bytes at the same places, moved by `memcpy` and by Ferry's own copy
//! routine, and nothing else.

use crate::bed::Bed;
use crate::callgrind::{CallgrindError, count, end_of_case, measured_section};
use crate::case::{Case, Policy};
use crate::lane::{Lane, Row, per_message};
use std::hint::black_box;
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

/// Wake-ups that are counted in each case, after as many of which nothing is counted.
const WAKE_UPS: u32 = 32;
/// Runs of central that a batch can take: a receive queue holds one less than the largest batch.
const RUNS: u32 = 2;
/// Measurements of time in each case. The shortest counts: whatever else the machine does can only add.
const REPETITIONS: usize = 7;
/// Bytes that one measurement of time moves, at most, and messages.
const BYTES_IN_TIME: u32 = 16 << 20;
const MESSAGES_IN_TIME: u32 = 1 << 14;

/// What moves bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Subject {
    /// Central.
    Engine,
    /// The C library's `memcpy`.
    Memcpy,
    /// `ferry_platform::copy_opaque`.
    Copy,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Engine, Self::Memcpy, Self::Copy];

    /// Name of the lane.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Memcpy => "memcpy",
            Self::Copy => "copy",
        }
    }

    /// The cases in which it is measured; of the short list only the one that is tuned for. Policies mean nothing to a
    /// copy.
    fn cases(self, short: bool) -> Vec<Case> {
        if short {
            return vec![Case::pair(64, 32, Policy::Keep)];
        }
        let mut cases = Case::pairs();
        match self {
            Self::Engine => cases.extend(Case::scaling()),
            Self::Memcpy | Self::Copy => cases.retain(|case| case.policy == Policy::Keep),
        }
        cases
    }
}

/// The lane, with instruction counts.
pub fn counted(subject: Subject, short: bool, products: &Path) -> Result<Lane, CallgrindError> {
    let cases = subject.cases(short);
    let what: &[&str] = if short { &[subject.name(), "--short"] } else { &[subject.name()] };
    let counts = count(what, cases.len(), &products.join(subject.name()))?;
    let rows = cases.into_iter().zip(counts).map(|(case, count)| {
        let messages = WAKE_UPS * case.batch * u32::from(case.senders());
        Row { instructions: Some(per_message(count, messages)), ..Row::of(case) }
    });
    Ok(Lane { name: subject.name().to_owned(), rows: rows.collect() })
}

/// Adds to a counted lane the time, and what the engine asks of the kernel.
pub fn time(subject: Subject, lane: &mut Lane) {
    for row in &mut lane.rows {
        let mut work = Work::new(subject, row.case);
        row.nanoseconds = Some(work.nanoseconds());
        if subject == Subject::Engine {
            let requests = work.requests();
            [row.maps, row.unmaps, row.signals] = requests.map(Some);
        }
    }
}

/// Runs what is to be counted. For a process under callgrind.
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
    bed: Bed,
    places: Vec<(usize, usize)>,
    length: usize,
}

impl Work {
    fn new(subject: Subject, case: Case) -> Self {
        let bed = Bed::new(case);
        let places = bed.places().collect();
        Self { subject, bed, places, length: case.payload as usize }
    }

    /// One batch. `around` is given what is to be measured, more than once if central has to wait for a client in between.
    ///
    /// # Panics
    /// If the batch does not arrive.
    fn batch(&mut self, mut around: impl FnMut(&mut dyn FnMut())) {
        let Self { subject, bed, places, length } = self;
        match subject {
            Subject::Engine => {
                bed.prepare();
                let arrived = (0..RUNS).any(|_| {
                    around(&mut || bed.run());
                    bed.collect()
                });
                assert!(arrived, "a batch arrives within {RUNS} runs of central");
            }
            Subject::Memcpy => around(&mut || {
                for (from, to) in black_box(&*places) {
                    // SAFETY: the bed's memory, which nobody else uses now; buffers of two clients do not overlap.
                    unsafe {
                        ptr::copy_nonoverlapping::<u8>(
                            ptr::with_exposed_provenance(*from),
                            ptr::with_exposed_provenance_mut(*to),
                            black_box(*length),
                        );
                    }
                }
            }),
            Subject::Copy => around(&mut || {
                for (from, to) in black_box(&*places) {
                    // SAFETY: as above.
                    unsafe {
                        ferry_platform::copy_opaque(
                            ptr::with_exposed_provenance(*from),
                            ptr::with_exposed_provenance_mut(*to),
                            black_box(*length),
                        );
                    }
                }
            }),
        }
    }

    fn nanoseconds(&mut self) -> f64 {
        let messages = self.messages();
        let bytes = messages * u32::try_from(self.length).unwrap_or(u32::MAX);
        let batches = (MESSAGES_IN_TIME / messages).min(BYTES_IN_TIME / bytes).max(4);
        let overhead = overhead();
        let mut best = Duration::MAX;
        for _ in 0..REPETITIONS {
            let mut total = Duration::ZERO;
            for _ in 0..batches {
                self.batch(|carry| {
                    let begun = Instant::now();
                    carry();
                    total += begun.elapsed().saturating_sub(overhead);
                });
            }
            best = best.min(total);
        }
        best.as_secs_f64() * 1e9 / f64::from(batches * messages)
    }

    /// Maps, unmaps and signals for each message.
    fn requests(&mut self) -> [f64; 3] {
        let seen = |bed: &Bed| [bed.machine.maps, bed.machine.unmaps, bed.machine.signals];
        let before = seen(&self.bed);
        for _ in 0..WAKE_UPS {
            self.batch(|carry| carry());
        }
        let after = seen(&self.bed);
        let messages = self.messages() * WAKE_UPS;
        [0, 1, 2].map(|which: usize| per_message(after[which] - before[which], messages))
    }

    /// Messages of a batch.
    fn messages(&self) -> u32 {
        match self.subject {
            Subject::Engine => self.bed.messages(),
            Subject::Memcpy | Subject::Copy => u32::try_from(self.places.len()).unwrap_or(u32::MAX),
        }
    }
}

/// What reading the clock twice takes.
fn overhead() -> Duration {
    let once = || Instant::now().elapsed();
    std::iter::repeat_with(once).take(1000).min().unwrap_or_default()
}
