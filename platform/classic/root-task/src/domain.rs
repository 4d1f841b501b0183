//! Makes one PD: its VSpace with all that is mapped from the start, its CSpace, its thread. Starts nothing.

use crate::address_space::AddressSpace;
use crate::badge;
use crate::failure::Failure;
use crate::objects::{Objects, PdSlot};
use crate::region::{Frames, Payload, fill};
use crate::tick;
use alloc::vec::Vec;
use ferry_classic_abi::number::{constant, guard};
use ferry_classic_abi::{Rights, SlotRange, UserContext};
use ferry_classic_spec::addresses::{IPC_BUFFER, STACK_TOP};
use ferry_classic_spec::{Grant, PAGE_BYTES, ProtectionDomain, Segment, System, slots};

const PAGE: u64 = PAGE_BYTES as u64;
/// log2 of the slots of the smallest CNode of a PD. All fixed slots fit in 256.
const MINIMUM_SLOT_BITS: u64 = 8;

/// What all PDs are made from.
pub(crate) struct Shared<'a> {
    /// The compiled system, which `check` has accepted.
    pub(crate) system: &'a System,
    /// Its payload.
    pub(crate) payload: &'a Payload<'a>,
    /// The frames of each region.
    pub(crate) frames: &'a [Frames],
    /// The endpoint for faults and requests of PDs.
    pub(crate) endpoint: u64,
    /// The notification of each PD.
    pub(crate) notifications: &'a [u64],
}

/// A PD that was made.
pub(crate) struct Made {
    /// The slot of its TCB.
    pub(crate) thread: u64,
    /// The frames of each segment of its program.
    pub(crate) segments: Vec<SlotRange>,
}

/// Makes the PD `number`.
pub(crate) fn make(
    shared: &Shared,
    number: usize,
    scratch: &mut AddressSpace,
    objects: &mut Objects,
) -> Result<Made, Failure> {
    let domain = &shared.system.domains[number];
    let place = domain.name.as_str();
    let refused = |operation, refusal| Failure::refused(operation, place, refusal);

    let mut space = AddressSpace::make(place, objects)?;
    let (buffer, segments) = map_memory(shared, domain, &mut space, scratch, objects)?;
    let (cnode, bits) = make_cspace(shared, number, space.root(), objects)?;

    let thread = objects.make(constant::seL4_TCBObject, 0)?;
    // The guard covers all bits of a capability pointer that the CNode does not use. They must be zero.
    let guard = (constant::seL4_WordBits - bits) << guard::GuardSize_shift | 1 << guard::CapDataType_shift;
    let kernel = objects.kernel();
    kernel
        .configure_thread(
            thread,
            slots::FAULT,
            domain.priority,
            (cnode, guard),
            space.root(),
            (IPC_BUFFER, buffer),
        )
        .map_err(|refusal| refused("configure the thread", refusal))?;
    kernel
        .write_registers(thread, first_registers(domain))
        .map_err(|refusal| refused("set the registers", refusal))?;
    kernel
        .bind_notification(thread, shared.notifications[number])
        .map_err(|refusal| refused("bind the notification", refusal))?;
    Ok(Made { thread, segments })
}

/// The registers with which a PD begins.
pub(crate) const fn first_registers(domain: &ProtectionDomain) -> UserContext {
    // Eight bytes below the top: a function expects the stack as a call leaves it, with a return address on
    // it.
    UserContext { instruction_pointer: domain.entry, stack_pointer: STACK_TOP - 8 }
}

/// Maps program, stack, IPC buffer and regions, and provides page tables for the granted frames. Returns the
/// slot of the IPC buffer's frame, and the frames of each segment.
fn map_memory(
    shared: &Shared,
    domain: &ProtectionDomain,
    space: &mut AddressSpace,
    scratch: &mut AddressSpace,
    objects: &mut Objects,
) -> Result<(u64, Vec<SlotRange>), Failure> {
    let mut segments = Vec::new();
    for segment in &domain.segments {
        segments.push(map_segment(shared, segment, space, scratch, objects)?);
    }
    let stack_bytes = domain.stack_bytes.next_multiple_of(PAGE);
    let stack = objects.make_many(constant::seL4_X86_4K, 0, stack_bytes / PAGE)?;
    for (frame, page) in (stack.start..stack.end).zip(0..) {
        let address = STACK_TOP - stack_bytes + page * PAGE;
        space.map(frame, constant::seL4_PageBits, address, Rights::READ_WRITE, objects)?;
    }
    let buffer = objects.make(constant::seL4_X86_4K, 0)?;
    space.map(buffer, constant::seL4_PageBits, IPC_BUFFER, Rights::READ_WRITE, objects)?;

    for map in &domain.maps {
        let frames = &shared.frames[map.region as usize];
        let rights = rights(map.rights.writable());
        for (slot, number) in frames.slots().zip(0..) {
            let frame = objects.copy(slot, rights, &domain.name)?;
            space.map(frame, frames.bits, map.address + (number << frames.bits), rights, objects)?;
        }
    }
    for grant in &domain.grants {
        let frames = &shared.frames[grant.region as usize];
        for number in 0..frames.count() {
            space.provide(grant.address + (number << frames.bits), frames.bits, objects)?;
        }
    }
    Ok((buffer, segments))
}

