//! Channels: through them a protection domain is notified and notifies others.

/// One end of a channel, by the number that the system description gives it (`<end id="…">`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel(u8);

impl Channel {
    /// Channel numbers are below this.
    pub const LIMIT: u8 = ferry_layout::geometry::CHANNELS;

    /// The channel with this number, or `None` if the number is not below `Self::LIMIT`.
    #[must_use]
    pub const fn new(number: usize) -> Option<Self> {
        if number < Self::LIMIT as usize {
            #[expect(clippy::cast_possible_truncation, reason = "the line above bounds it by 62")]
            Some(Self(number as u8))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// The channels that were signalled before a wake-up. There can be several of them, or none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ChannelSet(u64);

impl ChannelSet {
    /// The set that contains channel `n` where bit `n` is set.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The set as bits: bit `n` stands for channel `n`.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether the set contains `channel`.
    #[must_use]
    pub const fn contains(self, channel: Channel) -> bool {
        self.0 & (1 << channel.0) != 0
    }
}

impl IntoIterator for ChannelSet {
    type Item = Channel;
    type IntoIter = ChannelSetIter;

    fn into_iter(self) -> ChannelSetIter {
        // No channel has a number of `LIMIT` or above, so higher bits mean nothing.
        ChannelSetIter(self.0 & ((1 << Channel::LIMIT) - 1))
    }
}

/// The channels of a set, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct ChannelSetIter(u64);

impl Iterator for ChannelSetIter {
    type Item = Channel;

    #[inline]
    fn next(&mut self) -> Option<Channel> {
        let number = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        Channel::new(number as usize)
    }
}

/// What a protection domain does when it is notified.
pub trait Handler {
    /// Called once for each wake-up, with every channel that was signalled since the last one. When it
    /// returns, the protection domain sleeps until the next signal.
    fn notified(&mut self, channels: ChannelSet);
}
