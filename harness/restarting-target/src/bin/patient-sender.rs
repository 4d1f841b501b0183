//! Sends a message to the target and then one to the messenger, in each of six rounds. The messenger gets its
//! own when the guard has passed both. A round is over when both have ended.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Message, Peer, Port, ReceiveMemory, Status, TransmitBuffer, TransmitMemory,
};
use heapless::Vec;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Sender::new)
}

/// Bytes of a message.
const BYTES: u32 = 512;
/// The target restarts in all of them but the last.
const ROUNDS: u64 = 6;
/// The tag of messages for the messenger.
const OF_MESSENGER: u64 = u64::MAX;

struct Sender {
    /// To whom a round goes: the target, then the messenger.
    peers: [Peer; 2],
    free: Vec<TransmitBuffer, 2>,
    round: u64,
}

impl Sender {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let peers = ["target", "messenger"].map(|name| port.peer(name).expect("the flow is in flows.toml"));
        let mut sender = Self { peers, free: transmit.split(BYTES), round: 0 };
        sender.send(port);
        sender
    }

    /// Sends both messages of a round. Each byte of the first one is the number of the round, which is also
    /// its tag.
    fn send(&mut self, port: &mut Port<impl Doorbell>) {
        for ((peer, mut buffer), tag) in
            self.peers.into_iter().zip(core::mem::take(&mut self.free)).zip([self.round, OF_MESSENGER])
        {
            buffer.bytes_mut().fill(self.round.to_le_bytes()[0]);
            port.send(peer, buffer, BYTES, Message::tagged(tag)).expect("the ring has room");
        }
    }
}

impl Client for Sender {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            match ended.tag {
                OF_MESSENGER => assert!(ended.status == Status::Done, "the messenger takes everything"),
                round => runtime::println!("round {round} ended with {:?}", ended.status),
            }
            self.free.push(ended.buffer).expect("two buffers");
            if self.free.is_full() && self.round + 1 < ROUNDS {
                self.round += 1;
                self.send(port);
            }
        }
    }
}
