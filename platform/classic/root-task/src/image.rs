//! The initialiser's own image: where the packer put the compiled system, and the frames that hold it.

use ferry_classic_abi::{BootInformation, SlotRange};
use ferry_classic_spec::PAGE_BYTES;

/// The image builder (`ferry_classic_image::pack`) writes three words here: address and length of the
/// compiled system, and the first address of the image. They are in `.data`, because the file must have bytes
/// to patch. Zero means that nothing was packed.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data")]
static FERRY_SYSTEM: [u64; 3] = [0; 3];

/// This program's image in memory.
pub(crate) struct Image {
    system: &'static [u8],
    start: u64,
    frames: SlotRange,
}

impl Image {
    /// Finds the image. Without a packed system, [`system`](Self::system) is empty.
    pub(crate) fn of_this_program(boot: &BootInformation) -> Self {
        // SAFETY: a static is valid for reads. The read is volatile, because the compiler knows only the
        // unpatched value.
        let [address, bytes, start] = unsafe { (&raw const FERRY_SYSTEM).read_volatile() };
        let system = if address == 0 {
            &[][..]
        } else {
            // SAFETY: the packer made a segment of that length there, and the kernel has loaded it. No other
            // Rust object lies in it. PDs get frames of it, the ones of prefilled regions, and may write to
            // them. Those frames share no page with anything else, and nothing here reads them any more when
            // PDs run.
            unsafe {
                core::slice::from_raw_parts(
                    core::ptr::with_exposed_provenance(address as usize),
                    bytes as usize,
                )
            }
        };
        Self { system, start, frames: boot.image_frames() }
    }

    /// The compiled system.
    pub(crate) fn system(&self) -> &'static [u8] {
        self.system
    }

    /// The slot of the frame that holds `page`, which must begin on a page boundary.
    pub(crate) fn frame_of(&self, page: *const u8) -> Option<u64> {
        let offset = (page.addr() as u64).checked_sub(self.start)?;
        let slot = self.frames.start + offset / PAGE_BYTES as u64;
        (offset.is_multiple_of(PAGE_BYTES as u64) && slot < self.frames.end).then_some(slot)
    }
}
