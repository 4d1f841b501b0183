//! Hashes what `sender` sends. At the closing message it prints the SHA-256, compares it with the sender's,
//! and ends the machine.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveBuffer};
use runtime::Handler;
use sha2::{Digest, Sha256};

runtime::protection_domain!(init);

/// Bytes of one receive buffer. The sender's messages fit into it.
const BUFFER_BYTES: u32 = 16 * 1024;
/// Number of receive buffers.
const BUFFERS: usize = 16;
/// Tag of the sender's closing message.
const TAG_END: u64 = 1;

/// What has arrived.
struct Receiver {
    sha256: Sha256,
    bytes: u64,
    messages: u64,
}

fn init() -> impl Handler {
    ferry_client::start!(|port, _, receive| {
        for buffer in receive.split::<BUFFERS>(BUFFER_BYTES) {
            post(port, buffer);
        }
        Receiver { sha256: Sha256::new(), bytes: 0, messages: 0 }
    })
}

impl Client for Receiver {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { tag, buffer, length, .. } = event else {
                fail(format_args!("{event:?} was not expected"))
            };
            let bytes = &buffer.bytes()[..length as usize];
            if tag == TAG_END {
                self.finish(port, bytes);
            }
            self.sha256.update(bytes);
            self.bytes += u64::from(length);
            self.messages += 1;
            post(port, buffer);
        }
    }
}

fn post(port: &mut Port<impl Doorbell>, buffer: ReceiveBuffer) {
    if port.post(buffer, None).is_err() {
        fail(format_args!("a buffer was not posted"));
    }
}

impl Receiver {
    /// Prints what arrived and ends the machine.
    fn finish(&self, port: &Port<impl Doorbell>, announced: &[u8]) -> ! {
        let (bytes, messages) = (self.bytes, self.messages);
        let digest: [u8; 32] = self.sha256.clone().finalize().into();
        runtime::println!("got {bytes} bytes in {messages} messages: {}", port.counters());
        runtime::println!("sha256={}", Hex(digest));
        if announced != digest {
            fail(format_args!("the sender sent another file"));
        }
        runtime::exit(0)
    }
}

/// Bytes as hexadecimal digits.
struct Hex([u8; 32]);

impl core::fmt::Display for Hex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error {reason}");
    runtime::exit(1)
}
