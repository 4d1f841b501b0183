//! A program that links only if no panic can be reached from a message. Its panic handler calls a function
//! that does not exist. The linker drops what cannot be reached. If a panic can be reached, the function is
//! missing and the link fails. It is never run.

#![no_std]
#![no_main]

use core::hint::black_box;

use ferry_example_filters::{modbus, schema, syslog};

unsafe extern "C" {
    /// Nobody defines it.
    fn a_panic_can_be_reached_from_a_filter() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: a program in which this is reachable does not link.
    unsafe { a_panic_can_be_reached_from_a_filter() }
}

/// The beginning of the program.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    loop {
        // Bytes about which the compiler knows nothing.
        let message: &[u8] = black_box(&[]);
        black_box(schema::TELEMETRY.judge(message).is_ok());
        black_box(syslog::judge(message).is_ok());
        black_box(modbus::PLANT.judge(message).is_ok());
        // The test plants this panic, to see that the check can fail.
        if option_env!("FERRY_PLANTED_PANIC").is_some() {
            black_box(message[0]);
        }
    }
}
