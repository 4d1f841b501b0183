//! Makes kernel objects. Their memory comes from untypeds, their slots from the empty ones of the
//! initialiser's CNode.
//!
//! An untyped is used from its beginning to its end, and nothing is given back. The kernel aligns each object
//! to its own size, so the large frames come first (`region::make_all`). Each request goes to the smallest
//! untyped that still has room, because the kernel zeroes an untyped as a whole when it is first used.
//! Zeroing a large one for a few small objects would take longer than everything else.

use crate::failure::Failure;
use alloc::vec::Vec;
use ferry_classic_abi::number::constant;
use ferry_classic_abi::{BootInformation, Kernel, Rights, SlotRange};

/// The most objects that the kernel makes in one invocation.
const MAXIMUM_BATCH: u64 = 256;
/// Bits of a slot's address in the initialiser's own CNode: a whole word, because the kernel gives the CNode
/// a guard for the remaining bits.
const DEPTH: u64 = constant::seL4_WordBits;
const NODE: u64 = constant::seL4_CapInitThreadCNode;

/// All that objects are made from.
pub(crate) struct Objects {
    kernel: Kernel,
    untypeds: Vec<FreeMemory>,
    slots: SlotRange,
}

struct FreeMemory {
    slot: u64,
    bytes: u64,
    used: u64,
}

impl FreeMemory {
    /// Where `count` objects of `size` bytes would end, or `None` if there is no room for them.
    fn end_of(&self, size: u64, count: u64) -> Option<u64> {
        let end = self.used.checked_next_multiple_of(size)?.checked_add(size.checked_mul(count)?)?;
        (end <= self.bytes).then_some(end)
    }
}

impl Objects {
    /// Takes over what the kernel left to the initialiser.
    pub(crate) fn new(kernel: Kernel, boot: &BootInformation) -> Self {
        let memory = boot.untypeds().filter(|(_, untyped)| untyped.is_device == 0);
        let untypeds =
            memory.map(|(slot, untyped)| FreeMemory { slot, bytes: 1 << untyped.bits, used: 0 }).collect();
        Self { kernel, untypeds, slots: boot.empty() }
    }

    /// The right to make invocations.
    pub(crate) fn kernel(&mut self) -> &mut Kernel {
        &mut self.kernel
    }

    /// Makes an object and returns its slot. `slot_bits` is log2 of the slots if it is a CNode.
    pub(crate) fn make(&mut self, object_type: u64, slot_bits: u64) -> Result<u64, Failure> {
        let slots = self.make_many(object_type, slot_bits, 1)?;
        Ok(slots.start)
    }

    /// Makes `count` objects in consecutive slots.
    pub(crate) fn make_many(
        &mut self,
        object_type: u64,
        slot_bits: u64,
        count: u64,
    ) -> Result<SlotRange, Failure> {
        let size_bits = size_bits(object_type, slot_bits);
        let slots = self.take_slots(count)?;
        let mut next = slots.start;
        while next < slots.end {
            let wanted = (slots.end - next).min(MAXIMUM_BATCH);
            next += self.make_batch(object_type, slot_bits, size_bits, next, wanted)?;
        }
        Ok(slots)
    }

    /// Makes up to `wanted` objects from one untyped and returns how many.
    fn make_batch(
        &mut self,
        object_type: u64,
        slot_bits: u64,
        size_bits: u64,
        first_slot: u64,
        wanted: u64,
    ) -> Result<u64, Failure> {
        let size = 1 << size_bits;
        // Tries to make all of them at once, then half as many, down to one, until some untyped has room.
        let counts = core::iter::successors(Some(wanted), |count| (*count > 1).then_some(count / 2));
        for count in counts {
            let fitting = self.untypeds.iter_mut().filter_map(|memory| {
                let end = memory.end_of(size, count)?;
                Some((memory, end))
            });
            if let Some((memory, end)) = fitting.min_by_key(|(memory, _)| memory.bytes) {
                let made = self.kernel.retype(memory.slot, object_type, slot_bits, NODE, first_slot, count);
                made.map_err(|refusal| Failure::refused("make an object", "memory", refusal))?;
                memory.used = end;
                return Ok(count);
            }
        }
        Err(Failure::OutOfMemory { bits: size_bits })
    }

