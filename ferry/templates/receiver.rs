//! The client `my_client`. It prints the length of each message that it receives.

#![no_std]
#![no_main]

use ferry_client::{Doorbell, Event, Opening, Port, ReceiveBuffer, ReceiveMemory, Regions};
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

/// Bytes of one buffer. A longer message does not arrive.
const BUFFER_BYTES: u32 = 4096;
/// How many messages can arrive before this client has looked at the first.
const BUFFERS: usize = 16;

#[expect(clippy::large_enum_variant, reason = "there is one, and it is nearly always in the large variant")]
enum Client<D: Doorbell> {
    Opening(Opening<D>, ReceiveMemory),
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
    let (opening, _, receive) = Port::open(regions, doorbell);
    let mut client = Client::Opening(opening, receive);
    // Central runs before this PD, so it may have let this client in already.
    client.notified(ChannelSet::default());
    client
}

impl<D: Doorbell> Handler for Client<D> {
    fn notified(&mut self, _: ChannelSet) {
        *self = match core::mem::replace(self, Self::Ended) {
            Self::Opening(opening, receive) => match opening.poll() {
                Err(opening) => Self::Opening(opening, receive),
                Ok(mut port) => {
                    for buffer in receive.split::<BUFFERS>(BUFFER_BYTES) {
                        post(&mut port, buffer);
                    }
                    Self::Open(serve(port))
                }
            },
            Self::Open(port) => Self::Open(serve(port)),
            Self::Ended => Self::Ended,
        };
    }
}

/// Takes everything that has arrived, until only central can act next.
fn serve<D: Doorbell>(mut port: Port<D>) -> Port<D> {
    loop {
        while let Some(event) = port.receive() {
            let Event::Message { source, buffer, length, .. } = event else {
                fail(format_args!("{event:?} was not expected"))
            };
            // The message is in `buffer.bytes()[..length as usize]`.
            runtime::println!("my_client: {length} bytes from client {}", source.number());
            post(&mut port, buffer);
        }
        port.flush();
        if !port.arm() {
            return port;
        }
    }
}

fn post<D: Doorbell>(port: &mut Port<D>, buffer: ReceiveBuffer) {
    if port.post(buffer, None).is_err() {
        fail(format_args!("a buffer was not posted"));
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error domain=my_client {reason}");
    runtime::exit(1)
}
