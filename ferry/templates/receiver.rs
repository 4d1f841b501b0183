//! The client `my_client`. It prints who sent each message that it receives, and its length.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveBuffer};
use runtime::Handler;

runtime::protection_domain!(init);

/// Bytes of one buffer. A longer message does not arrive.
const BUFFER_BYTES: u32 = 4096;
/// How many messages can arrive before this client has looked at the first.
const BUFFERS: usize = 16;

struct Receiver;

fn init() -> impl Handler {
    ferry_client::start!(|port, _, receive| {
        for buffer in receive.split::<BUFFERS>(BUFFER_BYTES) {
            post(port, buffer);
        }
        Receiver
    })
}

impl Client for Receiver {
    /// Called whenever there is something new.
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { source, buffer, length, .. } = event else {
                fail(format_args!("{event:?} was not expected"))
            };
            // The message is in `buffer.bytes()[..length as usize]`.
            let sender = port.peer_of(source);
            let name = sender.as_ref().map_or("a client that is gone", |sender| sender.name.as_str());
            runtime::println!("{length} bytes from {name}");
            post(port, buffer);
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
