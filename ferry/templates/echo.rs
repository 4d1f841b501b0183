//! The client `my_client`. It sends each message that it receives back to the client that it came from.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Message, Port, ReceiveBuffer, TransmitBuffer};
use runtime::Handler;

runtime::protection_domain!(init);

/// Bytes of one buffer. A longer message does not arrive.
const BUFFER_BYTES: u32 = 4096;
/// How many messages can be on their way in each direction.
const BUFFERS: usize = 16;

struct Echo {
    /// The buffers for answers that are not on their way.
    free: [Option<TransmitBuffer>; BUFFERS],
}

fn init() -> impl Handler {
    ferry_client::start!(|port, transmit, receive| {
        for buffer in receive.split::<BUFFERS>(BUFFER_BYTES) {
            post(port, buffer);
        }
        let mut free = transmit.split::<BUFFERS>(BUFFER_BYTES).into_iter();
        Echo { free: core::array::from_fn(|_| free.next()) }
    })
}

impl Client for Echo {
    /// Called whenever there is something new.
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            self.keep(done.buffer);
        }
        // Without a free buffer a message stays where it is, until a buffer comes back.
        while let Some(mut answer) = self.free.iter_mut().find_map(Option::take) {
            let Some(event) = port.receive() else {
                self.keep(answer);
                return;
            };
            let Event::Message { source, tag, buffer, length, .. } = event else {
                fail(format_args!("{event:?} was not expected"))
            };
            let bytes = length as usize;
            answer.bytes_mut()[..bytes].copy_from_slice(&buffer.bytes()[..bytes]);
            post(port, buffer);
            match port.peer_of(source).filter(|peer| peer.may_send != 0) {
                Some(peer) => {
                    if port.send(peer, answer, length, Message::tagged(tag)).is_err() {
                        fail(format_args!("a message was not enqueued"));
                    }
                }
                // There is no flow back.
                None => self.keep(answer),
            }
        }
    }
}

impl Echo {
    fn keep(&mut self, buffer: TransmitBuffer) {
        if let Some(place) = self.free.iter_mut().find(|place| place.is_none()) {
            *place = Some(buffer);
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
