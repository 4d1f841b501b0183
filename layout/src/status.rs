//! How a transmit slot stands: the status field of r15 and r25.

use crate::sync::{AtomicU64, Ordering};

/// What became of a send. Central writes it, once for each outcome; the numbers are ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Status {
    /// The slot was never used in this epoch.
    Free = 0,
    /// Central has taken the descriptor and it waits, for a posted buffer or for room at the target.
    Queued = 1,
    /// Copied, filed with the target, and (mapping policy `each`) both buffers unmapped again.
    Done = 2,
    /// The system has no flow from this client to that target, or the flow does not grant the urgent class.
    Denied = 3,
    /// The system has no client of that number.
    NoTarget = 4,
    /// The source range does not lie inside the client's transmit region.
    BadSource = 5,
    /// The destination range does not lie inside a window that the target holds open for this client.
    BadDestination = 6,
    /// The message is longer than the flow allows, or its chain has too many parts or parts for several targets.
    BadLength = 7,
    /// The message is longer than the buffer that the target posted for it. The buffer stays posted.
    TooLong = 8,
    /// The time-to-live ran out before the transfer began.
    Expired = 9,
    /// The target broke the protocol and is shut out.
    Quarantined = 10,
    /// The target restarted while the message waited.
    PeerReset = 11,
    /// The descriptor's kind or flags mean nothing in this version of the ABI.
    Malformed = 12,
    /// Central could not map a frame. Not the client's fault; it may try again.
    Failed = 13,
}

impl Status {
    /// Every status, in the order of its number.
    pub const ALL: [Self; 14] = [
        Self::Free,
        Self::Queued,
        Self::Done,
        Self::Denied,
        Self::NoTarget,
        Self::BadSource,
        Self::BadDestination,
        Self::BadLength,
        Self::TooLong,
        Self::Expired,
        Self::Quarantined,
        Self::PeerReset,
        Self::Malformed,
        Self::Failed,
    ];

    /// Whether the send has come to its end and the slot may be reaped.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Free | Self::Queued)
    }
}

/// A status and the use of the slot it speaks of, in one 64-bit word: a stale status is never taken for a fresh one.
///
/// Pairing: [`set`](Self::set) (release, central) with [`get`](Self::get) (acquire, client).
#[derive(Default)]
#[repr(transparent)]
pub struct StatusWord(AtomicU64);

impl StatusWord {
    /// Says how the send with free-running index `index` stands. For central.
    #[inline]
    pub fn set(&self, index: u32, status: Status) {
        self.0.store(u64::from(index) << 32 | u64::from(status as u32), Ordering::Release);
    }

    /// How the send with free-running index `index` stands, or `None` if central has not spoken of it yet.
    #[must_use]
    #[inline]
    pub fn get(&self, index: u32) -> Option<Status> {
        let word = self.0.load(Ordering::Acquire);
        let status = *Status::ALL.get((word & 0xffff_ffff) as usize)?;
        (word >> 32 == u64::from(index) && status != Status::Free).then_some(status)
    }

    /// Forgets every use of the slot, at the beginning of an epoch. For central.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Release);
    }
}
