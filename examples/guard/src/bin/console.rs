//! The console of the low side. It prints each reading that is another one than before, and how many it has
//! missed, which it sees from the numbers of the messages.

#![no_std]
#![no_main]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Gaps, Port, ReceiveMemory, TransmitMemory};
use heapless::Vec;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Console::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 64;

struct Console {
    /// The last reading.
    last: Vec<u8, { BYTES as usize }>,
    arrived: u64,
    gaps: Gaps,
    missed: u64,
}

impl Console {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        for buffer in receive.split::<8>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        Self { last: Vec::new(), arrived: 0, gaps: Gaps::new(), missed: 0 }
    }
}

impl Client for Console {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            self.missed += self.gaps.missed(&event);
            let Event::Message { tag, buffer, length, .. } = event else { continue };
            self.arrived += 1;
            let reading = buffer.bytes().get(..length as usize).unwrap_or_default();
            if self.last != reading {
                runtime::println!("{}", core::str::from_utf8(reading).unwrap_or("not UTF-8"));
                self.last = Vec::from_slice(reading).unwrap_or_default();
            }
            // The last one of the sensor.
            if tag == 32 {
                let (arrived, missed) = (self.arrived, self.missed);
                let sent = arrived + missed;
                runtime::println!("{sent} readings were sent, {arrived} have arrived, {missed} were dropped");
            }
            port.post(buffer, None).expect("its slot is free again");
        }
    }
}
