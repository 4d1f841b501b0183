//! A guard of range: the number at the end of a reading is at most 120. It judges the number alone; the guard
//! before it has judged the form. `digits.rs` is the same rule in another program.

#![no_std]
#![no_main]

use ferry_guard::{Message, Verdict};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(is_in_range)
}

/// The highest temperature that the sensor can measure, in degrees Celsius.
const HIGHEST: u32 = 120;

/// Why a message is refused, in this guard's own numbers.
const NO_NUMBER: u32 = 1;
const TOO_HIGH: u32 = 2;

fn is_in_range(message: &Message<'_>) -> Verdict {
    let digits = message.bytes.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    match core::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u32>().ok()) {
        None => Verdict::Refuse { reason: NO_NUMBER },
        Some(number) if number > HIGHEST => Verdict::Refuse { reason: TOO_HIGH },
        Some(_) => Verdict::Pass,
    }
}
