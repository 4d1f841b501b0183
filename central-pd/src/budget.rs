//! What one client may still cause in this round: bytes to be copied, and descriptors to be carried or
//! refused. This is deficit round robin.

use core::num::{NonZeroU32, NonZeroU64};

use ferry_layout::config::ClientRecord;

use crate::flow::CHUNK_BYTES;

/// One round's share, in the units of [`Budget::part_of_share`].
const SHARE: u64 = 1 << 16;

/// The fields lie in memory in this order, because a turn reads the last three.
#[repr(C)]
pub(crate) struct Budget {
    /// Bytes added to the deficit in each round, and the most that the deficit can become.
    bytes_per_round: NonZeroU32,
    most_bytes: u32,
    messages_per_round: NonZeroU32,
    /// Bytes that this client may still have copied in this round.
    deficit: u32,
    /// Descriptors of this client that may still be carried or refused in this round.
    messages: u32,
    /// Price in bytes of the client's next step, if it could not afford the step in this round; else 0, or
    /// [`NO_WORK`].
    wanted: u32,
}

/// In `wanted`: the client had no work when it was given its share of this round. So it has got none.
const NO_WORK: u32 = u32::MAX;

impl Budget {
    /// The budget of a client that is not part of the system.
    pub(crate) const NONE: Self = Self {
        bytes_per_round: NonZeroU32::MIN,
        most_bytes: 1,
        messages_per_round: NonZeroU32::MIN,
        deficit: 0,
        messages: 0,
        wanted: 0,
    };

    /// The budget that a checked configuration gives, with nothing saved up. A share of 0 counts as 1; a
    /// checked configuration has none.
    pub(crate) fn of(record: &ClientRecord) -> Self {
        Self {
            bytes_per_round: NonZeroU32::new(record.bytes_per_round).unwrap_or(NonZeroU32::MIN),
            most_bytes: record.bytes_per_round.saturating_add(CHUNK_BYTES),
            messages_per_round: NonZeroU32::new(record.messages_per_round).unwrap_or(NonZeroU32::MIN),
            ..Self::NONE
        }
    }

    /// Bytes that may still be copied in this round.
    #[inline]
    pub(crate) const fn deficit(&self) -> u32 {
        self.deficit
    }

    /// Descriptors that may still be carried or refused in this round.
    #[inline]
    pub(crate) const fn messages(&self) -> u32 {
        self.messages
    }

    /// Gives the client its share of a round. A client without work saves up nothing. A client keeps the rest
    /// of its last share if its next step cost more than that rest.
    #[inline]
    pub(crate) fn replenish(&mut self, has_work: bool) {
        self.messages = self.messages_per_round.get();
        (self.deficit, self.wanted) = if has_work {
            (self.deficit.saturating_add(self.bytes_per_round.get()).min(self.most_bytes), 0)
        } else {
            (0, NO_WORK)
        };
    }

    /// Gives the client its share of this round, if it has got none because it had no work. Now it has some.
    #[cfg(feature = "express")]
    pub(crate) const fn replenish_late(&mut self) {
        if self.wanted == NO_WORK {
            (self.deficit, self.wanted) = (self.bytes_per_round.get(), 0);
        }
    }

    /// Takes away what is saved up, because the client begins anew.
    pub(crate) const fn reset(&mut self) {
        self.deficit = 0;
    }

    /// Whether the share of this round is enough for a step of this price. If not, the step waits for a later
    /// round.
    #[inline]
    pub(crate) const fn can_afford(&mut self, cost: u32) -> bool {
        if self.deficit < cost {
            self.wanted = cost;
        }
        self.deficit >= cost
    }

    /// Pays for a step that [`can_afford`](Self::can_afford) has allowed.
    #[inline]
    pub(crate) const fn pay(&mut self, cost: u32) {
        self.deficit -= cost;
    }

    /// Pays for work that is not the client's own, as far as what is left of its share goes.
    pub(crate) const fn pay_what_is_left(&mut self, cost: u32) {
        self.deficit = self.deficit.saturating_sub(cost);
    }

    /// Counts descriptors that are carried or refused. A chain is carried whole, even if it has more
    /// descriptors than are left.
    #[inline]
    pub(crate) fn count_descriptors(&mut self, descriptors: u32) {
        self.messages = self.messages.saturating_sub(descriptors);
    }

    /// Counts `messages` messages, after which `deficit` bytes are left.
    #[cfg(feature = "express")]
    #[inline]
    pub(crate) const fn spend(&mut self, messages: u32, deficit: u32) {
        self.messages -= messages;
        self.deficit = deficit;
    }

    /// Rounds until this client can afford the step that it could not afford in this round. `None` if there
    /// is none.
    pub(crate) const fn rounds_until_afforded(&self) -> Option<u32> {
        if matches!(self.wanted, 0 | NO_WORK) {
            return None;
        }
        Some(self.wanted.saturating_sub(self.deficit).div_ceil(self.bytes_per_round.get()))
    }

    /// Gives the client its shares of `rounds` rounds in which nothing happens.
    pub(crate) fn save_up(&mut self, rounds: u32) {
        let bytes = self.bytes_per_round.get().saturating_mul(rounds);
        self.deficit = self.deficit.saturating_add(bytes).min(self.most_bytes);
    }

    /// The part of a round's share that `messages` messages with `bytes` bytes in all are, in 65536ths. It is
    /// the part of the bytes or of the messages, whichever is larger. At least 1.
    pub(crate) fn part_of_share(&self, messages: u32, bytes: u64) -> NonZeroU64 {
        let by_messages = u64::from(messages) * SHARE / NonZeroU64::from(self.messages_per_round);
        let by_bytes = bytes.saturating_mul(SHARE) / NonZeroU64::from(self.bytes_per_round);
        NonZeroU64::MIN.saturating_add(by_messages.max(by_bytes).saturating_sub(1))
    }
}
