//! The client `my_client`. It prints the length of each message that it receives.

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
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { source, buffer, length, .. } = event else {
                panic!("{event:?} was not expected")
            };
            // The message is in `buffer.bytes()[..length as usize]`.
            runtime::println!("my_client: {length} bytes from client {}", source.number());
            post(port, buffer);
        }
    }
}

fn post(port: &mut Port<impl Doorbell>, buffer: ReceiveBuffer) {
    assert!(port.post(buffer, None).is_ok(), "there is room for all buffers");
}
