//! Tries what each capability of a protection domain (PD) on Microkit is good for.
//!
//! The kernels that are shipped do not say what a slot holds, so the probe invokes the slot, with a label
//! that does not exist. That changes nothing. An empty slot, or one without the right to send, answers
//! *invalid capability*. An object of any kind answers *illegal operation*. A notification is signalled. A
//! slot that can only be waited on looks empty in this way, so a debug kernel is asked as well.

#![no_std]

use core::ops::Range;

use ferry_harness::{Holding, Overreach};
use ferry_platform::Channel;
use runtime::supervisor::{PRINT, STOP};
use sel4::{Cap, Error, MessageInfoBuilder, cap};

/// Whether the platform gives every PD its own address space as a capability. Microkit does, so that programs
/// can clean caches.
pub const GIVES_ADDRESS_SPACES: bool = true;

/// Microseconds on the processor's own clock. While QEMU counts instructions, that clock counts nanoseconds.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn clock() -> u64 {
    // SAFETY: the kernel lets every program read the counter.
    unsafe { core::arch::x86_64::_rdtsc() / 1000 }
}

/// Always 0: programs cannot rely on reading a clock.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
pub const fn clock() -> u64 {
    0
}

/// Bytes of a page.
const PAGE: usize = 1 << sel4::FrameObjectType::GRANULE.bits();

/// Where a PD's stack begins, growing down. This is one page below the page of the IPC buffer, which is the
/// highest page.
#[expect(clippy::cast_possible_truncation, reason = "all architectures have 64-bit addresses")]
pub const STACK_TOP: Option<usize> = Some((sel4::sys::seL4_UserVSpaceTop as usize & !(PAGE - 1)) - PAGE);

/// How many slots the `CNode` that Microkit fills has, and what it puts into which slot.
const SLOTS: u64 = 512;
const INPUT: u64 = 1;
const FAULT: u64 = 2;
const VSPACE: u64 = 3;
const REPLY: u64 = 4;
const FIRST_NOTIFICATION: u64 = 10;
const FIRST_ENDPOINT: u64 = 74;
/// The beginning of a line, as a word of a message.
const BEGINNING: u64 = u64::from_le_bytes(*b"unended ");
/// The kernel's number for an empty slot.
const EMPTY: u32 = 0;
/// Binary logarithm of the slots of a PD's root `CNode`, whose slot 0 is the one that Microkit fills.
const ROOT_BITS: u32 = 6;
/// Bits of a capability pointer below the number of the slot in the root.
const ROOT_SHIFT: u32 = u64::BITS - ROOT_BITS;

/// Looks at each slot of this PD's `CSpace`: those of the `CNode` that Microkit fills, and those of the root.
/// `frames` are the capability pointers of the frames that the PD holds, behind one slot of the root.
pub fn walk(frames: Range<u64>, see: &mut dyn FnMut(u64, Holding)) {
    let of_frames = frames.start >> ROOT_SHIFT;
    for pointer in (0..SLOTS).chain((1..1 << ROOT_BITS).map(|slot| slot << ROOT_SHIFT)) {
        if frames.is_empty() || pointer >> ROOT_SHIFT != of_frames {
            see(pointer, look(pointer));
        }
    }
    let count = if frames.is_empty() { 0 } else { (frames.end - frames.start).next_power_of_two() };
    for pointer in frames.start..frames.start + count {
        see(pointer, look(pointer));
    }
}

/// Tries something that must fault. Returns only if it does not fault.
pub fn overreach(how: Overreach) {
    match how {
        Overreach::WaitByChannel(channel) => {
            let channel = FIRST_NOTIFICATION + u64::from(channel);
            // So that there is something to wait for.
            notification(channel).signal();
            poll(channel);
        }
        Overreach::WaitForRequests => poll(supervisor().unwrap_or_default()),
        Overreach::WaitForFaults => poll(FAULT),
        Overreach::InvokeBeyond => {
            let _ = invoke(SLOTS);
        }
        Overreach::Pretend => {
            let Some(supervisor) = supervisor().map(Cap::<sel4::cap_type::Endpoint>::from_bits) else {
                return;
            };
            sel4_microkit::set_mr(0, u64::MAX);
            sel4_microkit::set_mr(1, BEGINNING);
            supervisor.call(MessageInfoBuilder::default().label(PRINT).length(2).build());
            // A send is over when it has been received. Only a call would wait for the answer.
            supervisor.send(MessageInfoBuilder::default().label(STOP).build());
        }
    }
}

fn look(pointer: u64) -> Holding {
    // It is an endpoint. Whoever invokes an endpoint waits for an answer, so it is not invoked. Every line
    // that is printed goes through it.
    if Some(pointer) == supervisor() {
        return Holding::Life;
    }
    let said = kernel_says(pointer);
    if said == Some(EMPTY) {
        return Holding::Nothing;
    }
    match invoke(pointer) {
        Ok(()) if pointer == REPLY => Holding::Life,
        Ok(()) => channel(pointer).map_or(Holding::Stranger, Holding::Signal),
        Err(Error::InvalidCapability) if pointer == INPUT => Holding::Life,
        Err(Error::InvalidCapability) if said.is_none() => Holding::Nothing,
        Err(Error::IllegalOperation) if pointer == VSPACE => Holding::AddressSpace,
        Err(Error::IllegalOperation) if is_frame(pointer) => Holding::Frame,
        Err(_) => Holding::Stranger,
    }
}

/// The capability with which this PD calls the supervisor. Its number is in a symbol of the runtime, which
/// the image builder fills in.
fn supervisor() -> Option<u64> {
    unsafe extern "C" {
        /// Declared by the runtime.
        static ferry_supervisor: usize;
    }
    // SAFETY: the word is valid for reads, and nobody writes it while the program runs. The read is volatile,
    // because the compiler must not take the initial value for the one that is there then.
    let number = unsafe { (&raw const ferry_supervisor).read_volatile() };
    (number != usize::MAX).then_some(FIRST_ENDPOINT + number as u64)
}

/// The channel that this slot belongs to.
fn channel(pointer: u64) -> Option<u8> {
    let number = u8::try_from(pointer.checked_sub(FIRST_NOTIFICATION)?).ok()?;
    (number < Channel::LIMIT).then_some(number)
}

/// The kind of capability, if the kernel says it.
fn kernel_says(pointer: u64) -> Option<u32> {
    sel4::sel4_cfg_if! {
        if #[sel4_cfg(DEBUG_BUILD)] {
            Some(notification(pointer).debug_identify())
        } else {
            let _ = pointer;
            None
        }
    }
}

/// Invokes a slot with a label that does not exist, and returns the kernel's answer.
fn invoke(pointer: u64) -> Result<(), Error> {
    let answer =
        Cap::<sel4::cap_type::Endpoint>::from_bits(pointer).call(MessageInfoBuilder::default().build());
    match Error::from_sys(u32::try_from(answer.label()).unwrap_or(u32::MAX)) {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// Takes a message or a signal that is there already.
fn poll(pointer: u64) {
    let reply: cap::Reply = Cap::from_bits(REPLY);
    let _ = Cap::<sel4::cap_type::Endpoint>::from_bits(pointer).nb_recv(reply);
}

fn notification(pointer: u64) -> cap::Notification {
    Cap::from_bits(pointer)
}

/// Whether a slot holds a frame. Only a frame has a physical address.
fn is_frame(pointer: u64) -> bool {
    let frame: cap::UnspecifiedPage = Cap::from_bits(pointer);
    frame.frame_get_address().is_ok()
}
