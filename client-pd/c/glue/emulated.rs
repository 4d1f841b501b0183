//! Makes a protection domain of a C program that is written for Microkit, on a platform that is not Microkit:
//! calls its `init` and `notified`, and offers the functions of `portable/microkit.h`. It is compiled against
//! the crate `runtime` of each such platform, into the static library that C programs link there.

#![cfg_attr(not(feature = "std"), no_std)]

use core::ffi::{CStr, c_char, c_int};

use ferry_client_c::Given;
use runtime::{Channel, ChannelSet, Handler};

runtime::protection_domain!(init);

/// The program in C.
mod program {
    unsafe extern "C" {
        /// The program begins.
        ///
        /// # Safety
        /// Called once, before `notified`.
        pub(super) fn init();
        /// The program is woken through a channel.
        ///
        /// # Safety
        /// `init` has returned, and no other call runs.
        pub(super) fn notified(channel: u32);
    }
}

struct Program;

fn init() -> impl Handler {
    // SAFETY: the runtime calls this once, at the beginning.
    unsafe { program::init() };
    Program
}

impl Handler for Program {
    fn notified(&mut self, channels: ChannelSet) {
        for channel in channels {
            // SAFETY: a handler exists only when `init` has returned, and the runtime makes one call at a
            // time.
            unsafe { program::notified(channel.number().into()) };
        }
    }
}

#[unsafe(no_mangle)]
extern "Rust" fn ferry_platform_given() -> Given {
    Given {
        regions: [
            runtime::region!(ferry_out),
            runtime::region!(ferry_in),
            runtime::region!(ferry_tx),
            runtime::region!(ferry_rx),
        ],
        central: runtime::channel!(ferry_central),
    }
}

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_signal(channel: u32) {
    if let Some(channel) = channel_of(channel) {
        runtime::notify_above(channel);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ferry_platform_print(text: *const u8, bytes: usize) {
    // SAFETY: the library passes the pointer and the length of a slice.
    print(unsafe { core::slice::from_raw_parts(text, bytes) });
}

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_exit(code: u8) -> ! {
    runtime::exit(code)
}

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_yield() {
    runtime::yield_now();
}

/// Signals the other end of a channel. As on Microkit, a wrong number is reported and nothing happens.
#[unsafe(no_mangle)]
extern "C" fn microkit_notify(channel: u32) {
    match channel_of(channel) {
        Some(channel) => runtime::notify(channel),
        None => runtime::println!("microkit_notify: invalid channel given '{channel}'"),
    }
}

/// Signals the other end of a channel when the handler returns.
#[unsafe(no_mangle)]
extern "C" fn microkit_deferred_notify(channel: u32) {
    match channel_of(channel) {
        Some(channel) => runtime::notify_on_return(channel),
        None => runtime::println!("microkit_deferred_notify: invalid channel given '{channel}'"),
    }
}

/// Prints one character.
#[unsafe(no_mangle)]
extern "C" fn microkit_dbg_putc(character: c_int) {
    // The lowest byte, as on Microkit.
    print(&character.to_le_bytes()[..1]);
}

/// Prints a string that ends with a zero byte.
#[unsafe(no_mangle)]
unsafe extern "C" fn microkit_dbg_puts(text: *const c_char) {
    if !text.is_null() {
        // SAFETY: the program passes a string with a zero byte at its end.
        print(unsafe { CStr::from_ptr(text) }.to_bytes());
    }
}

/// Prints a number, in decimal.
#[unsafe(no_mangle)]
extern "C" fn microkit_dbg_put8(number: u8) {
    runtime::print!("{number}");
}

/// Prints a number, in decimal.
#[unsafe(no_mangle)]
extern "C" fn microkit_dbg_put32(number: u32) {
    runtime::print!("{number}");
}

fn channel_of(number: u32) -> Option<Channel> {
    usize::try_from(number).ok().and_then(Channel::new)
}

fn print(text: &[u8]) {
    for chunk in text.utf8_chunks() {
        runtime::print!("{}", chunk.valid());
    }
}
