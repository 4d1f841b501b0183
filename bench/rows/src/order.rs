//! The order: what the region `bench` of a measured system holds. `bench/src/pd/order.rs` reads it.
//!
//! A sequence of little-endian words of 32 bits: a magic number, the distance between two buffers, the number
//! of cases, and for each case the payload, the messages of a batch, the batches of a round, and the rounds
//! of two kinds.

use crate::case::Case;

/// First word.
const MAGIC: u32 = u32::from_le_bytes(*b"BNCH");

/// One case as the measured domains run it: some rounds to warm up, then `rounds`, each timed by itself, then
/// one more that is framed by `bench_begin` and `bench_end` for whoever watches from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Course {
    /// What is sent.
    pub case: Case,
    /// Batches of a round.
    pub batches: u32,
    /// Rounds before those that are timed.
    pub unmeasured: u32,
    /// Rounds that are timed.
    pub rounds: u32,
}

/// The contents of the region. All courses must have the stride of the first: buffers are split once.
#[must_use]
pub fn encode(courses: &[Course]) -> Vec<u8> {
    let stride = courses.first().map_or(0, |course| course.case.stride());
    let count = u32::try_from(courses.len()).unwrap_or(u32::MAX);
    let head = [MAGIC, stride, count];
    let words = courses.iter().flat_map(|course| {
        let Course { case, batches, unmeasured, rounds } = *course;
        [case.payload, case.batch, batches, unmeasured, rounds]
    });
    head.into_iter().chain(words).flat_map(u32::to_le_bytes).collect()
}
