//! An honest guard: it passes what consists of the right bytes alone.

#![no_std]
#![no_main]

use ferry_guard::{Message, Verdict};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(|message: &Message<'_>| {
        if message.bytes.iter().all(|byte| *byte == b'g') {
            Verdict::Pass
        } else {
            Verdict::Refuse { reason: 1 }
        }
    })
}
