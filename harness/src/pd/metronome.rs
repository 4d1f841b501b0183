//! The ticker of the test systems: wakes central, as Ferry's own does, and mallory, who then strikes at
//! whatever instruction central is.

#![no_std]
#![no_main]

use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

struct Never;

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central).expect("ferry_central");
    let mallory = runtime::channel!(ferry_mallory).expect("ferry_mallory");
    // A loop that the compiler cannot prove endless, because `init` has to return a handler.
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
