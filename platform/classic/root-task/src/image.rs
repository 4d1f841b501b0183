//! The initialiser's own image: where the packer put the compiled system, and the frames that hold it.

use ferry_classic_abi::{BootInformation, SlotRange};
use ferry_classic_spec::PAGE_BYTES;

/// Patched by `ferry_classic_spec::pack`: address and length of the compiled system, first address of the
/// image. In `.data`, because the file must have bytes to patch; zero means that nothing was packed.
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
        // SAFETY: a reference is valid to read. Volatile, because the compiler knows only the unpatched
        // value.
        let [address, bytes, start] = unsafe { (&raw const FERRY_SYSTEM).read_volatile() };
        let system = if address == 0 {
            &[][..]
        } else {
            // SAFETY: the packer made a segment of that length there, which the kernel has loaded; it is no
            // Rust object's memory. Frames of it are handed to PDs, which may write them: those of prefilled
            // regions, which share no page with anything else and are not read any more when PDs run.
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
