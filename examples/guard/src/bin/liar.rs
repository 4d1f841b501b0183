//! A guard in the hands of an attacker: it passes everything, until it sees what it has waited for. Then it
//! breaks down, and is started again.

#![no_std]
#![no_main]

use ferry_guard::Verdict;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(|message: &ferry_guard::Message<'_>| {
        assert!(message.bytes != b"temperature 2100", "this was the sign");
        Verdict::Pass
    })
}
