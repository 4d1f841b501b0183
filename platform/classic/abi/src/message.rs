//! The words that describe a message and a set of rights, and a received message as a value.

use crate::number::{message_info, rights};

/// The word that goes with every message: label, number of words, number of capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageInfo(u64);

impl MessageInfo {
    /// A message of `length` words (at most 120) and `capabilities` capabilities (at most 3). What does not
    /// fit in its field is cut off, and the kernel refuses the message as truncated.
    #[must_use]
    pub const fn new(label: u64, capabilities: u64, length: u64) -> Self {
        Self(
            field(label, message_info::label_shift, message_info::label_bits)
                | field(capabilities, message_info::extraCaps_shift, message_info::extraCaps_bits)
                | field(length, message_info::length_shift, message_info::length_bits),
        )
    }

    /// The word as the kernel passes it.
    #[must_use]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word to pass to the kernel.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// What the message is about: an invocation, a kind of fault, an error code.
    #[must_use]
    pub const fn label(self) -> u64 {
        (self.0 >> message_info::label_shift) & ((1 << message_info::label_bits) - 1)
    }

    /// Number of words in the message.
    #[must_use]
    pub const fn length(self) -> u64 {
        (self.0 >> message_info::length_shift) & ((1 << message_info::length_bits) - 1)
    }
}

const fn field(value: u64, shift: u64, bits: u64) -> u64 {
    (value & ((1 << bits) - 1)) << shift
}

/// A message as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The badge of the capability it was sent through; for a notification, all badges that were signalled.
    pub badge: u64,
    /// Label and length.
    pub info: MessageInfo,
    /// Its first four words; further ones are in the IPC buffer.
    pub words: [u64; 4],
}

/// What the holder of a capability may do with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights(u64);

impl Rights {
    /// Read a frame, wait on a notification, receive from an endpoint.
    pub const READ: Self = Self(1 << rights::capAllowRead_shift);
    /// Write a frame, signal a notification, send to an endpoint.
    pub const WRITE: Self = Self(1 << rights::capAllowWrite_shift);
    /// Send capabilities through an endpoint; be the endpoint of a fault handler.
    pub const GRANT: Self = Self(1 << rights::capAllowGrant_shift);
    /// Read and write.
    pub const READ_WRITE: Self = Self::READ.and(Self::WRITE);
    /// Everything.
    pub const ALL: Self = Self::READ_WRITE.and(Self::GRANT);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The word to pass to the kernel.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }
}
