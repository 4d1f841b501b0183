//! The data model of a compiled system. It consists of plain values. The image builder fills them in after
//! `ferry check` has accepted the description. The initialiser checks them again before it builds anything
//! from them.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A whole system: what exists, who may see it, and what starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// The protection domains. Their position is their number, used by [`End`] and [`Tick`].
    pub domains: Vec<ProtectionDomain>,
    /// The memory regions. Their position is their number, used by [`Map`] and [`Grant`].
    pub regions: Vec<MemoryRegion>,
    /// The pairs of channel ends that may signal each other.
    pub channels: Vec<Channel>,
    /// Which domain the periodic timer wakes, if any does.
    pub tick: Option<Tick>,
}

/// One protection domain: one thread, one CSpace, one VSpace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionDomain {
    /// The name in the system description; fault reports carry it.
    pub name: String,
    /// Scheduling priority, 0 to 253; higher runs first. 254 and 255 are the initialiser's.
    pub priority: u8,
    /// Address of the first instruction.
    pub entry: u64,
    /// Bytes of stack, rounded up to whole pages, at most
    /// [`MAXIMUM_STACK_BYTES`](crate::addresses::MAXIMUM_STACK_BYTES).
    pub stack_bytes: u64,
    /// What the program file puts in memory. No two segments may share a page.
    pub segments: Vec<Segment>,
    /// The memory regions the domain sees from the start.
    pub maps: Vec<Map>,
    /// The memory regions whose frames the domain holds as capabilities, to map when it needs them.
    pub grants: Vec<Grant>,
    /// Where the domain may map granted frames; every grant lies in it.
    pub window: Option<Window>,
    /// How often the domain is started again when it has faulted.
    pub restarts: u8,
}

/// One loadable segment of a domain's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Address of the first byte. Need not be aligned.
    pub address: u64,
    /// Bytes in memory; those after `data` are zero.
    pub memory_bytes: u64,
    /// What the domain may do with the pages.
    pub rights: Rights,
    /// Initial contents, at most `memory_bytes`, with all `setvar` symbols already patched.
    pub data: Blob,
}

/// A named piece of physical memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryRegion {
    /// The name in the system description.
    pub name: String,
    /// Number of frames, at least one.
    pub frames: u32,
    /// log2 of the bytes of one frame: 12 or 21.
    pub frame_bits: u8,
    /// Initial contents from the region's first byte on; everything after it is zero. The offset is a
    /// multiple of 4096.
    pub prefill: Option<Blob>,
}

/// A region in a domain's VSpace from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Number of the region in [`System::regions`].
    pub region: u32,
    /// Address of the region's first byte, aligned to the region's frame size.
    pub address: u64,
    /// What the domain may do with it.
    pub rights: Rights,
}

/// A region's frames as capabilities in a domain's CSpace, one slot per frame, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Number of the region in [`System::regions`].
    pub region: u32,
    /// Address of the first frame's home in the domain's window, a multiple of 2 MiB; the others follow it.
    /// Nothing is mapped there. The initialiser provides the page tables that frames of this size need.
    pub address: u64,
    /// Slot of the first frame's capability, at least [`FIRST_FRAME`](crate::slots::FIRST_FRAME).
    pub first_capability: u64,
    /// Whether the capabilities carry the write right; they always carry the read right, never grant.
    pub writable: bool,
}

/// A range of a domain's own addresses where nothing is mapped at first. There the domain maps the frames of
/// its grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First address, a multiple of 2 MiB.
    pub address: u64,
    /// Length in bytes, a multiple of 2 MiB.
    pub bytes: u64,
}

/// Two domains that may signal each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The two ends; they may belong to the same domain only with different ids.
    pub ends: [End; 2],
}

/// One end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Number of the domain in [`System::domains`].
    pub domain: u32,
    /// The domain's own name for the channel, below `ferry_layout::geometry::CHANNELS`, used once per domain.
    /// It is both the bit this end sees when the other end signals and the offset of the capability this end
    /// signals with.
    pub id: u8,
}

/// The periodic timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Number of the domain in [`System::domains`] that is woken.
    pub domain: u32,
    /// Period in microseconds, 1 000 to 54 000. The 16-bit counter of the PC's interval timer allows no
    /// longer period, and a shorter one leaves an emulated machine no time for anything else.
    pub period_us: u32,
}

/// A piece of the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Offset of the first byte in the payload.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
}

/// What a domain may do with mapped memory. Writable implies readable: x86 cannot express anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rights {
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
    /// Read and execute.
    ReadExecute,
}

impl Rights {
    /// Whether the memory may be written.
    #[must_use]
    pub const fn writable(self) -> bool {
        matches!(self, Self::ReadWrite)
    }

    /// Whether the memory may be executed. There is no right to both write and execute.
    #[must_use]
    pub const fn executable(self) -> bool {
        matches!(self, Self::ReadExecute)
    }
}
