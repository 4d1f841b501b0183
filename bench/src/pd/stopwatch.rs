//! Times rounds of batches, and marks the last one for an observer outside.
//!
//! Functions whose names begin with `bench_` belong to the measurement itself. An observer that counts
//! instructions leaves these functions out.

use crate::clock;
use crate::order::{Case, Order, fail};

/// Which round of which case is under way.
pub(crate) struct Stopwatch {
    order: Order,
    number: usize,
    case: Case,
    /// Number of finished rounds of this case.
    rounds: u32,
    begun: u64,
    least: u64,
    total: u64,
}

/// The measured section begins when this function returns.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_begin() {
    // Without this the compiler would merge the two functions, because their bodies would be the same.
    core::hint::black_box(0);
}

/// The measured section ends when this function is called.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_end() {
    core::hint::black_box(1);
}

impl Stopwatch {
    pub(crate) fn new(order: Order) -> Self {
        let Some(case) = order.case(0) else { fail(format_args!("there is no case to run")) };
        runtime::println!(
            "bench: calibration instructions={} ticks={}",
            clock::CALIBRATION,
            clock::calibrate()
        );
        Self { order, number: 0, case, rounds: 0, begun: 0, least: u64::MAX, total: 0 }
    }

    /// The case under way.
    pub(crate) fn case(&self) -> Case {
        self.case
    }

    /// Call this after the flush of the last batch of a round. Returns whether another case has begun.
    #[unsafe(export_name = "bench_round_is_over")]
    #[inline(never)]
    pub(crate) extern "C" fn round_is_over(&mut self) -> bool {
        // Read first: whatever comes after this is not part of the round.
        let now = clock::now();
        let Case { payload, batch, batches, unmeasured, rounds } = self.case;
        self.rounds += 1;
        if self.rounds > unmeasured + rounds {
            bench_end();
            runtime::println!(
                "bench: payload={payload} batch={batch} messages={} ticks={} rounds={rounds} total={}",
                batches * batch,
                self.least,
                self.total
            );
            self.number += 1;
            self.rounds = 0;
            (self.least, self.total) = (u64::MAX, 0);
            match self.order.case(self.number) {
                Some(case) => self.case = case,
                None => runtime::exit(0),
            }
            return true;
        }
        if self.rounds > unmeasured {
            self.least = self.least.min(now - self.begun);
            self.total += now - self.begun;
        }
        if self.rounds == unmeasured + rounds {
            bench_begin();
        }
        self.begun = clock::now();
        false
    }
}
