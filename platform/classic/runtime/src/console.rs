//! The debug console. Text is formatted first and then sent to the initialiser in one message; the initialiser has
//! the highest priority, so no other PD's text comes between. Text of more than [`PRINT_BYTES`] goes out in several
//! messages, between which it can.

use core::fmt::{self, Write};
use ferry_classic_abi::Kernel;
use ferry_classic_places::addresses;
use ferry_classic_places::slots::{INITIALISER, PRINT_BYTES, PRINT_LABEL};

struct Text {
    bytes: [u8; PRINT_BYTES],
    length: usize,
}

impl Text {
    fn flush(&mut self) {
        if self.length == 0 {
            return;
        }
        let words = self.bytes[..self.length].chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        // SAFETY: this thread's IPC buffer. A window may hold another `Kernel` for it; neither keeps anything in the
        // buffer from one operation to the next, and a PD has one thread.
        let mut kernel = unsafe { Kernel::new(addresses::IPC_BUFFER) };
        kernel.send(INITIALISER, PRINT_LABEL, [self.length as u64].into_iter().chain(words));
        self.length = 0;
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.length == PRINT_BYTES {
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
    let mut buffer = Text { bytes: [0; PRINT_BYTES], length: 0 };
    // Only a value whose own formatting fails can make this fail; what it wrote before is still worth printing.
    let _ = buffer.write_fmt(text);
    buffer.flush();
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
