//! Tries what each capability of a protection domain (PD) of the classic platform is good for.
//!
//! The kernel is a debug kernel, so it says what kind of capability a slot holds. It does not say which
//! rights the capability has, so the probe invokes it, with a label that does not exist. That changes
//! nothing. An empty slot, or one without the right to send, answers *invalid capability*. An object of any
//! kind answers *illegal operation*. A notification is signalled.

#![no_std]
#![allow(clippy::cast_possible_truncation, reason = "x86-64 alone: a usize has 64 bits")]

use core::ops::Range;

use ferry_classic_abi::number::constant;
use ferry_classic_abi::{Kernel, MessageInfo, syscall};
use ferry_classic_places::{addresses, slots};
use ferry_harness::{Holding, Overreach};
use ferry_platform::Channel;

/// Whether the platform gives every PD its own address space as a capability. This one gives it only to a PD
/// with a window.
pub const GIVES_ADDRESS_SPACES: bool = false;

/// Where a PD's stack begins, growing down.
pub const STACK_TOP: Option<usize> = Some(addresses::STACK_TOP as usize);

/// Slots of a PD without frames.
const SLOTS: u64 = 256;

/// Microseconds on the processor's own clock. While QEMU counts instructions, that clock counts nanoseconds.
#[must_use]
pub fn clock() -> u64 {
    // SAFETY: the kernel lets every program read the counter.
    unsafe { core::arch::x86_64::_rdtsc() / 1000 }
}

/// The beginning of a line, as a word of a message.
const BEGINNING: u64 = u64::from_le_bytes(*b"unended ");

/// The kernel's number for an empty slot, which holds no kind of capability.
const EMPTY: u64 = 0;

/// Looks at each slot of this PD's `CSpace`, in order. `frames` are the capability pointers of the frames
/// that the PD holds.
pub fn walk(frames: Range<u64>, see: &mut dyn FnMut(u64, Holding)) {
    for slot in 0..end(&frames) {
        see(slot, look(slot));
    }
}

/// Tries something that must fault. Returns only if it does not fault.
pub fn overreach(how: Overreach) {
    match how {
        Overreach::WaitByChannel(channel) => {
            let channel = slots::FIRST_CHANNEL + u64::from(channel);
            // So that there is something to wait for.
            syscall::signal(channel);
            let _ = syscall::poll(channel);
        }
        Overreach::WaitForRequests => drop(syscall::poll(slots::INITIALISER)),
        Overreach::WaitForFaults => drop(syscall::poll(slots::FAULT)),
        Overreach::InvokeBeyond => drop(invoke(end(&(0..0)))),
        Overreach::Pretend => {
            kernel().send(slots::INITIALISER, slots::PRINT_LABEL, [u64::MAX, BEGINNING]);
            // A send is over when it has been received. Only a call would wait for the answer.
            syscall::send(slots::INITIALISER, MessageInfo::new(slots::STOP_LABEL, 0, 0), [0; 4]);
        }
    }
}

/// One past the last slot.
fn end(frames: &Range<u64>) -> u64 {
    frames.end.next_power_of_two().max(SLOTS)
}

fn look(slot: u64) -> Holding {
    let kind = syscall::debug_identify(slot);
    if kind == EMPTY {
        return Holding::Nothing;
    }
    // It is an endpoint. Whoever invokes an endpoint waits for an answer, so it is not invoked.
    if kind == syscall::debug_identify(slots::INITIALISER) {
        return if matches!(slot, slots::FAULT | slots::INITIALISER) {
            Holding::Life
        } else {
            Holding::Stranger
        };
    }
    match invoke(slot) {
        constant::seL4_NoError => channel(slot).map_or(Holding::Stranger, Holding::Signal),
        constant::seL4_InvalidCapability if slot == slots::NOTIFICATION => Holding::Life,
        constant::seL4_IllegalOperation if slot == slots::VSPACE => Holding::AddressSpace,
        constant::seL4_IllegalOperation if is_frame(slot) => Holding::Frame,
        _ => Holding::Stranger,
    }
}

/// The channel that this slot belongs to.
fn channel(slot: u64) -> Option<u8> {
    let number = u8::try_from(slot.checked_sub(slots::FIRST_CHANNEL)?).ok()?;
    (number < Channel::LIMIT).then_some(number)
}

/// Invokes a slot with a label that does not exist, and returns the kernel's answer.
fn invoke(slot: u64) -> u64 {
    syscall::call(slot, MessageInfo::new(0, 0, 0), [0; 4]).info.label()
}

/// Whether a slot holds a frame. Only a frame has a physical address.
fn is_frame(slot: u64) -> bool {
    kernel().address_of_frame(slot).is_ok()
}

fn kernel() -> Kernel {
    // SAFETY: this is this thread's IPC buffer. Others of this program print through it. None of them keeps
    // anything in it from one operation to the next, and a PD has one thread.
    unsafe { Kernel::new(addresses::IPC_BUFFER) }
}
