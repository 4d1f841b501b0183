//! The Rust half of the static library that a C program links, beside the SDK's `libmicrokit`, to be a client
//! of Ferry on Microkit. The other half is `glue.c`, which is compiled against the SDK's `microkit.h`;
//! `ferry` links both. The program's entry point, its loop and its capabilities are
//! `libmicrokit`'s.
//!
//! It depends on no crate of rust-sel4, because those have an entry point and a loop of their own.

#![no_std]

use core::panic::PanicInfo;

use ferry_client_c::Given;
use ferry_platform::Panic;

unsafe extern "C" {
    /// Asks the supervisor to stop this PD, or faults. Part of `glue.c`.
    safe fn ferry_platform_stop() -> !;
}

#[unsafe(no_mangle)]
extern "Rust" fn ferry_platform_given() -> Given {
    Given {
        regions: [
            ferry_platform::region!(ferry_out),
            ferry_platform::region!(ferry_in),
            ferry_platform::region!(ferry_tx),
            ferry_platform::region!(ferry_rx),
        ],
        central: ferry_platform::channel!(ferry_central),
    }
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    ferry_client_c::print_line(format_args!("{}", Panic { place: info.location(), message: info.message() }));
    ferry_platform_stop()
}
