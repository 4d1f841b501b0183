//! The debug console: standard output, which is a socket of this process. The launcher reads it and prints
//! whole lines. This process writes a line in one piece, when the line is complete.

use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};

static LINE: Mutex<String> = Mutex::new(String::new());

/// Collects text, and writes out the lines that are complete.
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
    // This fails only if the formatting of a value fails. What was formatted before that is still printed.
    let _ = Text(&mut line).write_fmt(text);
}

/// Ends the line that was begun, if there is one.
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
