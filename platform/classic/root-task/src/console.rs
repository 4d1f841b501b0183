//! The debug console, for the initialiser's own lines and for what PDs print.

use core::fmt::{self, Write};
use ferry_classic_abi::syscall;

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // A line needs no buffer to stay whole: no PD has a higher priority.
        put(text.as_bytes());
        Ok(())
    }
}

/// Prints text as it is.
pub(crate) fn put(text: &[u8]) {
    text.iter().copied().for_each(syscall::debug_put_char);
}

pub(crate) fn print(text: fmt::Arguments) {
    // The console itself never fails.
    let _ = Console.write_fmt(text);
}

macro_rules! println {
    ($($text:tt)*) => {
        $crate::console::print(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(crate) use println;
