//! The runtime of the Microkit platform: what a protection domain (PD) links to run on seL4 16 and Microkit
//! 2.3.
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
//! A PD holds what Microkit gives to every PD and nothing more: no device, no I/O port. Console, end of the
//! machine and panics go through Ferry's supervisor, which the image builder puts above all PDs (see
//! [`supervisor`]). An image that the stock Microkit tool built has no supervisor. Then the console is the
//! kernel's, which prints in the debug configuration only.
#![no_std]

mod console;
mod start;
pub mod supervisor;
mod wake;
mod window;

pub use ferry_platform::{
    Channel, ChannelSet, Frame, Handler, MapError, Region, channel, copy_opaque, region,
};
pub use supervisor::exit;
pub use window::{Window, window};

#[doc(hidden)]
pub use console::print;
#[doc(hidden)]
pub use sel4_microkit;
#[doc(hidden)]
pub use start::prepare;

/// Signals the PD at the other end of a channel. Never blocks; signals that were not yet seen merge into one.
///
/// # Panics
/// If the system description does not let this PD notify through that channel.
// Not inlined, like the functions of the window: in a trace of a program its kernel calls are found by these
// names.
#[inline(never)]
pub fn notify(channel: Channel) {
    wake::signal(channel);
}

/// Signals as [`notify`] does, for a PD of higher priority. Central has a higher priority than its clients.
/// This is cheaper if the priority is indeed higher, and more expensive if it is not.
///
/// # Panics
/// If the system description does not let this PD notify through that channel.
#[inline(never)]
pub fn notify_above(channel: Channel) {
    wake::signal_above(channel);
}

/// Signals as [`notify`] does, but when the handler returns: signal and wait are then one system call. It is
/// for the last thing that a handler does. Only one signal can be deferred, so a second call sends the first
/// signal at once.
///
/// # Panics
/// If the system description does not let this PD notify through that channel.
#[inline(never)]
pub fn notify_on_return(channel: Channel) {
    wake::defer(channel);
}

/// The channels that were signalled since the last wake-up or call of this function. It does not wait. No
/// later wake-up reports them again.
#[inline(never)]
#[must_use]
pub fn poll() -> ChannelSet {
    wake::poll()
}

/// Gives other PDs of the same priority the processor for what is left of the time slice.
pub fn yield_now() {
    sel4::r#yield();
}

/// Blocks until the next period begins. It drops what is left of the PD's budget, which the kernel refills
/// when the period begins. It is for the PD that the system description makes the ticker, with a period
/// longer than its budget. In another PD it does what [`yield_now`] does.
pub fn wait_for_period() {
    sel4::r#yield();
}
