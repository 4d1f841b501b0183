//! Central's capabilities to the frames of the clients' buffers: one `CNode` for all, in a slot of central's
//! root `CNode` that nothing else uses.
//!
//! Microkit's `<cspace>` cannot name frames (its issue 566 asks for that). Once it can, an element of
//! `system.xml` can replace this file.

use ferry_description::{Buffer, CENTRAL, Description, Placement};
use microkit_tool::sdf::{ProtectionDomain, SystemDescription};
use sel4_capdl_initializer_types::{Cap, CapSlot, CapTableEntry, Object, Word, cap, object};

use crate::error::Error;
use crate::specification::{Specification, frame_capability};

/// Bits of a PD's root `CNode` in Microkit 2.3; its slot 0 is the PD's own `CNode`.
const ROOT_BITS: u8 = 6;

/// The slot of central's root `CNode` for the frames: the last that the description leaves free.
pub(crate) fn root_slot(system: &SystemDescription) -> Result<u32, Error> {
    let is_central = |domain: &&ProtectionDomain| domain.name == CENTRAL;
    let central = system.protection_domains.iter().find(is_central);
    let taken = |slot: &u32| {
        central.iter().any(|central| central.cap_maps.iter().any(|map| map.slot == u64::from(*slot)))
    };
    (1..1 << ROOT_BITS).rev().find(|slot| !taken(slot)).ok_or(Error::NoRootSlot)
}

/// Capability pointers of the frames behind that slot, one after the other.
pub(crate) fn capability_pointers(root_slot: u32) -> impl FnMut(Buffer) -> u64 {
    ferry_description::sequential(u64::from(root_slot) << (64 - ROOT_BITS))
}

/// Adds the capabilities at the pointers that the placement gives.
pub(crate) fn add(
    specification: &mut Specification<'_>,
    description: &Description,
    placement: &Placement,
    root_slot: u32,
) -> Result<(), Error> {
    let mut slots = Vec::new();
    for grant in &placement.grants {
        let region = &description.system.regions[grant.region].name;
        for number in 0..grant.buffer.frames() {
            let frame = specification.frame(region, number)?;
            let slot = CapSlot(u32::try_from(slots.len()).unwrap_or(u32::MAX));
            slots.push(CapTableEntry { slot, cap: frame_capability(frame, grant.writable) });
        }
    }
    if slots.is_empty() {
        return Ok(());
    }
    let size_bits = u8::try_from(slots.len().next_power_of_two().ilog2()).unwrap_or(u8::MAX).max(1);
    let cnode = Object::CNode(object::CNode { size_bits, slots });
    let cnode = specification.add(format!("cnode_{CENTRAL}_frames"), cnode);
    let root = specification.find(&format!("cnode_{CENTRAL}_root"))?;
    let guard_size = 64 - ROOT_BITS - size_bits;
    specification.insert(
        root,
        root_slot,
        Cap::CNode(cap::CNode { object: cnode, guard: Word(0), guard_size }),
    )
}
