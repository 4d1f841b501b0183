//! The sensor of the high side. It is not trusted: some of its readings are not what they should be.
//!
//! Its flow is one-way: each send ends with `Done` at the next tick, whatever became of it. So it cannot know
//! when somebody listens, and begins with the same reading again and again.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Message, Port, ReceiveMemory, Status, TransmitBuffer, TransmitMemory,
};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Sensor::new)
}

/// The reading that it begins with, and how often it sends that: one in a tick.
const FIRST: &[u8] = b"temperature 20";
const REPEATED: usize = 28;

/// What it sends then. Two of these may arrive.
const READINGS: [&[u8]; 5] =
    [b"temperature 21", b"temperature \x1b[2J", b"temperature 2100", b"humidity 40", b"temperature 22"];

/// Bytes of a buffer.
const BYTES: u32 = 64;

/// Counts its readings.
struct Sensor {
    sent: usize,
    done: usize,
}

impl Sensor {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let mut sensor = Self { sent: 0, done: 0 };
        if let Some(buffer) = transmit.split::<1>(BYTES).pop() {
            sensor.send(port, buffer);
        }
        sensor
    }

    /// Sends the next reading, if there is one.
    fn send(&mut self, port: &mut Port<impl Doorbell>, mut buffer: TransmitBuffer) {
        let reading = match self.sent.checked_sub(REPEATED) {
            None => FIRST,
            Some(number) => match READINGS.get(number) {
                Some(reading) => reading,
                None => return runtime::println!("{} Done", self.done),
            },
        };
        buffer.bytes_mut()[..reading.len()].copy_from_slice(reading);
        let length = u32::try_from(reading.len()).unwrap_or(0);
        let console = port.peer("console").expect("the flow is in flows.toml");
        let message = Message::tagged(self.sent as u64);
        port.send(console, buffer, length, message).expect("the ring is empty");
        self.sent += 1;
    }
}

impl Client for Sensor {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            match ended.status {
                Status::Done => self.done += 1,
                other => runtime::println!("ferry: error reading {} ended with {other:?}", ended.tag),
            }
            self.send(port, ended.buffer);
        }
    }
}
