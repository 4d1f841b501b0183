//! What the kernel tells the initialiser when it starts it. The layout mirrors `seL4_BootInfo` of the
//! kernel's source for 64-bit words; the number of untypeds comes from the configuration.

use crate::number::constant::CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS;

const _: () = assert!(size_of::<Untyped>() == 12);

const MAXIMUM_UNTYPEDS: usize = CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS as usize;

/// The boot information page; its address is the initialiser's first argument.
#[repr(C, packed)]
pub struct BootInformation {
    extra_bytes: u64,
    node: u64,
    nodes: u64,
    iommu_levels: u64,
    ipc_buffer: u64,
    empty: SlotRange,
    shared_frames: SlotRange,
    image_frames: SlotRange,
    image_paging: SlotRange,
    io_spaces: SlotRange,
    extra_frames: SlotRange,
    cnode_bits: u8,
    domain: u64,
    architecture: u64,
    untyped: SlotRange,
    untypeds: [Untyped; MAXIMUM_UNTYPEDS],
}

/// A range of slots in the initialiser's CNode.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRange {
    /// First slot.
    pub start: u64,
    /// The slot after the last one.
    pub end: u64,
}

/// A piece of memory that the kernel left to the initialiser. Packed like the kernel's: 12 bytes, not 16.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untyped {
    /// Its physical address.
    pub address: u64,
    padding: [u8; 2],
    /// log2 of its size in bytes.
    pub bits: u8,
    /// Not zero if it belongs to a device. Then it must not be used as memory.
    pub is_device: u8,
}

impl BootInformation {
    /// Address of the initialiser's IPC buffer.
    #[must_use]
    pub fn ipc_buffer(&self) -> u64 {
        self.ipc_buffer
    }

    /// Slots that hold nothing yet.
    #[must_use]
    pub fn empty(&self) -> SlotRange {
        self.empty
    }

    /// The frames of the initialiser's own image, one per page, in order of address.
    #[must_use]
    pub fn image_frames(&self) -> SlotRange {
        self.image_frames
    }

    /// The untypeds with their slots.
    pub fn untypeds(&self) -> impl Iterator<Item = (u64, Untyped)> {
        let range = self.untyped;
        let untypeds = self.untypeds;
        (range.start..range.end).zip(untypeds)
    }
}
