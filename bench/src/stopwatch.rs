//! Converts ticks of the clock that the measured domains read to nanoseconds.

use std::time::{Duration, Instant};

/// Time during which both clocks are compared.
const WINDOW: Duration = Duration::from_millis(50);

/// Nanoseconds in one tick of the processor's time-stamp counter.
#[must_use]
pub fn tick_nanoseconds() -> f64 {
    let (begun, first) = (Instant::now(), ticks());
    while begun.elapsed() < WINDOW {}
    let elapsed = begun.elapsed().as_secs_f64() * 1e9;
    #[expect(clippy::cast_precision_loss, reason = "ticks of a twentieth of a second")]
    let ticks = (ticks() - first) as f64;
    elapsed / ticks
}

fn ticks() -> u64 {
    // SAFETY: reading the time-stamp counter has no effect on memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}
