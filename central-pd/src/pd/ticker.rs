//! Gives central its tick. The ticker is the only PD that runs by time. It has no memory regions and no
//! rights of a client.

#![no_std]
#![no_main]

use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

struct Never;

fn init() -> impl Handler {
    if let Some(central) = runtime::channel!(ferry_central) {
        loop {
            runtime::wait_for_period();
            runtime::notify(central);
        }
    }
    runtime::println!("ferry: error the system description does not set ferry_central");
    Never
}

impl Handler for Never {
    fn notified(&mut self, _: ChannelSet) {}
}
