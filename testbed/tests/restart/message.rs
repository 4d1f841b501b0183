//! What a message of these tests is: everything that its receiver and its guards check follows from its tag.
//!
//! ```text
//!  63        32        24        16        0
//!  │  length  │ silent  │ refuse  │ number │
//! ```
//!
//! `refuse` and `silent` have a bit for each guard: the guards that refuse the message, and those that say
//! nothing before it has ended.

/// A tag without a number.
pub(crate) fn tag_of(length: u32, refused_by: &[u16], silent: &[u16]) -> u64 {
    let bits = |guards: &[u16]| guards.iter().fold(0_u64, |bits, guard| bits | 1 << guard);
    u64::from(length) << 32 | bits(silent) << 24 | bits(refused_by) << 16
}

/// The bytes of a message.
pub(crate) fn payload(tag: u64, length: usize) -> Vec<u8> {
    const PERIOD: u64 = 251;
    let period: Vec<u8> = (0..PERIOD).map(|place| ((place * 31 + tag * 101 + 7) % PERIOD) as u8).collect();
    let mut bytes = period.repeat(length / period.len() + 1);
    bytes.truncate(length);
    bytes
}

/// Its length in bytes.
pub(crate) fn length_of(tag: u64) -> usize {
    usize::try_from(tag >> 32).unwrap()
}

/// Whether this guard refuses it.
pub(crate) const fn is_refused_by(tag: u64, guard: u16) -> bool {
    tag >> 16 >> guard & 1 != 0
}

/// Whether this guard says nothing before it has ended.
pub(crate) const fn is_silent(tag: u64, guard: u16) -> bool {
    tag >> 24 >> guard & 1 != 0
}
