//! The client `my_client`. It sends each message that it receives back to the client that it came from.

#![no_std]
#![no_main]

use ferry_client::{
    Doorbell, Event, Message, Opening, Port, ReceiveBuffer, ReceiveMemory, Regions, TransmitBuffer,
    TransmitMemory,
};
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

/// Bytes of one buffer. A longer message does not arrive.
const BUFFER_BYTES: u32 = 4096;
/// How many messages can be on their way in each direction.
const BUFFERS: usize = 16;

#[expect(clippy::large_enum_variant, reason = "there is one, and it is nearly always in the large variant")]
enum Client<D: Doorbell> {
    Opening(Opening<D>, TransmitMemory, ReceiveMemory),
    Open(Echo<D>),
    Ended,
}

/// The port, and the buffers for answers that are not on their way.
struct Echo<D: Doorbell> {
    port: Port<D>,
    free: [Option<TransmitBuffer>; BUFFERS],
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
    let (opening, transmit, receive) = Port::open(regions, doorbell);
    let mut client = Client::Opening(opening, transmit, receive);
    // Central runs before this PD, so it may have let this client in already.
    client.notified(ChannelSet::default());
    client
}

impl<D: Doorbell> Handler for Client<D> {
    fn notified(&mut self, _: ChannelSet) {
        *self = match core::mem::replace(self, Self::Ended) {
            Self::Opening(opening, transmit, receive) => match opening.poll() {
                Err(opening) => Self::Opening(opening, transmit, receive),
                Ok(mut port) => {
                    for buffer in receive.split::<BUFFERS>(BUFFER_BYTES) {
                        post(&mut port, buffer);
                    }
                    let mut free = transmit.split::<BUFFERS>(BUFFER_BYTES).into_iter();
                    Self::Open(Echo { port, free: core::array::from_fn(|_| free.next()) }.serve())
                }
            },
            Self::Open(echo) => Self::Open(echo.serve()),
            Self::Ended => Self::Ended,
        };
    }
}

impl<D: Doorbell> Echo<D> {
    /// Answers everything that has arrived, until only central can act next.
    fn serve(mut self) -> Self {
        loop {
            while let Some(done) = self.port.reap() {
                if let Some(place) = self.free.iter_mut().find(|place| place.is_none()) {
                    *place = Some(done.buffer);
                }
            }
            while let Some(event) = self.port.receive() {
                let Event::Message { source, tag, buffer, length, .. } = event else {
                    fail(format_args!("{event:?} was not expected"))
                };
                self.answer(source.number(), &buffer.bytes()[..length as usize], Message::tagged(tag));
                post(&mut self.port, buffer);
            }
            self.port.flush();
            if !self.port.arm() {
                return self;
            }
        }
    }

    /// Sends `bytes` to a client. Without a flow to it, or without a free buffer, there is no answer.
    fn answer(&mut self, client: u16, bytes: &[u8], message: Message) {
        let peer = self.port.peers().find(|peer| peer.domain == client && peer.may_send != 0);
        let free = self.free.iter_mut().find_map(Option::take);
        let (Some(peer), Some(mut buffer)) = (peer, free) else {
            runtime::println!("my_client: no answer to client {client}");
            return;
        };
        buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        if self.port.send(peer, buffer, bytes.len() as u32, message).is_err() {
            fail(format_args!("a message was not enqueued"));
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
