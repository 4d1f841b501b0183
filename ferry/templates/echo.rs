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
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            self.keep(done.buffer);
        }
        // Without a free buffer the message stays where it is, until a buffer comes back.
        while let Some(mut answer) = self.free.iter_mut().find_map(Option::take) {
            let Some(event) = port.receive() else {
                self.keep(answer);
                return;
            };
            let Event::Message { source, tag, buffer, length, .. } = event else {
                panic!("{event:?} was not expected")
            };
            let bytes = length as usize;
            answer.bytes_mut()[..bytes].copy_from_slice(&buffer.bytes()[..bytes]);
            post(port, buffer);
            match port.peer_of(source).filter(|peer| peer.may_send != 0) {
                Some(peer) => {
                    if let Err(refused) = port.send(peer, answer, length, Message::tagged(tag)) {
                        self.keep(refused.buffer);
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
    assert!(port.post(buffer, None).is_ok(), "there is room for all buffers");
}
