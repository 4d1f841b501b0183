//! The client `my_client`. It sends one message to each client that it may send to, and prints what became of
//! it.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ferry_client::{ChannelSet, Client, Doorbell, Message, Port};
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
        let peers = port.peers().filter(|peer| peer.may_send != 0);
        for (mut buffer, peer) in transmit.split::<BUFFERS>(BUFFER_BYTES).into_iter().zip(peers) {
            buffer.bytes_mut()[..GREETING.len()].copy_from_slice(GREETING);
            // The tag is carried along. It says in `woken` which message has ended.
            let message = Message::tagged(u64::from(peer.domain));
            if port.send(peer, buffer, GREETING.len() as u32, message).is_err() {
                fail(format_args!("a message was not enqueued"));
            }
        }
        Sender
    })
}

impl Client for Sender {
    /// Called whenever there is something new.
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            // `done.buffer` can be filled and sent again.
            let peer = port.peers().find(|peer| u64::from(peer.domain) == done.tag);
            let name = peer.as_ref().map_or("a client that is gone", |peer| peer.name.as_str());
            runtime::println!("the message to {name} ended with {:?}", done.status);
        }
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error {reason}");
    runtime::exit(1)
}
