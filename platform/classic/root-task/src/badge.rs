//! Badges: by them the initialiser knows whose message it has received, and through which of two
//! capabilities.
//!
//! The kernel sends faults, and PDs send their requests, to the same endpoint. A badge has 28 bits; numbers
//! of PDs are far below that.

/// Set in the badge of a PD's capability for requests.
const REQUEST: u64 = 1 << 27;

/// Badge of the capability through which faults of PD `number` come. Never zero, which would be no badge.
pub(crate) const fn of_faults(number: usize) -> u64 {
    number as u64 + 1
}

/// Badge of the capability through which PD `number` makes requests.
pub(crate) const fn of_requests(number: usize) -> u64 {
    of_faults(number) | REQUEST
}

/// Whether a message with this badge is a request.
pub(crate) const fn is_request(badge: u64) -> bool {
    badge & REQUEST != 0
}

/// Number of the PD that a message with this badge is from.
pub(crate) const fn number(badge: u64) -> usize {
    (badge & !REQUEST).wrapping_sub(1) as usize
}