    fn take_slots(&mut self, count: u64) -> Result<SlotRange, Failure> {
        let start = self.slots.start;
        let end = start.checked_add(count).filter(|end| *end <= self.slots.end).ok_or(Failure::OutOfSlots)?;
        self.slots.start = end;
        Ok(SlotRange { start, end })
    }

    /// An empty slot, for later.
    pub(crate) fn spare_slot(&mut self) -> Result<u64, Failure> {
        Ok(self.take_slots(1)?.start)
    }

    /// A copy of a capability with no more than `rights`. A frame can be mapped once through each copy.
    pub(crate) fn copy(&mut self, slot: u64, rights: Rights, place: &str) -> Result<u64, Failure> {
        let copy = self.take_slots(1)?.start;
        let copied = self.kernel.mint((NODE, copy, DEPTH), (NODE, slot, DEPTH), rights, 0);
        copied.map_err(|refusal| Failure::refused("copy a capability", place, refusal))?;
        Ok(copy)
    }

    /// Puts a copy of a capability, with no more than `rights` and with `badge` if that is not zero, into the
    /// CNode of a PD.
    pub(crate) fn give(
        &mut self,
        slot: u64,
        to: PdSlot,
        rights: Rights,
        badge: u64,
        place: &str,
    ) -> Result<(), Failure> {
        let given = self.kernel.mint((to.cnode, to.slot, to.bits), (NODE, slot, DEPTH), rights, badge);
        given.map_err(|refusal| Failure::refused("hand over a capability", place, refusal))
    }

    /// The handler of a line of the I/O APIC.
    pub(crate) fn make_interrupt_handler(&mut self, pin: u64, vector: u64) -> Result<u64, Failure> {
        let slot = self.take_slots(1)?.start;
        let control = constant::seL4_CapIRQControl;
        let made = self.kernel.interrupt_handler(control, (NODE, slot, DEPTH), pin, vector);
        made.map_err(|refusal| Failure::refused("make an interrupt handler", "tick", refusal))?;
        Ok(slot)
    }

    /// Deletes the capabilities that can make objects and take interrupts. From here on, not even a defect of
    /// the initialiser can change what exists. It keeps the capabilities to the objects of the system, and
    /// the one to the I/O ports, through which it ends the machine.
    pub(crate) fn give_up_privileges(&mut self) -> Result<(), Failure> {
        let controls =
            [constant::seL4_CapIRQControl, constant::seL4_CapASIDControl, constant::seL4_CapDomain];
        let untypeds = self.untypeds.iter().map(|memory| memory.slot);
        for slot in controls.into_iter().chain(untypeds) {
            let deleted = self.kernel.delete(NODE, slot, DEPTH);
            deleted.map_err(|refusal| Failure::refused("delete a capability", "initialiser", refusal))?;
        }
        self.untypeds.clear();
        Ok(())
    }
}

/// A slot of a PD's CNode, which has `bits` bits.
#[derive(Clone, Copy)]
pub(crate) struct PdSlot {
    /// Slot of the CNode itself.
    pub(crate) cnode: u64,
    /// log2 of its slots.
    pub(crate) bits: u64,
    /// The slot in it.
    pub(crate) slot: u64,
}

/// log2 of the bytes that an object occupies.
const fn size_bits(object_type: u64, slot_bits: u64) -> u64 {
    match object_type {
        constant::seL4_TCBObject => constant::seL4_TCBBits,
        constant::seL4_EndpointObject => constant::seL4_EndpointBits,
        constant::seL4_NotificationObject => constant::seL4_NotificationBits,
        constant::seL4_CapTableObject => constant::seL4_SlotBits + slot_bits,
        constant::seL4_X86_LargePageObject => constant::seL4_LargePageBits,
        // Frames of 4 KiB and all paging structures.
        _ => constant::seL4_PageBits,
    }
}
