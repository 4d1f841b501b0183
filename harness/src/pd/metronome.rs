//! The ticker of the test systems. It wakes central, as Ferry's own ticker does, and mallory. Mallory then
//! strikes at whatever instruction central has reached.

#![no_std]
#![no_main]

use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

struct Never;

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central).expect("ferry_central");
    let mallory = runtime::channel!(ferry_mallory).expect("ferry_mallory");
    // The compiler must not be able to prove that this loop is endless, because `init` has to return a
    // handler.
    while core::hint::black_box(true) {
        runtime::wait_for_period();
        runtime::notify(mallory);
        runtime::notify(central);
    }
    Never
}

impl Handler for Never {
    fn notified(&mut self, _: ChannelSet) {}
}
