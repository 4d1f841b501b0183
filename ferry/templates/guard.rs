//! The guard `my_guard`. It passes printable ASCII and refuses everything else, until you write another rule
//! into `inspect`. `cargo test --bin my_guard` runs the test below on this machine.

#![cfg_attr(not(test), no_std, no_main)]
#![forbid(unsafe_code)]

use ferry_guard::{Filter, Message, Verdict};

#[cfg(not(test))]
runtime::protection_domain!(init);

#[cfg(not(test))]
fn init() -> impl runtime::Handler {
    ferry_guard::start!(Rule)
}

/// Why a message is refused. The numbers are this guard's own; sender and receiver do not see them.
const EMPTY: u32 = 1;
const NOT_PRINTABLE: u32 = 2;

/// What this guard lets through.
struct Rule;

impl Filter for Rule {
    fn inspect(&mut self, message: &Message<'_>) -> Verdict {
        // `message.source` and `message.target` are the names of the two clients.
        if message.bytes.is_empty() {
            return Verdict::Refuse { reason: EMPTY };
        }
        let is_printable = |byte: &u8| matches!(byte, b' '..=b'~');
        if message.bytes.iter().all(is_printable) {
            Verdict::Pass
        } else {
            Verdict::Refuse { reason: NOT_PRINTABLE }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EMPTY, NOT_PRINTABLE, Rule};
    use ferry_guard::{Filter, Message, Verdict};

    #[test]
    fn what_passes_and_what_does_not() {
        let cases: [(&[u8], Verdict); 4] = [
            (b"21 degrees", Verdict::Pass),
            (b"", Verdict::Refuse { reason: EMPTY }),
            (b"21\x1b[2J", Verdict::Refuse { reason: NOT_PRINTABLE }),
            (b"\xff", Verdict::Refuse { reason: NOT_PRINTABLE }),
        ];
        for (bytes, verdict) in cases {
            let message = Message { source: "sender", target: "receiver", tag: 0, bytes };
            assert_eq!(Rule.inspect(&message), verdict, "{bytes:?}");
        }
    }
}
