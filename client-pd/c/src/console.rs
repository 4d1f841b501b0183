//! The console of a C program. Text is collected until its line is complete, because a line that goes out in
//! pieces can be interrupted by another protection domain.

use core::fmt;

use heapless::Vec;

use crate::global::Global;
use crate::platform;

/// Bytes of a line. A longer line goes out in pieces.
const LINE_BYTES: usize = 256;

static LINE: Global<Vec<u8, LINE_BYTES>> = Global::new(Vec::new());

/// Prints text: the lines that are complete now, and what does not fit.
pub(crate) fn put(text: &[u8]) {
    let put = |line: &mut Vec<u8, LINE_BYTES>| {
        for byte in text {
            if line.push(*byte).is_err() {
                send(line);
                // It is empty now, so there is room.
                let _ = line.push(*byte);
            }
            if *byte == b'\n' {
                send(line);
            }
        }
    };
    // The platform's own functions print nothing through the library, so the line is never in use here.
    LINE.with(put).unwrap_or_default();
}

/// Ends a line that was begun. The program ends or is stopped after it.
pub(crate) fn finish_line() {
    if LINE.with(|line| !line.is_empty()) == Some(true) {
        put(b"\n");
    }
}

/// Prints a line of its own, in one piece if it is short. For panics too.
pub fn print_line(text: fmt::Arguments<'_>) {
    finish_line();
    ferry_platform::in_pieces::<LINE_BYTES>(format_args!("{text}\n"), put);
}

/// Prints that the program cannot go on, and why.
pub(crate) fn error(why: fmt::Arguments<'_>) {
    print_line(format_args!("ferry: error {why}"));
}

fn send(line: &mut Vec<u8, LINE_BYTES>) {
    // SAFETY: the pointer and the length are those of one slice.
    unsafe { platform::ferry_platform_print(line.as_ptr(), line.len()) };
    line.clear();
}
