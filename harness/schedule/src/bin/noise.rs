//! One of two clients of the high partition that keep central as busy as they can: each always has as many
//! messages for the other as it has memory for, and takes at once what comes. `high.rs` says for which
//! behaviour of their partition.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Event, Message, Peer, Port, ReceiveMemory, TransmitBuffer, TransmitMemory,
};
use runtime::Handler;

runtime::protection_domain!(init);

/// Bytes of a message, and how many are on their way at a time.
const BYTES: u32 = 4096;
const MESSAGES: usize = 48;
/// It says once that so many have arrived.
const BUSY: u32 = 200;

enum Noise<H> {
    Off,
    On(H),
}

impl<H: Handler> Handler for Noise<H> {
    fn notified(&mut self, channels: ChannelSet) {
        if let Self::On(handler) = self {
            handler.notified(channels);
        }
    }
}

fn init() -> impl Handler {
    let behaviour = runtime::region!(behaviour).expect("the description maps it");
    // SAFETY: the image builder fills the region, and nobody can write to it.
    match unsafe { behaviour.constant() }[0] {
        0 | 1 => Noise::Off,
        _ => Noise::On(ferry_client::start!(Talker::new)),
    }
}

struct Talker {
    other: Peer,
    arrived: u32,
}

impl Talker {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, receive: ReceiveMemory) -> Self {
        for buffer in receive.split::<MESSAGES>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        let other = ["noise-a", "noise-b"].into_iter().find_map(|name| port.peer(name));
        let talker = Self { other: other.expect("the flow is in flows.toml"), arrived: 0 };
        for buffer in transmit.split::<MESSAGES>(BYTES) {
            talker.send(port, buffer);
        }
        talker
    }

    fn send(&self, port: &mut Port<impl Doorbell>, buffer: TransmitBuffer) {
        port.send(self.other, buffer, BYTES, Message::tagged(0)).expect("the ring has room");
    }
}

impl Client for Talker {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            if let Event::Message { buffer, .. } = event {
                port.post(buffer, None).expect("its slot is free again");
                self.arrived += 1;
                if self.arrived == BUSY {
                    runtime::println!("{BUSY} messages have arrived");
                }
            }
        }
        while let Some(ended) = port.reap() {
            self.send(port, ended.buffer);
        }
    }
}
