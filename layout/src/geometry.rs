//! Every size and limit of the shared memory, in one place.
//!
//! A change here is a change of the ABI: raise [`ABI_VERSION`] with it. The `const` assertions beside the
//! structures and `tests/abi` compare the numbers with the reference page `docs/abi.md`.

/// First word of both regions, `"FERR"` read as a little-endian number.
pub const MAGIC: u32 = u32::from_le_bytes(*b"FERR");

/// Version of everything this crate describes. Central serves no client that states another one.
pub const ABI_VERSION: u32 = 3;

/// Bytes of one page, the unit in which requests name memory. A region of large frames is addressed in these
/// units too; central finds the capability.
pub const FRAME_BYTES: u32 = 4096;

/// Slots of every ring. The model checker has few of them, because its atomics are a thousand times larger.
const RING_SLOTS: usize = if cfg!(loom) { 2 } else { 128 };

/// Number of transmit descriptors, and of status words.
pub const TRANSMIT_SLOTS: usize = RING_SLOTS;

/// Number of receive requests that a client can have posted.
pub const POST_SLOTS: usize = RING_SLOTS;

/// Slots of a receive queue.
pub const DELIVERY_SLOTS: usize = RING_SLOTS;

/// Clients of one central, at most. A client's number is its [`DomainId`].
pub const MAX_CLIENTS: usize = 32;

/// Longest chain of descriptors that make one message.
pub const MAX_CHAIN: usize = 16;

/// Receive windows that one client can keep open at a time for one peer.
pub const MAX_WINDOWS: usize = 8;

/// Guards that one flow can have, in all its stages together.
pub const MAX_GUARDS: usize = 8;

/// Stages of guards that all flows of a system can have together.
pub const MAX_STAGES: usize = 256;

/// Longest message of a flow with guards, in bytes. A guard looks at a whole message at once.
pub const MAX_INSPECTED: u32 = 64 * 1024;

/// Longest message of a one-way flow, in bytes. It is delivered in one step or dropped.
pub const MAX_ONE_WAY: u32 = 64 * 1024;

/// Inspections that one guard can have at a time.
pub const INSPECTION_SLOTS: usize = RING_SLOTS;

/// Channel numbers of a protection domain are below this. It is Microkit's limit. All platforms have it, so a
/// system that fits one fits the others.
pub const CHANNELS: u8 = 62;

/// Longest name of a protection domain, in bytes.
pub const MAX_NAME: usize = 48;

/// Bytes of `<client>_out`.
pub const OUT_BYTES: usize = 0x3000;

/// Bytes of `<client>_in`.
pub const IN_BYTES: usize = 0x2000;

/// Largest `<client>_tx` or `<client>_rx` region, in bytes.
pub const MAX_BUFFER_BYTES: u64 = 1 << 30;

/// Most frames of one `<client>_tx` or `<client>_rx` region: 64 MiB of small frames. Larger regions need
/// frames of 2 MiB.
pub const MAX_BUFFER_FRAMES: usize = 1 << 14;

/// The number of a client: its place in the system's list of clients, below [`MAX_CLIENTS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DomainId(u8);

impl DomainId {
    /// The client with this number, or `None` if no system can have it.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if (number as usize) < MAX_CLIENTS {
            #[expect(clippy::cast_possible_truncation, reason = "the line above bounds it by 32")]
            Some(Self(number as u8))
        } else {
            None
        }
    }

    /// The number, below [`MAX_CLIENTS`].
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0 as u16
    }

    /// The number as an index into a table of [`MAX_CLIENTS`] entries.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
