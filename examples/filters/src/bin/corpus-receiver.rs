//! The target of one flow. What arrives must be, byte for byte, a message of the corpus that passes.

#![no_std]
#![no_main]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveMemory, TransmitMemory};
use ferry_example_filters::corpus::{FLOWS, places};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Receiver::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 2560;

/// Counts what has arrived.
struct Receiver {
    arrived: usize,
}

impl Receiver {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        for buffer in receive.split::<16>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        Self { arrived: 0 }
    }

    fn take(&mut self, tag: u64, bytes: &[u8]) {
        let [flow, number] = places(tag);
        let Some((_, corpus)) = FLOWS.get(flow) else { return };
        if corpus.pass.get(number).is_none_or(|(_, sample)| *sample != bytes) {
            runtime::println!("ferry: error message {number} of {} has arrived", corpus.directory);
            return;
        }
        self.arrived += 1;
        if self.arrived == corpus.pass.len() {
            runtime::println!("all {} messages that pass have arrived", self.arrived);
        }
    }
}

impl Client for Receiver {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { tag, buffer, length, .. } = event else { continue };
            self.take(tag, buffer.bytes().get(..length as usize).unwrap_or_default());
            port.post(buffer, None).expect("its slot is free again");
        }
    }
}
