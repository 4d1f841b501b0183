//! The client `my_client`. It sends one message to each client that it may send to, and prints what became of
//! it.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ferry_client::{ChannelSet, Client, Doorbell, Message, Port, TransmitMemory};
use runtime::Handler;

runtime::protection_domain!(init);

/// Bytes of one buffer.
const BUFFER_BYTES: u32 = 4096;
/// How many messages may be on their way at a time.
const BUFFERS: usize = 16;
/// What is sent.
const GREETING: &[u8] = b"hello from my_client";

struct Sender;

fn init() -> impl Handler {
    ferry_client::start!(|port, transmit, _| {
        greet(port, transmit);
        Sender
    })
}

/// Sends one message to each client that this one may send to.
fn greet(port: &mut Port<impl Doorbell>, transmit: TransmitMemory) {
    let peers = port.peers().filter(|peer| peer.may_send != 0);
    for (peer, mut buffer) in peers.zip(transmit.split::<BUFFERS>(BUFFER_BYTES)) {
        buffer.bytes_mut()[..GREETING.len()].copy_from_slice(GREETING);
        // The tag is carried along. It says in `woken` which message has ended.
        let message = Message::tagged(u64::from(peer.domain));
        assert!(port.send(peer, buffer, GREETING.len() as u32, message).is_ok(), "there is room for one each");
    }
}

impl Client for Sender {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            // `done.buffer` can be filled and sent again.
            runtime::println!("my_client: the message to client {} ended with {:?}", done.tag, done.status);
        }
    }
}
