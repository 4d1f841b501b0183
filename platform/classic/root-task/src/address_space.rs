//! One VSpace: maps frames into it and makes the paging structures that they need, each once.

use crate::failure::Failure;
use crate::objects::Objects;
use alloc::collections::BTreeSet;
use ferry_classic_abi::number::constant;
use ferry_classic_abi::{PagingLevel, Rights};

/// A VSpace, and which of its paging structures exist.
pub(crate) struct AddressSpace<'a> {
    root: u64,
    paging: BTreeSet<(PagingLevel, u64)>,
    place: &'a str,
}

impl<'a> AddressSpace<'a> {
    /// Makes an empty one; `place` names its domain in error messages.
    pub(crate) fn make(place: &'a str, objects: &mut Objects) -> Result<Self, Failure> {
        let root = objects.make(constant::seL4_X64_PML4Object, 0)?;
        let assigned = objects.kernel().assign_asid(constant::seL4_CapInitThreadASIDPool, root);
        assigned.map_err(|refusal| Failure::refused("assign an address space identifier", place, refusal))?;
        Ok(Self { root, paging: BTreeSet::new(), place })
    }

    /// The initialiser's own VSpace. Call this only once, because only the returned value knows which paging
    /// structures exist. The addresses near the initialiser's image have paging structures that the kernel
    /// made, so nothing may be mapped there.
    pub(crate) fn own() -> Self {
        Self { root: constant::seL4_CapInitThreadVSpace, paging: BTreeSet::new(), place: "initialiser" }
    }

    /// Slot of the VSpace's root.
    pub(crate) fn root(&self) -> u64 {
        self.root
    }

    /// Makes the paging structures for a frame of 2^`frame_bits` bytes at `address`, down to the level that
    /// maps frames of that size.
    pub(crate) fn provide(
        &mut self,
        address: u64,
        frame_bits: u64,
        objects: &mut Objects,
    ) -> Result<(), Failure> {
        for level in PagingLevel::ALL.into_iter().filter(|level| level.coverage_bits() > frame_bits) {
            let bits = level.coverage_bits();
            if self.paging.insert((level, address >> bits)) {
                let object = objects.make(level.object_type(), 0)?;
                let start = address >> bits << bits;
                let mapped = objects.kernel().map_paging(level, object, self.root, start);
                mapped.map_err(|refusal| Failure::refused("map a page table", self.place, refusal))?;
            }
        }
        Ok(())
    }

    /// Maps a frame. Nothing may be mapped through this capability yet.
    pub(crate) fn map(
        &mut self,
        frame: u64,
        frame_bits: u64,
        address: u64,
        rights: Rights,
        objects: &mut Objects,
    ) -> Result<(), Failure> {
        self.provide(address, frame_bits, objects)?;
        // SAFETY: the VSpace of a PD is not this program's. In the initialiser's own VSpace, frames are
        // mapped only at the scratch addresses of `region`, where no Rust object is and to which no reference
        // is made.
        let mapped = unsafe { objects.kernel().map_frame(frame, self.root, address, rights) };
        mapped.map_err(|refusal| Failure::refused("map a frame", self.place, refusal))
    }
}
