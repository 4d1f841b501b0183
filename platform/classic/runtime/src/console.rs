//! The debug console. Text is formatted first and then sent to the initialiser in one message. The
//! initialiser has the highest priority, so no other PD's text comes in between. Text of more than
//! [`PRINT_BYTES`] goes out in several messages, and other text can come between those.

use core::fmt;
use ferry_classic_abi::Kernel;
use ferry_classic_places::addresses;
use ferry_classic_places::slots::{INITIALISER, PRINT_BYTES, PRINT_LABEL};

/// Prints on the debug console, see [`print!`](crate::print!).
#[doc(hidden)]
pub fn print(text: fmt::Arguments) {
    ferry_platform::in_pieces::<PRINT_BYTES>(text, send);
}

fn send(text: &[u8]) {
    let words = text.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    // SAFETY: this is this thread's IPC buffer. A window may hold another `Kernel` for it. Neither keeps
    // anything in the buffer from one operation to the next, and a PD has one thread.
    let mut kernel = unsafe { Kernel::new(addresses::IPC_BUFFER) };
    kernel.send(INITIALISER, PRINT_LABEL, [text.len() as u64].into_iter().chain(words));
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
