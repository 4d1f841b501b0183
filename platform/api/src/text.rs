//! Text for a console that takes messages of limited size. The text is formatted first and then sent in as
//! few pieces as possible, so a line that fits into one piece arrives in one piece. The consoles of the seL4
//! platforms use it.

use core::fmt::{self, Write};

/// Passes formatted text to `send` in pieces of `BYTES` bytes; the last piece may be shorter. For empty text
/// `send` is not called.
pub fn in_pieces<const BYTES: usize>(text: fmt::Arguments<'_>, send: impl FnMut(&[u8])) {
    const { assert!(BYTES > 0, "pieces of no bytes would never end") };
    let mut pieces = Pieces { bytes: [0; BYTES], length: 0, send };
    // This fails only if the formatting of a value fails. What was formatted before that is still printed.
    let _ = pieces.write_fmt(text);
    pieces.flush();
}

struct Pieces<const BYTES: usize, S> {
    bytes: [u8; BYTES],
    length: usize,
    send: S,
}

impl<const BYTES: usize, S: FnMut(&[u8])> Pieces<BYTES, S> {
    fn flush(&mut self) {
        if self.length > 0 {
            (self.send)(&self.bytes[..self.length]);
            self.length = 0;
        }
    }
}

impl<const BYTES: usize, S: FnMut(&[u8])> Write for Pieces<BYTES, S> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.length == BYTES {
                self.flush();
            }
            self.bytes[self.length] = byte;
            self.length += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::in_pieces;
    use core::fmt;
    use std::string::String;
    use std::vec::Vec;

    fn pieces(text: fmt::Arguments<'_>) -> Vec<String> {
        let mut pieces = Vec::new();
        in_pieces::<4>(text, |piece| pieces.push(String::from_utf8_lossy(piece).into_owned()));
        pieces
    }

    #[test]
    fn text_arrives_whole_and_in_order() {
        assert_eq!(pieces(format_args!("{}{}\n", 12, "345678")), ["1234", "5678", "\n"]);
        assert_eq!(pieces(format_args!("1234")), ["1234"]);
        assert_eq!(pieces(format_args!("{}", "")), [""; 0]);
    }

    #[test]
    fn what_came_before_a_value_that_cannot_be_formatted_arrives() {
        struct Broken;
        impl fmt::Display for Broken {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        assert_eq!(pieces(format_args!("ab{Broken}c")), ["ab"]);
    }
}
