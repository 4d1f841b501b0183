//! Times rounds of batches, and frames the last one for whoever watches from outside.
//!
//! Functions whose names begin with `bench_` belong to the measurement and not to what is measured; who
//! counts instructions from outside leaves theirs out.

use crate::clock;
use crate::order::{Case, Order, fail};

/// Which round of which case is under way.
pub(crate) struct Stopwatch {
    order: Order,
    number: usize,
    case: Case,
    /// Rounds that are over.
    rounds: u32,
    begun: u64,
    least: u64,
    total: u64,
}

/// The measured section begins with the return from here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_begin() {
    // The compiler would merge two functions with the same body.
    core::hint::black_box(0);
}

/// The measured section has ended with the call of this.
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

    /// To be called when as many batches as the case has in a round were flushed. Whether the case has
    /// changed.
    #[unsafe(export_name = "bench_round_is_over")]
    #[inline(never)]
    pub(crate) extern "C" fn round_is_over(&mut self) -> bool {
        // Whatever comes after this is not part of the round.
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
