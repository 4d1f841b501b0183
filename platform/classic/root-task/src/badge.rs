//! Badges. From a message's badge the initialiser knows which PD it is from, and through which of two
//! capabilities it came.
//!
//! The kernel sends faults, and PDs send their requests, to the same endpoint. A badge has 28 bits, far more
//! than the numbers of PDs need.

/// Set in the badge of a PD's capability for requests.
const REQUEST: u64 = 1 << 27;

/// Badge of the capability through which faults of PD `number` come. It is never zero, because zero is no
/// badge.
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
