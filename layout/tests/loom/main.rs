//! Explores every interleaving, and every value that the memory model allows a load to return, for small
//! bounds.
//!
//! Run by `RUSTFLAGS="--cfg loom" cargo test -p ferry-layout --release --test loom`. In ordinary builds this
//! file is empty. Each test plays the two sides in the way in which the engine and the client library use
//! this crate. `docs/model-checking.md` lists which change of which ordering fails which test, and
//! `layout/mutations` shows it.
//!
//! An access that must not happen at the same time as another is an access to a loom `UnsafeCell`. Loom fails
//! a model in which two threads access the cell and neither access *happens before* the other. So a test
//! fails for a missing ordering even where no existing machine would return the wrong value.

#![cfg(loom)]

mod audit;
mod epochs;
mod laps;
mod restarts;
mod rings;
mod statuses;
mod wakes;
mod withdrawals;

/// Checks `body` in all interleavings with at most `preemptions` preemptions of a running thread.
fn check(preemptions: Option<usize>, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(body);
}

/// A fresh page, or part of one. The stack of a loom thread is too small for two of them at a time.
#[inline(never)]
fn page<P: Default>() -> Box<P> {
    Box::default()
}
