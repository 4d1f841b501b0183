//! The debug console: standard output, a socket of this process, out of which the launcher prints whole
//! lines. A line is written in one piece, when it is complete.

use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};

static LINE: Mutex<String> = Mutex::new(String::new());

/// Writes out what is complete.
struct Text<'a>(&'a mut String);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if let Some(end) = self.0.rfind('\n') {
            put(&self.0.as_bytes()[..=end]);
            self.0.drain(..=end);
        }
        Ok(())
    }
}

/// Prints on the debug console, see [`print!`](crate::print!).
#[doc(hidden)]
pub fn print(text: fmt::Arguments) {
    let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    // Only a value whose own formatting fails can make this fail; what it wrote before is still worth
    // printing.
    let _ = Text(&mut line).write_fmt(text);
}

/// Ends a line that was begun.
pub(crate) fn finish_line() {
    let unfinished = LINE.try_lock().is_ok_and(|line| !line.is_empty());
    if unfinished {
        print(format_args!("\n"));
    }
}

fn put(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(std::io::stdout(), bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            // Nobody reads the console any more.
            Err(_) => return,
        }
    }
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
