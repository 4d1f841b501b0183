//! Central's window: the range of its addresses where it maps frames of clients. This is the one place of
//! this platform where a PD changes its own address space.

use core::sync::atomic::{AtomicBool, Ordering};

use ferry_platform::{Frame, MapError};
use sel4::{Cap, CapRights, VmAttributes, cap};

/// Slot in which Microkit gives every PD its own VSpace as a capability.
const VSPACE: cap::VSpace = Cap::from_bits(3);

/// Memory of clients is data, so it is mapped non-executable. On x86-64 seL4 has no attribute for that.
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
fn attributes() -> VmAttributes {
    VmAttributes::DEFAULT | VmAttributes::EXECUTE_NEVER
}
#[cfg(target_arch = "x86_64")]
fn attributes() -> VmAttributes {
    VmAttributes::DEFAULT
}

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The right to map and unmap frames in this PD's window.
pub struct Window(());

/// The window. Only the first call returns it; later calls return `None`. In a PD to which the image builder
/// gives no frames, there is nothing that can be mapped.
#[must_use]
pub fn window() -> Option<Window> {
    (!TAKEN.swap(true, Ordering::Relaxed)).then_some(Window(()))
}

impl Window {
    /// Maps a frame at its address, read-only or read-write. The kernel grants no more than the capability
    /// has: a read-write mapping through a read-only capability is read-only, and a write to it faults.
    /// Mapping a frame again where it is changes nothing. If another frame were mapped there, the kernel
    /// would replace it, on RISC-V refuse, but each frame has its own home.
    #[inline(never)]
    pub fn map(&mut self, frame: Frame) -> Result<(), MapError> {
        let rights = if frame.writable { CapRights::read_write() } else { CapRights::read_only() };
        page(frame.capability)
            .frame_map(VSPACE, address(frame.address), rights, attributes())
            .map_err(|error| MapError { code: u64::from(error.into_sys()) })
    }

    /// Removes the mapping that was made through this capability. A capability through which nothing is
    /// mapped is left alone. One that does not exist can fault, so capabilities may come from the
    /// configuration only.
    #[inline(never)]
    pub fn unmap(&mut self, capability: u64) {
        // The kernel refuses only a capability that is not a frame's, and then nothing is mapped through it.
        let _ = page(capability).frame_unmap();
    }
}

fn page(capability: u64) -> cap::UnspecifiedPage {
    Cap::from_bits(capability)
}

fn address(address: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "all architectures have 64-bit addresses")]
    let address = address as usize;
    address
}
