//! Makes kernel objects for tests and places them in the root task's `CSpace` and address space. Nothing is
//! ever given back; a test run is short.

use core::sync::atomic::{AtomicUsize, Ordering};

use sel4::init_thread::{Slot, slot};
use sel4::{
    Cap, CapRights, CapType, Error, FrameObjectType, ObjectBlueprint, TranslationTableObjectType,
    VmAttributes, cap, cap_type,
};
use test::boot_information;

/// Bytes of a small and of a large frame.
pub(crate) const SMALL: usize = 1 << FrameObjectType::GRANULE.bits();
pub(crate) const LARGE: usize = 1 << LARGE_FRAME.bits();
/// `sel4`'s name for a large frame.
#[cfg(target_arch = "riscv64")]
const LARGE_FRAME: FrameObjectType = FrameObjectType::MegaPage;
#[cfg(not(target_arch = "riscv64"))]
const LARGE_FRAME: FrameObjectType = FrameObjectType::LargePage;

/// Tables below the first one of the address space, down to those in which large and small frames are mapped.
/// On `AArch64` Microkit's hypervisor kernels translate 40 bits, one level less than `sel4` counts. On RISC-V
/// the kernels translate 39 bits, with three levels.
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
pub(crate) const LARGE_LEVEL: usize = 1;
#[cfg(target_arch = "x86_64")]
pub(crate) const LARGE_LEVEL: usize = 2;
pub(crate) const SMALL_LEVEL: usize = LARGE_LEVEL + 1;

/// Where areas begin, and their distance: what a table of level 2 covers.
const FIRST_AREA: usize = 0x20_0000_0000;
const AREA: usize = 1 << 30;

fn free_slot() -> usize {
    static USED: AtomicUsize = AtomicUsize::new(0);
    boot_information().empty().range().start + USED.fetch_add(1, Ordering::Relaxed)
}

/// A new object, made of the largest piece of memory.
pub(crate) fn object<T: CapType>(blueprint: ObjectBlueprint) -> Cap<T> {
    let given = boot_information();
    let pieces = given.untyped_list().iter().enumerate().filter(|(_, piece)| !piece.is_device());
    let (largest, _) = pieces.max_by_key(|(_, piece)| piece.size_bits()).expect("there is memory");
    let slot = free_slot();
    given
        .untyped()
        .index(largest)
        .cap()
        .untyped_retype(&blueprint, &slot::CNODE.cap().absolute_cptr_for_self(), slot, 1)
        .expect("the object is made");
    Slot::<T>::from_index(slot).cap()
}

/// A small frame, filled with zeros.
pub(crate) fn small_frame() -> cap::UnspecifiedPage {
    object(FrameObjectType::GRANULE.blueprint())
}

/// A large frame, filled with zeros.
pub(crate) fn large_frame() -> cap::UnspecifiedPage {
    object(LARGE_FRAME.blueprint())
}

/// Another capability to the same frame, as the image builder gives one to central.
pub(crate) fn copy(frame: cap::UnspecifiedPage, rights: CapRights) -> cap::UnspecifiedPage {
    let copy = Slot::<cap_type::UnspecifiedPage>::from_index(free_slot()).cap();
    let root = slot::CNODE.cap();
    root.absolute_cptr(copy).copy(&root.absolute_cptr(frame), rights).expect("the capability is copied");
    copy
}

/// The beginning of a gibibyte of addresses that no test has used, with tables down to `last_level` for the
/// first of them.
pub(crate) fn area(last_level: usize) -> usize {
    static USED: AtomicUsize = AtomicUsize::new(0);
    let address = FIRST_AREA + AREA * USED.fetch_add(1, Ordering::Relaxed);
    for level in 1..=last_level {
        let Some(kind) = TranslationTableObjectType::from_level(level) else { continue };
        let table = object::<cap_type::UnspecifiedIntermediateTranslationTable>(kind.blueprint());
        let space = slot::VSPACE.cap();
        let mapped =
            table.generic_intermediate_translation_table_map(kind, space, address, VmAttributes::DEFAULT);
        // Areas share the upper tables, which may be there already.
        assert!(matches!(mapped, Ok(()) | Err(Error::DeleteFirst)), "level {level}: {mapped:?}");
    }
    address
}

/// Maps a frame as central's window does.
pub(crate) fn map(frame: cap::UnspecifiedPage, address: usize, rights: CapRights) -> Result<(), Error> {
    frame.frame_map(slot::VSPACE.cap(), address, rights, VmAttributes::DEFAULT)
}
