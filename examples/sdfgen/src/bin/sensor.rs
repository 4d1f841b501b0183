//! A sensor. It sends some readings to the collector. All sensors of the system run this program.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ferry_client::{ChannelSet, Client, Doorbell, Message, Port, Status};
use runtime::Handler;

runtime::protection_domain!(init);

/// Bytes of one buffer.
const BUFFER_BYTES: u32 = 4096;
/// Number of readings, and of buffers.
const READINGS: usize = 4;
/// Bytes of a reading.
const READING_BYTES: u32 = u64::BITS / 8;

struct Sensor;

fn init() -> impl Handler {
    ferry_client::start!(|port, transmit, _| {
        let Some(collector) = port.peer("collector") else { fail(format_args!("no flow to collector")) };
        let buffers = transmit.split::<READINGS>(BUFFER_BYTES);
        for (mut buffer, follow) in buffers.into_iter().zip((0..READINGS as u64).rev()) {
            // A number that stands for what a device would say.
            let reading = (follow * follow).to_le_bytes();
            buffer.bytes_mut()[..READING_BYTES as usize].copy_from_slice(&reading);
            // The tag says how many readings follow.
            let message = Message::tagged(follow);
            if port.send(collector, buffer, READING_BYTES, message).is_err() {
                fail(format_args!("a message was not enqueued"));
            }
        }
        Sensor
    })
}

impl Client for Sensor {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            if done.status != Status::Done {
                fail(format_args!("a reading with tag {} ended with {:?}", done.tag, done.status));
            }
        }
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error {reason}");
    runtime::exit(1)
}
