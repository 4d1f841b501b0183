//! Another guard of range, with the rule of `range.rs` and none of its code: the number at the end of a
//! reading is at most 120. It makes no number of the digits, and compares them as text. So what is wrong in
//! one of the two programs is not wrong in the other for the same reason.

#![no_std]
#![no_main]

use ferry_guard::{Message, Verdict};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(is_in_range)
}

/// The highest temperature that the sensor can measure, in degrees Celsius.
const HIGHEST: &[u8] = b"120";

/// Why a message is refused, in this guard's own numbers.
const NO_NUMBER: u32 = 1;
const TOO_HIGH: u32 = 2;

fn is_in_range(message: &Message<'_>) -> Verdict {
    let digits = message.bytes.split(|byte| *byte == b' ').next_back().unwrap_or_default();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Verdict::Refuse { reason: NO_NUMBER };
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = digits.get(zeros..).unwrap_or_default();
    // Of two numbers without zeros in front, the longer one is higher.
    if (digits.len(), digits) > (HIGHEST.len(), HIGHEST) {
        Verdict::Refuse { reason: TOO_HIGH }
    } else {
        Verdict::Pass
    }
}
