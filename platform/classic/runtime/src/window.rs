//! Central's window: the range of its addresses where it maps frames of clients. This is the one place of
//! this platform where a PD changes its own address space.

use core::sync::atomic::{AtomicBool, Ordering};
use ferry_classic_abi::{Kernel, Rights};
use ferry_classic_places::{addresses, slots};
use ferry_platform::{Frame, MapError};

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The right to map and unmap frames in this PD's window.
pub struct Window {
    kernel: Kernel,
}

/// The window. Only the first call returns it; later calls return `None`. In a PD to which the system
/// description gives no window, mapping is refused.
#[must_use]
pub fn window() -> Option<Window> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return None;
    }
    // SAFETY: the initialiser maps this thread's IPC buffer there for good. Other parts of this program print
    // and acknowledge interrupts through it. None keeps anything in the buffer from one operation to the
    // next, and a PD has one thread.
    Some(Window { kernel: unsafe { Kernel::new(addresses::IPC_BUFFER) } })
}

impl Window {
    /// Maps a frame at its address, read-only or read-write. The kernel grants no more than the capability
    /// has: a read-write mapping through a read-only capability is read-only, and a write to it faults.
    #[inline(never)]
    pub fn map(&mut self, frame: Frame) -> Result<(), MapError> {
        let rights = if frame.writable { Rights::READ_WRITE } else { Rights::READ };
        // SAFETY: frames are mapped at addresses of the window. `ferry check` and the initialiser make sure
        // that nothing else is there, so no Rust object is. The kernel refuses to map over a frame that is
        // mapped.
        let result = unsafe { self.kernel.map_frame(frame.capability, slots::VSPACE, frame.address, rights) };
        result.map_err(|refusal| MapError { code: refusal.0 })
    }

    /// Removes the mapping that was made through this capability. A capability through which nothing is
    /// mapped, or that does not exist, is left alone.
    #[inline(never)]
    pub fn unmap(&mut self, capability: u64) {
        // The kernel refuses only a capability that is not a frame's, and then nothing is mapped through it.
        let _ = self.kernel.unmap_frame(capability);
    }
}
