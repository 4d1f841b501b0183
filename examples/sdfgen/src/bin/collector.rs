//! The collector. It prints the readings of every sensor, and ends the system once all have sent their last.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveBuffer};
use runtime::Handler;

runtime::protection_domain!(init);

/// Bytes of one buffer. The flows allow no longer messages.
const BUFFER_BYTES: u32 = 4096;
/// How many messages can arrive before this client has looked at the first.
const BUFFERS: usize = 64;
/// Bytes of a reading.
const READING_BYTES: usize = size_of::<u64>();

struct Collector {
    /// How many sensors have readings to send.
    open: usize,
}

fn init() -> impl Handler {
    ferry_client::start!(|port, _, receive| {
        for buffer in receive.split::<BUFFERS>(BUFFER_BYTES) {
            post(port, buffer);
        }
        // Whoever may send to this client is a sensor, says the description.
        Collector { open: port.peers().filter(|peer| peer.may_receive != 0).count() }
    })
}

impl Client for Collector {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { source, tag, buffer, length, .. } = event else {
                fail(format_args!("{event:?} was not expected"))
            };
            let Some(sensor) = port.peer_of(source) else { fail(format_args!("a sensor is gone")) };
            let message = &buffer.bytes()[..length as usize];
            let Ok(reading) = <[u8; READING_BYTES]>::try_from(message) else {
                fail(format_args!("a reading of {length} bytes"))
            };
            runtime::println!("{} reads {}", sensor.name.as_str(), u64::from_le_bytes(reading));
            post(port, buffer);
            // The tag says how many readings follow.
            if tag == 0 {
                self.open -= 1;
            }
            if self.open == 0 {
                runtime::println!("all sensors have reported");
                runtime::exit(0)
            }
        }
    }
}

fn post(port: &mut Port<impl Doorbell>, buffer: ReceiveBuffer) {
    if port.post(buffer, None).is_err() {
        fail(format_args!("a buffer was not posted"));
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error {reason}");
    runtime::exit(1)
}
