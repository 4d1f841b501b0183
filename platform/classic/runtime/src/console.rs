//! The debug console. Each call of `print!` is formatted first and then sent in one burst, so lines of different
//! PDs stay whole unless a PD of higher priority wakes up in the middle of a burst. There is no lock: a PD that
//! held one could stop all others from printing.

use core::fmt::{self, Write};
use ferry_classic_abi::syscall;

/// Bytes that one burst can have; longer text goes out in several.
const BURST: usize = 512;

struct Line {
    bytes: [u8; BURST],
    length: usize,
}

impl Line {
    fn flush(&mut self) {
        for byte in &self.bytes[..self.length] {
            syscall::debug_put_char(*byte);
        }
        self.length = 0;
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.length == BURST {
                self.flush();
            }
            self.bytes[self.length] = byte;
            self.length += 1;
        }
        Ok(())
    }
}

/// Prints on the debug console, see [`print!`](crate::print!).
#[doc(hidden)]
pub fn print(text: fmt::Arguments) {
    let mut line = Line { bytes: [0; BURST], length: 0 };
    // Only a value whose own formatting fails can make this fail; what it wrote before is still worth printing.
    let _ = line.write_fmt(text);
    line.flush();
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
