//! Hashes what `sender` sends. At the closing message it prints the SHA-256, compares it with the sender's,
//! and ends the machine.

#![no_std]
#![no_main]

use ferry_client::{Doorbell, Event, Opening, Port, ReceiveBuffer, Regions};
use heapless::Vec;
use runtime::{ChannelSet, Handler};
use sha2::{Digest, Sha256};

runtime::protection_domain!(init);

/// Bytes of one receive buffer. The sender's messages fit into it.
const BUFFER_BYTES: u32 = 16 * 1024;
/// Number of receive buffers.
const BUFFERS: usize = 16;
/// Tag of the sender's closing message.
const TAG_END: u64 = 1;

#[expect(clippy::large_enum_variant, reason = "there is one, and it is nearly always in the large variant")]
enum Receiver<D: Doorbell> {
    Opening(Opening<D>, Vec<ReceiveBuffer, BUFFERS>),
    Receiving(Port<D>, Hash),
    Ended,
}

/// What has arrived.
struct Hash {
    sha256: Sha256,
    bytes: u64,
    messages: u64,
}

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central);
    let doorbell = move || central.map_or((), runtime::notify_above);
    // SAFETY: these are this PD's regions, and this is the only place that takes them.
    let regions = unsafe {
        Regions::new(
            runtime::region!(ferry_out),
            runtime::region!(ferry_in),
            runtime::region!(ferry_tx),
            runtime::region!(ferry_rx),
        )
    };
    let regions = regions.unwrap_or_else(|error| fail(format_args!("{error:?}")));
    let (opening, _, receive) = Port::open(regions, doorbell);
    let mut receiver = Receiver::Opening(opening, receive.split(BUFFER_BYTES));
    // Central runs before this PD, so it may have let this client in already.
    receiver.notified(ChannelSet::default());
    receiver
}

impl<D: Doorbell> Handler for Receiver<D> {
    fn notified(&mut self, _: ChannelSet) {
        *self = match core::mem::replace(self, Self::Ended) {
            Self::Opening(opening, buffers) => match opening.poll() {
                Err(opening) => Self::Opening(opening, buffers),
                Ok(mut port) => {
                    for buffer in buffers {
                        post(&mut port, buffer);
                    }
                    receive(port, Hash { sha256: Sha256::new(), bytes: 0, messages: 0 })
                }
            },
            Self::Receiving(port, hash) => receive(port, hash),
            Self::Ended => Self::Ended,
        };
    }
}

/// Takes everything that has arrived, until only central can act next.
fn receive<D: Doorbell>(mut port: Port<D>, mut hash: Hash) -> Receiver<D> {
    loop {
        while let Some(event) = port.receive() {
            let Event::Message { tag, buffer, length, .. } = event else {
                fail(format_args!("{event:?} was not expected"))
            };
            let bytes = &buffer.bytes()[..length as usize];
            if tag == TAG_END {
                finish(&port, hash, bytes);
            }
            hash.sha256.update(bytes);
            hash.bytes += u64::from(length);
            hash.messages += 1;
            post(&mut port, buffer);
        }
        port.flush();
        if !port.arm() {
            return Receiver::Receiving(port, hash);
        }
    }
}

fn post<D: Doorbell>(port: &mut Port<D>, buffer: ReceiveBuffer) {
    if port.post(buffer, None).is_err() {
        fail(format_args!("a buffer was not posted"));
    }
}

/// Prints what arrived and ends the machine.
fn finish<D: Doorbell>(port: &Port<D>, hash: Hash, announced: &[u8]) -> ! {
    let digest: [u8; 32] = hash.sha256.finalize().into();
    runtime::println!(
        "receiver: got {} bytes in {} messages: {}",
        hash.bytes,
        hash.messages,
        port.counters()
    );
    runtime::println!("receiver: sha256={}", Hex(digest));
    if announced != digest {
        fail(format_args!("the sender sent another file"));
    }
    runtime::exit(0)
}

/// Bytes as hexadecimal digits.
struct Hex([u8; 32]);

impl core::fmt::Display for Hex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error domain=receiver {reason}");
    runtime::exit(1)
}
