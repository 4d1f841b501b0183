//! The debug console. Each call of `print!` is formatted first and then handed over in one message; the supervisor
//! prints whole lines, so those of different PDs never mix.

use core::fmt::{self, Write};

use crate::supervisor;

/// Bytes that one message can have; longer text goes out in several.
const BURST: usize = 512;

struct Line {
    bytes: [u8; BURST],
    length: usize,
}

impl Line {
    fn flush(&mut self) {
        supervisor::print(&self.bytes[..self.length]);
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
