//! Stamps: each client marks each of its frames, so that whoever maps a frame can tell which frame it is.

/// The owner of a frame, and the frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Number of the client.
    pub client: u16,
    /// Whether the frame is of the receive buffer; otherwise it is of the transmit buffer.
    pub receive: bool,
    /// Number of the frame in the buffer.
    pub frame: u32,
}

/// Upper half of a stamp's word.
const MARK: u64 = 0x5eaf_0000;

impl Stamp {
    /// Offset of the stamp in its frame: the last word.
    pub const OFFSET: usize = 4096 - 8;

    /// The word that the client writes.
    #[must_use]
    pub const fn word(self) -> u64 {
        let which = (self.client as u64) << 17 | (self.receive as u64) << 16 | self.frame as u64;
        MARK << 32 | which
    }

    /// The stamp in a word, if the word is one.
    #[must_use]
    pub const fn of(word: u64) -> Option<Self> {
        if word >> 32 != MARK {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the fields are cut out of the word")]
        Some(Self {
            client: (word >> 17) as u16 & 0x7fff,
            receive: word & 1 << 16 != 0,
            frame: word as u32 & 0xffff,
        })
    }
}

impl core::fmt::Display for Stamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let client = crate::Role::ALL.get(usize::from(self.client)).map_or("nobody", |role| role.name());
        write!(f, "{client} {} {}", if self.receive { "rx" } else { "tx" }, self.frame)
    }
}
