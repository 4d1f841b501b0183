//! The functions of `ferry.h` for the console, for names of numbers, and for the processor.

#![expect(
    clippy::missing_safety_doc,
    reason = "the comments are those of the header; `exports` has the contract"
)]

use core::ffi::{CStr, c_char};

use crate::console;
use crate::names;
use crate::platform;

/// Prints text that ends with a zero byte. A line appears when it is complete, with the name of the PD before
/// it. Nothing appears in the image of a product. Null prints nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferry_puts(text: *const c_char) {
    if !text.is_null() {
        // SAFETY: the caller passes a string with a zero byte at its end.
        console::put(unsafe { CStr::from_ptr(text) }.to_bytes());
    }
}

/// Prints a number, in decimal.
#[unsafe(no_mangle)]
pub extern "C" fn ferry_put_number(number: u64) {
    ferry_platform::in_pieces::<20>(format_args!("{number}"), console::put);
}

/// The name of a status, as docs/client.md has it, or "?".
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_status_name(status: u32) -> *const c_char {
    names::status(status).as_ptr()
}

/// The name of a result, as this header has it, or "?".
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_result_name(result: u32) -> *const c_char {
    names::result(result).as_ptr()
}

/// Gives other PDs of the same priority the processor.
#[unsafe(no_mangle)]
pub extern "C" fn ferry_yield() {
    platform::ferry_platform_yield();
}

/// Ends the whole system with this code, for demonstrations and tests. Does not return.
#[unsafe(no_mangle)]
pub extern "C" fn ferry_exit(code: u8) -> ! {
    console::finish_line();
    platform::ferry_platform_exit(code)
}
