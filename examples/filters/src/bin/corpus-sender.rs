//! Sends every message of the corpus to the target of its flow, those to be refused too, and compares what
//! becomes of each with the directory that it lies in.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Message, Port, ReceiveMemory, Status, TransmitBuffer, TransmitMemory,
};
use ferry_example_filters::corpus::{FLOWS, places, tag};
use heapless::Vec;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Sender::new)
}

/// Bytes of a buffer. The longest message of the corpus fits.
const BYTES: u32 = 2560;

struct Sender {
    free: Vec<TransmitBuffer, 16>,
    /// The next message to send: its flow, and its place in the corpus of the flow.
    next: (usize, usize),
    /// How many messages of each flow have passed, and how many were refused.
    ended: [[usize; 2]; FLOWS.len()],
}

impl Sender {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let free = transmit.split(BYTES);
        let mut sender = Self { free, next: (0, 0), ended: [[0; 2]; FLOWS.len()] };
        sender.send(port);
        sender
    }

    /// Sends as much as there are buffers for.
    fn send(&mut self, port: &mut Port<impl Doorbell>) {
        loop {
            let (flow, number) = self.next;
            let Some((target, corpus)) = FLOWS.get(flow) else { return };
            let Some((_, bytes)) = corpus.all().nth(number) else {
                self.next = (flow + 1, 0);
                continue;
            };
            let Some(mut buffer) = self.free.pop() else { return };
            buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
            let length = u32::try_from(bytes.len()).unwrap_or(0);
            let target = port.peer(target).expect("the flow is in flows.toml");
            // The target compares what arrives with the message of this number.
            let message = Message::tagged(tag(flow, number));
            if let Err(refused) = port.send(target, buffer, length, message) {
                let _ = self.free.push(refused.buffer);
                return;
            }
            self.next = (flow, number + 1);
        }
    }

    /// Notes what has become of a message.
    fn note(&mut self, tag: u64, status: Status) {
        let [flow, number] = places(tag);
        let (Some((target, corpus)), Some(ended)) = (FLOWS.get(flow), self.ended.get_mut(flow)) else {
            return;
        };
        let passes = number < corpus.pass.len();
        let expected = if passes { Status::Done } else { Status::Refused };
        if status != expected {
            let name = corpus.all().nth(number).map_or("", |(name, _)| name);
            runtime::println!(
                "ferry: error {}/{name} to {target} has ended with {status:?}",
                corpus.directory
            );
            return;
        }
        ended[usize::from(!passes)] += 1;
        let [passed, refused] = *ended;
        if passed + refused == corpus.all().count() {
            runtime::println!("{target}: {passed} Done, {refused} Refused, as the corpus has it");
        }
    }
}

impl Client for Sender {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            self.note(ended.tag, ended.status);
            let _ = self.free.push(ended.buffer);
        }
        self.send(port);
    }
}
