//! The runtime of the classic platform: what a protection domain (PD) links to run on the seL4 5.0.0 kernel.
//!
//! Every platform has a crate `runtime` with the same names, so a PD is written once:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//! use runtime::{ChannelSet, Handler, println};
//!
//! runtime::protection_domain!(init);
//!
//! struct Receiver;
//!
//! fn init() -> impl Handler {
//!     Receiver
//! }
//!
//! impl Handler for Receiver {
//!     fn notified(&mut self, channels: ChannelSet) {
//!         println!("woken by {channels:?}");
//!     }
//! }
//! ```
//!
//! A PD's capabilities and addresses come from the initialiser, at the places that `ferry_classic_places`
//! fixes. A PD that uses one it was not given (the tick of another PD, an unconnected channel) is refused by
//! the kernel.
#![no_std]
#![allow(clippy::cast_possible_truncation, reason = "x86-64 alone: a usize has 64 bits")]

mod console;
mod start;
mod window;

pub use ferry_platform::{
    Channel, ChannelSet, Frame, Handler, MapError, Region, channel, copy_opaque, region,
};
pub use window::{Window, window};

#[doc(hidden)]
pub use console::print;
#[doc(hidden)]
pub use start::run;

use ferry_classic_abi::{Kernel, MessageInfo, syscall};
use ferry_classic_places::{addresses, slots};

/// Signals the PD at the other end of a channel. Never blocks; signals that were not yet seen merge into one.
// Not inlined, like the functions of the window: in a trace of a program its kernel calls are found by these
// names.
#[inline(never)]
pub fn notify(channel: Channel) {
    syscall::signal(slots::FIRST_CHANNEL + u64::from(channel.number()));
}

/// Signals as [`notify`] does, for a PD of higher priority. This kernel has only one way to signal.
// Inlined, so that a trace counts it as one call of `notify`, which is what it is.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a trace must count one call of notify")]
pub fn notify_above(channel: Channel) {
    notify(channel);
}

/// Signals as [`notify`] does, as the last thing that a handler does. This kernel cannot signal and wait in
/// one call.
// Inlined, so that a trace counts it as one call of `notify`, which is what it is.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a trace must count one call of notify")]
pub fn notify_on_return(channel: Channel) {
    notify(channel);
}

/// The channels that were signalled since the last wake-up or call of this function. It does not wait. No
/// later wake-up reports them again.
#[inline(never)]
#[must_use]
pub fn poll() -> ChannelSet {
    ChannelSet::from_bits(syscall::poll(slots::NOTIFICATION).badge)
}

/// Gives other PDs of the same priority the processor for what is left of the time slice.
pub fn yield_now() {
    syscall::yield_now();
}

/// Blocks until the next period of the system's tick begins. Periods that began while nobody waited count as
/// one.
///
/// # Panics
///
/// In a PD other than the one that the system description makes the ticker, unless the PD faults first.
pub fn wait_for_period() {
    let _ = syscall::receive(slots::TICK_NOTIFICATION);
    // SAFETY: this is this thread's IPC buffer, and an acknowledgement passes nothing in it.
    let mut kernel = unsafe { Kernel::new(addresses::IPC_BUFFER) };
    if let Err(refusal) = kernel.acknowledge_interrupt(slots::TICK_HANDLER) {
        panic!("this protection domain has no tick: {refusal}");
    }
}

/// Ends the machine, for demonstrations and tests. QEMU's exit status is then `code * 2 + 1`, so 1 for
/// success; codes above 127 count as 127.
pub fn exit(code: u8) -> ! {
    let message = MessageInfo::new(slots::EXIT_LABEL, 0, 1);
    loop {
        let _ = syscall::call(slots::INITIALISER, message, [u64::from(code), 0, 0, 0]);
    }
}
