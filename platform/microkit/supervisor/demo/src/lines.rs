//! What domains print, line by line. A line is printed when it ends, so lines of up to [`LINE`] bytes never
//! mix.

use supervisor::console;
use supervisor::domains::LIMIT;

/// Bytes of the longest line that is printed in one piece.
const LINE: usize = 512;

/// The unfinished lines of all domains.
pub(crate) struct Lines {
    lines: [Line; LIMIT],
}

struct Line {
    bytes: [u8; LINE],
    length: usize,
}

impl Lines {
    #[expect(clippy::large_stack_arrays, reason = "evaluated at compile time, for a static")]
    pub(crate) const fn new() -> Self {
        Self { lines: [const { Line { bytes: [0; LINE], length: 0 } }; LIMIT] }
    }

    /// Adds text of a domain and prints the lines that it completes.
    pub(crate) fn add(&mut self, number: usize, text: &[u8]) {
        let Some(line) = self.lines.get_mut(number) else { return };
        for &byte in text {
            if line.length == LINE {
                line.flush();
            }
            line.bytes[line.length] = byte;
            line.length += 1;
            if byte == b'\n' {
                line.flush();
            }
        }
    }

    /// Ends a domain's unfinished line, so that what follows begins on a new line.
    pub(crate) fn flush(&mut self, number: usize) {
        if let Some(line) = self.lines.get_mut(number)
            && line.length > 0
        {
            line.flush();
            console::put(b"\n");
        }
    }

    /// Ends all unfinished lines.
    pub(crate) fn flush_all(&mut self) {
        for number in 0..LIMIT {
            self.flush(number);
        }
    }
}

impl Line {
    fn flush(&mut self) {
        console::put(&self.bytes[..self.length]);
        self.length = 0;
    }
}
