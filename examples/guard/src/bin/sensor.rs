//! The sensor of the high side. It is not trusted: some of its readings are not what they should be.

#![no_std]
#![no_main]

use ferry_client::{ChannelSet, Client, Doorbell, Message, Port, ReceiveMemory, Status, TransmitMemory};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Sensor::new)
}

/// What it sends. Two of these may arrive.
const READINGS: [&[u8]; 5] =
    [b"temperature 21", b"temperature \x1b[2J", b"temperature 2100", b"humidity 40", b"temperature 22"];

/// Bytes of a buffer.
const BYTES: u32 = 64;

/// Counts what became of the readings.
#[derive(Default)]
struct Sensor {
    done: u32,
    refused: u32,
}

impl Sensor {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let console = port.peer("console").expect("the flow is in flows.toml");
        let buffers = transmit.split::<{ READINGS.len() }>(BYTES);
        for ((mut buffer, reading), tag) in buffers.into_iter().zip(READINGS).zip(0..) {
            buffer.bytes_mut()[..reading.len()].copy_from_slice(reading);
            let length = u32::try_from(reading.len()).unwrap_or(0);
            port.send(console, buffer, length, Message::tagged(tag)).expect("the ring is empty");
        }
        Self::default()
    }
}

impl Client for Sensor {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            match ended.status {
                Status::Done => self.done += 1,
                Status::Refused => self.refused += 1,
                other => runtime::println!("reading {} ended with {other:?}", ended.tag),
            }
        }
        if (self.done + self.refused) as usize == READINGS.len() {
            runtime::println!("{} Done, {} Refused", self.done, self.refused);
        }
    }
}
