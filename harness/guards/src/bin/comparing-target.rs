//! A receiver. It says of each message whether it is what the honest guards have passed.

#![no_std]
#![no_main]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveMemory, TransmitMemory};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Target::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 64;

struct Target;

impl Target {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        for buffer in receive.split::<16>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        Self
    }
}

impl Client for Target {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { tag, buffer, length, .. } = event else { continue };
            if length == BYTES && buffer.bytes().iter().all(|byte| *byte == b'g') {
                runtime::println!("case {tag} arrived as it was passed");
            } else {
                runtime::println!("ferry: error case {tag} arrived rewritten");
            }
            port.post(buffer, None).expect("its slot is free again");
        }
    }
}
