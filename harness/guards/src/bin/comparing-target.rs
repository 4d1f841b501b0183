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

/// Counts what arrives as nobody has passed it.
struct Target {
    rewritten: u32,
}

impl Target {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        for buffer in receive.split::<16>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        Self { rewritten: 0 }
    }
}

impl Client for Target {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { tag, buffer, length, .. } = event else { continue };
            if length == BYTES && buffer.bytes().iter().all(|byte| *byte == b'g') {
                runtime::println!("case {tag} arrived as it was passed");
            } else {
                self.rewritten += 1;
                runtime::println!("case {tag} arrived rewritten");
            }
            // The last case.
            if tag == 10 {
                runtime::println!("{} messages arrived rewritten", self.rewritten);
            }
            port.post(buffer, None).expect("its slot is free again");
        }
    }
}
