//! Writes the order: the contents of the region `bench` of a measured system. `bench/src/pd/order.rs` reads
//! it.
//!
//! The order is a sequence of little-endian words of 32 bits. First come a magic number, the distance between
//! two buffers, and the number of cases. For each case follow the payload, the messages of a batch, the
//! batches of a round, the rounds that are not timed, and the rounds that are.

use crate::case::Case;

/// First word of the region.
const MAGIC: u32 = u32::from_le_bytes(*b"BNCH");

/// How the measured domains run a case. First come `unmeasured` rounds to warm up, then `rounds` that are
/// timed one by one, then one more round between calls of `bench_begin` and `bench_end`. An observer outside
/// can measure that last round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Course {
    /// The case.
    pub case: Case,
    /// Batches of a round.
    pub batches: u32,
    /// Rounds to warm up.
    pub unmeasured: u32,
    /// Rounds that are timed.
    pub rounds: u32,
}

/// The contents of the region. All courses must have the same stride as the first one, because buffers are
/// split only once.
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