/// Makes the pages of a segment, fills and maps them. Returns their frames.
fn map_segment(
    shared: &Shared,
    segment: &Segment,
    space: &mut AddressSpace,
    scratch: &mut AddressSpace,
    objects: &mut Objects,
) -> Result<SlotRange, Failure> {
    let first_page = segment.address / PAGE;
    let pages = (segment.address + segment.memory_bytes).div_ceil(PAGE) - first_page;
    let frames = objects.make_many(constant::seL4_X86_4K, 0, pages)?;
    let rights = rights(segment.rights.writable());
    for (page, (offset, contents)) in (0..).zip(pages_of(segment, shared.payload.get(segment.data))) {
        let frame = frames.start + page;
        if !contents.is_empty() {
            fill(frame, constant::seL4_PageBits, offset, contents, scratch, objects)?;
        }
        space.map(frame, constant::seL4_PageBits, (first_page + page) * PAGE, rights, objects)?;
    }
    Ok(frames)
}

/// The contents of each page of a segment: an offset in the page, and the bytes from there on. The rest of
/// the page is zero.
pub(crate) fn pages_of(
    segment: &Segment,
    data: &'static [u8],
) -> impl Iterator<Item = (usize, &'static [u8])> {
    let pages = (segment.address + segment.memory_bytes).div_ceil(PAGE) - segment.address / PAGE;
    let mut data = data;
    // Only the first page can begin before the segment.
    let mut offset = (segment.address % PAGE) as usize;
    (0..pages).map(move |_| {
        let (contents, rest) = data.split_at(data.len().min(PAGE_BYTES - offset));
        data = rest;
        (core::mem::replace(&mut offset, 0), contents)
    })
}

/// Makes the CNode of PD `number` with everything in it; returns its slot and log2 of its size.
fn make_cspace(
    shared: &Shared,
    number: usize,
    vspace: u64,
    objects: &mut Objects,
) -> Result<(u64, u64), Failure> {
    let domain = &shared.system.domains[number];
    let place = domain.name.as_str();
    let grant_end = |grant: &Grant| grant.first_capability + shared.frames[grant.region as usize].count();
    let end = domain.grants.iter().map(grant_end).max().unwrap_or_default();
    let bits = u64::from(end.next_power_of_two().trailing_zeros()).max(MINIMUM_SLOT_BITS);
    let cnode = objects.make(constant::seL4_CapTableObject, bits)?;
    let to = |slot| PdSlot { cnode, bits, slot };

    objects.give(shared.notifications[number], to(slots::NOTIFICATION), Rights::READ, 0, place)?;
    let fault_rights = Rights::WRITE.and(Rights::GRANT);
    objects.give(shared.endpoint, to(slots::FAULT), fault_rights, badge::of_faults(number), place)?;
    objects.give(
        shared.endpoint,
        to(slots::INITIALISER),
        Rights::WRITE,
        badge::of_requests(number),
        place,
    )?;
    if domain.window.is_some() {
        objects.give(vspace, to(slots::VSPACE), Rights::ALL, 0, place)?;
    }
    if let Some(tick) = shared.system.tick.filter(|tick| tick.domain as usize == number) {
        let (handler, notification) = tick::make(tick.period_us, objects)?;
        objects.give(handler, to(slots::TICK_HANDLER), Rights::ALL, 0, place)?;
        objects.give(notification, to(slots::TICK_NOTIFICATION), Rights::READ, 0, place)?;
    }
    for channel in &shared.system.channels {
        for (own, peer) in [(channel.ends[0], channel.ends[1]), (channel.ends[1], channel.ends[0])] {
            if own.domain as usize == number {
                let notification = shared.notifications[peer.domain as usize];
                let slot = to(slots::FIRST_CHANNEL + u64::from(own.id));
                objects.give(notification, slot, Rights::WRITE, 1 << peer.id, place)?;
            }
        }
    }
    for grant in &domain.grants {
        let frames = &shared.frames[grant.region as usize];
        for (frame, slot) in frames.slots().zip(grant.first_capability..) {
            objects.give(frame, to(slot), rights(grant.writable), 0, place)?;
        }
    }
    Ok((cnode, bits))
}

const fn rights(writable: bool) -> Rights {
    if writable { Rights::READ_WRITE } else { Rights::READ }
}
