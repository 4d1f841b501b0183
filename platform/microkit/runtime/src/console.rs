//! The debug console. The text of each `print!` is formatted first and then handed over in one message, so no
//! other PD's text comes in between. Text of more than [`BURST`] bytes goes out in several messages, and
//! other text can come between those.

use crate::supervisor;
use core::fmt;

/// Bytes of text in one message. Longer text goes out in several messages.
const BURST: usize = 512;

/// Prints on the debug console, see [`print!`](crate::print!).
#[doc(hidden)]
pub fn print(text: fmt::Arguments) {
    ferry_platform::in_pieces::<BURST>(text, supervisor::print);
}

/// Prints on the debug console.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => {
        $crate::print(::core::format_args!($($text)*))
    };
}

/// Prints a line on the debug console.
#[macro_export]
macro_rules! println {
    () => {
        $crate::print!("\n")
    };
    ($($text:tt)*) => {
        $crate::print!("{}\n", ::core::format_args!($($text)*))
    };
}
