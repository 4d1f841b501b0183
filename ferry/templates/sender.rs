//! The client `my_client`. It sends one message to each client that it may send to, and prints what became of
//! it.

#![no_std]
#![no_main]

use ferry_client::{Doorbell, Message, Opening, Port, Regions, TransmitMemory};
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

/// Bytes of one buffer.
const BUFFER_BYTES: u32 = 4096;
/// How many messages may be on their way at a time.
const BUFFERS: usize = 16;
/// What is sent.
const GREETING: &[u8] = b"hello from my_client";

#[expect(clippy::large_enum_variant, reason = "there is one, and it is nearly always in the large variant")]
enum Client<D: Doorbell> {
    Opening(Opening<D>, TransmitMemory),
    Open(Port<D>),
    Ended,
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
    let (opening, transmit, _) = Port::open(regions, doorbell);
    let mut client = Client::Opening(opening, transmit);
    // Central runs before this PD, so it may have let this client in already.
    client.notified(ChannelSet::default());
    client
}

impl<D: Doorbell> Handler for Client<D> {
    fn notified(&mut self, _: ChannelSet) {
        *self = match core::mem::replace(self, Self::Ended) {
            Self::Opening(opening, transmit) => match opening.poll() {
                Err(opening) => Self::Opening(opening, transmit),
                Ok(mut port) => {
                    greet(&mut port, transmit);
                    Self::Open(serve(port))
                }
            },
            Self::Open(port) => Self::Open(serve(port)),
            Self::Ended => Self::Ended,
        };
    }
}

/// Sends one message to each client that this one may send to.
fn greet<D: Doorbell>(port: &mut Port<D>, transmit: TransmitMemory) {
    let buffers = transmit.split::<BUFFERS>(BUFFER_BYTES);
    let peers = port.peers().filter(|peer| peer.may_send != 0);
    for (mut buffer, peer) in buffers.into_iter().zip(peers) {
        buffer.bytes_mut()[..GREETING.len()].copy_from_slice(GREETING);
        // The tag is carried along. It says in `serve` which message has ended.
        let message = Message::tagged(u64::from(peer.domain));
        if port.send(peer, buffer, GREETING.len() as u32, message).is_err() {
            fail(format_args!("a message was not enqueued"));
        }
    }
}

/// Takes back what was sent, until only central can act next.
fn serve<D: Doorbell>(mut port: Port<D>) -> Port<D> {
    loop {
        while let Some(done) = port.reap() {
            // `done.buffer` can be filled and sent again.
            runtime::println!("my_client: the message to client {} ended with {:?}", done.tag, done.status);
        }
        port.flush();
        if !port.arm() {
            return port;
        }
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error domain=my_client {reason}");
    runtime::exit(1)
}
