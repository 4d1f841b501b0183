//! The ticker of the measured system: it gives central a tick when the producer asks for one, and never by
//! time. So the measurement does not depend on time.

#![no_std]
#![no_main]

use runtime::{Channel, ChannelSet, Handler};

runtime::protection_domain!(init);

struct AskedTicker {
    central: Option<Channel>,
}

fn init() -> impl Handler {
    AskedTicker { central: runtime::channel!(ferry_central) }
}

impl Handler for AskedTicker {
    fn notified(&mut self, _: ChannelSet) {
        if let Some(central) = self.central {
            runtime::notify_on_return(central);
        }
    }
}
