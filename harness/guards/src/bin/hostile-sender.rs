//! A hostile sender. In two cases it sends good bytes, and rewrites them from then on: while the guards look
//! at them, between two guards, and before the target gets them. The hostile guard keeps both messages until
//! this is done. Central copies the bytes before the sender runs again, or it copies rewritten bytes, which
//! the honest guard refuses.

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
const BYTES: u32 = 64;
/// The cases, as `hostile-guard.rs` knows them. Those of one step are sent at once, and the next step begins
/// when all of them have ended.
const STEPS: [&[u64]; 11] = [&[0], &[1], &[2], &[11, 3], &[4], &[5], &[6], &[7], &[8], &[9, 10, 13], &[12]];
const CASES: usize = 14;
/// The cases that go to the second target.
const FOR_SECOND: [u64; 4] = [7, 8, 11, REWRITTEN_NOW];
/// The cases that the honest guards have to refuse.
const WRONG: [u64; 3] = [6, 8, 11];
/// The cases in which the sender rewrites what it has sent.
const REWRITTEN: [u64; 2] = [9, 10];
/// The message that tells the hostile guard that this is done.
const REWRITTEN_NOW: u64 = 13;

struct Sender {
    target: Peer,
    second: Peer,
    steps: core::array::IntoIter<&'static [u64], { STEPS.len() }>,
    /// One for each case.
    buffers: Vec<TransmitBuffer, CASES>,
    under_way: usize,
}

impl Sender {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let [target, second] =
            ["target", "second"].map(|name| port.peer(name).expect("the flow is in flows.toml"));
        let (steps, buffers) = (STEPS.into_iter(), transmit.split(BYTES));
        let mut sender = Self { target, second, steps, buffers, under_way: 0 };
        sender.send(port);
        sender
    }

    /// Sends the cases of the next step.
    fn send(&mut self, port: &mut Port<impl Doorbell>) {
        let Some(cases) = self.steps.next() else {
            runtime::println!("all cases have ended");
            return;
        };
        let mut rewritten: Vec<*mut u8, { REWRITTEN.len() }> = Vec::new();
        for case in cases {
            if *case == REWRITTEN_NOW {
                port.flush();
                rewrite(&rewritten);
            }
            let mut buffer = self.buffers.pop().expect("the region has room for all cases");
            buffer.bytes_mut().fill(if WRONG.contains(case) { b'b' } else { b'g' });
            if REWRITTEN.contains(case) {
                rewritten.push(buffer.bytes_mut().as_mut_ptr()).expect("there is a place for each");
            }
            let peer = if FOR_SECOND.contains(case) { self.second } else { self.target };
            port.send(peer, buffer, BYTES, Message::tagged(*case)).expect("the ring has room");
        }
        self.under_way = cases.len();
    }
}

/// Rewrites the bytes of messages, again and again, for a while.
fn rewrite(messages: &[*mut u8]) {
    for round in 0..200_000_u32 {
        let byte = if round % 2 == 0 { b'b' } else { b'x' };
        for bytes in messages {
            // SAFETY: each buffer has BYTES bytes.
            let place = unsafe { bytes.add((round % BYTES) as usize) };
            // SAFETY: `place` is in the transmit memory of this domain, which stays mapped for ever, and
            // nothing else of this program uses this buffer. That central may read it is the point.
            unsafe { place.write_volatile(byte) };
        }
    }
}

impl Client for Sender {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            match ended.status {
                // What happens to rewritten bytes depends on who was first.
                Status::Done | Status::Refused if REWRITTEN.contains(&ended.tag) => {}
                status @ (Status::Done | Status::Refused) => {
                    runtime::println!("case {} ended with {status:?}", ended.tag);
                }
                other => runtime::println!("ferry: error case {} ended with {other:?}", ended.tag),
            }
            self.under_way -= 1;
            if self.under_way == 0 {
                self.send(port);
            }
        }
    }
}
