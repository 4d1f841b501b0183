//! Tells the target that the message of the sender has been passed.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Event, Message, Peer, Port, ReceiveMemory, TransmitBuffer, TransmitMemory,
};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Messenger::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 512;

struct Messenger {
    target: Peer,
    sign: Option<TransmitBuffer>,
}

impl Messenger {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, receive: ReceiveMemory) -> Self {
        for buffer in receive.split::<2>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        let target = port.peer("target").expect("the flow is in flows.toml");
        Self { target, sign: transmit.split::<1>(BYTES).pop() }
    }
}

impl Client for Messenger {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            self.sign = Some(ended.buffer);
        }
        while let Some(event) = port.receive() {
            let Event::Message { buffer, .. } = event else { continue };
            port.post(buffer, None).expect("its slot is free again");
            // The sign of the round before has ended: the target broke down when it came.
            let sign = self.sign.take().expect("one sign at a time");
            port.send(self.target, sign, 0, Message::tagged(0)).expect("the ring has room");
        }
    }
}
