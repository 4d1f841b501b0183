//! A guard of form: a reading is the word `temperature`, a blank, and a number of one to four digits.

#![no_std]
#![no_main]

use ferry_guard::{Message, Verdict};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(is_reading)
}

/// Why a message is refused, in this guard's own numbers.
const NO_READING: u32 = 1;

fn is_reading(message: &Message<'_>) -> Verdict {
    let number = message.bytes.strip_prefix(b"temperature ");
    match number {
        Some(number) if (1..=4).contains(&number.len()) && number.iter().all(u8::is_ascii_digit) => {
            Verdict::Pass
        }
        _ => Verdict::Refuse { reason: NO_READING },
    }
}
