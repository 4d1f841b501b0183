//! The console of the low side. It prints what arrives.

#![no_std]
#![no_main]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveMemory, TransmitMemory};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Console::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 64;

/// Counts what has arrived.
struct Console {
    arrived: u32,
}

impl Console {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        for buffer in receive.split::<8>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        Self { arrived: 0 }
    }
}

impl Client for Console {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { tag, buffer, length, .. } = event else { continue };
            let reading = buffer.bytes().get(..length as usize).unwrap_or_default();
            runtime::println!("{}", core::str::from_utf8(reading).unwrap_or("not UTF-8"));
            self.arrived += 1;
            // The last one of the sensor.
            if tag == 4 {
                runtime::println!("{} messages of 5", self.arrived);
            }
            port.post(buffer, None).expect("its slot is free again");
        }
    }
}
