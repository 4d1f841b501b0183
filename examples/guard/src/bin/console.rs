//! The console of the low side. It prints each reading that is another one than before. What it has missed,
//! it sees from the numbers of the messages: what the guards have not passed, and what came when it had no
//! buffer.

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
/// It says how much has arrived whenever so many readings have.
const OFTEN: u64 = 10;
/// The readings that every guard passes, unless two of the three that judge the number lie.
const RIGHT: [&[u8]; 3] = [b"temperature 21", b"temperature 22", b"temperature 23"];

struct Console {
    /// The last reading.
    last: Vec<u8, { BYTES as usize }>,
    arrived: u64,
    gaps: Gaps,
}

impl Console {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        // Many, because guards that have not run for a while pass many readings at once.
        for buffer in receive.split::<32>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        Self { last: Vec::new(), arrived: 0, gaps: Gaps::new() }
    }
}

impl Client for Console {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            self.gaps.missed(&event);
            let Event::Message { buffer, length, .. } = event else { continue };
            self.arrived += 1;
            let reading = buffer.bytes().get(..length as usize).unwrap_or_default();
            if !RIGHT.contains(&reading) {
                runtime::println!("ferry: error this reading should not have passed");
            }
            if self.last != reading {
                runtime::println!("{}", core::str::from_utf8(reading).unwrap_or("not UTF-8"));
                self.last = Vec::from_slice(reading).unwrap_or_default();
            }
            if self.arrived.is_multiple_of(OFTEN) {
                runtime::println!(
                    "{} readings have arrived, {} are missing",
                    self.arrived,
                    self.gaps.total()
                );
            }
            port.post(buffer, None).expect("its slot is free again");
        }
    }
}
