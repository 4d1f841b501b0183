//! The sensor of the high side. It is not trusted: some of its readings are not what they should be.
//!
//! Its flow is one-way: each send ends with `Done` at the next tick, whatever became of it. So it cannot know
//! whether anybody listens. It sends for as long as it runs, one reading in a tick, and each again and again.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Message, Port, ReceiveMemory, Status, TransmitBuffer, TransmitMemory,
};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Sensor::new)
}

/// What it sends, in turn. Two of these may arrive.
const READINGS: [&[u8]; 5] =
    [b"temperature 21", b"temperature \x1b[2J", b"temperature 2100", b"humidity 40", b"temperature 22"];

/// Bytes of a buffer.
const BYTES: u32 = 64;

/// Counts what it has sent.
struct Sensor {
    sent: u64,
    readings: core::iter::Cycle<core::array::IntoIter<&'static [u8], { READINGS.len() }>>,
}

impl Sensor {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let mut sensor = Self { sent: 0, readings: READINGS.into_iter().cycle() };
        let buffer = transmit.split::<1>(BYTES).pop().expect("the region has a page");
        sensor.send(port, buffer);
        sensor
    }

    /// Sends the next reading.
    fn send(&mut self, port: &mut Port<impl Doorbell>, mut buffer: TransmitBuffer) {
        let reading = self.readings.next().unwrap_or_default();
        buffer.bytes_mut()[..reading.len()].copy_from_slice(reading);
        let length = u32::try_from(reading.len()).unwrap_or(0);
        let console = port.peer("console").expect("the flow is in flows.toml");
        port.send(console, buffer, length, Message::tagged(self.sent)).expect("the ring has room");
        self.sent += 1;
    }
}

impl Client for Sensor {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            if ended.status != Status::Done {
                // It would have learned something.
                runtime::println!("ferry: error reading {} ended with {:?}", ended.tag, ended.status);
            }
            self.send(port, ended.buffer);
            if self.sent == 10 {
                runtime::println!("the first 9 sends ended with Done, and that is all that it learns");
            }
        }
    }
}
